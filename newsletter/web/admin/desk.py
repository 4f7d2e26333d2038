"""What the operator's pages share: the parts that they work with, the frame, and what was just done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from newsletter.core.page_names import ADMIN
from newsletter.core.text import counted
from newsletter.operations.overview import Overseer
from newsletter.ports import Clock, Store
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import SigningUp
from newsletter.web.static import root_of

_MOST_DIGITS = 12

# What is said on the page that follows an action, by the word in its address.
_DONE: Mapping[str, Callable[[int], str]] = {
    "paused": lambda _: "The issue is paused: what was in flight ends within seconds.",
    "resumed": lambda _: "The issue goes on: what waits leaves at the next tick.",
    "cancelled": lambda n: (
        f"The issue is cancelled: {counted(n, 'delivery', 'deliveries')} withdrawn; what is "
        "left follows by itself."
    ),
    "due": lambda n: f"{counted(n, 'delivery is', 'deliveries are')} due now.",
    "queued": lambda n: f"{counted(n, 'delivery is', 'deliveries are')} queued again.",
    "sent": lambda n: f"{counted(n, 'delivery is', 'deliveries are')} counted as sent.",
    "given-up": lambda _: "The delivery is given up.",
    "late": lambda _: "Nothing was changed: the delivery is in another state by now.",
    "mailed-again": lambda _: "The address may get mail again.",
    "accepted": lambda _: "They are on the list, and a welcome mail is on its way.",
    "declined": lambda _: "They are not on the list, and hear nothing.",
    "decided": lambda _: "Somebody has decided on this before.",
    "stays-out": lambda _: "No mail may go to this address: lift its suppression first. Nothing was changed.",
    "collecting": lambda _: "The sources are being read; what they show appears here in a moment.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What pages and actions work with; see `newsletter.web.admin.site.AdminSite`."""

    store: Store
    overseer: Overseer
    signing_up: SigningUp
    renderer: PageRenderer
    clock: Clock
    collect: Callable[[], None]
    examination: Path
    version: str

    def page(
        self, request: Request, name: str, values: Mapping[str, Any], *, problem: str = "", status: int = 200
    ) -> Response:
        """Return a page within the frame.

        Args:
            request: what is answered.
            name: of the template, `web/admin/<name>.html`.
            values: what it names at its top.
            problem: a mistake, which the page says above all else.
            status: of the answer.
        """
        done = "" if problem else _done(request)
        return HTMLResponse(
            self.render(request, name, {"done": done, "problem": problem, **values}), status_code=status
        )

    def render(self, request: Request, name: str, values: Mapping[str, Any]) -> str:
        """Return a template as HTML; it gets the ways to the site's root and to the operator's first page, too."""
        root = root_of(request)
        shared = {"root": root, "admin": f"{root}{ADMIN}/", "version": self.version, "here": name}
        return self.renderer.page(f"admin/{name}", {**shared, **values})


def go_to(request: Request, path: str, done: str, number: int | None = None) -> Response:
    """Return the redirect after something was done, to a page that says so.

    Args:
        request: what is answered.
        path: of the page, below the operator's first one.
        done: a word of `_DONE`.
        number: of how many.
    """
    query = f"{'&' if '?' in path else '?'}done={done}"
    count = "" if number is None else f"&n={number}"
    return RedirectResponse(f"{root_of(request)}{ADMIN}/{path}{query}{count}", 303)


def day_of(request: Request) -> date:
    """Return the day in a page's path.

    Raises:
        HTTPException: 404: it is none.
    """
    try:
        return date.fromisoformat(request.path_params["day"])
    except ValueError:
        raise HTTPException(404) from None


def _done(request: Request) -> str:
    """Return what was done just before, in words of ours; whoever makes up a link can choose among these alone."""
    says = _DONE.get(request.query_params.get("done", ""))
    number = request.query_params.get("n", "")
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    return says(int(number) if is_number else 0) if says else ""
