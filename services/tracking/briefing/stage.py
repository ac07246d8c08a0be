"""From what a config file says about a stage to its road."""

from tracking.course import Course, CourseError, read_course
from tracking.service import Mistakes, StageConfig


def stage_course(stage: StageConfig) -> Course:
    """The course that stands in for a stage's; raises `Mistakes` with all that is wrong in its file."""
    try:
        return read_course(stage.course)
    except CourseError as error:
        raise Mistakes([str(mistake) for mistake in error.mistakes]) from None
