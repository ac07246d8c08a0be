"""What keeps something from going on, as a person is told."""

from dataclasses import dataclass


@dataclass
class Trouble(Exception):
    """`sentence` says what and why, `remedy` what helps."""

    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence}\n  To go on: {self.advice}"

    @property
    def advice(self) -> str:
        """The remedy, with whatever else helps."""
        return self.remedy
