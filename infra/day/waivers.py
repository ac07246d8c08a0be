"""Waivers are looked at before anything is planned; the policy pack would refuse a void one only later."""

from datetime import date

from infra.day.outcome import Refusal
from infra.estate.model import Estate
from infra.policy.rules import void_waivers


def refuse_void_waivers(estate: Estate, today: date) -> None:
    """Refusal where a waiver has expired or names nothing, with every file and field.

    For what makes or changes things: what takes them away goes on without it.
    """
    if mistakes := void_waivers(estate.waivers, today):
        sentences = "\n".join(map(str, mistakes))
        raise Refusal(sentences, "mend what is named above; nothing was created")
