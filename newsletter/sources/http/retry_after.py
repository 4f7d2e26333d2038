"""How long a server asks its clients to wait (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

_RESET = re.compile(r"\bt=(\d+)")


def retry_after(headers: Mapping[str, str], status: int, *, now: float) -> float:
    """Return the seconds that an answer asks to wait, or 0.

    `Retry-After` names a number of seconds or a date. An answer 429 may name them in `RateLimit: …;t=…` instead.

    Args:
        headers: of the answer; names in small letters.
        status: the status code.
        now: seconds since the epoch.
    """
    text = headers.get("retry-after", "").strip()
    if not text and status == HTTPStatus.TOO_MANY_REQUESTS:
        reset = _RESET.search(headers.get("ratelimit", ""))
        text = reset[1] if reset else ""
    if text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).replace(tzinfo=UTC).timestamp() - now)
    except (ValueError, OverflowError, TypeError):  # such as the year 99999999999
        return 0.0
