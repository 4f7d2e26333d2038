"""The language of pages that are about no list: the browser's."""

from __future__ import annotations

from starlette.requests import Request

from newsletter.core.languages import preferred
from newsletter.render.issue.catalogues import SOURCE, languages
from newsletter.web.static import root_of


def asked(request: Request) -> dict[str, str]:
    """Return, as values for a template, the language that a browser asks for, or English, and the site's root."""
    wishes = request.headers.get("Accept-Language", "")
    return {"language": preferred(wishes, languages()) or SOURCE, "root": root_of(request)}
