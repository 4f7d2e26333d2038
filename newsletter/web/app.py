"""The public site: the page groups, and the headers that each answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from newsletter.core.tokens import Links
from newsletter.ports import Clock, Hooks, Lists, Store
from newsletter.ports.pages import PageRenderer
from newsletter.web import headers, health, static
from newsletter.web import hooks as hook_pages
from newsletter.web.admission import Admission
from newsletter.web.api import signup as signup_api
from newsletter.web.csrf import SameSiteForms
from newsletter.web.guard import SECRET_PARAMETER, Guard
from newsletter.web.pages import cite, confirming, leaving, moving, preferences
from newsletter.web.pages import feedback as feedback_pages
from newsletter.web.pages import issues as issue_pages
from newsletter.web.pages import signup as signup_pages
from newsletter.web.pages.kept import KeptPages
from newsletter.web.pages.languages import asked


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSite:
    """What the pages for readers are made of.

    Attributes:
        store: what is known of readers and issues.
        lists: the list files, which say what readers may choose from.
        admission: lets requests to sign up in.
        links: reads the signed tokens, and makes the addresses of pages.
        renderer: renders the pages.
        kept: the rendered web versions of issues.
        clock: the present moment, for the time at which a reader left.
        wake: is called when a letter is to be sent.
        healthy: raises if the store cannot be used; the health check calls it.
        hooks: reads what services tell of what comes back; None: there are none.
    """

    store: Store
    lists: Lists
    admission: Admission
    links: Links
    renderer: PageRenderer
    kept: KeptPages
    clock: Clock
    wake: Callable[[], None]
    healthy: Callable[[], Awaitable[object]]
    hooks: Hooks | None = None

    def routes(self) -> Iterator[BaseRoute]:
        """Yield the routes of all pages, in the order in which they are tried."""
        store, links, renderer, clock = self.store, self.links, self.renderer, self.clock
        signing_up = self.admission.signing_up
        yield from health.routes(self.healthy)
        yield from static.routes(renderer.files)
        yield from signup_pages.routes(self.admission, store.issues, links, renderer)
        yield from confirming.routes(signing_up, store.issues, links, renderer, clock)
        yield from signup_api.routes(self.admission)
        if self.hooks:
            yield from hook_pages.routes(self.hooks, store.inbound, clock)
        yield from leaving.routes(store.subscribers, store.leavings, store.issues, links, renderer, clock)
        yield from preferences.routes(store, self.lists, links, renderer, clock, self.wake)
        yield from moving.routes(store.address_changes, store.issues, links, renderer, clock, self.wake)
        yield from feedback_pages.routes(store.feedback, store.subscribers, store.issues, links, renderer, clock)
        yield from cite.routes(store.issues, links, renderer)
        # Last: a list's name matches any path of one part.
        yield from issue_pages.routes(store.issues, signing_up, links, renderer, self.kept)


def public_app(site: PublicSite) -> Starlette:
    """Return the app for readers. It sets no cookies, and no GET changes anything."""
    app = Starlette(
        routes=list(site.routes()),
        middleware=[
            Middleware(Guard, headers=headers.STRICT),
            Middleware(SameSiteForms, public_url=site.links.public_url),
        ],
        exception_handlers={404: _not_found(site.renderer)},
    )
    app.router.redirect_slashes = False  # a redirect breaks one-click unsubscribe (RFC 8058, 3.1)
    return app


def _not_found(renderer: PageRenderer) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def not_found(request: Request, _: Exception) -> Response:
        name = "gone" if SECRET_PARAMETER in request.path_params else "not_found"
        return HTMLResponse(renderer.page(name, asked(request)), 404)

    return not_found
