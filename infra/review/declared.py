"""What the program declares for a stack, without an engine: it runs under Pulumi's mocks and its requests are kept.

A process for each stack (`python -m infra.review.declared < QUESTION`), because Pulumi's mocks are global. The
question is JSON: stack, scale, demand, the folder of the estate's data, and what the lab would be made with. The
answer is JSON too: the stack's model, and its resources in the form of a checkpoint.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockMonitor

from infra.components.lab import Lab
from infra.estate.load import load_estate
from infra.estate.mistakes import EstateError
from infra.program import build
from infra.render.model import render_model
from infra.review.declaring import Question
from infra.review.snapshot import PROMISED


class _Mocks(pulumi.runtime.Mocks):
    """Gives every resource an id, and promises for what only its provider knows."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        outputs = dict.fromkeys(("host_key", "secret", "condition", "a_mac", "b_mac"), PROMISED)
        return f"id of {args.typ} {args.name}", {**outputs, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict, None]:
        return {}, None


class _Monitor(MockMonitor):
    """Keeps each request whole: what Pulumi's own mocks see has lost what is secret and what is protected."""

    def __init__(self, mocks: pulumi.runtime.Mocks, stack: str) -> None:
        super().__init__(mocks)
        self._stack = stack
        self.kept: list[dict[str, Any]] = []

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.custom:
            self.kept.append(
                {
                    "urn": answer.urn.replace("urn:pulumi:stack::project::", f"urn:pulumi:{self._stack}::etape::", 1),
                    "type": request.type,
                    "custom": True,
                    "id": answer.id,
                    "protect": request.protect,
                    "retainOnDelete": request.retainOnDelete,
                    "additionalSecretOutputs": list(request.additionalSecretOutputs),
                    "inputs": MessageToDict(request.object),
                }
            )
        return answer


def declare(question: Question) -> dict[str, Any]:
    """The answer to a question. Raises EstateError."""
    estate = load_estate(
        question.stack,
        question.scale,  # type: ignore[arg-type]  # it refuses what is not a scale
        Path(question.data),
        question.demand,  # type: ignore[arg-type]  # and what is not a part of the day
    )
    asyncio.set_event_loop(asyncio.new_event_loop())
    monitor = _Monitor(_Mocks(), question.stack)
    pulumi.runtime.set_mocks(monitor.mocks, project="etape", stack=question.stack, monitor=monitor)

    @pulumi.runtime.test
    def run() -> None:
        lab = Lab.connect(
            question.stack, Path(question.home), question.docker_host, question.image, question.authorized_key
        )
        build(estate, lab)

    run()
    project = f"urn:pulumi:{question.stack}::etape::"
    top = {"urn": f"{project}pulumi:pulumi:Stack::etape-{question.stack}", "type": "pulumi:pulumi:Stack"}
    resources = sorted(monitor.kept, key=lambda each: each["urn"])
    return {"model": render_model(estate), "deployment": {"resources": [top, *resources]}}


def main() -> int:
    """Answer one question; 2 and the mistakes where the data describe no estate."""
    logging.disable(logging.CRITICAL)
    try:
        answer = declare(Question(**json.load(sys.stdin)))
    except EstateError as error:
        print(error, file=sys.stderr)
        return 2
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
