"""A server's answer: a document, or an error."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.errors import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A body that is not parsed yet."""

    content: bytes
    url: str = ""  # after all redirects: the base of its relative links
    charset: str = ""  # as Content-Type names it, or nothing


class HttpError(SourceError):
    """No usable answer came; `status` is that of the last answer, if there was any, with the start of its body.

    `transient`: another request may succeed later.
    """

    def __init__(
        self, message: str, *, status: int | None = None, body: bytes = b"", transient: bool = False
    ) -> None:
        self.transient = transient
        self.status = status
        self.body = body
        super().__init__(message)
