"""What the host's kernel is asked, and how its answers are read."""

import pytest

from infra.provider.kernel import End, Interface, Kernel, run
from infra.provider.plugin import ProviderError


@pytest.fixture
def port(tmp_path):
    folder = tmp_path / "42/root/sys/class/net/eno1"
    folder.mkdir(parents=True)
    values = {"ifindex": "3", "iflink": "7", "address": "02:00:00:00:00:01", "mtu": "1500", "flags": "0x1003"}
    for name, value in {**values, "ifalias": "T1-07"}.items():
        (folder / name).write_text(value + "\n")
    return folder


def test_an_interface_is_read_without_starting_a_process(tmp_path, port):
    """Guards against a preview that starts two processes a cable."""
    commands = []
    kernel = Kernel(tmp_path, commands.append)
    assert kernel.interface(42, "eno1") == Interface(3, 7, "02:00:00:00:00:01", 1500, True, "T1-07")
    assert commands == []


def test_an_interface_that_is_switched_off_reads_as_off(tmp_path, port):
    """Guards against reading the carrier, which the kernel refuses to tell of a port that is off."""
    (port / "flags").write_text("0x1002\n")
    assert not Kernel(tmp_path).interface(42, "eno1").up


def test_what_is_gone_reads_as_none(tmp_path, port):
    """Guards against a traceback when a container stops during a preview."""
    assert Kernel(tmp_path).interface(42, "eno9") is None
    assert Kernel(tmp_path).interface(43, "eno1") is None


def test_a_cable_is_laid_by_one_command_with_both_ends_in_place(tmp_path):
    """Guards against an end that appears in the host's own namespace under a name that may be taken there."""
    commands = []
    Kernel(tmp_path, commands.append).lay(End(42, "eno1", "02:a"), End(43, "port6", "02:b"), 1500)
    (command,) = commands
    assert " ".join(command) == (
        "ip link add name eno1 address 02:a mtu 1500 netns 42 type veth peer name port6 address 02:b mtu 1500 netns 43"
    )


def test_removing_what_the_kernel_removed_already_is_no_error(tmp_path):
    """Guards against the race with a namespace that is being torn down."""

    def gone(command):
        raise ProviderError("`ip` failed: Cannot find device eno1")

    Kernel(tmp_path, gone).remove(42, "eno1")


def test_a_removal_that_fails_is_told(tmp_path, port):
    """Guards against an end that stays and is believed to be gone."""

    def refused(command):
        raise ProviderError("`ip` failed: Operation not permitted")

    with pytest.raises(ProviderError, match="not permitted"):
        Kernel(tmp_path, refused).remove(42, "eno1")


def test_a_command_that_fails_is_an_error_in_its_own_words():
    """Guards against 'returned non-zero exit status 1'."""
    with pytest.raises(ProviderError, match="`ls /nowhere` failed: .*No such file"):
        run(["ls", "/nowhere"])


def test_a_missing_command_names_the_package():
    """Guards against a traceback on a machine without iproute2."""
    with pytest.raises(ProviderError, match="etape-no-such-command is missing on this machine: install iproute2"):
        run(["etape-no-such-command"])
