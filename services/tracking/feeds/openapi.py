"""The feed's own description, made from the same endpoints and types that serve it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from tracking.feeds.api import JSON, Endpoint
from tracking.feeds.documents import Refusal

REFERENCE = "#/components/schemas/{model}"
MODE: JsonSchemaMode = "serialization"
REFUSALS = {
    "400": "A parameter cannot be used; the sentence says which and why.",
    "401": "The key is not known or has expired.",
    "404": "It is not here.",
    "429": "The quota is used up; Retry-After says when it is not.",
}
DESCRIPTION = """
One race, each second: the riders, the groups, what happened and what is foretold. Riders are simulated.

Who asks with a key (header `X-Api-Key`, or `?key=`) has its partner's quota, all others that of their address.
Streams are server-sent events. `/api/stream` sends each second whole; with `?deltas=1` it sends a `snapshot`, then
`delta`s: only what changed, records known by `rider` and by `id`, whose order stands in `riders_order` and
`groups_order` where it is another. `?view=groups` or `?view=riders` does so with the little that a widget shows, in
some hundred bytes a second. A delta follows the snapshot whose `clock_ms` is its `since_ms`. `Last-Event-ID`
resumes. `/api/ws` sends the same as messages `{"event", "id", "data"}` of a WebSocket.
""".strip()


def openapi(endpoints: Sequence[Endpoint[Any]], version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    adapters = {endpoint.path: TypeAdapter(endpoint.answer) for endpoint in endpoints}
    refusal = TypeAdapter(Refusal)
    keyed = [(path, MODE, adapter) for path, adapter in adapters.items()] + [("refusal", MODE, refusal)]
    schemas, shared = TypeAdapter.json_schemas(keyed, ref_template=REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Etape race feed", "version": version, "description": DESCRIPTION},
        "paths": {
            endpoint.path: {"get": _operation(endpoint, schemas[endpoint.path, MODE], schemas["refusal", MODE])}
            for endpoint in endpoints
        },
        "components": {
            "schemas": shared.get("$defs", {}),
            "securitySchemes": {
                "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "query": {"type": "apiKey", "in": "query", "name": "key"},
            },
        },
        "security": [{}, {"header": []}, {"query": []}],
    }


def _operation(endpoint: Endpoint[Any], schema: Mapping[str, Any], refusal: Mapping[str, Any]) -> dict[str, Any]:
    told = endpoint.tells is not None
    medium = "text/event-stream" if told else JSON
    names = " or ".join(f"`{name}`" for name in endpoint.events)
    description = f"Events named {names}; the schema is that of their data." if told else "The answer."
    return {
        "summary": endpoint.summary,
        "operationId": re.sub(r"\W", "_", endpoint.path[1:]),
        "parameters": _parameters(endpoint),
        "responses": {
            "200": {"description": description, "content": {medium: {"schema": schema}}},
            **{
                status: {"description": meaning, "content": {JSON: {"schema": refusal}}}
                for status, meaning in REFUSALS.items()
            },
        },
    }


def _parameters(endpoint: Endpoint[Any]) -> list[dict[str, Any]]:
    schema = endpoint.parameters.model_json_schema()
    described = []
    for name, found in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in endpoint.path
        rules = {key: value for key, value in found.items() if key not in ("title", "description")}
        parameter = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema.get("required", ()),
            "schema": rules,
        }
        if "description" in found:
            parameter["description"] = found["description"]
        if name in endpoint.example:
            parameter["example"] = endpoint.example[name]
        described.append(parameter)
    return described
