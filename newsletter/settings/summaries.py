"""The model that is asked for summaries of papers."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from newsletter.core.network import is_open_to_all
from newsletter.settings.group import Group
from newsletter.settings.values import FROM_JSON, web_address

# What others call these settings, where the nearest name would be another one.
OTHER_NAMES = {
    "SUMMARIES__API_BASE": "SUMMARIES__URL",
    "SUMMARIES__ENDPOINT": "SUMMARIES__URL",
    "SUMMARIES__HOST": "SUMMARIES__URL",
    "SUMMARIES__SECRET": "SUMMARIES__KEY",
    "SUMMARIES__PASSWORD": "SUMMARIES__KEY",
}
_METHOD = "/chat/completions"
_LONGEST_KEY = 4096
_LONGEST_MODEL = 200
_OURS = ("model", "messages", "stream")
_NOT_READ = ("n", "tools", "tool_choice", "functions", "function_call", "stream_options")


def _address(value: str) -> str:
    """Return the base address of an API without a slash at its end, or nothing."""
    if not value:
        return value
    address = web_address(value)
    if "@" in urlsplit(address).netloc:
        raise ValueError("holds a user name or password: write it without, and a key as key")
    address = address.removesuffix(_METHOD).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme == "http" and is_open_to_all(parts.hostname or ""):
        raise ValueError("would send papers and key in the clear: write an address that begins with https://")
    return address


def _key(value: SecretStr) -> SecretStr:
    """Accept what can stand in a header (RFC 6750, 2.1), or nothing."""
    text = value.get_secret_value()
    if text.lower().startswith("bearer "):
        raise ValueError("write the key alone, without Bearer before it")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("holds a space or another character that no key has: copy it once more")
    if len(text) > _LONGEST_KEY:
        raise ValueError(f"is longer than {_LONGEST_KEY:,} characters: that is no key")
    return value


def _name(value: str) -> str:
    """Return the name of a model, or nothing."""
    if not value.isprintable() or len(value) > _LONGEST_MODEL:
        raise ValueError("is no name of a model: write it as its server has it, as in gpt-5-mini or llama3.2:3b")
    return value.strip()


def _more(value: dict[str, Any]) -> dict[str, Any]:
    """Return what is added to each request."""
    for name in value:
        if name in _OURS:
            raise ValueError(f"remove {name}: the program says it itself")
        if name in _NOT_READ:
            raise ValueError(f"remove {name}: the program reads one plain text as an answer")
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError("holds NaN or Infinity, which JSON does not have: write a number") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    return value


class SummarySettings(Group):
    """The model that is asked for summaries, behind an API like OpenAI's; none is asked without `url` and `model`.

    `timeout` is in seconds, for one answer. `concurrency` requests are made at the same time, at most, and
    `per_day` on one day (UTC), over all lists and processes. `extra` is added to each request.
    """

    url: Annotated[str, AfterValidator(_address)] = ""
    key: Annotated[SecretStr, AfterValidator(_key)] = SecretStr("")
    model: Annotated[str, AfterValidator(_name)] = Field(default="", validate_default=True)
    timeout: float = Field(default=30, gt=0, le=600)
    concurrency: int = Field(default=4, ge=1, le=32)
    per_day: int = Field(default=500, ge=0)
    extra: Annotated[dict[str, Any], NoDecode, FROM_JSON, AfterValidator(_more)] = Field(default={})

    @field_validator("model")
    @classmethod
    def _with_an_address(cls, model: str, info: ValidationInfo) -> str:
        url, key = info.data.get("url"), info.data.get("key")
        if url is None or key is None:  # one of them is wrong, which is said already
            return model
        if url and not model:
            raise ValueError("is missing: write the name of the model that url is to be asked for")
        if not url and (model or key.get_secret_value()):
            raise ValueError("model and key are of no use without url: set url as well, or remove them")
        return model
