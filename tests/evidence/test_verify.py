"""An auditor runs one file, alone, and finds every byte that is not as it was written."""

import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.workspace import ROOT
from tests.evidence.examples import PYTHON, allowed_signers, operator, season, verify


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Two operators' chains: three signed parts, attached files, one witness; and whose keys are accepted."""
    folder = tmp_path_factory.mktemp("original")
    signer, other = operator(folder / "home"), operator(folder / "other")
    stage = season(folder, signer)
    stage.append("up", "2017-s09", {"changes": {"create": 158}, "km": 181.5}, {"model.json": b'{"nodes":[]}'})
    stage.append("policy", "2017-s09", {"findings": []})
    stage.seal()
    stage.append("destroy", "2017-s09", {"é": None}, {"checkpoint.json": b"{}", "empty": b""})
    stage.seal()
    core = season(folder, other)
    seen = {stage.entries()[-1].seq: stage.entries()[-1].hash}
    (seq, digest), (chain,) = *seen.items(), [path.name for path in stage.folder.iterdir() if _is_of(path, signer)]
    core.append("closing", "2017-core", {"witnessed": {chain: {"seq": seq, "hash": digest}}})
    core.seal()
    keys = allowed_signers(folder, signer)
    keys.write_text(keys.read_text() + allowed_signers(folder / "other", other, "ops-night").read_text())
    return folder


def _is_of(path: Path, signer) -> bool:
    return path.name.startswith(signer.fingerprint.removeprefix("SHA256:").replace("+", "-").replace("/", "_"))


@pytest.fixture
def copy(original, tmp_path):
    return Path(shutil.copytree(original, tmp_path / "copy"))


def proof(folder: Path, *options):
    return verify(folder / "2017", "--keys", folder / "allowed_signers", *options)


def chain_of(folder: Path) -> Path:
    """The chain of the stage's operator."""
    (part,) = (folder / "2017").glob("*/log/00000003.jsonl")
    return part.parent.parent


def test_a_season_as_it_was_written_is_proven(original):
    """Guards against a proof that nobody can pass."""
    verdict = proof(original)
    assert (verdict.status, verdict.findings, verdict.complaint) == (0, [], "")
    assert {(chain["entries"], chain["files"], *chain["signers"]) for chain in verdict.chains} == {
        (3, 3, "ops-lead"),
        (1, 0, "ops-night"),
    }


