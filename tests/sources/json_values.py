"""JSON over HTTP, as a source asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.sources.http.client import HttpClient
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.json_text import read_json


def json_value(document: Document) -> Any:
    return read_json(document.content)


async def get_json(http: HttpClient, url: str, params: Mapping[str, str] | None = None) -> Any:
    """Return the JSON value at an address."""
    return await http.get(url, json_value, params, source="test")
