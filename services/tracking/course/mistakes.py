"""What is wrong with a course file, in words: every mistake at once, each with its place and its remedy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CourseMistake:
    """One thing that is wrong with a course file."""

    file: str
    field: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.reason}. {self.remedy}."


class CourseError(Exception):
    """The course file cannot be used; `mistakes` holds every reason."""

    def __init__(self, mistakes: tuple[CourseMistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes
