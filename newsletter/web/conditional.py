"""What of a finished page a client gets: all of it, compressed or not, or that it has it (RFC 9110, 13)."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import Headers
from starlette.responses import Response

from newsletter.web import headers
from newsletter.web.finished import Finished

# A browser asks again after a minute, and is answered 304 where nothing has changed.
OF_PAGES = {
    **headers.OPEN,
    "Cache-Control": "public, max-age=60",
    "Vary": "Accept-Encoding, Accept-Language",
}


def answer(asked: Headers, page: Finished) -> Response:
    """Return the answer to a request with these headers."""
    said = {**OF_PAGES, "ETag": f'W/"{page.tag}"'}  # weak: the compressed bytes are others
    if page.changed_at:
        said["Last-Modified"] = format_datetime(page.changed_at, usegmt=True)
    if is_known(asked, page.tag, page.changed_at):
        return Response(None, 304, said)
    said["Content-Type"] = page.media_type
    if page.compressed and accepts_gzip(asked.get("Accept-Encoding", "")):
        return Response(page.compressed, headers={**said, "Content-Encoding": "gzip"})
    return Response(page.content, headers=said)


def is_known(asked: Headers, tag: str, changed_at: datetime | None) -> bool:
    """Return whether the client has the page already (RFC 9110, 13.2.2): its tags count before its date."""
    tags = asked.get("If-None-Match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return f'"{tag}"' in known or "*" in known
    since = asked.get("If-Modified-Since")
    if since is None or changed_at is None:
        return False
    try:
        return changed_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # no date, or one without a zone
        return False


def accepts_gzip(accepted: str) -> bool:
    """Return whether an `Accept-Encoding` takes gzip (RFC 9110, 12.5.3)."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
