"""What a desired state may say."""

import pytest
from ansible_collections.etape.node.plugins.module_utils.desired import Mistakes, parse_state


def test_all_mistakes_are_said_at_once() -> None:
    """Guards: an operator who mends one mistake a run."""
    role = {
        "role": "broker",
        "directories": [{"path": "/var/lib/mysql"}],
        "files": [
            {"path": "etc/relative", "content": "x"},
            {"path": "/etc/etape/a", "content": "x", "mode": "640"},
            {"path": "/etc/etape/a", "content": "y"},
        ],
        "units": [{"name": "etape-broker.service", "restart_on": ["/etc/etape/typo"]}],
    }
    with pytest.raises(Mistakes) as caught:
        parse_state([role])

    assert caught.value.sentences == (
        "broker: etc/relative is not an absolute path",
        "broker: /etc/etape/a is already wanted by broker",
        "broker: mode 640 of /etc/etape/a is not four octal digits",
        "broker: /var/lib/mysql is not a folder of ours, a wipe would remove it",
        "broker: etape-broker.service restarts on /etc/etape/typo, which no role declares",
    )


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"path": "/a", "contents": "x"}, "contents is not known, it takes path, content"),
        ({"path": "/a"}, "content is missing"),
        ({"path": "/a", "content": "x", "mode": 420}, "mode is 420, wanted text"),
        ({"path": "/a", "content": "x", "secret": "no"}, "secret is 'no', wanted true or false"),
    ],
)
def test_a_file_that_cannot_be_read_names_role_path_and_field(entry: dict, sentence: str) -> None:
    """Guards: a typo in desired.yml that silently means nothing."""
    with pytest.raises(Mistakes, match=sentence):
        parse_state([{"role": "broker", "files": [entry]}])


def test_an_accounts_number_is_a_number() -> None:
    """Guards: data that belong to nobody on the next machine, because each machine chose its own number."""
    entry = {"name": "etape", "uid": "five hundred", "home": "/var/lib/etape"}
    with pytest.raises(Mistakes, match="etape: uid is 'five hundred', wanted a whole number"):
        parse_state([{"role": "node_base", "accounts": [entry]}])


def test_equal_states_have_equal_digests_and_any_difference_shows() -> None:
    """Guards: a change that a deploy takes for none."""

    def digest(content: str, mode: str = "0644") -> str:
        return parse_state([{"role": "a", "files": [{"path": "/a", "content": content, "mode": mode}]}]).digest()

    assert digest("x") == digest("x")
    assert len({digest("x"), digest("y"), digest("x", "0600")}) == 3
