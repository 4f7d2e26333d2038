"""The first bytes of a file, with the size of the whole (RFC 9110, 14.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from newsletter.sources.http.exchange import Response, TryError

_CONTENT_RANGE = re.compile(r"bytes 0-\d{1,18}/(\d{1,18}|\*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The first bytes of a file.

    `url` is the address after all redirects. `media_type` is as the server names it, in small letters, or nothing.
    `size` is that of the whole file in bytes; None where the server does not say it.
    """

    content: bytes
    url: str
    media_type: str
    size: int | None


def beginning(response: Response, most: int) -> Beginning:
    """Return what an answer (200 or 206) says of a file.

    Args:
        response: the answer.
        most: bytes that were read of it.

    Raises:
        TryError: the answer is another part of the file.
    """
    size: int | None
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        if found is None:
            raise TryError("answered with another part of the file", transient=False)
        size = int(found[1]) if found[1] != "*" else None
    elif len(response.body) < most:
        size = len(response.body)
    else:
        size = _length(response)
    return Beginning(
        content=response.body,
        url=response.url,
        media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
        size=size,
    )


def _length(response: Response) -> int | None:
    """Return the size that an answer names; that of a packed body is not the file's."""
    length = response.headers.get("content-length", "")
    is_packed = response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    return int(length) if re.fullmatch(r"[0-9]{1,18}", length) and not is_packed else None
