"""The studio's page: an issue as a reader would get it, shown anew when templates, lists or settings change."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from newsletter.core.errors import ConfigurationError, NewsletterError, UsageError
from newsletter.ports.pages import PageRenderer
from newsletter.ports.previews import Asked, Previewed, Previews
from newsletter.render.issue.fit import BUDGET
from newsletter.web import static
from newsletter.web.csrf import SameSiteForms
from newsletter.web.guard import Guard
from newsletter.web.limits import Limits
from newsletter.web.server import serving
from newsletter.web.studio.compatibility import PROGRAMS, SOURCE, USUAL_PROGRAMS, gaps
from newsletter.web.studio.excerpt import excerpts
from newsletter.web.studio.mail_view import Theme, as_shown_in, mail_view
from newsletter.web.studio.query import CHOICE, RANKING, VIEWS, WIDTHS, Query, lines_to_keep
from newsletter.web.studio.watching import Changes

LOOPBACK = "127.0.0.1"
CLIPPED_AT = 102 * 1024  # bytes of HTML that Gmail shows, about
# DNS rebinding: a foreign site's name that points at this machine arrives here in the Host header.
_OUR_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Our own page reads how high the mail is, so it has our origin; it runs no script, whatever it holds.
_MAIL_POLICY = (
    "default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)
_SUGGESTIONS = 50  # addresses
_LONGEST_FORM = 10_000  # bytes
_SECONDS_TO_COLLECT = 900.0  # services ask for pauses between requests
_KEPT = 8  # messages that frames may ask for


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the studio works with, by the settings as they are now.

    Attributes:
        previews: makes the messages.
        renderer: renders the page around them, `studio`.
        folders: of templates and list files, of which lines may be shown.
        trouble: why the settings can't be used as they are now; the parts are then those of before.
    """

    previews: Previews
    renderer: PageRenderer
    folders: tuple[Path, ...] = ()
    trouble: ConfigurationError | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Desk]:
        """Return the desk itself: it stays as it is."""
        yield self


