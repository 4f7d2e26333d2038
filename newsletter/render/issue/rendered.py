"""A rendered issue with its marks: what the templates make, before it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.rendering import Part, Rendering
from newsletter.render.issue.view import IssueView, headline
from newsletter.render.mime.markers import Markers


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedIssue:
    """Both parts of an issue's mail, rendered once for all readers; the HTML is inlined already."""

    view: IssueView
    html: str
    text: str
    html_markers: Markers
    text_markers: Markers

    def stored(self) -> Rendering:
        """Return it as it is stored with the issue, but for the size of the HTML part, which a choice decides."""
        return Rendering(
            html=Part(page=self.html, nonce=self.html_markers.nonce),
            text=Part(page=self.text, nonce=self.text_markers.nonce),
            headlines=tuple(headline(listing) for listing in self.view.listings),
            html_bytes=0,
        )
