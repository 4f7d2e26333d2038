"""The preview: a message as a reader would get it, rendered anew at each reload, for people who edit templates."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.core.days import read_day
from newsletter.core.errors import ConfigurationError, NewsletterError, UsageError
from newsletter.ports.pages import PageRenderer
from newsletter.ports.previews import Previewed, Previews
from newsletter.web.guard import Guard
from newsletter.web.limits import Limits
from newsletter.web.server import serving
from newsletter.web.studio.mail_view import Theme, as_shown_in, mail_view

LOOPBACK = "127.0.0.1"
# DNS rebinding: a foreign site's name that points at this machine arrives here in the Host header.
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
# More suggestions help nobody; any address can be typed.
_MAX_SUGGESTIONS = 500
_LONGEST_FORM = 10_000  # bytes
_SECONDS_TO_COLLECT = 900.0  # services ask for pauses between requests


def previewing(
    previews: Previews, renderer: PageRenderer, *, port: int, stop: asyncio.Event | None = None
) -> AbstractAsyncContextManager[str]:
    """Serve the preview on this machine only, for as long as the context lasts or until `stop`; yields its URL.

    Raises:
        ConfigurationError: the port is taken.
    """
    limits = Limits(answer=_SECONDS_TO_COLLECT)
    return serving(preview_app(previews, renderer), LOOPBACK, port, stop=stop, limits=limits)


def preview_app(previews: Previews, renderer: PageRenderer) -> Starlette:
    """Return the preview's app.

    Args:
        previews: makes the messages.
        renderer: renders the page around them, `studio`.
    """
    pages = _PreviewPages(previews, renderer, secrets.token_urlsafe(16))
    return Starlette(
        routes=[
            Route("/", pages.page),
            Route("/collect", pages.collect, methods=["POST"]),
            Route("/mail", pages.mail),
            Route("/message.eml", pages.download),
        ],
        middleware=[
            Middleware(Guard, headers=_HEADERS),
            Middleware(TrustedHostMiddleware, allowed_hosts=_OUR_HOSTS, www_redirect=False),
        ],
        exception_handlers={ConfigurationError: _failed, NewsletterError: _failed},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """The query: which message to show, and how."""

    list: str
    day: date | None
    subscriber: str | None
    view: str
    width: str
    theme: Theme


@dataclass(frozen=True, slots=True)
class _PreviewPages:
    previews: Previews
    renderer: PageRenderer
    token: str  # what a form of ours holds, and one of a foreign site can't
    said: dict[str, str] = field(default_factory=dict)  # by list: what collecting brought, until it is shown

    async def page(self, request: Request) -> Response:
        """Show the controls and the message, or the mistake in its place."""
        nonce = secrets.token_urlsafe(16)
        shown: dict[str, Any] = {"error": "", "lists": [], "choice": None, "previewed": None}
        status = 200
        try:
            # Filled step by step: after a failure the controls show what was found before it.
            shown["lists"] = await self.previews.lists()
            shown["choice"] = choice = _choice(request, shown["lists"])
            shown["days"] = await self.previews.days(choice.list)
            shown["subscribers"] = await self.previews.subscribers(choice.list, most=_MAX_SUGGESTIONS)
            shown["collected"] = self.said.pop(choice.list, "")
            shown["previewed"] = await self._message(choice)
            shown["mail"] = mail_view(shown["previewed"].raw)
        except (ConfigurationError, NewsletterError) as error:
            shown["error"], status = str(error), _status_of(error)
        values = shown | {
            "nonce": nonce,
            "views": VIEWS,
            "widths": WIDTHS,
            "query": request.url.query,
            "token": self.token,
        }
        content = self.renderer.page("studio", values)
        return HTMLResponse(content, status, {"Content-Security-Policy": _page_policy(nonce)})

    async def collect(self, request: Request) -> Response:
        """Read the sources of a list, then show what its issue would be now."""
        form = await _form(request)
        if not secrets.compare_digest(form.get("token", "").encode(), self.token.encode()):
            return PlainTextResponse("This is no form of the preview's own: reload the preview.\n", 403)
        name = form.get("list", "")
        if name not in await self.previews.lists():
            raise UsageError(f"there is no list {name!r}")
        self.said[name] = await self.previews.collect(name)
        kept = {key: form[key] for key in ("list", "subscriber", "view", "width", "theme") if form.get(key)}
        return RedirectResponse(f"/?{urlencode(kept)}", 303)

    async def mail(self, request: Request) -> Response:
        """Answer with the HTML part alone, for the frame."""
        choice = _choice(request, await self.previews.lists())
        html = mail_view((await self._message(choice)).raw).html
        return HTMLResponse(as_shown_in(choice.theme, html), headers={"Content-Security-Policy": _MAIL_POLICY})

    async def download(self, request: Request) -> Response:
        """Answer with the message as a file that mail programs open."""
        choice = _choice(request, await self.previews.lists())
        previewed = await self._message(choice)
        name = quote(f"{choice.list}-{previewed.day}.eml")
        return Response(
            previewed.raw,
            media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _message(self, choice: _Choice) -> Previewed:
        return await self.previews.message(choice.list, choice.day, choice.subscriber)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent; of one that is absurdly long, the first."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            break
    return dict(parse_qsl(body[:_LONGEST_FORM].decode("utf-8", "replace")))


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
    """Return the wanted value if it is a known one, else the first known one."""
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


async def _failed(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", _status_of(error))
