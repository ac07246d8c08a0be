"""What is sent packed: built files as the build has packed them, and HTML once for all readers."""

import gzip
from collections.abc import Mapping
from functools import cached_property

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""Of the files that the build packs, the smallest first."""
LEVEL = 6


def takes(headers: Headers, encoding: str) -> bool:
    """Whether a client can unpack what is packed like this."""
    offers = headers.get("accept-encoding", "").replace(" ", "").split(",")
    return any(offer.partition(";")[0] == encoding and not offer.endswith(";q=0") for offer in offers)


class PackedFiles(StaticFiles):
    """Files of a folder, each in the smallest form in which it is there and its reader can have it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As StaticFiles, which refuses what is not there."""
        headers = Headers(scope=scope)
        for encoding, suffix in SUFFIXES.items():
            if takes(headers, encoding):
                try:
                    answer = await super().get_response(path + suffix, scope)
                except HTTPException:
                    continue
                answer.headers["content-encoding"] = encoding
                answer.headers["vary"] = "Accept-Encoding"
                return answer
        return await super().get_response(path, scope)


class Html:
    """A rendered page; packed at most once."""

    def __init__(self, text: str) -> None:
        self.plain = text.encode()

    @cached_property
    def packed(self) -> bytes:
        """As gzip."""
        return gzip.compress(self.plain, LEVEL, mtime=0)

    def response(self, asked: Headers, headers: Mapping[str, str]) -> Response:
        """For one reader."""
        if not takes(asked, "gzip"):
            return Response(self.plain, headers=dict(headers), media_type="text/html")
        return Response(self.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type="text/html")
