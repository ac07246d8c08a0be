"""What GPX and TCX share: text that a stranger wrote in XML."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from tracking.course.formats.drawing import Unreadable

MOST_NAMESPACES = 64
"""Libraries look for each declaration with expressions that read on to the end of the file."""


def checked_root(content: bytes, name: str) -> tuple[Element, str]:
    """(root, text) of well-formed XML that declares no entity and refers to nothing outside. Raises Unreadable."""
    again = f"Export the course as {name} again"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("file", "is not text in UTF-8", again) from None
    if text.count("xmlns") > MOST_NAMESPACES:
        raise Unreadable("file", f"declares more than {MOST_NAMESPACES} namespaces", again)
    try:
        root = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        line = error.position[0]
        raise Unreadable(f"line {line}", f"is not XML ({error})", again) from None
    except DefusedXmlException:
        reason = "declares a document type or entities, which no course needs"
        raise Unreadable("file", reason, "Remove the <!DOCTYPE …> at its head") from None
    return root, text


def local(element: Element) -> str:
    """A tag's name without its namespace."""
    return element.tag.rpartition("}")[2]


def child_texts(element: Element | None) -> dict[str, str]:
    """The stripped texts of an element's children, by their local names."""
    return {} if element is None else {local(child): (child.text or "").strip() for child in element}
