"""The preview: what a reader would get, rendered anew at each reload, for whoever edits templates."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.core.calendar import read_day
from newsletter.core.errors import ConfigurationError, NewsletterError, UsageError
from newsletter.web.guard import Guard
from newsletter.web.server import serving
from newsletter.web.studio.mail_view import Theme, as_shown_in, mail_view

LOOPBACK = "127.0.0.1"
# A page of a foreign site whose name is made to point at this machine (DNS rebinding) asks for its own name.
_OUR_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MAIL_POLICY = (
    "default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"
)
VIEWS = {"html": "HTML", "text": "Text", "headers": "Headers", "source": "Source"}
WIDTHS = {"600": "Desktop", "320": "Phone"}
# A list of suggestions longer than this helps nobody; any address can be typed.
_MAX_SUGGESTIONS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """One message as a reader would get it.

    `raw` are the final bytes; `sample`: made of the listings that come with the program, since there are none
    yet; `frozen`: the issue is frozen and can't change; `note`: a sentence for the person who looks, or "".
    """

    day: date
    subject: str
    raw: bytes
    sample: bool = False
    frozen: bool = False
    note: str = ""


class Studio(Protocol):
    """Makes the messages that the preview shows.

    Any method may raise ConfigurationError or NewsletterError (RenderError above all): the page shows the text.
    """

    async def lists(self) -> Sequence[str]:
        """Return the names of all lists."""
        ...

    async def days(self, list_name: str) -> Sequence[date]:
        """Return the days that a list has issues of, newest first."""
        ...

    async def subscribers(self, list_name: str) -> Sequence[str]:
        """Return the addresses of a list's subscribers."""
        ...

    async def message(self, list_name: str, day: date | None, subscriber: str | None) -> Previewed:
        """Render a message now.

        Args:
            list_name: one of `lists()`.
            day: the issue's day; None: the issue that would be made now.
            subscriber: an address of the list; None: a reader without wishes of their own.
        """
        ...


def previewing(
    studio: Studio, *, templates: Path, port: int, stop: asyncio.Event | None = None
) -> AbstractAsyncContextManager[str]:
    """Serve the preview on this machine only, for as long as the context lasts, or till `stop`; gives its URL.

    Raises:
        ConfigurationError: the port is taken.
    """
    return serving(preview_app(studio, templates=templates), LOOPBACK, port, stop=stop)


def preview_app(studio: Studio, *, templates: Path) -> Starlette:
    """Return the preview's app; `templates` is the folder in which its own `preview/` stands."""
    room = _Room(
        studio,
        Environment(
            loader=FileSystemLoader(templates / "preview"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ),
    )
    return Starlette(
        routes=[
            Route("/", room.page),
            Route("/mail", room.mail),
            Route("/message.eml", room.download),
        ],
        middleware=[
            Middleware(Guard, headers=_HEADERS),
            Middleware(TrustedHostMiddleware, allowed_hosts=_OUR_HOSTS, www_redirect=False),
        ],
        exception_handlers={ConfigurationError: _trouble, NewsletterError: _trouble},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What the query asks to see."""

    list: str
    day: date | None
    subscriber: str | None
    view: str
    width: str
    theme: Theme


@dataclass(frozen=True, slots=True)
class _Room:
    studio: Studio
    environment: Environment

    async def page(self, request: Request) -> Response:
        """Show the controls and the message, or in its place what is wrong."""
        nonce = secrets.token_urlsafe(16)
        shown: dict[str, Any] = {"error": "", "lists": [], "choice": None, "previewed": None}
        status = 200
        try:
            # Filled step by step, so that after a failure the controls still show what could be had.
            shown["lists"] = await self.studio.lists()
            shown["choice"] = choice = _choice(request, shown["lists"])
            shown["days"] = await self.studio.days(choice.list)
            shown["subscribers"] = (await self.studio.subscribers(choice.list))[:_MAX_SUGGESTIONS]
            shown["previewed"] = await self._message(choice)
            shown["mail"] = mail_view(shown["previewed"].raw)
        except (ConfigurationError, NewsletterError) as error:
            shown["error"], status = str(error), _status_of(error)
        content = self.environment.get_template("studio.html").render(
            shown, nonce=nonce, views=VIEWS, widths=WIDTHS, query=request.url.query
        )
        return HTMLResponse(content, status, {"Content-Security-Policy": _page_policy(nonce)})

    async def mail(self, request: Request) -> Response:
        """Answer with the HTML part alone, for the frame."""
        choice = _choice(request, await self.studio.lists())
        html = mail_view((await self._message(choice)).raw).html
        return HTMLResponse(as_shown_in(choice.theme, html), headers={"Content-Security-Policy": _MAIL_POLICY})

    async def download(self, request: Request) -> Response:
        """Answer with the message as a file that mail programs open."""
        choice = _choice(request, await self.studio.lists())
        previewed = await self._message(choice)
        name = quote(f"{choice.list}-{previewed.day}.eml")
        return Response(
            previewed.raw,
            media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _message(self, choice: _Choice) -> Previewed:
        return await self.studio.message(choice.list, choice.day, choice.subscriber)


def _choice(request: Request, lists: Sequence[str]) -> _Choice:
    query = request.query_params
    if not lists:
        raise UsageError("there is no list yet: put one into the subscribers folder, or run `newsletter init`")
    name = query.get("list") or lists[0]
    if name not in lists:
        raise UsageError(f"there is no list {name!r}; there are: {', '.join(lists)}")
    return _Choice(
        list=name,
        day=_day(query.get("day") or ""),
        subscriber=query.get("subscriber") or None,
        view=_one_of(VIEWS, query.get("view")),
        width=_one_of(WIDTHS, query.get("width")),
        theme=Theme(_one_of(list(Theme), query.get("theme"))),
    )


def _one_of(known: Iterable[str], wanted: str | None) -> str:
    """Return what is wanted if it is known, else the first that is."""
    return wanted if wanted in (options := list(known)) else options[0]


def _day(text: str) -> date | None:
    try:
        return read_day(text) if text else None
    except ValueError as error:
        raise UsageError(f"day: {error}") from error


def _page_policy(nonce: str) -> str:
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _status_of(error: Exception) -> int:
    return 404 if isinstance(error, UsageError) else 422


async def _trouble(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", _status_of(error))
