"""The course of a stage, from its file to what positioning needs: a road in 5 m steps of official distance.

A file may mark places beside its line: checkpoints of known official distance (one at 0 is the official start, and what
lies before it the neutral zone), sprints, and the summits of climbs. In GeoJSON these are Points with `type`, `name`,
`category` and `official_km`; in GPX waypoints of such a type (`climb HC`) with an extension `official_km` or the words
`km 45.2` as their description; in TCX and FIT course points, of a type that says sprint or category.

`file` reads and judges a trace with `formats`, `marks`, `checks` and `warp`; `course` makes the road of it, with `laps`
and `climbs`; `sheet` shows it.
"""

from tracking.course.course import Course, Sprint, build_course, read_course
from tracking.course.file import Checkpoint
from tracking.course.mistakes import CourseError, CourseMistake

__all__ = ["Checkpoint", "Course", "CourseError", "CourseMistake", "Sprint", "build_course", "read_course"]
