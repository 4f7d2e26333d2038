"""What a model's server answers: the text, or why there is none. An answer may have any form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from itertools import dropwhile
from typing import Any

from newsletter.core.errors import SummarizerError, SummarizerSetupError
from newsletter.ports import Answer, ModelAnswer
from newsletter.summarizing.refusals import (
    SETTINGS,
    ModelServer,
    RefusedPaperError,
    Said,
    redirected,
    refused,
    said_in,
)

_MOST_TOKENS = 10**9
_CUT_OFF = frozenset({"length", "max_tokens"})
_FILTERED = frozenset({"content_filter", "safety", "prohibited_content", "blocklist", "recitation"})
_TOOLS = frozenset({"tool_calls", "function_call"})
_BROKEN_OFF = frozenset({"error", "insufficient_system_resource", "abort"})
_NO_ANSWER = Said("its answer holds an error", frozenset(), None, is_moderated=False)


def read_answer(answer: Answer, server: ModelServer) -> ModelAnswer:
    """Return the text of an answer.

    Args:
        answer: what came back; its body is at most some megabyte.
        server: who answered.

    Raises:
        SummarizerSetupError: there will be none before a setting changes or somebody pays.
        SummarizerError: there is none now.
    """
    status = answer.status
    try:
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return _text(_content(answer.body, server), server)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise redirected(server, answer)
        # What is refused with 4xx was not begun, so nobody pays for it.
        is_ours = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        wait = answer.wait.total_seconds()
        raise refused(server, status, said_in(_of_error(answer.body)), wait=wait, asked=not is_ours)
    except RefusedPaperError as error:
        return ModelAnswer(text="", refusal=str(error))


def _of_error(body: bytes) -> Any:
    """Return the JSON of an error, or its words where it is a line of plain text; nothing of a page."""
    text = body.decode("utf-8-sig", "replace").strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {} if text.startswith("<") else {"message": text}


def _content(body: bytes, server: ModelServer) -> dict[str, Any]:
    """Return the JSON object of an answer; lines that kept the connection alive may stand before it."""
    lines = body.decode("utf-8-sig", "replace").split("\n")
    text = "\n".join(dropwhile(_keeps_alive, lines)).strip()
    if text.startswith("<"):
        what = "answers with a web page, not as an API"
        raise SummarizerSetupError(f"{server.host}: {what}; check {SETTINGS}URL: is /v1 missing at its end?")
    if text.startswith("data:"):
        what = "answers piece by piece (streaming), though it was asked not to"
        raise SummarizerSetupError(f"{server.host}: {what}; check {SETTINGS}URL")
    try:
        content = json.loads(text)
    except ValueError:
        raise _failed(server, "its answer is no JSON, or half of it" if text else "its answer is empty") from None
    except RecursionError:
        raise _failed(server, "its answer is nested too deeply") from None
    if not isinstance(content, dict):
        raise _failed(server, "its answer is not as those of OpenAI's API")
    return content


def _keeps_alive(line: str) -> bool:
    """Return whether a line is empty, or a comment of an event stream."""
    return not line.strip() or line.startswith(":")


def _text(content: dict[str, Any], server: ModelServer) -> ModelAnswer:
    choices = content.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if content.get("error") or (isinstance(choice, dict) and choice.get("error")):
        raise _broken_off(content if content.get("error") else choice, server)
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise _failed(server, "its answer is not as those of OpenAI's API")
    tokens_in, tokens_out = _tokens(content, "prompt_tokens"), _tokens(content, "completion_tokens")
    text = _joined(message.get("content"))
    if refusal := _refusal(message, choice.get("finish_reason")):
        return ModelAnswer(text="", tokens_in=tokens_in, tokens_out=tokens_out, refusal=refusal)
    if trouble := _trouble(message, choice.get("finish_reason"), text):
        raise _failed(server, trouble)
    return ModelAnswer(text=text, tokens_in=tokens_in, tokens_out=tokens_out)


def _refusal(message: dict[str, Any], finish: Any) -> str:
    """Return why the model will write nothing of this paper, or nothing."""
    if _is_one(finish, _FILTERED):
        return "the model's server filters what this paper says"
    if isinstance(message.get("refusal"), str) and message["refusal"].strip():
        return "the model refuses to write of this paper"
    return ""


def _trouble(message: dict[str, Any], finish: Any, text: str) -> str:
    """Return what is wrong with an answer, or nothing."""
    if _is_one(finish, _CUT_OFF):
        return (
            f"its answer ends in the middle; see max_tokens in {SETTINGS}EXTRA, and how long the model may think"
        )
    if _is_one(finish, _BROKEN_OFF):
        return "it stopped in the middle"
    if text.strip():
        return ""
    if _is_one(finish, _TOOLS) or message.get("tool_calls"):
        return "the model asks for tools instead of writing"
    if any(message.get(name) for name in ("reasoning_content", "reasoning", "thinking")):
        return f"the model thought, and wrote nothing; see max_tokens in {SETTINGS}EXTRA"
    return "the model wrote nothing"


def _is_one(finish: Any, reasons: frozenset[str]) -> bool:
    return isinstance(finish, str) and finish.lower() in reasons


def _broken_off(content: Any, server: ModelServer) -> SummarizerError:
    """Return what an error means that stands in an answer of status 200: the model had begun."""
    said = said_in(content)
    if not said.words:
        said = said._replace(words=_NO_ANSWER.words)
    in_error = said.number is not None and HTTPStatus.BAD_REQUEST <= said.number < 600  # noqa: PLR2004 (RFC 9110, 15)
    status = said.number if in_error and said.number is not None else int(HTTPStatus.BAD_GATEWAY)
    return refused(server, status, said, wait=0.0, asked=True)


def _joined(content: Any) -> str:
    """Return the text of a message: a text, or the texts among its parts, without thoughts."""
    text = "".join(_parts(content))
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair can be kept nowhere


def _parts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
                yield part["text"]


def _tokens(content: dict[str, Any], name: str) -> int:
    """Return how many tokens were counted; 0 where that is not said, or cannot be."""
    usage = content.get("usage")
    value = usage.get(name) if isinstance(usage, dict) else None
    return min(max(value, 0), _MOST_TOKENS) if isinstance(value, int) and not isinstance(value, bool) else 0


def _failed(server: ModelServer, what: str) -> SummarizerError:
    return SummarizerError(f"{server.host}: {what}")
