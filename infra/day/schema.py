"""The editor's schemas of the files in stacks/, written from the model."""

from argparse import Namespace

from infra.day.context import Day
from infra.day.verb import Verb, takes_nothing
from infra.durable import write_durably
from infra.estate.load import STACKS
from infra.estate.schema import FOLDER, schemas


def write_schemas(day: Day, options: Namespace) -> None:
    """Write stacks/schema anew; say which files have changed."""
    changed = []
    for name, text in schemas().items():
        path = STACKS / FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            write_durably(path, text)
            changed.append(name)
    day.progress.say("\n".join(f"stacks/{FOLDER}/{name} was written" for name in changed) or "up to date")
    day.progress.result(changed=changed)


VERB = Verb(
    "schema",
    "write the editor's schemas of the files in stacks/ from the model",
    "scripts/stage schema",
    takes_nothing,
    write_schemas,
)
