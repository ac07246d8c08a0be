"""What stands between Pulumi's protocol and a resource kind."""

import asyncio

import pytest
from pulumi.provider.experimental import provider as framework
from pulumi.provider.experimental.property_value import PropertyValue

from infra.provider.credential import CredentialKind
from infra.provider.plugin import UNKNOWN, EtapeProvider, Kind, Made, Mistake, ProviderError, compare

URN = "urn:pulumi:2017-s09::etape::etape:lab:Rack$etape:index:Lamp::lamp-1"
KIND = framework.PropertyDiffKind


class LampKind(Kind):
    """A lamp in a rack: enough of a resource to show what every kind gets."""

    token = "etape:index:Lamp"
    outputs = ("serial", "state")
    hidden = frozenset({"serial"})
    identity = frozenset({"rack"})

    def __init__(self) -> None:
        self.state = "lit"
        self.made: list[str] = []

    def check(self, inputs):
        return [Mistake("plug.watts", "more than the rack gives")] if inputs["plug"]["watts"] == 9000 else []

    def observe(self, inputs):
        return {"state": self.state}

    def create(self, name, inputs):
        self.made.append(name)
        return Made(f"lamp/{name}", {"serial": "A1", "state": "lit"})

    def delete(self, state):
        self.made.remove("lamp-1")


def inputs(rack: str = "r1", watts: float = 60.0, **others: str) -> dict[str, PropertyValue]:
    plug = PropertyValue({"watts": PropertyValue(watts)})
    return {"rack": PropertyValue(rack), "plug": plug, **{k: PropertyValue(v) for k, v in others.items()}}


@pytest.fixture
def lamps():
    return LampKind()


@pytest.fixture
def provider(lamps):
    provider = EtapeProvider(lambda config: [lamps, CredentialKind()])
    asyncio.run(provider.configure(framework.ConfigureRequest({}, {}, True, True)))
    return provider


def _diff(provider, old, new):
    return asyncio.run(provider.diff(framework.DiffRequest(URN, "lamp/lamp-1", old, new, [])))


def test_the_state_holds_every_input_and_the_outputs(provider):
    """Guards against diffs without a before: the protocol does not pass old inputs on."""
    made = asyncio.run(provider.create(framework.CreateRequest(URN, inputs(), 0, preview=False)))
    assert made.resource_id == "lamp/lamp-1"
    assert set(made.properties) == {"rack", "plug", "serial", "state"}


def test_a_hidden_output_is_a_secret_in_the_state(provider):
    """Guards against credentials in plain text in a checkpoint."""
    made = asyncio.run(provider.create(framework.CreateRequest(URN, inputs(), 0, preview=False)))
    assert {name for name, value in made.properties.items() if value.is_secret} == {"serial"}


def test_a_preview_makes_nothing_and_leaves_outputs_open(provider, lamps):
    """Guards against a preview that acts, or promises a value it cannot know."""
    planned = asyncio.run(provider.create(framework.CreateRequest(URN, inputs(), 0, preview=True)))
    assert lamps.made == []
    assert planned.properties["serial"].value == UNKNOWN
    assert all(value.marshal() for value in planned.properties.values())


def test_nothing_changed_is_no_change(provider):
    """Guards against a second `up` that is not empty."""
    state = inputs(serial="A1", state="lit")
    assert not _diff(provider, state, inputs(state="lit")).changes


def test_a_changed_input_is_shown_by_its_path(provider):
    """Guards against a diff that shows a whole object for one changed number."""
    diff = _diff(provider, inputs(state="lit"), inputs(watts=75.0, state="lit"))
    assert {path: change.kind for path, change in diff.detailed_diff.items()} == {"plug.watts": KIND.UPDATE}
    assert not diff.replaces


def test_a_changed_identity_replaces(provider):
    """Guards against a resource that is changed into another one under its old id."""
    diff = _diff(provider, inputs(state="lit"), inputs(rack="r2", state="lit"))
    assert diff.replaces == ["rack"]
    assert diff.delete_before_replace
    assert diff.detailed_diff["rack"].kind is KIND.UPDATE_REPLACE


def test_what_reality_contradicts_is_a_change_without_a_refresh(provider, lamps):
    """Guards against drift that only `--refresh` would see."""
    lamps.state = "dark"
    checked = asyncio.run(provider.check(framework.CheckRequest(URN, {}, inputs(), b"")))
    diff = _diff(provider, inputs(serial="A1", state="lit"), checked.inputs)
    assert list(diff.detailed_diff) == ["state"]


def test_a_mistake_deep_in_an_input_keeps_its_path(provider):
    """Guards against 'value <nil> has a problem', which is what the engine makes of a path."""
    checked = asyncio.run(provider.check(framework.CheckRequest(URN, {}, inputs(watts=9000.0), b"")))
    assert [(each.property, each.reason) for each in checked.failures] == [("", "plug.watts: more than the rack gives")]


def test_an_unknown_type_is_named_with_the_known_ones(provider):
    """Guards against a KeyError where program and provider are of different versions."""
    request = framework.CheckRequest(URN.replace("Lamp", "Rocket"), {}, {}, b"")
    with pytest.raises(ProviderError, match="no resource type etape:index:Rocket: it has etape:index:Lamp"):
        asyncio.run(provider.check(request))


def test_compare_names_what_came_and_what_went():
    """Guards against additions that are shown as changes from nothing."""
    assert compare({"a": 1.0, "b": {"c": "x"}}, {"b": {"c": "y", "d": "z"}}) == {
        "a": "delete",
        "b.c": "update",
        "b.d": "add",
    }


def test_credentials_have_their_length_and_differ():
    """Guards against a secret that is shorter than asked for, or the same twice."""
    kind = CredentialKind()
    made = [kind.create("hub_password", {"length": 32.0}).outputs["secret"] for _ in range(2)]
    assert [len(secret) for secret in made] == [32, 32]
    assert made[0] != made[1]


@pytest.mark.parametrize("length", [8.0, 20.5, None, "many"])
def test_a_credential_that_could_be_guessed_is_refused(length):
    """Guards against a typo that makes a secret of one character."""
    (mistake,) = CredentialKind().check({"length": length})
    assert mistake.field == "length"
