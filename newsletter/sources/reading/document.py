"""What a server answered, as the readers of it get it: a document or the error that stands in its place."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.errors import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A body, not yet read."""

    content: bytes
    url: str = ""  # where it came from in the end, all redirects followed: the base of its relative links
    charset: str = ""  # as Content-Type names it, or nothing


class HttpError(SourceError):
    """An answer could not be had; `status` is the last one that the server gave, with the start of its body."""

    def __init__(self, message: str, *, status: int | None = None, body: bytes = b"") -> None:
        self.status = status
        self.body = body
        super().__init__(message)
