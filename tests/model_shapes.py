"""What servers of models answer to `/chat/completions`: shapes as the servers named here give them, and faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from typing import Any

TOKENS_IN, TOKENS_OUT = 210, 34  # what each answer says it took
THOUGHTS = "The user wants one sentence. 97 % of readers would say FOO."


class Ends(Enum):
    """How an answer ends."""

    WHOLE = "whole"
    CUT = "cut"  # the connection is closed in the middle of the body
    HANGS = "hangs"  # nothing is answered while the server runs
    CLOSED = "closed"  # the connection is closed before the answer
    DRIPS = "drips"  # a byte of the body at a time, ten a second


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered to a request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    ends: Ends = Ends.WHOLE


def json_reply(content: object, status: int = 200, before: str = "", **headers: str) -> Reply:
    """Return a reply with JSON, behind `before`; in names of headers `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = (before + json.dumps(content, ensure_ascii=False)).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/json", **named})


def error(
    message: str, *, status: int, code: object = None, kind: str = "invalid_request_error", **headers: str
) -> Reply:
    """Return an error as OpenAI's server words it, which most others do too."""
    content = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return json_reply(content, status, **headers)


def _completion(
    model: str, message: dict[str, Any], *, finish: str | None = "stop", **more: Any
) -> dict[str, Any]:
    usage = {
        "prompt_tokens": TOKENS_IN,
        "completion_tokens": TOKENS_OUT,
        "total_tokens": TOKENS_IN + TOKENS_OUT,
    }
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {
        "id": "chatcmpl-123",
        "object": "chat.completion",
        "created": 1741569952,
        "model": model,
        "choices": [choice],
        "usage": usage,
        **more,
    }


def _openai(model: str, text: str) -> Reply:
    found = _completion(model, {"content": text, "refusal": None, "annotations": []}, service_tier="default")
    found["usage"]["completion_tokens_details"] = {"reasoning_tokens": 0, "audio_tokens": 0}
    found["choices"][0]["logprobs"] = None
    return json_reply(found)


def _ollama(model: str, text: str) -> Reply:
    return json_reply(_completion(model, {"content": text}, system_fingerprint="fp_ollama"))


def _ollama_thinking(model: str, text: str) -> Reply:
    return json_reply(_completion(model, {"content": text, "reasoning": THOUGHTS}, system_fingerprint="fp_ollama"))


def _deepseek(model: str, text: str) -> Reply:
    found = _completion(model, {"content": text, "reasoning_content": THOUGHTS})
    found["usage"] |= {"prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": TOKENS_IN}
    return json_reply(found, before="\n\n\n")  # empty lines keep the connection alive


def _think_block(model: str, text: str) -> Reply:
    return json_reply(_completion(model, {"content": f"<think>\n{THOUGHTS}\n</think>\n\n{text}"}))


def _openrouter(model: str, text: str) -> Reply:
    found = _completion(model, {"content": text, "refusal": None, "reasoning": None}, provider="Example")
    found["choices"][0] |= {"native_finish_reason": "stop", "logprobs": None}
    return json_reply(found, before="\n         \n: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n")


def _llama_cpp(model: str, text: str) -> Reply:
    timings = {"prompt_n": TOKENS_IN, "prompt_ms": 88.4, "predicted_n": TOKENS_OUT, "predicted_ms": 412.9}
    return json_reply(_completion(model, {"content": text}, system_fingerprint="b6000-abc", timings=timings))


def _vllm(model: str, text: str) -> Reply:
    message: dict[str, Any] = {
        "content": text,
        "refusal": None,
        "audio": None,
        "tool_calls": [],
        "reasoning_content": None,
    }
    found = _completion(model, message, service_tier=None, prompt_logprobs=None, kv_transfer_params=None)
    found["choices"][0] |= {"logprobs": None, "stop_reason": None, "token_ids": None}
    return json_reply(found)


def _parts(model: str, text: str) -> Reply:
    return json_reply(_completion(model, {"content": [{"type": "text", "text": text}]}))


def _parts_with_thinking(model: str, text: str) -> Reply:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHTS}]}
    return json_reply(_completion(model, {"content": [thinking, {"type": "text", "text": text}]}))


def _without_usage(model: str, text: str) -> Reply:
    found = _completion(model, {"content": text}, finish=None)
    del found["usage"]
    return json_reply(found)


# Answers with a text, by the name of a server: from the model's name and the text to the reply.
SHAPES: Mapping[str, Callable[[str, str], Reply]] = {
    "openai": _openai,
    "ollama": _ollama,
    "ollama_thinking": _ollama_thinking,
    "deepseek": _deepseek,
    "think_block": _think_block,
    "openrouter": _openrouter,
    "llama_cpp": _llama_cpp,
    "vllm": _vllm,
    "parts": _parts,
    "parts_with_thinking": _parts_with_thinking,
    "without_usage": _without_usage,
}

_HTML = (
    b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
)
_BACK_SOON = {"Content-Type": "text/html; charset=utf-8"}


def html(status: int = 200, **headers: str) -> Reply:
    """Return a page instead of an answer of an API."""
    return Reply(status=status, body=_HTML, headers=_BACK_SOON | headers)


def in_seconds(seconds: float) -> str:
    """Return a moment from now as a date of HTTP."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def _failed(message: dict[str, Any], finish: str | None = "stop") -> Callable[[str], Reply]:
    return lambda _: json_reply(_completion("some-model", message, finish=finish))


def _quota(_: str) -> Reply:
    words = "You exceeded your current quota, please check your plan and billing details."
    return error(words, status=429, kind="insufficient_quota", code="insufficient_quota")


def _wrong_key(key: str) -> Reply:
    words = (
        f"Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/api-keys."
    )
    return error(words, status=401, code="invalid_api_key")


def _other_key(_: str) -> Reply:
    return json_reply({"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, 401)


def _no_model(_: str) -> Reply:
    words = "The model `some-model` does not exist or you do not have access to it."
    return error(words, status=404, code="model_not_found")


def _unsupported(_: str) -> Reply:
    words = (
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported."
    )
    return error(words, status=400, code="unsupported_value")


def _in_200(_: str) -> Reply:
    more = {"provider_name": "Example", "raw": "upstream is down"}
    return json_reply({"error": {"code": 502, "message": "Provider returned error", "metadata": more}})


def _in_choice(_: str) -> Reply:
    found = _completion("some-model", {"content": "Half of it"}, finish="error")
    found["choices"][0]["error"] = {"code": 502, "message": "Provider disconnected"}
    return json_reply(found)


def _in_flight(_: str) -> Reply:
    words = {
        "code": 402,
        "message": "In-flight budget",
        "metadata": {"limit_source": "openrouter_in_flight_budget"},
    }
    return json_reply({"error": words}, 402, Retry_After="7")


def _drip(_: str) -> Reply:
    whole = _openai("some-model", "It studies how answers come a byte at a time.")
    return Reply(body=whole.body, ends=Ends.DRIPS)


def _mistral(_: str) -> Reply:
    mistake = {"type": "extra_forbidden", "loc": ["body", "top_q"], "msg": "Extra inputs are not permitted"}
    return json_reply({"object": "error", "message": {"detail": [mistake]}, "type": "invalid_request_error"}, 422)


def _cut(_: str) -> Reply:
    whole = _openai("some-model", "It studies how answers are cut off in the middle of what they say.")
    return Reply(body=whole.body, ends=Ends.CUT)


# What goes wrong, by name: from the key that came with the request to the reply.
FAULTS: Mapping[str, Callable[[str], Reply]] = {
    "400_unsupported": _unsupported,
    "400_model": lambda _: error("some-model is not a valid model ID", status=400, code=400),
    "400_too_long": lambda _: error(
        "This model's maximum context length is 8192", status=400, code="context_length_exceeded"
    ),
    "400_filter": lambda _: error("The response was filtered", status=400, code="content_filter"),
    "400_key": lambda _: json_reply(
        [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], 400
    ),
    "400_system": lambda _: error("System role not supported", status=400),
    "401": _wrong_key,
    "401_other": _other_key,
    "402": lambda _: error("Insufficient Balance", status=402, kind="unknown_error", code="invalid_request_error"),
    "402_in_flight": _in_flight,
    "403": lambda _: error("Your key has no access to this model", status=403, code="permission_denied"),
    "403_country": lambda _: error(
        "Country not supported", status=403, code="unsupported_country_region_territory"
    ),
    "403_moderation": lambda _: json_reply(
        {"error": {"code": 403, "message": "Input was flagged", "metadata": {"reasons": ["violence"]}}}, 403
    ),
    "404_model": _no_model,
    "404_ollama": lambda _: error(
        'model "some-model" not found, try pulling it first', status=404, kind="api_error"
    ),
    "404_path": lambda _: Reply(status=404, body=b"404 page not found", headers={"Content-Type": "text/plain"}),
    "404_vllm": lambda _: json_reply(
        {
            "object": "error",
            "message": "The model `some-model` does not exist.",
            "type": "NotFoundError",
            "code": 404,
        },
        404,
    ),
    "405": lambda _: json_reply({"detail": "Method Not Allowed"}, 405),
    "408": lambda _: error("Your request timed out", status=408, code=408),
    "410": lambda _: error("The model some-model has been retired", status=410, code="model_retired"),
    "413": lambda _: error("Request too large", status=413, code="request_too_large"),
    "422": lambda _: json_reply(
        {"detail": [{"loc": ["body", "top_q"], "msg": "Extra inputs are not permitted"}]}, 422
    ),
    "422_mistral": _mistral,
    "429": lambda _: error("Rate limit reached", status=429, code="rate_limit_exceeded"),
    "429_seconds": lambda _: error("Rate limit reached", status=429, code="rate_limit_exceeded", Retry_After="7"),
    "429_date": lambda _: error(
        "Rate limit reached", status=429, code="rate_limit_exceeded", Retry_After=in_seconds(60)
    ),
    "429_quota": _quota,
    "500": lambda _: error("The server had an error", status=500, kind="server_error"),
    "502": lambda _: html(502),
    "503": lambda _: error("Loading model", status=503, kind="unavailable_error", code=503),
    "503_seconds": lambda _: error("Overloaded", status=503, kind="server_error", Retry_After="3"),
    "529": lambda _: error("Overloaded", status=529, kind="overloaded_error"),
    "in_200": _in_200,
    "in_choice": _in_choice,
    "hang": lambda _: Reply(ends=Ends.HANGS),
    "drip": _drip,
    "closed": lambda _: Reply(ends=Ends.CLOSED),
    "cut": _cut,
    "length": _failed({"content": "It studies how answers are cut off in the"}, "length"),
    "filtered": _failed({"content": ""}, "content_filter"),
    "refusal": _failed({"content": None, "refusal": "I'm sorry, I can't help with that."}),
    "thinking_only": _failed({"content": "", "reasoning_content": THOUGHTS}),
    "null": _failed({"content": None}),
    "tool_calls": _failed({"content": None, "tool_calls": [{"type": "function"}]}, "tool_calls"),
    "no_choices": lambda _: json_reply({"id": "x", "choices": []}),
    "html": lambda _: html(),
    "empty": lambda _: Reply(),
    "huge": lambda _: json_reply(_completion("some-model", {"content": "word " * 600_000})),
    "nested": lambda _: Reply(body=b'{"choices":' + b"[" * 200_000),
    "digits": lambda _: Reply(body=b'{"choices":' + b"9" * 20_000 + b"}"),
    "wrong_types": lambda _: json_reply({"choices": {"0": "x"}, "usage": [1]}),
    "wrong_content": _failed({"content": {"text": 3}}),
    "list": lambda _: json_reply([1, 2, 3]),
    "redirect": lambda _: Reply(
        status=308, headers={"Location": "https://other.example.org/v1/secret?key=letmein"}
    ),
}
