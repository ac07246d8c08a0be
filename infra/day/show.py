"""The resolved estate of a stack: what it declares, and where each value of it comes from."""

import os
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import get_args

from infra.day.context import Day, read_estate
from infra.day.verb import Verb, stack_of, takes_stack
from infra.estate.load import DemandName, Scale
from infra.estate.model import Demand
from infra.estate.origins import origins_of
from infra.render.model import render_model
from infra.render.sheet import estate_text, origins_text


def show(day: Day, options: Namespace) -> None:
    """Print the estate; with `--origins` every value with the file and line that say it."""
    stack = stack_of(day, options)
    estate = read_estate(stack, options.scale, Demand(options.demand))
    origins = origins_of(stack, scale=options.scale, demand=options.demand) if options.origins else ()
    facts = {"origins": [asdict(origin) for origin in origins]} if options.origins else {}
    try:
        day.progress.say(origins_text(origins) if options.origins else estate_text(estate))
        day.progress.result(estate=render_model(estate), **facts)
    except BrokenPipeError:
        # Who reads it in a pager has seen enough; what Python still flushes at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("--origins", action="store_true", help="every value with the file and line that say it")
    parser.add_argument("--scale", choices=get_args(Scale), default="full", help="how many cloud servers")
    parser.add_argument("--demand", choices=get_args(DemandName), default="race", help="which part of the day")


VERB = Verb(
    "show", "the resolved estate, and where each value of it comes from", "scripts/stage show 2017-s09 --origins",
    _arguments, show,
)  # fmt: skip
