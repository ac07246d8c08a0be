"""Move to the next town."""

from infra.day.context import Day, read_estate
from infra.day.down import down
from infra.day.outcome import Refusal
from infra.day.up import Wish, up
from infra.day.verb import Verb, stack_of, takes_stack
from infra.estate.load import list_stacks


def next_town(day: Day, stack: str) -> None:
    """Take `stack` down and bring up the stage after it, with the same scale and race speed."""
    record = day.records.read(stack)
    following = following_stage(stack)
    read_estate(following, record.scale)
    down(day, stack)
    up(day, Wish(following, record.scale, record.speed))


def following_stage(stack: str) -> str:
    """The stack of the stage after this one in its edition; Refusal after the last."""
    edition = [each.stack for each in list_stacks() if each.stage and each.stack.split("-")[0] == stack.split("-")[0]]
    if stack not in edition:
        raise Refusal(f"{stack} is not a stage", "name one of `scripts/stage list`")
    position = edition.index(stack) + 1
    if position == len(edition):
        raise Refusal(f"{stack} is the last stage of its edition", "end the season: `scripts/stage down --core`")
    return edition[position]


VERB = Verb(
    "next",
    "down, then up at the next town",
    "scripts/stage next",
    takes_stack,
    lambda day, options: next_town(day, stack_of(day, options)),
)
