"""The public site: the page groups, and the headers that each answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.tokens import Links
from newsletter.ports import Clock, Store
from newsletter.ports.pages import PageRenderer
from newsletter.web import headers, health
from newsletter.web.guard import SECRET_PARAMETER, Guard
from newsletter.web.pages import cite, leaving
from newsletter.web.pages import feedback as feedback_pages
from newsletter.web.pages import issues as issue_pages
from newsletter.web.pages.kept import KeptPages
from newsletter.web.pages.languages import asked


def public_app(
    *,
    store: Store,
    links: Links,
    renderer: PageRenderer,
    kept: KeptPages,
    clock: Clock,
    healthy: Callable[[], Awaitable[object]],
) -> Starlette:
    """Return the app for readers. It sets no cookies, and no GET changes anything.

    Args:
        store: what is known of readers and issues.
        links: reads the signed tokens, and makes the addresses of pages.
        renderer: renders the pages.
        kept: the rendered web versions of issues.
        clock: the present moment, for the time at which a reader left.
        healthy: raises if the store cannot be used; the health check calls it.
    """
    app = Starlette(
        routes=[
            _home(renderer),
            *health.routes(healthy),
            *leaving.routes(store.subscribers, store.leavings, store.issues, links, renderer, clock),
            *feedback_pages.routes(store.feedback, store.subscribers, store.issues, links, renderer, clock),
            *cite.routes(store.issues, links, renderer),
            *issue_pages.routes(
                store.issues, links, renderer, kept
            ),  # last: a list's name matches any path of one part
        ],
        middleware=[Middleware(Guard, headers=headers.STRICT)],
        exception_handlers={404: _not_found(renderer)},
    )
    app.router.redirect_slashes = False  # a redirect breaks one-click unsubscribe (RFC 8058, 3.1)
    return app


def _home(renderer: PageRenderer) -> Route:
    async def home(request: Request) -> Response:
        page = renderer.page("page", asked(request))
        return HTMLResponse(page, headers={**headers.PUBLIC, "Vary": "Accept-Language"})

    return Route("/", home)


def _not_found(renderer: PageRenderer) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def not_found(request: Request, _: Exception) -> Response:
        name = "gone" if SECRET_PARAMETER in request.path_params else "not_found"
        return HTMLResponse(renderer.page(name, asked(request)), 404)

    return not_found
