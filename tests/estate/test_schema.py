"""Editors know the files of stacks/ as the model does."""

import json
from datetime import date

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.estate.load import STACKS
from infra.estate.schema import FOLDER, files_with_schema, hint_for, schema_of, schemas

FILES = [str(path.relative_to(STACKS)) for path in files_with_schema(STACKS)]


def as_json(value):
    """YAML's own dates as they are written."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def complaints(file: str, data: object) -> list[str]:
    validator = Draft202012Validator(json.loads(schemas()[schema_of(file)]))
    return [error.message for error in validator.iter_errors(as_json(data))]


def test_schemas_are_those_of_the_model():
    """An editor that offers yesterday's fields: `scripts/stage schema` writes them anew."""
    written = {path.name: path.read_text(encoding="utf-8") for path in (STACKS / FOLDER).glob("*.json")}
    assert written == schemas()


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_estate_fits_its_schema_and_names_it(file):
    """A schema that marks right lines as wrong is switched off, and then marks no wrong one."""
    text = (STACKS / file).read_text(encoding="utf-8")
    assert text.startswith(hint_for(file))
    assert complaints(file, yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("truck.yaml", "nodes: [{role: edge, slot: 1, rack_unti: 3}]", "'rack_unti' was unexpected"),
        ("truck.yaml", "nodes: [{role: edgy, slot: 1}]", "'edgy' is not one of"),
        ("truck.yaml", "cables: [{segment: race}]", "'label' is a required property"),
        ("truck.yaml", "drop: {cabels: [T1-01]}", "'cabels' was unexpected"),
        ("services.yaml", "services: [{name: relay, port: 70700}]", "70700 is not valid"),
        ("edition.yaml", "inherits: [2017]", "[2017] is not valid"),
    ],
)
def test_an_editor_marks_a_slip(file, text, says):
    """What is seen while it is typed costs nothing; told at the first `up`, it costs a morning."""
    assert any(says in complaint for complaint in complaints(file, yaml.safe_load(text)))


def test_fields_tell_what_they_mean():
    """Who hovers over `keeps_data` wants to know what it does."""
    service = json.loads(schemas()["services.schema.json"])["$defs"]["ServiceDoc"]["properties"]
    assert service["keeps_data"]["description"] == "Whether what it writes has to outlive its machine."
