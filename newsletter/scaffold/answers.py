"""What `newsletter init` asks, and how the answers stand in the files that it writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.core.network import on_loopback
from newsletter.lists.addresses import Addresses
from newsletter.lists.values import read_hour, read_line, read_timezone


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to ask; `read` returns the answer as it is used, or raises ValueError with what to write."""

    key: str
    text: str
    default: str = ""
    read: Callable[[str], str] = read_line
    is_secret: bool = False


def _read_password(text: str) -> str:
    if "${" in text:
        raise ValueError("`${` cannot stand in .env: leave it empty, and set NEWSLETTER_SMTP__PASSWORD elsewhere")
    return text.strip()


def _read_sources(text: str) -> str:
    """Read sources with commas between them."""
    from newsletter.sources.registry import check

    sources = [source.strip() for source in text.split(",") if source.strip()]
    if not sources:
        raise ValueError("name at least one source, such as huggingface")
    if mistakes := [mistake for source in sources if (mistake := check(source))]:
        raise ValueError("; ".join(mistakes))
    return ", ".join(sources)


def _read_hour(text: str) -> str:
    return f"{read_hour(text.strip()):%H:%M}"


def questions() -> tuple[Question, ...]:
    """Return what is asked of everybody, in order. The defaults are examples, which `lists check` names."""
    read_address = Addresses().read
    return (
        Question(key="title", text="Title of your newsletter", default="Daily Papers"),
        Question(
            key="sources",
            text="Where papers come from, such as huggingface, arxiv:cs.CL+cs.LG or feed:https://…",
            default="huggingface",
            read=_read_sources,
        ),
        Question(key="sender", text="Address that it comes from", default="papers@example.org", read=read_address),
        Question(
            key="postal_address",
            text="Your postal address, for the foot of each mail",
            default="Example Lab, 1 Example Street, Exampleton",
        ),
        Question(
            key="reader", text="Address of the first reader", default="reader@example.org", read=read_address
        ),
        Question(key="timezone", text="Timezone", default=local_timezone(), read=read_timezone),
        Question(key="hour", text="Hour at which it comes out there", default="08:00", read=_read_hour),
        Question(key="host", text="Your mail server (SMTP), such as smtp.gmail.com", default="localhost"),
    )


LOGIN = (
    Question(key="username", text="User name there"),
    Question(key="password", text="Password (it is kept in .env)", read=_read_password, is_secret=True),
)


def needs_login(answers: Mapping[str, str]) -> bool:
    """Return whether the answers name a server elsewhere, which asks who one is."""
    return not on_loopback(answers["host"])


def local_timezone() -> str:
    """Return the name of this machine's timezone, or UTC if it has no name."""
    place = os.environ.get("TZ", "").removeprefix(":") or os.path.realpath("/etc/localtime")
    try:
        return read_timezone(place.rpartition("zoneinfo/")[2].removeprefix("Etc/"))
    except ValueError:
        return "UTC"


def in_list_file(text: str, answers: Mapping[str, str]) -> str:
    """Return the text of the example list with the answers in their places."""
    sender = f"{answers['title']} <{answers['sender']}>"
    values = {"sender": sender, "email": answers["reader"]} | {
        key: answers[key] for key in ("title", "postal_address", "timezone", "hour")
    }
    for key, value in values.items():
        text = _set(text, rf'^({key} = )"[^"\n]*"', json.dumps(value, ensure_ascii=False))
    sources = json.dumps(answers["sources"].split(", "), ensure_ascii=False)
    return _set(text, r"^(sources = )\[.*\]", sources)


def in_settings(text: str, answers: Mapping[str, str]) -> str:
    """Return the text of the example settings with the answers in their places."""
    for key in ("host", "username", "password"):
        if value := answers.get(key):
            quoted = value if re.fullmatch(r"[\w.@:-]+", value) else "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"
            text = _set(text, rf"^(NEWSLETTER_SMTP__{key.upper()}=).*$", quoted)
    return text


def _set(text: str, pattern: str, value: str) -> str:
    """Return a text with another value after what the first group of a pattern matches, once."""
    return re.sub(pattern, lambda found: found[1] + value, text, count=1, flags=re.MULTILINE)
