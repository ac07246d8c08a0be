"""An evidence log keeps what it was told, in order, whatever happens to the command that writes."""

import hashlib
import json

import pytest

from infra.evidence.chain import BrokenChain, canonical, read_chain
from tests.evidence.examples import operator, season


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return operator(tmp_path_factory.mktemp("operator"))


@pytest.fixture
def log(tmp_path, signer):
    return season(tmp_path, signer)


def only_chain(log):
    (folder,) = (path for path in log.folder.iterdir())
    return folder


def test_each_entry_holds_the_hash_of_the_one_before(log):
    """Guards against an entry that can be taken out without a trace."""
    first = log.append("up", "2017-s09", {"changes": {"create": 3}})
    second = log.append("drain", "2017-s09", {"readings": 7})
    assert (first.seq, first.previous) == (1, "0" * 64)
    assert (second.seq, second.previous) == (2, first.hash)
    line = (only_chain(log) / "log/00000001.jsonl").read_bytes().split(b"\n")[0]
    bare = {name: value for name, value in json.loads(line).items() if name != "hash"}
    assert first.hash == hashlib.sha256(canonical(bare)).hexdigest()


def test_attached_files_are_named_by_their_content(log):
    """Guards against evidence whose attachment can be exchanged."""
    entry = log.append("drain", "2017-s09", {}, {"manifest.json": b'{"readings": 7}'})
    kept = only_chain(log) / "files" / entry.files["manifest.json"]["sha256"]
    assert kept.read_bytes() == b'{"readings": 7}'
    assert entry.files["manifest.json"]["size"] == 15


def test_a_sealed_part_is_never_written_again(log):
    """Guards against copies in a write-once store that would have to change."""
    log.append("up", "2017-s09", {})
    head = log.seal()
    sealed = {path: (log.folder / path).read_bytes() for path in log.closed()}
    log.append("destroy", "2017-s09", {})
    assert log.seal().seq == 2
    assert head.seq == 1
    assert {path: (log.folder / path).read_bytes() for path in sealed} == sealed


def test_nothing_new_needs_no_signature(log):
    """Guards against a log that grows by signatures alone."""
    assert log.seal() is None
    log.append("up", "2017-s09", {})
    assert log.seal() is not None
    assert log.seal() is None


def test_half_a_line_is_set_aside_and_told(log):
    """Guards against a power cut that makes the log unreadable, or that loses what was half written in silence."""
    log.append("up", "2017-s09", {})
    part = only_chain(log) / "log/00000001.jsonl"
    with part.open("ab") as file:
        file.write(b'{"at":"2017-07-09T19:3')
    log.append("drain", "2017-s09", {})
    kinds = [entry.kind for entry in log.entries()]
    assert kinds == ["up", "recovery", "drain"]
    recovery = log.entries()[1]
    kept = only_chain(log) / "files" / recovery.files["torn line"]["sha256"]
    assert kept.read_bytes() == b'{"at":"2017-07-09T19:3'


def test_a_file_without_its_entry_is_attached_by_the_next_command(log, signer):
    """Guards against a manifest that a killed command wrote and that nobody will ever know of."""
    log.append("up", "2017-s09", {})
    digest = hashlib.sha256(b"manifest").hexdigest()
    (only_chain(log) / "files" / digest).write_bytes(b"manifest")
    (only_chain(log) / "files" / "half.1.new").write_bytes(b"man")
    log = season(log.folder.parent, signer)
    log.append("drain", "2017-s09", {})
    recovery = read_chain(only_chain(log)).entries[1]
    assert recovery.files[f"file {digest}"]["sha256"] == digest
    assert read_chain(only_chain(log)).strays() == []


def test_a_changed_log_is_left_as_it_is_and_a_new_chain_says_so(log):
    """Guards against a truck that cannot be taken down because someone edited its log, and against silence."""
    log.append("up", "2017-s09", {"who": "ops"})
    part = only_chain(log) / "log/00000001.jsonl"
    changed = part.read_bytes().replace(b"ops", b"me!")
    part.write_bytes(changed)
    entry = log.append("destroy", "2017-s09", {})
    old, new = sorted(log.folder.iterdir())
    assert (old / "log/00000001.jsonl").read_bytes() == changed
    broken, after = read_chain(new).entries
    assert (broken.kind, broken.facts["chain"]) == ("broken", old.name)
    assert "line 1 was changed" in str(broken.facts["reason"])
    assert after == entry
    with pytest.raises(BrokenChain, match="line 1 was changed"):
        read_chain(old)


def test_two_operators_write_beside_each_other(tmp_path, signer):
    """Guards against a team whose second machine overwrites the first one's evidence."""
    season(tmp_path, signer).append("up", "2017-core", {})
    season(tmp_path, operator(tmp_path / "other")).append("up", "2017-s09", {})
    chains = [read_chain(folder) for folder in sorted((tmp_path / "2017").iterdir())]
    assert [chain.last for chain in chains] == [1, 1]
    assert len({chain.entries[0].who for chain in chains}) == 2
