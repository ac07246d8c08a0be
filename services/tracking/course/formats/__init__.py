"""From a file of any known format to a `Drawing`. Each format has a room of its own, opened only for its files: their
libraries are slow to import, and most readers of courses never meet but one of them."""

from importlib import import_module
from pathlib import Path

from tracking.course.formats.drawing import Drawing, Unreadable
from tracking.course.mistakes import CourseError, CourseMistake

MOST_BYTES = 16 * 2**20
"""A stage with a point every metre fits into it."""
SUFFIXES = {".geojson": "geojson", ".json": "geojson", ".gpx": "gpx", ".tcx": "tcx", ".fit": "fit"}
NAMES = {"geojson": "GeoJSON", "gpx": "GPX", "tcx": "TCX", "fit": "FIT"}

ROOTS = {"gpx": b"<gpx", "tcx": b"<TrainingCenterDatabase"}


def read_drawing(path: Path) -> Drawing:
    """What a course file holds, not yet judged as a course; CourseError where it is no file of its format."""
    try:
        content = _content(path)
        return _drawing(_kind_of(path, content), content)
    except Unreadable as error:
        raise CourseError((CourseMistake(path.name, error.field, error.reason, error.remedy),)) from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable("file", f"cannot be read ({reason})", "Put the course there or name another one") from None
    if len(content) > MOST_BYTES:
        reason = f"is larger than {MOST_BYTES // 2**20} MB"
        raise Unreadable("file", reason, "A course needs no more than a point every few metres: thin it out")
    return content


def _kind_of(path: Path, content: bytes) -> str:
    """The format that the name says, unless the content is plainly another's."""
    called, found = SUFFIXES.get(path.suffix.lower()), _format_of(content)
    if called is None:
        kinds = ", ".join(SUFFIXES)
        raise Unreadable("file", f"ends in {path.suffix or 'nothing'!r}, not in one of {kinds}", "Rename or export it")
    if found not in (None, called):
        reason = f"is called {path.suffix} but holds {NAMES[found]}"
        raise Unreadable("file", reason, "Rename it after what it holds, or name the right file")
    return called


def _drawing(kind: str, content: bytes) -> Drawing:
    read = import_module(f"tracking.course.formats.{kind}").read
    try:
        return read(content)
    except Unreadable:
        raise
    except Exception as error:  # whatever a format's library does with the bytes of a stranger
        reason = f"cannot be understood as {NAMES[kind]} ({type(error).__name__}: {error})"
        raise Unreadable("file", reason[:300], f"Export the course as {NAMES[kind]} again") from None


def _format_of(content: bytes) -> str | None:
    """By its first bytes; None where these do not tell."""
    if content[8:12] == b".FIT":
        return "fit"
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] in (b"{", b"["):
        return "geojson"
    if head[:1] == b"<":
        return next((name for name, root in ROOTS.items() if root in head), None)
    return None
