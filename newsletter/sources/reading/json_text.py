"""JSON of other programs (RFC 8259)."""

from __future__ import annotations

import json
from typing import Any

_MAX_DIGITS = 18


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body. Invalid UTF-8 becomes U+FFFD, and a number that is too long becomes None.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(body.decode(json.detect_encoding(body), "replace"), parse_int=short_integer)
    except json.JSONDecodeError as error:
        page = body.lstrip().startswith(b"<")
        raise ValueError("it is a web page, not JSON" if page else f"it is not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("it is JSON nested too deeply") from error


def short_integer(digits: str) -> int | None:
    """Return a number, or None if it has too many digits: it would be useless, and slow to read."""
    return int(digits) if len(digits) <= _MAX_DIGITS else None
