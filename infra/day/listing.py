"""What could be up, and what is."""

from itertools import groupby

from infra.day.context import Day
from infra.day.verb import Verb, takes_nothing
from infra.estate.load import list_stacks


def show_list(day: Day) -> None:
    """Print every edition with its stages, and the state of each stack."""
    stacks = list_stacks()
    phases = {each.stack: day.records.read(each.stack).phase for each in stacks}
    for edition, members in groupby(stacks, key=lambda each: each.stack.split("-")[0]):
        day.progress.say(f"Edition {edition}")
        for each in members:
            day.progress.say(f"  {each.stack:<10} {phases[each.stack]:<10} {_what(each)}")
    day.progress.result(stacks=[{"stack": stack, "phase": phase} for stack, phase in phases.items()])


def _what(each) -> str:
    if each.stage is None:
        return "the season's core"
    stage = each.stage
    return f"{stage.date:%d %B}  {stage.start} → {stage.finish}  {stage.distance_km:g} km, {stage.kind}"


VERB = Verb(
    "list",
    "editions, stages, stacks and their state",
    "scripts/stage list",
    takes_nothing,
    lambda day, options: show_list(day),
)
