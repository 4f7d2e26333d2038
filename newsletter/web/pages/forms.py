"""What a browser's form sends, within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

_NUMBER = re.compile(r"[1-9]\d{0,17}", re.ASCII)


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
    """The fields of a form (`application/x-www-form-urlencoded`): the values of each, in their order.

    A field that is not there has no value.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Begin with the fields by their names."""
        self.fields = fields

    @classmethod
    def read(cls, body: bytes, *, most: int = 1000) -> Form:
        """Read a body; one that is no such form has no fields, and so has one with more than `most` of them."""
        try:
            return cls(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=most))
        except ValueError:
            return cls({})

    def has(self, name: str) -> bool:
        """Return whether there is a field of a name, with whatever value."""
        return name in self.fields

    def one(self, name: str) -> str:
        """Return the last value of a field."""
        return self.fields[name][-1] if name in self.fields else ""

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a field."""
        return self.fields.get(name, ())

    def number(self, name: str) -> int | None:
        """Return a field as the number of something that is kept; None if it is none."""
        found = _NUMBER.fullmatch(self.one(name))
        return int(found[0]) if found else None
