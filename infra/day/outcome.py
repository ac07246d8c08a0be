"""How a command of the day ends when it does not succeed."""

from infra.trouble import Trouble


class Refusal(Trouble):
    """The request cannot be carried out as asked; nothing was changed. Exit code 2."""


class Failure(Trouble):
    """A step did not reach its end; what was reached is kept and the command can be run again. Exit code 1."""
