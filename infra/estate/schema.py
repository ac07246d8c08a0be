"""JSON schemas of the files in stacks/, for editors: fields, their types and what they mean, while one writes.

They know one file at a time. What an entry of a later file leaves out may stand in an earlier one, so nothing but an
entry's identity is required; whatever files say about each other is the business of `infra.estate.checks`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, create_model

from infra.estate.documents import EditionDoc, PartDoc
from infra.estate.fields import Document
from infra.estate.inheritance import DROP, IDENTITIES
from infra.estate.layers import HEAD_FILE, LayerDoc
from infra.estate.reading import DOCUMENTS, LISTS, kinds_of
from infra.estate.vocabulary import ANSIBLE_ROLES, ROLES

FOLDER = "schema"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HINT = "# yaml-language-server: $schema=../schema/{name}\n"
_WORDS = {"nodes": ROLES, "servers": ROLES, "services": ANSIBLE_ROLES}
"""What `role` may be in each kind of entry."""


def schemas() -> dict[str, str]:
    """Every schema by the name of its file in stacks/schema."""
    models: dict[str, type[Document]] = {schema_of(name): model for name, model in DOCUMENTS.items()}
    models["part.schema.json"] = PartDoc
    return {name: json.dumps(_schema(model), indent=1, ensure_ascii=False) + "\n" for name, model in models.items()}


def schema_of(file: str) -> str:
    """`services.schema.json` for services.yaml, that of a part of the estate for what has no name of its own."""
    return f"{Path(file).stem}.schema.json" if Path(file).name in DOCUMENTS else "part.schema.json"


def hint_for(file: str) -> str:
    """The line by which an editor finds the schema of a file in stacks/<folder>/."""
    return _HINT.format(name=schema_of(file))


def files_with_schema(root: Path) -> Iterator[Path]:
    """Every YAML file that is read as a part of an edition."""
    return (path for path in sorted(root.glob("*/*.yaml")) if path.parent.name != FOLDER)


def _schema(model: type[Document]) -> dict[str, Any]:
    whole: type[BaseModel] = model
    if model is EditionDoc:
        whole = create_model("EditionDoc", __base__=(LayerDoc, EditionDoc), __doc__=f"{HEAD_FILE}.")
    schema = whole.model_json_schema()
    schema.pop("required", None)
    lists = kinds_of(model) if model in LISTS else {}
    for name, entry in lists.items():
        schema["$defs"][entry.__name__]["required"] = list(IDENTITIES[name])
        if words := _WORDS.get(name):
            schema["$defs"][entry.__name__]["properties"]["role"]["enum"] = list(words)
    if lists:
        schema["properties"][DROP] = _drop(lists)
    return {"$schema": _DIALECT, **schema}


def _drop(lists: dict[str, type[Document]]) -> dict[str, Any]:
    names = {
        name: {
            "type": "array",
            "items": {"type": "string"},
            "description": f"By {' and '.join(IDENTITIES[name])}, joined with a dash.",
        }
        for name in lists
    }
    return {
        "type": "object",
        "properties": names,
        "additionalProperties": False,
        "description": "What earlier files have and this edition has not.",
    }
