"""Drift: what is no longer as declared, in Pulumi's resources and inside machines, and what nobody declared."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from infra.checkpoint import read_deployment
from infra.day.context import Day, layers, season
from infra.day.injected import injected
from infra.day.only_one import only_one
from infra.day.outcome import Failure, Refusal
from infra.day.playbook import ask_playbook
from infra.day.verb import Verb, stack_of, takes_stack
from infra.docker_engine import DockerEngine, DockerError
from infra.drift.difference import MENDED, Difference, as_table, explained
from infra.drift.machines import machine_differences
from infra.drift.resources import Made, changed, condition_differences, docker_differences, resources
from infra.drift.strangers import changed_programs, undeclared_buckets, undeclared_things
from infra.estate.model import Estate
from infra.operator_key import public_key
from infra.ownership import home_label


def drift(day: Day, stack: str, thorough: bool = False) -> tuple[Difference, ...]:
    """Everything of a stack and its core that is not as declared; written to the evidence too.

    `thorough` asks Pulumi's providers for every property of their resources too, not only for what Docker lets anybody
    change, and Docker for every program that is not the image's: a minute more on a busy machine.

    Raises Refusal where the stack is not up, Failure where Docker or Pulumi cannot be asked.
    """
    estate = day.estate(stack)
    for layer in layers(estate):
        if not day.workspace.outputs(layer.stack).exists():
            raise Refusal(f"{layer.stack} is not up: it has no outputs", f"run `scripts/stage up {stack}`")
    with only_one(day.workspace), day.progress.step(f"Look for drift in {stack} and what it stands on") as step:
        begun = time.monotonic()
        try:
            found = explained(_look(day, estate, thorough), injected(day.workspace))
        except DockerError as error:
            raise Failure(str(error), "start Docker, then run this again") from None
        step.detail = f"{len(found)} found" if found else "none"
        step.facts = {"found": len(found)}
    facts = {"found": len(found), "differences": [asdict(each) for each in found]}
    day.evidence.append("drift", stack, {**facts, "seconds": round(time.monotonic() - begun, 1)})
    return found


def _look(day: Day, estate: Estate, thorough: bool) -> Iterator[Difference]:
    """At everything at once: the machines themselves, Docker, the kernel, the object store, Pulumi's refresh."""
    # The provider brings Pulumi's framework, half a second that every other verb would pay at its start.
    from infra.drift.observer import Observer

    stacks = tuple(layer.stack for layer in layers(estate))
    observer = Observer(DockerEngine(day.toolbox.docker_host), asdict(day.object_store(estate)), day.workspace)
    with ThreadPoolExecutor() as pool:
        actual = [pool.submit(day.engine.actual, stack, day.progress.note) for stack in stacks if thorough]
        applied = (read_deployment(day.engine.backend.objects, stack) for stack in stacks)
        made = Made(tuple(each for one in applied for each in resources(one)), observer.docker.listed())
        told = pool.submit(_ask_machines, day, stacks, made, observer.image)
        yield from docker_differences(made, observer.settings(made))
        yield from condition_differences(made, observer.condition)
        yield from undeclared_things(made.listed, home_label(day.workspace.home), stacks, made.known)
        yield from undeclared_buckets(observer.buckets(), {bucket.name for bucket in season(estate).buckets})
        for node, paths in observer.changes(made.running if thorough else {}).items():
            yield from changed_programs(node, made.running[node].name, paths)
        for future in actual:
            yield from changed(made, resources(future.result()))
        answers = told.result()
        for node in made.running:
            yield from machine_differences(node, answers.get(node, "was not looked at: the playbook ended early"))


def _ask_machines(day: Day, stacks: tuple[str, ...], made: Made, image: Callable[[str], Path]) -> dict[str, dict | str]:
    """What each machine that runs tells of itself; one that stands still is told as such already."""
    if not made.running:
        return {}
    images = {each: str(image(each)) for each in sorted({*made.images.values()})}
    extra = {
        "release": day.toolbox.release,
        "race_speed": day.records.read(stacks[-1]).speed,
        "images": {node: images[image] for node, image in made.images.items()},
        "keys": [public_key(day.workspace), *day.estate(stacks[-1]).operator_keys],
    }
    limit = ",".join(made.running) if made.still else None
    return ask_playbook(day.workspace, "drift", stacks, day.progress.note, extra, limit)


def _run(day: Day, options: Namespace) -> None:
    stack = stack_of(day, options)
    found = drift(day, stack, options.thorough)
    day.progress.say(as_table(found))
    day.progress.result(stack=stack, differences=[asdict(each) for each in found])
    if found:
        mended = sum(each.remedy == MENDED for each in found)
        raise Failure(
            f"{len(found)} thing(s) in {stack} are not as declared, {mended} of them can be put back by the tool",
            f"run `scripts/stage up {stack}` for those; each line above says what to do about the others",
        )


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("--thorough", action="store_true", help="every property and every program too (slower)")


VERB = Verb(
    name="drift",
    text="what was changed behind the tool's back",
    example="scripts/stage drift 2017-s09",
    arguments=_arguments,
    run=_run,
)
