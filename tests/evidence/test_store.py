"""Evidence goes to the season's store once, waits where the store is away, and a season's data come home."""

import pytest

from infra.evidence.store import BUCKET, ObjectStore, StoreConflict, StoreTrouble, keep, send
from tests.evidence.examples import allowed_signers, operator, season, verify


@pytest.fixture
def signer(tmp_path):
    return operator(tmp_path / "operator")


@pytest.fixture
def log(tmp_path, signer):
    log = season(tmp_path, signer)
    log.append("up", "2017-s09", {"changes": {"create": 158}}, {"model.json": b"{}"})
    log.seal()
    return log


def keys(store) -> set[str]:
    return {each["Key"] for each in store.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_what_the_store_holds_is_proven_without_this_machine(store, log, signer, tmp_path):
    """Guards against a store that has pieces of evidence but no proof."""
    log.append("drain", "2017-s09", {"readings": 7}, {"manifest.json": b'{"readings":7}'})
    log.seal()
    assert send(log, store).objects == 8
    keep(store, tmp_path / "copy")
    keys = allowed_signers(tmp_path, signer)
    assert verify(tmp_path / "copy" / BUCKET, "--keys", keys).proven


def test_what_is_there_is_not_sent_again(store, log):
    """Guards against a bad uplink that carries the whole season after every command."""
    assert send(log, store).objects == 4
    assert send(log, store).objects == 0
    log.append("destroy", "2017-s09", {})
    log.seal()
    assert send(log, store).objects == 3


def test_entries_without_a_signature_wait(store, log):
    """Guards against an open part in a store where nothing can be replaced."""
    log.append("destroy", "2017-s09", {}, {"events.json": b"[]"})
    assert send(log, store).objects == 4


def test_a_store_that_is_away_is_one_sentence_and_the_next_command_delivers(store, log):
    """Guards against evidence that is lost because the store was down when it was written."""
    with pytest.raises(StoreTrouble, match="http://127.0.0.1:1"):
        send(log, ObjectStore("http://127.0.0.1:1", "key", "secret"))
    assert send(log, store).objects == 4


def test_other_content_under_a_name_of_ours_is_never_overwritten(store, log):
    """Guards against two truths about one entry, of which the later wins."""
    part = next(path for path in log.closed() if path.suffix == ".jsonl")
    store.client().put_object(Bucket=BUCKET, Key=part.as_posix(), Body=b"forged")
    with pytest.raises(StoreConflict, match=r"00000001\.jsonl \(6 bytes\).*nothing was overwritten"):
        send(log, store)
    assert store.client().get_object(Bucket=BUCKET, Key=part.as_posix())["Body"].read() == b"forged"


def test_a_short_patience_leaves_the_rest_and_says_how_much(store, log):
    """Guards against a prompt that hangs on a bad uplink after every command."""
    sent = send(log, store, patience_s=-1)
    assert (sent.objects, sent.left) == (0, 4)
    assert send(log, store).objects == 4


def test_chains_of_several_operators_lie_side_by_side(store, log, tmp_path):
    """Guards against a team whose second laptop replaces the evidence of the first."""
    other = season(tmp_path / "elsewhere", operator(tmp_path / "night"))
    other.append("up", "2017-s09", {})
    other.seal()
    send(log, store)
    send(other, store)
    assert {key.split("/")[0] for key in keys(store)} == {
        folder.name for each in (log, other) for folder in each.folder.iterdir()
    }


def test_a_broken_chain_is_not_sent_over_the_good_one(store, log):
    """Guards against a changed log that reaches the store, and against one that blocks everything after it."""
    send(log, store)
    before = keys(store)
    part = log.folder / next(path for path in log.closed() if path.suffix == ".jsonl")
    part.write_bytes(part.read_bytes().replace(b"158", b"159"))
    log.append("destroy", "2017-s09", {})
    log.seal()
    assert send(log, store).objects == 3
    assert before < keys(store)


def test_a_name_that_leads_elsewhere_is_not_followed(store, tmp_path):
    """Guards against a store that writes over the files of whoever copies it."""
    store.client().put_object(Bucket="archive", Key="../../operator_key", Body=b"mine")
    with pytest.raises(StoreTrouble, match="leads out of the folder"):
        keep(store, tmp_path / "seasons" / "2017")
    assert not (tmp_path / "seasons/operator_key").exists()


def test_a_season_comes_home_whole_and_goes_on_where_it_was_stopped(store, tmp_path):
    """Guards against an archive that ends with the core."""
    store.client().put_object(Bucket="archive", Key="readings/edition=2017/stage=09/0001.parquet", Body=b"x" * 1000)
    first = keep(store, tmp_path)
    kept = tmp_path / "archive/readings/edition=2017/stage=09/0001.parquet"
    assert kept.read_bytes() == b"x" * 1000
    kept.write_bytes(b"y" * 1000)
    assert keep(store, tmp_path) == first
    assert kept.read_bytes() == b"y" * 1000
