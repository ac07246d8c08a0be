"""FIT: the records of a course or of a recorded ride are the road; course points are its marks.

A course point whose name is only an official distance (`km 45.2`) is a checkpoint.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from garmin_fit_sdk import Decoder, Stream

from tracking.course.formats.drawing import Drawing, Mark, MarkKind, Unreadable, km_in, points, towns

LABEL = "record"
MOST_MESSAGES = 150_000
DEGREES = 180 / 2**31
"""Of a semicircle, in which FIT counts angles."""
KINDS = {
    "hors_category": (MarkKind.CLIMB, "HC"),
    "first_category": (MarkKind.CLIMB, "1"),
    "second_category": (MarkKind.CLIMB, "2"),
    "third_category": (MarkKind.CLIMB, "3"),
    "fourth_category": (MarkKind.CLIMB, "4"),
    "summit": (MarkKind.CLIMB, ""),
    "sprint": (MarkKind.SPRINT, ""),
}
"""By a course point's type."""


def read(content: bytes) -> Drawing:
    """The drawing of a FIT file. Raises Unreadable."""
    messages = _messages(content)
    records = [record for record in messages.get("record_mesgs", []) if _is_placed(record)]
    title = next((course.get("name") for course in messages.get("course_mesgs", [])), None)
    return Drawing(
        label=LABEL,
        parts=(points(((*_place(record)[::-1], _elevation(record)) for record in records), LABEL),),
        said={**towns(str(title or "")), "attribution": ""},
        marks=tuple(_marks(messages.get("course_point_mesgs", []))),
    )


def _messages(content: bytes) -> Mapping[str, Any]:
    seen = 0

    def count(*message: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > MOST_MESSAGES:
            raise Unreadable("file", f"holds more than {MOST_MESSAGES} messages", "Export the course alone")

    decoder = Decoder(Stream.from_byte_array(bytearray(content)))
    messages, errors = decoder.read(
        convert_datetimes_to_dates=False,
        expand_sub_fields=False,
        merge_heart_rates=False,
        mesg_listener=count,
        mesg_definition_listener=count,
    )
    for error in errors:
        if isinstance(error, Unreadable):
            raise error
        reason = f"is damaged ({type(error).__name__}: {error})"
        raise Unreadable("file", reason, "Copy or export the course again: it was cut short or changed on its way")
    return messages


def _is_placed(message: dict) -> bool:
    """A recording begins before there is a position."""
    return all(isinstance(message.get(name), int) for name in ("position_lat", "position_long"))


def _place(message: dict) -> tuple[float, float]:
    return message["position_lat"] * DEGREES, message["position_long"] * DEGREES


def _elevation(record: dict) -> Any:
    return record.get("enhanced_altitude", record.get("altitude"))


def _marks(messages: list[dict]) -> Iterator[Mark]:
    for i, message in enumerate(messages):
        name = str(message.get("name") or "")
        kind, category = KINDS.get(str(message.get("type")), (None, ""))
        km = km_in(name)
        if _is_placed(message) and (kind is not None or km is not None):
            yield Mark(f"course_point[{i}]", kind or MarkKind.CHECKPOINT, name, _place(message), km, category)
