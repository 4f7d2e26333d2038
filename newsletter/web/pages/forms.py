"""What a browser's form sends, within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Args:
        request: the request.
        most: how many bytes it may have.

    Raises:
        HTTPException: 413: it is longer.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413)
    return body


class Form:
    """The fields of a form (`application/x-www-form-urlencoded`); what is not there is empty."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Begin with the values of each field, in the order in which they came."""
        self._fields = fields

    @classmethod
    def read(cls, body: bytes, *, most: int = 1000) -> Form:
        """Read a body; one that is no such form has no fields, and so has one with more than `most` of them."""
        try:
            return cls(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=most))
        except ValueError:
            return cls({})

    def __bool__(self) -> bool:
        """Return whether there is any field."""
        return bool(self._fields)

    def one(self, name: str) -> str:
        """Return the last value of a field."""
        return self.all(name)[-1] if name in self._fields else ""

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a field."""
        return self._fields.get(name, ())
