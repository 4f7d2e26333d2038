"""What an answer that is an error means: whether to ask later, to change a setting, or to let this paper be.

=============================  ====================================================================================
answer                         meaning
=============================  ====================================================================================
401, 403, a wrong key          `SummarizerSetupError`: the key
402, no credit                 `SummarizerSetupError`: somebody pays; with Retry-After: later
404, 410, an unknown model     `SummarizerSetupError`: the model's name, or the address
400, 422 about a parameter     `SummarizerSetupError`: what the settings add to requests
3xx, 405                       `SummarizerSetupError`: the address
the server filters content     the paper is refused, and the next one may be taken
all else                       `SummarizerError`, after the time that the server asks to wait
=============================  ====================================================================================

Names of codes: https://platform.openai.com/docs/guides/error-codes,
https://api-docs.deepseek.com/quick_start/error_codes, https://openrouter.ai/docs/api/reference/errors-and-debugging.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from newsletter.core.errors import SummarizerError, SummarizerSetupError
from newsletter.core.text import one_line
from newsletter.ports import Answer

SETTINGS = "NEWSLETTER_SUMMARIES__"
HIDDEN = "…"

_MOST_SAID = 200  # characters of what a server said
_LOOKED_AT = 2000  # … and of these, those that are looked at
_RUN = 8  # so many letters of a key in a row give it away
_MASK = "***"  # in the middle of a key that a server does not tell whole
_NO_CREDIT = frozenset(
    {"insufficient_quota", "insufficient_balance", "billing_hard_limit_reached", "billing_not_active", "arrearage"}
)
_FILTERED = frozenset({"content_filter", "content_policy_violation", "data_inspection_failed", "moderation"})
_TOO_LONG = re.compile(
    r"context[_ ](length|size|window)|maximum context|too many tokens|prompt is too long", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"model[_ ]not[_ ]found|not a valid model|invalid model|model_retired|unknown model|no such model|"
    r"\bmodel\b.{0,120}(not found|not exist|not available|deprecated|retired|decommissioned|no longer)",
    re.IGNORECASE,
)
_NO_KEY = re.compile(r"invalid_api_key|api[ _-]?key (is )?(not valid|invalid|missing|required)", re.IGNORECASE)
_NO_SYSTEM = re.compile(r"system (role|message|prompt)|role.{0,60}'system'", re.IGNORECASE)
_PARAMETER = re.compile(
    r"unsupported|unrecognized|unknown (parameter|field|name|argument)|unexpected keyword|extra inputs|"
    r"extra_forbidden|not permitted|invalid (value|parameter|type)|invalid_value|not supported",
    re.IGNORECASE,
)


class RefusedPaperError(Exception):
    """The model's server writes nothing of this paper; says why, in plain words."""


@dataclass(frozen=True, slots=True)
class ModelServer:
    """Whom a model is asked of, and what must not be told.

    Attributes:
        host: its name, with the port if the address has one.
        model: the name of the model.
        key: the API key, or nothing.
        extra: the names that the settings add to requests.
    """

    host: str
    model: str
    key: str = field(default="", repr=False)
    extra: frozenset[str] = frozenset()

    def cleaned(self, words: str) -> str:
        """Return a server's words in one line, cut, without the key or a part of it."""
        line = one_line(words, _LOOKED_AT)
        if self.key:
            line = line.replace(self.key, HIDDEN)
        parts = (HIDDEN if _MASK in part or self._holds_key(part) else part for part in line.split(" "))
        return one_line(" ".join(parts), _MOST_SAID)

    def _holds_key(self, word: str) -> bool:
        return any(word[start : start + _RUN] in self.key for start in range(len(word) - _RUN + 1))


class Said(NamedTuple):
    """What an error says: its words and its codes, as far as it has some, and whether the content was judged."""

    words: str
    codes: frozenset[str]
    number: int | None
    is_moderated: bool

    @property
    def all(self) -> str:
        """Words and codes in one text."""
        return " ".join((self.words, *sorted(self.codes)))[:_LOOKED_AT]


