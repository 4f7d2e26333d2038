"""Web pages: values turned into HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from newsletter.ports.page_files import PageFiles


class PageRenderer(Protocol):
    """Turns values into web pages.

    Templates find the name of a file that they load by `static("site.css")`.

    Attributes:
        files: what pages load.
    """

    files: PageFiles

    def page(self, name: str, context: Mapping[str, Any]) -> str:
        """Return the HTML of the page `name`, filled with `context`.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...

    def fingerprint(self, *, now: bool = False) -> str:
        """Return a hash of templates and program: pages rendered under different hashes may differ.

        Args:
            now: look at the files now; else the hash may be a second old.
        """
        ...
