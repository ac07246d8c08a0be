"""What is wrong with the data in stacks/, in words that say how to put it right."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.estate.order import natural


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in one file."""

    file: str
    """As it is named in the checkout: stacks/2017/truck.yaml."""
    field: str
    """Path inside the file: cables[3].a.port; a line where the file cannot be read at all."""
    reason: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.field}" if self.field else self.file
        remedy = self.remedy[0].upper() + self.remedy[1:]
        return f"{where}: {self.reason}. {remedy}" + ("" if remedy.endswith(("?", ".")) else ".")


class EstateError(Exception):
    """The data do not describe an estate. Holds every mistake that was found, in the order of files."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=lambda m: (m.file, natural(m.field), m.reason)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


def known(names: Iterable[str], shown: int = 12) -> str:
    """The names that would have been right, for a remedy; cut short where there are many."""
    ordered = sorted(set(names), key=natural)
    more = f" and {len(ordered) - shown} more" if len(ordered) > shown else ""
    return (", ".join(ordered[:shown]) or "none") + more