def said_in(content: Any) -> Said:
    """Return what the JSON of an error says: OpenAI's form, and those of others that are near it."""
    if isinstance(content, list):  # as Google's servers answer
        content = content[0] if content else {}
    found = content.get("error") if isinstance(content, dict) and content.get("error") else content
    if isinstance(found, str):
        return Said(found[:_LOOKED_AT], frozenset(), None, is_moderated=False)
    if not isinstance(found, dict):
        return Said("", frozenset(), None, is_moderated=False)
    words = next(filter(None, (" ".join(_texts(found.get(name))) for name in ("message", "detail", "msg"))), "")
    codes = frozenset(
        value.lower()[:100] for name in ("code", "type", "status") if isinstance(value := found.get(name), str)
    )
    more, number = found.get("metadata"), found.get("code")
    more = more if isinstance(more, dict) else {}
    return Said(
        " ".join((words, *_texts(more.get("raw"))))[:_LOOKED_AT],  # what the server behind OpenRouter said
        codes,
        number if isinstance(number, int) else None,
        is_moderated=bool(more.get("reasons") or more.get("flagged_input")),
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield the words in a value: a text, or mistakes as FastAPI names them, which Mistral has in an object."""
    if isinstance(value, dict):
        value = value.get("detail")
    if isinstance(value, str):
        yield value[:_LOOKED_AT]
    for one in value[:5] if isinstance(value, list) else ():
        if isinstance(one, dict):
            where, what = one.get("loc"), one.get("msg")
            steps = where[-2:] if isinstance(where, list) else ()
            yield " ".join(step[:_MOST_SAID] for step in (*steps, what) if isinstance(step, str))


def refused(server: ModelServer, status: int, said: Said, *, wait: float, asked: bool) -> SummarizerError:
    """Return what an error means.

    Args:
        server: whose error it is.
        status: its status, of HTTP or in the JSON.
        said: what it says.
        wait: seconds for which the server asks to be left alone; 0: it names none.
        asked: whether the request may have been paid for.

    Raises:
        RefusedPaperError: it is about this paper alone.
    """
    words = server.cleaned(said.words)
    told = f"{server.host}: {status} {words or _reason(status)}".rstrip()
    if said.codes & _FILTERED or said.is_moderated:
        raise RefusedPaperError("the model's server filters what this paper says")
    if advice := _advice(server, status, said, wait):
        return SummarizerSetupError(f"{told}; {advice}", asked=asked)
    return SummarizerError(told, wait=wait, asked=asked)


def _advice(server: ModelServer, status: int, said: Said, wait: float) -> str:
    """Return which setting to change, or nothing where asking later may help."""
    text = said.all
    is_mistake = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    is_mistake &= status != HTTPStatus.TOO_MANY_REQUESTS
    advice = ""
    match status:
        case _ if said.codes & _NO_CREDIT or (status == HTTPStatus.PAYMENT_REQUIRED and not wait):
            advice = "see that the account with this server has credit"
        case _ if status == HTTPStatus.UNAUTHORIZED or (is_mistake and _NO_KEY.search(text)):
            advice = _about_key(server)
        case _ if is_mistake and _NO_MODEL.search(text):
            advice = _about_model(server, text)
        case HTTPStatus.FORBIDDEN:
            advice = f"check whether {SETTINGS}KEY may use {SETTINGS}MODEL={server.model}"
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE | HTTPStatus.METHOD_NOT_ALLOWED:
            advice = f"check {SETTINGS}URL, which often ends in /v1, and {SETTINGS}MODEL={server.model}"
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY if _NO_SYSTEM.search(text):
            advice = f"set another {SETTINGS}MODEL: {server.model} takes no instructions (system message)"
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY if not _TOO_LONG.search(text):
            advice = _about_parameter(server, text)
    return advice


def _about_key(server: ModelServer) -> str:
    if server.key:
        return f"check {SETTINGS}KEY"
    return f"set {SETTINGS}KEY: other names, such as OPENAI_API_KEY, are not read"


def _about_model(server: ModelServer, text: str) -> str:
    if "try pulling it" in text:
        return f"run `ollama pull {server.model}`, or check {SETTINGS}MODEL"
    return f"check {SETTINGS}MODEL={server.model}: models are renamed and retired"


def _about_parameter(server: ModelServer, text: str) -> str:
    """Return advice if a mistake is in what the settings add to requests; nothing if it may be a paper's."""
    is_named = any(name in text for name in server.extra)
    return f"check {SETTINGS}EXTRA" if is_named or _PARAMETER.search(text) else ""


def redirected(server: ModelServer, answer: Answer) -> SummarizerSetupError:
    """Return where a server wants to be asked; no more than the host is told, as the rest may be secret."""
    try:
        parts = urlsplit(urljoin(f"https://{server.host}", answer.headers.get("location", "")))
        target = one_line(f"{parts.scheme}://{parts.hostname or ''}", _MOST_SAID)
    except ValueError:
        target = "another address"
    told = f"{server.host}: {answer.status} redirects to {target}"
    return SummarizerSetupError(f"{told}; set {SETTINGS}URL to the address there", asked=False)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
