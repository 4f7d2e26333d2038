"""What relays over HTTPS have in common: a post for each mail, and an answer that says what became of it.

==================================  ==========================================================================
answer                              meaning
==================================  ==========================================================================
2xx                                 sent
401, 402, 403, 404                  the relay can't be used as it is set up: `RelaySetupError`
408, 413, 429, 5xx                  the relay's trouble, or ours, and no reader's: `RelayError`, after the time
                                    that it asks to wait
another 4xx                         by the service's words about our account, which is a `RelayError`; else refused
                                    in `Doubt`: the next mails tell
none, and the relay can't have it   `RelayError`
none, and it may have it            uncertain
==================================  ==========================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from newsletter.core.delivery import DeliveryState, Doubt, Outcome
from newsletter.core.errors import RelayError, RelaySetupError
from newsletter.core.text import one_line
from newsletter.delivery.smtp.session import Letter
from newsletter.ports import Answer

_MOST_SAID = 300  # characters of an answer
_SETUP = frozenset({401, 402, 403, 404})
_TROUBLE = frozenset({408, 413, 429})


class Post(NamedTuple):
    """A request to a service."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class About(Enum):
    """Whom a refusal is about, as far as a service's words tell."""

    US = "us"  # our account, or what it may do, for now
    SETUP = "setup"  # … until a setting is changed
    UNKNOWN = "unknown"


class Said(NamedTuple):
    """What an answer says, in one line, and whom a refusal is about."""

    text: str
    about: About = About.UNKNOWN


class MailService(Protocol):
    """A service that takes finished mails."""

    advice: str  # which settings to look at, where it refuses us

    def post(self, letter: Letter, recipient: str, now: datetime) -> Post:
        """Return the request that hands over a letter to a recipient, whose address is ASCII, at a moment."""
        ...

    def said(self, answer: Answer) -> Said:
        """Return what an answer says."""
        ...


def verdict(service: MailService, answer: Answer, relay: str) -> Outcome:
    """Return what an answer makes of a delivery.

    Args:
        service: whose answer it is.
        answer: the answer.
        relay: the relay's name.

    Raises:
        RelayError: it is about us or the relay, and about no reader.
    """
    said, status = service.said(answer), answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(state=DeliveryState.SENT, code=status, text=said.text, relay=relay)
    told = f"{relay} does not take the message: {status} {said.text}".rstrip()
    if status in _SETUP or said.about is About.SETUP:
        raise RelaySetupError(f"{told}; {service.advice}")
    is_refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not is_refusal or status in _TROUBLE or said.about is About.US:
        raise RelayError(told, wait=answer.wait.total_seconds())
    return Outcome(state=DeliveryState.REFUSED, code=status, text=said.text, relay=relay, doubt=Doubt.SOME)


def json_object(body: bytes) -> dict[str, Any]:
    """Return an answer that is a JSON object; an empty one for anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def line(text: Any) -> str:
    """Return what a service said as one line that may be logged and kept."""
    return one_line(text, _MOST_SAID) if isinstance(text, str) else ""