@cache
def _in_process():
    """The same file as a module: thousands of attacks need no process each."""
    loader = importlib.machinery.SourceFileLoader("verify_evidence", str(ROOT / "scripts/verify-evidence"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.ssh_keygen = _remembering(module.ssh_keygen)
    return module


def _remembering(ask):
    """The same question has the same answer: only signatures that were attacked are asked about anew."""
    answers = {}

    def ask_once(arguments, given):
        signature = Path(arguments[arguments.index("-s") + 1]).read_bytes()
        question = (arguments[0], given, signature)
        if question not in answers:
            answers[question] = ask(arguments, given)
        return answers[question]

    return ask_once


def _attack(data: st.DataObject, path: Path, others: list[Path]) -> str:
    """Change one thing about a file, and say what."""
    content = path.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "remove", "insert", "cut", "delete", "swap", "twist", "drop line"]))
    at = data.draw(st.integers(0, max(len(content) - 1, 0)))
    lines = content.splitlines(keepends=True)
    if kind == "swap":
        other = data.draw(st.sampled_from(others))
        theirs = other.read_bytes()
        path.write_bytes(theirs), other.write_bytes(content)
        return kind if theirs != content else ""
    if kind == "delete":
        path.unlink()
        return kind
    changed = {
        "flip": content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]
        if content
        else b"x",
        "remove": content[:at] + content[at + 1 :] or b"x",
        "insert": content[:at] + bytes([data.draw(st.integers(0, 255))]) + content[at:],
        "cut": content[:at] or b"x",
        "twist": b"".join([*lines[1:], *lines[:1]]),
        "drop line": b"".join(lines[1:]),
    }[kind]
    path.write_bytes(changed)
    return kind if changed != content else ""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_any_file_is_found(original, tmp_path, data):
    """Guards against the one byte that no hash covers: entries, heads, signatures, attached files."""
    folder = tmp_path / "attacked"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder)
    files = sorted(path for path in (folder / "2017").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    kind = _attack(data, path, files)
    module = _in_process()
    result = module.Proof(folder / "2017", folder / "allowed_signers")
    result.read()
    chain = path.relative_to(folder / "2017").parts[0]
    assert bool(result.findings) == bool(kind)
    assert not kind or chain in {finding[0] for finding in result.findings}


def test_a_changed_entry_is_named_with_its_line(copy):
    """Guards against an alarm that does not say where."""
    part = chain_of(copy) / "log/00000001.jsonl"
    part.write_bytes(part.read_bytes().replace(b'"create":158', b'"create":157'))
    assert "entry 1 was changed" in proof(copy).at("log/00000001.jsonl line 1")


def test_a_change_that_was_hashed_anew_is_found_by_the_next_entry_and_by_the_head(copy):
    """Guards against a forger who knows the format but has no key."""
    module, part = _in_process(), chain_of(copy) / "log/00000001.jsonl"
    lines = part.read_bytes().split(b"\n")
    forged = json.loads(lines[1]) | {"facts": {"findings": ["none at all"]}}
    bare = {name: value for name, value in forged.items() if name != "hash"}
    forged["hash"] = module.hashlib.sha256(module.canonical(bare)).hexdigest()
    part.write_bytes(b"\n".join([lines[0], module.canonical(forged), b""]))
    verdict = proof(copy)
    assert "log/00000001.head signs" in verdict.at("log/00000001.jsonl")
    assert "entry 3 follows" in verdict.at("log/00000003.jsonl line 1")


def test_entries_that_were_taken_from_the_end_are_counted(copy):
    """Guards against a log that is short and looks whole."""
    part = chain_of(copy) / "log/00000001.jsonl"
    part.write_bytes(part.read_bytes().split(b"\n")[0] + b"\n")
    assert "ends with entry 1" in proof(copy).at("log/00000001.jsonl")


def test_a_log_cut_back_to_an_older_signed_state_is_found_by_a_witness_and_by_a_noted_head(copy, tmp_path):
    """Guards against the one attack that the folder alone cannot show: what is left is true."""
    noted = shutil.copy(chain_of(copy) / "log/00000003.head", tmp_path / "noted.head")
    chain = chain_of(copy)
    for path in chain.glob("log/00000003.*"):
        path.unlink()
    for path in chain.glob("files/*"):
        if path.read_bytes() in (b"", b"{}"):
            path.unlink()
    assert "entry 3 is cut off after 2" in proof(copy).at("log")
    (witness,) = (path for path in (copy / "2017").iterdir() if path != chain)
    shutil.rmtree(witness)
    assert proof(copy).proven
    assert f"as you noted in {noted}" in proof(copy, "--head", noted).at("log")


def test_a_chain_that_is_gone_is_missed_by_who_has_seen_it(copy):
    """Guards against an operator whose whole log disappears."""
    shutil.rmtree(chain_of(copy))
    assert "entry 3 is cut off after 0" in proof(copy).at("log")


def test_entries_after_the_last_signature_are_named_and_not_proven(original, copy):
    """Guards against a silent pass of what a killed command left unsigned."""
    signer = operator(copy / "home")
    season(copy, signer).append("up", "2017-s10", {})
    assert "entries 4 to 4 are not signed" in proof(copy).at("log/00000004.head")
    season(copy, signer).seal()
    assert proof(copy).proven


def test_a_key_that_nobody_knows_is_named(copy):
    """Guards against a log that was written anew by somebody else."""
    stranger = operator(copy / "stranger")
    season(copy, stranger).append("up", "2017-s09", {})
    season(copy, stranger).seal()
    verdict = proof(copy)
    assert f"is made with the key {stranger.fingerprint}, unknown to allowed_signers" in verdict.at(
        "log/00000001.head.sig"
    )


def test_a_key_counts_only_in_its_time(copy):
    """Guards against the key of somebody who had left before the stage."""
    keys = copy / "allowed_signers"
    before = f"{datetime(2017, 7, 1, tzinfo=UTC):%Y%m%d}"
    keys.write_text(keys.read_text().replace("ops-lead ", f'ops-lead valid-before="{before}" '))
    assert "unknown to allowed_signers at 2017-07-09" in proof(copy).at("log/00000001.head.sig")


def test_without_keys_nothing_is_proven(original):
    """Guards against trust in signatures of whoever wrote the evidence."""
    verdict = verify(original / "2017")
    assert verdict.status == 1
    assert "--keys" in verdict.findings[0]["what"]


def test_without_ssh_keygen_it_says_what_is_missing_and_still_checks_the_rest(copy):
    """Guards against a traceback, and against a pass, on a machine without OpenSSH."""
    (attached,) = (path for path in chain_of(copy).glob("files/*") if path.read_bytes() == b"{}")
    attached.write_bytes(b"{ }")
    command = [PYTHON, "-I", ROOT / "scripts/verify-evidence", copy / "2017", "--keys", copy / "allowed_signers"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": "/nonexistent"})
    assert done.returncode == 1
    assert "install ssh-keygen" in done.stdout
    assert f"files/{attached.name}: changed" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["/nonexistent"], [".", "--keys", "/nonexistent"]])
def test_wrong_use_is_told_apart_from_a_finding(arguments):
    """Guards against a mistyped folder that looks like a broken log."""
    done = subprocess.run([PYTHON, "-I", ROOT / "scripts/verify-evidence", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_folder_without_evidence_proves_nothing(tmp_path):
    """Guards against an empty season that passes."""
    (tmp_path / "allowed_signers").write_text("")
    (tmp_path / "2017").mkdir()
    assert proof(tmp_path).status == 1


def test_it_is_one_short_file_of_the_standard_library():
    """Guards against a proof that an auditor cannot read in one sitting or take along."""
    text = (ROOT / "scripts/verify-evidence").read_text()
    assert len(text.splitlines()) < 300
    for line in text.splitlines():
        if line.startswith(("import ", "from ")):
            assert line.split()[1].split(".")[0] in __import__("sys").stdlib_module_names
