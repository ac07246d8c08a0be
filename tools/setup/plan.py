"""Which steps a target takes, in order. Later targets contain earlier ones."""

from enum import StrEnum

from infra.workspace import Workspace
from tools.setup import debian, docker, engines, golang, pages, prerequisites
from tools.setup.image import lab_image
from tools.setup.python import environment, installer
from tools.setup.release import release
from tools.setup.step import Step
from tools.setup.toolbox import toolbox
from tools.setup.toolchains import GO, NODE

PYTHON_CHECKS: tuple[prerequisites.Check, ...] = (prerequisites.python_version,)
LAB_CHECKS = (
    *PYTHON_CHECKS,
    prerequisites.linux,
    prerequisites.root,
    prerequisites.memory,
    prerequisites.namespaces,
)


class Target(StrEnum):
    """What can be asked of a set-up."""

    PYTHON = "python"
    """The checkout's environment: model, review."""
    QUICK = "quick"
    """Also the broker, which the quick tests run as a process."""
    LAB = "lab"
    """Everything that a stage in the lab needs."""
    BROWSER = "browser"
    """Chromium for the tests of the pages, and the built pages."""
    ALL = "all"


def plan(workspace: Workspace, targets: set[Target]) -> list[Step]:
    """The steps of the targets, each once."""
    if Target.ALL in targets:
        targets = {Target.LAB, Target.BROWSER}
    checks = LAB_CHECKS if Target.LAB in targets else PYTHON_CHECKS
    steps = [prerequisites.prerequisites(checks), *python_steps(workspace)]
    if Target.QUICK in targets:
        steps += broker_steps(workspace)
    if Target.LAB in targets:
        steps += lab_steps(workspace)
    if Target.BROWSER in targets:
        steps += [debian.packages("browser", debian.BROWSER, disk_mb=600, seconds=40), *page_steps(workspace)]
    if Target.LAB in targets:
        steps.append(toolbox(workspace))
    return list({step.name: step for step in steps}.values())


def python_steps(workspace: Workspace) -> list[Step]:
    """A Python environment of the checkout."""
    packages = debian.packages("python-packages", debian.PYTHON, disk_mb=50)
    return [packages, installer(workspace), environment(workspace)]


def broker_steps(workspace: Workspace) -> list[Step]:
    """Go where it is missing, and the broker."""
    build = engines.broker(workspace)
    return [GO.step(workspace, unneeded=build.done), build]


def lab_steps(workspace: Workspace) -> list[Step]:
    """Engines, node image and release."""
    return [
        debian.packages("lab-packages", debian.LAB, disk_mb=100, seconds=15),
        *docker.engine(workspace),
        *page_steps(workspace),
        *release(workspace),
        GO.step(workspace, unneeded=lambda: engines.all_built(workspace)),
        *engines.node_programs(workspace),
        lab_image(workspace),
        *engines.pulumi_engine(workspace),
        golang.swept(workspace),
    ]


def page_steps(workspace: Workspace) -> list[Step]:
    """Node where it is missing, and the page applications."""
    build = pages.pages(workspace)
    return [NODE.step(workspace, unneeded=build.done), build]
