"""A message of two parts, `multipart/alternative`, text first (RFC 2046, 5.1.4).

Both parts are in quoted-printable with CRLF throughout: a relay has nothing to change, so a signature holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from newsletter.render.mime import headers

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer

_Part = TypeVar("_Part")


def boundary_of(*identity: str) -> str:
    """Return the line between the parts (without its dashes), a function of what identifies the mail.

    `=_` never stands in quoted-printable (RFC 2045, 6.7), so no content can hold it.
    """
    return f"=_{hashlib.sha256('/'.join(identity).encode()).hexdigest()[:32]}"


def multipart_headers(boundary: str) -> bytes:
    """Return the header fields that announce the two parts."""
    return headers.raw("MIME-Version", "1.0") + headers.raw(
        "Content-Type", f'multipart/alternative; boundary="{boundary}"'
    )


def alternative(boundary: str, text: Iterable[_Part], html: Iterable[_Part]) -> tuple[bytes | _Part, ...]:
    """Return both parts, which are encoded already, between boundaries (RFC 2046, 5.1.1)."""
    before_text, before_html, end = _around_parts(boundary)
    return (before_text, *text, before_html, *html, end)


@lru_cache(maxsize=64)
def _around_parts(boundary: str) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the parts and behind them, the same in each mail of an issue."""

    def head(subtype: str) -> str:
        return (
            f"--{boundary}\r\n"
            f"Content-Type: text/{subtype}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        )

    return head("plain").encode(), f"\r\n{head('html')}".encode(), f"\r\n--{boundary}--\r\n".encode()


def signable(
    head: Sequence[bytes], body: Sequence[bytes], size: int, signer: Signer | None
) -> tuple[tuple[bytes, ...], int, Callable[[], bytes] | None]:
    """Return a message in pieces, their size, and a function that returns its DKIM-Signature, if it has one.

    Without a signer, the pieces of the body stay as they are: to join and to send them takes longer than to send
    them.

    Args:
        head: the header fields.
        body: in pieces.
        size: of the body, in bytes.
        signer: signs the message; None: nobody does.
    """
    before = b"".join((*head, b"\r\n"))
    if signer is None:
        return (before, *body), len(before) + size, None
    whole = b"".join(body)
    return (before, whole), len(before) + size, signer.prepare(head, whole)
