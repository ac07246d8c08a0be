"""What the machine has to bring, each lack in one sentence with a remedy."""

import socket
from pathlib import Path

import pytest

from tests.tools.fakes import shell
from tools.setup import prerequisites
from tools.setup.docker import inotify
from tools.setup.prerequisites import taken_ports
from tools.setup.step import MissingPrerequisite, Problem


def _meminfo(folder: Path, gigabytes: float) -> Path:
    file = folder / "meminfo"
    file.write_text(f"MemTotal:       {int(gigabytes * 2**20)} kB\nMemFree: 1 kB\n")
    return file


def test_a_fit_machine_passes(tmp_path: Path) -> None:
    """The checks must not refuse what works."""
    assert prerequisites.python_version((3, 11)) is None
    assert prerequisites.linux("linux") is None
    assert prerequisites.root(0) is None
    assert prerequisites.memory(_meminfo(tmp_path, 3.8)) is None
    assert prerequisites.namespaces(lambda: True) is None


def test_each_lack_has_its_sentence_and_remedy(tmp_path: Path) -> None:
    """What a person reads has to say what is wrong and what to do."""
    lacks = {
        "Python 3.9": prerequisites.python_version((3, 9)),
        "Python 3.14": prerequisites.python_version((3, 14)),
        "darwin": prerequisites.linux("darwin"),
        "root": prerequisites.root(1000),
        "1.9 GB of memory": prerequisites.memory(_meminfo(tmp_path, 1.9)),
        "namespaces": prerequisites.namespaces(lambda: False),
    }
    for word, problem in lacks.items():
        assert problem is not None
        assert word in problem.sentence
        assert problem.remedy


def test_all_lacks_are_told_at_once() -> None:
    """One at a time means as many runs as there are lacks."""
    one, two = Problem("One.", "mend one"), Problem("Two.", "mend two")
    step = prerequisites.prerequisites((lambda: one, lambda: None, lambda: two))
    assert not step.done()
    with pytest.raises(MissingPrerequisite) as error:
        step.make(shell(Path()))
    assert error.value.problems == (one, two)
    assert error.value.exit_code == 2


def test_a_port_that_somebody_else_holds_is_named_and_ours_is_not() -> None:
    """Docker would say it a minute later, in the middle of `pulumi up`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (problem,) = taken_ports(lambda _: False, [port])
        assert f"Port {port} of this machine is taken" in problem.sentence
        assert taken_ports(lambda _: True, [port]) == ()
    assert taken_ports(lambda _: False, [port]) == ()


def test_the_limit_of_inotify_instances_is_raised_once(tmp_path: Path) -> None:
    """At the kernel's default the 41st node dies without a word."""
    limit = tmp_path / "max_user_instances"
    limit.write_text("128\n")
    step = inotify(limit)
    assert not step.done()
    step.make(shell(tmp_path))
    assert step.done()
    limit.write_text("16384\n")
    assert step.done()


def test_a_limit_that_may_not_be_raised_names_the_command_for_the_host(tmp_path: Path) -> None:
    """In a container the host's owner has to do it."""
    with pytest.raises(MissingPrerequisite) as error:
        inotify(tmp_path).make(shell(tmp_path))
    assert "sysctl fs.inotify.max_user_instances=8192" in error.value.problems[0].remedy
