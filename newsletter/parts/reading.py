"""What is looked at on the web beside the sources: pictures of papers, and readers' examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.settings import Settings
    from newsletter.sources.arxiv_papers import ArxivPapers
    from newsletter.sources.http.client import HttpClient
    from newsletter.sources.pictures import WebPictures


def papers(settings: Settings, http: Callable[[], HttpClient]) -> ArxivPapers:
    """Return what looks up papers that readers give as examples."""
    from newsletter.parts.late import LateHttp
    from newsletter.sources.arxiv_papers import ArxivPapers

    return ArxivPapers(LateHttp(http), settings.arxiv.url)


def pictures(settings: Settings, http: Callable[[], HttpClient]) -> WebPictures | None:
    """Return what looks at pictures; None: the settings want none."""
    if not settings.http.pictures:
        return None
    from newsletter.sources.pictures import WebPictures

    return WebPictures(http, public_only=not settings.http.allow_private)
