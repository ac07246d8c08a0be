"""One message for all readers: encoded once, framed once and compressed once, whoever wants it and however many."""

import zlib
from collections.abc import Callable, Sequence
from functools import cached_property

from tracking.feeds.gzipped import Tables, deflate, following

RETRY_MS = 1000


class Message:
    """An event of a stream in each form in which a reader may want it; each form is made when it is first asked for."""

    def __init__(self, event: str, ident: str, encode: Callable[[], Sequence[bytes]]) -> None:
        """`encode` gives the JSON of one or more documents that belong together."""
        self.event = event
        self.ident = ident
        self._encode: Callable[[], Sequence[bytes]] | None = encode

    @cached_property
    def documents(self) -> Sequence[bytes]:
        """JSON."""
        assert self._encode is not None
        encode, self._encode = self._encode, None  # what it was made of need not be kept
        return encode()

    @cached_property
    def plain(self) -> bytes:
        """As server-sent events; the last one carries the id."""
        head = f"event: {self.event}\ndata: ".encode()
        ident = f"id: {self.ident}\n".encode() if self.ident else b""
        *before, last = self.documents
        return b"".join([head + document + b"\n\n" for document in before] + [ident, head, last, b"\n\n"])

    @cached_property
    def plain_chunk(self) -> bytes:
        """The server-sent events in a frame of HTTP's chunked encoding."""
        return chunk(self.plain)

    @cached_property
    def deflated(self) -> bytes:
        """The server-sent events as a part of any gzip stream."""
        return deflate(self.plain)

    @cached_property
    def deflated_chunk(self) -> bytes:
        """The same in a frame of HTTP's chunked encoding."""
        return chunk(self.deflated)

    @cached_property
    def checked(self) -> tuple[int, int, Tables]:
        """What a `Checksum` adds for this message."""
        return zlib.crc32(self.plain), len(self.plain), following(len(self.plain))

    @cached_property
    def text(self) -> str:
        """As one message of a WebSocket: {"event", "id", "data"}."""
        data = b",".join(self.documents).decode()
        return f'{{"event":"{self.event}","id":"{self.ident}","data":{data}}}'


class Word(Message):
    """What a stream says beside its events; as server-sent events it is a comment or a field of its own."""

    def __init__(self, event: str, plain: bytes) -> None:
        super().__init__(event, "", lambda: (b"null",))
        self._plain = plain

    @cached_property
    def plain(self) -> bytes:
        """As it was given."""
        return self._plain


ALIVE = Word("alive", b": alive\n\n")
RETRY = Word("retry", f"retry: {RETRY_MS}\n\n".encode())
"""The first words of a stream: how soon its reader may come back when it breaks."""


def chunk(data: bytes) -> bytes:
    """Data in a frame of HTTP's chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)
