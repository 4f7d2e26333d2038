"""What an operator may write as the value of a setting, and what it becomes."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from newsletter.core.subscriber import domain_key

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3660)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_DATABASE = re.compile(r"(sqlite|postgresql)(\+\w+)?://.*")


def _duration(value: object) -> object:
    """Read `36h`, `90m`, `45s`, `2d` or a number of seconds."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(str(value).strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not seconds:
        raise ValueError("write a duration such as 36h, 90m, 45s or 2d")
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"write a duration of at most {_LONGEST.days} days")
    return timedelta(seconds=seconds)


def _web_address(value: str) -> str:
    """Return a base address without a slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write an address that begins with https:// or http://")
    return value.rstrip("/")


def _database(value: SecretStr) -> SecretStr:
    if not _DATABASE.fullmatch(value.get_secret_value()):
        raise ValueError("write sqlite:///path/to/file.db or postgresql://user:password@host/name")
    return value


def _mail_address(value: str) -> str:
    if not value:
        return value
    try:
        return validate_email(value, strict=True, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError(f"is not a mail address: {error}") from None


def _json(value: object) -> object:
    """Read JSON here, not in pydantic-settings, whose errors would name no field."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos + 1}") from None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object of JSON; of two values for one name, or one domain in two spellings, one would be lost."""
    (name, times), *_ = Counter(domain_key(name) for name, _ in pairs).most_common(1) or [("", 0)]
    if times > 1:
        raise ValueError(f"names {name} twice: remove one of the two")
    return dict(pairs)


def _domain(value: str) -> str:
    """Return a mail domain as domains are compared."""
    try:
        validate_email(f"reader@{value}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("is not a mail domain: write it as in gmail.com") from None
    return domain_key(value)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
DatabaseAddress = Annotated[SecretStr, AfterValidator(_database)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]  # or an empty text
MailDomain = Annotated[str, AfterValidator(_domain)]
Port = Annotated[int, Field(ge=1, le=65535)]

FROM_JSON = BeforeValidator(_json)
IN_LOWER_CASE = BeforeValidator(_lower)
