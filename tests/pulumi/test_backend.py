"""Where the state is kept, as the environment and state.yaml say it."""

import pytest

from infra.backend import Backend
from infra.engine_error import StateError
from infra.ownership import owner_labels

SHARED = "s3://state?endpoint=store:7070&disableSSL=true&s3ForcePathStyle=true"
KMS = "awskms://alias/etape?region=eu-west-1"


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    """Nothing of the machine's own settings."""
    for name in ("ETAPE_STATE", "ETAPE_SECRETS_PROVIDER", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_an_operator_alone_needs_to_say_nothing(tmp_path):
    """Guards against a first `up` that asks questions."""
    backend = Backend.of(tmp_path, {})
    environment = backend.environment()
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/state"
    assert (tmp_path / "state").is_dir()
    assert (tmp_path / "passphrase").stat().st_mode & 0o777 == 0o600
    assert backend.secrets_provider == "passphrase"


def test_a_team_says_it_once_and_the_environment_wins(tmp_path):
    """Guards against an operator who works on the wrong state."""
    (tmp_path / "state.yaml").write_text(f"url: {SHARED}\nsecrets_provider: {KMS}\n")
    assert Backend.of(tmp_path, {}) == Backend(SHARED, KMS, tmp_path)
    elsewhere = Backend.of(tmp_path, {"ETAPE_STATE": "file:///elsewhere", "ETAPE_SECRETS_PROVIDER": "passphrase"})
    assert (elsewhere.url, elsewhere.secrets_provider) == ("file:///elsewhere", "passphrase")


def test_every_mistake_is_named_at_once(tmp_path):
    """Guards against settings that are mended one error at a time."""
    (tmp_path / "state.yaml").write_text("url: gs://bucket\nsecret_provider: passphrase\n")
    with pytest.raises(StateError) as caught:
        Backend.of(tmp_path, {"ETAPE_SECRETS_PROVIDER": "rot13"})
    for part in (
        "state.yaml: url: 'gs://bucket'",
        "secret_provider: ",
        "ETAPE_SECRETS_PROVIDER: secrets_provider: 'rot13'",
    ):
        assert part in caught.value.sentence


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("url: [", "is no YAML"),
        ("- s3://state", "holds no settings"),
        ("url: s3://", "names no bucket"),
        ("url: file://state", "names no folder"),
        (f"url: {SHARED}&role=admin", "asks for role"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path, text, why):
    """Guards against a typo that quietly makes a second, empty state."""
    (tmp_path / "state.yaml").write_text(text)
    with pytest.raises(StateError, match=why):
        Backend.of(tmp_path, {})


def test_a_team_has_one_passphrase_and_nobody_invents_another(tmp_path):
    """Guards against 'incorrect passphrase' for the second operator of a team."""
    backend = Backend.of(tmp_path, {"ETAPE_STATE": SHARED})
    with pytest.raises(StateError) as caught:
        backend.environment()
    assert "put the team's passphrase there" in caught.value.remedy
    assert not (tmp_path / "passphrase").exists()
    (tmp_path / "passphrase").write_text("of the team")
    assert backend.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(tmp_path / "passphrase")


def test_a_key_service_needs_no_passphrase(tmp_path):
    """Guards against a secret file that protects nothing."""
    environment = Backend.of(tmp_path, {"ETAPE_STATE": SHARED, "ETAPE_SECRETS_PROVIDER": KMS}).environment()
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment


@pytest.mark.parametrize(("more", "region"), [("", "us-east-1"), ("&region=eu-west-1", None)])
def test_an_object_store_of_ones_own_needs_no_region(tmp_path, more, region):
    """Guards against 'the region "" is wrong' from a store that has none."""
    (tmp_path / "passphrase").write_text("of the team")
    assert Backend.of(tmp_path, {"ETAPE_STATE": SHARED + more}).environment().get("AWS_REGION") == region


def test_a_team_owns_its_machines_together(tmp_path, monkeypatch):
    """Guards against a colleague's `up` that replaces every machine because their home is another folder."""
    homes = [tmp_path / "a", tmp_path / "b"]
    assert len({owner_labels(home, "2017-s09")["etape.home"] for home in homes}) == 2
    monkeypatch.setenv("ETAPE_STATE", SHARED)
    assert len({owner_labels(home, "2017-s09")["etape.home"] for home in homes}) == 1