@asynccontextmanager
async def previewing(
    desk: Callable[[], AbstractAsyncContextManager[Desk]],
    *,
    port: int,
    changes: Changes | None = None,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[str]:
    """Serve the studio on this machine only, for as long as the context lasts or until `stop`; yields its URL.

    Args:
        desk: lends what a request is answered with.
        port: the TCP port; 0: a free one.
        changes: of files, of which pages are told; None: there are none.
        stop: ends it.

    Raises:
        ConfigurationError: the port is taken.
    """
    changes = changes or Changes()
    limits = Limits(answer=_SECONDS_TO_COLLECT)
    async with serving(preview_app(desk, changes), LOOPBACK, port, stop=stop, limits=limits) as url:
        try:
            yield url
        finally:
            changes.end()


def preview_app(desk: Callable[[], AbstractAsyncContextManager[Desk]], changes: Changes) -> Starlette:
    """Return the studio's app; takes what `previewing` takes."""
    pages = _StudioPages(desk, changes)
    return Starlette(
        routes=[
            Route("/", pages.page),
            Route("/considered", pages.considered),
            Route("/readers", pages.readers),
            Route("/changes", pages.changed),
            Route("/collect", pages.collect, methods=["POST"]),
            Route("/send", pages.send, methods=["POST"]),
            Route("/mail", pages.mail),
            Route("/message.eml", pages.download),
            Route("/-/static/{name}", pages.file),
        ],
        middleware=[
            Middleware(Guard, headers=_HEADERS),
            Middleware(TrustedHostMiddleware, allowed_hosts=_OUR_HOSTS, www_redirect=False),
            Middleware(SameSiteForms, public_url=""),
        ],
        exception_handlers={ConfigurationError: _failed, NewsletterError: _failed},
    )


@dataclass(slots=True)
class _StudioPages:
    desk: Callable[[], AbstractAsyncContextManager[Desk]]
    changes: Changes
    said: dict[str, str] = field(
        default_factory=dict
    )  # by list: what a press of a button came to, until it is shown
    made: OrderedDict[str, bytes] = field(default_factory=OrderedDict)  # messages of pages, for their frames

    async def page(self, request: Request) -> Response:
        """Show the controls and the message, or the mistake in its place."""
        query = Query.read(request.url.query)
        async with self.desk() as desk:
            shown, status = await self._shown(desk, query)
            content = await asyncio.to_thread(desk.renderer.page, "studio", shown)
        return HTMLResponse(content, status, {"Content-Security-Policy": _PAGE_POLICY})

    async def _shown(self, desk: Desk, query: Query) -> tuple[dict[str, Any], int]:
        """Return the values of the page, filled step by step: after a failure, with what was found before it."""
        shown: dict[str, Any] = _values(query) | {
            "change": self.changes.number,
            "lists": [],
            "asked": None,
            "previewed": None,
            "error": "",
        }
        try:
            if desk.trouble:
                raise desk.trouble
            desk.renderer.fingerprint(now=True)
            shown["lists"] = await desk.previews.lists()
            shown["asked"] = asked = query.asked(shown["lists"])
            shown["said"] = self.said.pop(asked.list, "")
            shown["days"] = await desk.previews.days(asked.list)
            shown["languages"] = await desk.previews.languages()
            shown["addresses"] = await desk.previews.readers(asked.list, asked.reader, most=_SUGGESTIONS)
            shown["portrait"] = await desk.previews.portrait(asked)
            previewed = await desk.previews.message(asked)
            shown["mail"] = await asyncio.to_thread(mail_view, previewed.raw)
            shown["gaps"] = await asyncio.to_thread(gaps, previewed.raw, shown["look"].programs)
            shown |= _of_considered(previewed.considered) | {"made": self._kept(previewed)}
            shown["previewed"] = previewed
        except (ConfigurationError, NewsletterError) as error:
            shown["error"], shown["excerpts"] = str(error), excerpts(str(error), desk.folders)
            return shown, _status_of(error)
        return shown, 200

    def _kept(self, previewed: Previewed) -> str:
        """Keep a message for the frames of its page, and return its name."""
        name = secrets.token_urlsafe(9)
        self.made[name] = previewed.raw
        while len(self.made) > _KEPT:
            self.made.popitem(last=False)
        return name

    async def considered(self, request: Request) -> Response:
        """Answer with the table of what was chosen and what was not alone, by the weights of the query."""
        query = Query.read(request.url.query)
        async with self.desk() as desk:
            considered = await desk.previews.considered(await self._asked(desk, query))
            values = _values(query) | _of_considered(considered)
            content = await asyncio.to_thread(desk.renderer.page, "studio_considered", values)
        return HTMLResponse(content)

    async def readers(self, request: Request) -> Response:
        """Answer with addresses that begin as the query says (JSON, an array)."""
        query = Query.read(request.url.query)
        async with self.desk() as desk:
            asked = await self._asked(desk, query)
            found = await desk.previews.readers(asked.list, query.get("prefix"), most=_SUGGESTIONS)
        return Response(json.dumps(list(found)), media_type="application/json")

    async def changed(self, request: Request) -> Response:
        """Tell a page of changes, as long as it listens."""
        events = self.changes.events(request.query_params.get("after", ""))
        return StreamingResponse(events, media_type="text/event-stream")

    async def collect(self, request: Request) -> Response:
        """Read the sources of a list, then show what its issue would be now."""
        query = Query.read(request.url.query)
        async with self.desk() as desk:
            asked = await self._asked(desk, query)
            self.said[asked.list] = await desk.previews.collect(asked.list)
        kept = [(key, value) for key, value in query.pairs if key != "day"]
        return RedirectResponse(f"/?{urlencode(kept)}", 303)

    async def send(self, request: Request) -> Response:
        """Send the message as a test copy, then show the same page and what became of it."""
        query, form = Query.read(request.url.query), await _form(request)
        async with self.desk() as desk:
            asked = await self._asked(desk, query)
            try:
                said = await desk.previews.send(asked, form.get("to", "").strip())
            except NewsletterError as error:
                said = f"Not sent: {error}"
            self.said[asked.list] = said
        return RedirectResponse(f"/?{urlencode(query.pairs)}", 303)

    async def mail(self, request: Request) -> Response:
        """Answer with the HTML part alone, for a frame: of the message that its page made, or rendered anew."""
        query = Query.read(request.url.query)
        look = query.look()
        raw = self.made.get(query.get("made"))
        if raw is None:
            async with self.desk() as desk:
                raw = (await desk.previews.message(await self._asked(desk, query))).raw
        theme = Theme.DARK if query.get("theme") == Theme.DARK else Theme.LIGHT
        html = as_shown_in(theme, mail_view(raw).html, inverted=look.inverted)
        policy = _MAIL_POLICY.format(pictures="'none'" if look.no_pictures else "https: data:")
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def download(self, request: Request) -> Response:
        """Answer with the message as a file that mail programs open."""
        query = Query.read(request.url.query)
        async with self.desk() as desk:
            asked = await self._asked(desk, query)
            previewed = await desk.previews.message(asked)
        name = quote(f"{asked.list}-{previewed.day}.eml")
        return Response(
            previewed.raw,
            media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def file(self, request: Request) -> Response:
        """Answer with a style or a script."""
        async with self.desk() as desk:
            return static.answer(desk.renderer.files, request.path_params["name"])

    async def _asked(self, desk: Desk, query: Query) -> Asked:
        if desk.trouble:
            raise desk.trouble
        return query.asked(await desk.previews.lists())


def _values(query: Query) -> dict[str, Any]:
    """Return what the templates are given whatever is shown."""
    kept = [(key, value) for key, value in query.pairs if key not in {"made", "theme"}]
    return {
        "root": "/",
        "query": urlencode(kept),
        "look": query.look(),
        "views": VIEWS,
        "widths": WIDTHS,
        "programs": PROGRAMS,
        "usual_programs": USUAL_PROGRAMS,
        "source_of_gaps": SOURCE,
        "budget": BUDGET,
        "clipped_at": CLIPPED_AT,
        "said": "",
    }


def _of_considered(considered: Any) -> dict[str, Any]:
    return {
        "considered": considered,
        "lines_to_keep": lines_to_keep(considered),
        "ranking_prefix": RANKING,
        "choice_prefix": CHOICE,
    }


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent; of one that is absurdly long, the first."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            break
    return dict(parse_qsl(body[:_LONGEST_FORM].decode("utf-8", "replace")))


def _status_of(error: Exception) -> int:
    return 404 if isinstance(error, UsageError) else 422


async def _failed(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", _status_of(error))
