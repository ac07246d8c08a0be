"""How a command of the day ends when it does not succeed."""

from dataclasses import dataclass


@dataclass
class Refusal(Exception):
    """The request cannot be carried out as asked; nothing was changed. Exit code 2."""

    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence}\n  To go on: {self.remedy}"


@dataclass
class Failure(Exception):
    """A step did not reach its end; what was reached is kept and the command can be run again. Exit code 1."""

    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence}\n  To go on: {self.remedy}"
