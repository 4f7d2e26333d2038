"""A website as a visitor from elsewhere meets it: by what DNS says, one request at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.core.certificate import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAnswer:
    """The answer to one request; redirects are not followed.

    Attributes:
        status: the status code.
        location: where it redirects to, or nothing.
        date: the server's clock (aware), if it tells it.
        body: the beginning of the body.
        certificate: that of an https:// address.
    """

    status: int
    location: str
    date: datetime | None
    body: bytes
    certificate: Certificate | None


class Website(Protocol):
    """Asks web addresses."""

    async def ask(self, method: str, url: str, form: bytes = b"") -> WebAnswer:
        """Make one request.

        Args:
            method: GET, HEAD or POST.
            url: an http(s) address.
            form: the body of a POST, URL-encoded.

        Raises:
            NoAnswerError: no answer came; says why, a certificate that is not trusted included.
        """
        ...
