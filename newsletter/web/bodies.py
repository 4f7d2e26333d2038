"""The bodies of requests: never longer than they may be, and only of the type that a page takes."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

_FORM = "application/x-www-form-urlencoded"


async def read_body(request: Request, *, most: int) -> bytes:
    """Return the body of a request of at most so many bytes.

    Raises:
        HTTPException: 413: it is longer; what is left of it is not read.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413)
    return body


async def read_form(request: Request, *, most: int, fields: int = 200) -> dict[str, list[str]]:
    """Return the fields of a form that a browser sent; no body at all is a form without fields.

    Args:
        request: with a body of at most `most` bytes.
        most: bytes.
        fields: how many values it may have.

    Raises:
        HTTPException: 413: it is longer; 415: it is no such form; 400: it has too many fields.
    """
    body = await read_body(request, most=most)
    if body and media_type(request) != _FORM:
        raise HTTPException(415)
    try:
        return parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=fields
        )
    except ValueError:
        raise HTTPException(400) from None


def media_type(request: Request) -> str:
    """Return the media type that a request says of its body, without parameters."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
