"""Looks at pictures on the web: their first bytes are read, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from typing_extensions import override

from newsletter.core.errors import SourceError
from newsletter.core.figures import PictureCheck, checked
from newsletter.core.pictures import PictureError, read_picture
from newsletter.core.text import one_line
from newsletter.ports import PictureReader
from newsletter.sources.reading.document import HttpError

if TYPE_CHECKING:
    from newsletter.sources.http.client import HttpClient

_MOST = 64 * 1024  # bytes that are read of each; sizes mostly stand within the first hundred
_PATIENCE = 6.0  # seconds
_UNTYPED = {"", "application/octet-stream", "binary/octet-stream"}  # from servers that don't know


class WebPictures(PictureReader):
    """Asks servers for the beginnings of pictures.

    Args:
        http: returns what makes the requests.
        public_only: refuse addresses that are not public, redirects included.
        patience: seconds that one picture may take.
    """

    def __init__(self, http: Callable[[], HttpClient], *, public_only: bool, patience: float = _PATIENCE) -> None:
        self._http = http
        self._public_only = public_only
        self._patience = patience

    @override
    async def look(self, url: str) -> PictureCheck:
        try:
            async with asyncio.timeout(self._patience):
                start = await self._http().beginning(url, most=_MOST, public_only=self._public_only)
        except TimeoutError as error:
            raise SourceError(f"no answer within {self._patience:g} s") from error
        except HttpError as error:
            if error.transient:
                raise
            return PictureCheck(url=url, refusal=str(error))
        if url.startswith("https:") and not start.url.startswith("https:"):
            return PictureCheck(url=url, refusal="leads to an address without https")
        if start.media_type not in _UNTYPED and not start.media_type.startswith("image/"):
            return PictureCheck(url=url, refusal=f"served as {one_line(start.media_type, 60)!r}")
        try:
            picture = read_picture(start.content)
        except PictureError as error:
            return PictureCheck(url=url, size=start.size, refusal=str(error))
        return checked(url, picture, start.size)
