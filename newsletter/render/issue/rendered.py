"""A rendered issue with its marks: the renderer's result, from which segments are cut."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.render.issue.view import IssueView
from newsletter.render.mime.markers import Markers


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedIssue:
    """Both parts of an issue's mail, rendered once for all readers; the HTML is inlined already."""

    view: IssueView
    html: str
    text: str
    html_markers: Markers
    text_markers: Markers
    left_out: frozenset[int] = frozenset()  # positions that only the text part and the web version show
