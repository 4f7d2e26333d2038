"""The language of pages that are about no list: the browser's."""

from __future__ import annotations

from starlette.requests import Request

from newsletter.core.languages import preferred
from newsletter.render.issue.catalogues import SOURCE, languages


def asked(request: Request) -> dict[str, str]:
    """Return, as a value for a template, the language that a browser asks for, or English."""
    wishes = request.headers.get("Accept-Language", "")
    return {"language": preferred(wishes, languages()) or SOURCE}
