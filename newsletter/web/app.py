"""The public site: the page groups, and the headers that each answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from newsletter.core.tokens import Links
from newsletter.ports import Clock, Hooks, Lists, Store
from newsletter.ports.listed import SourceNames
from newsletter.ports.pages import PageRenderer
from newsletter.web import headers, health, static
from newsletter.web import hooks as hook_pages
from newsletter.web.admin.site import AdminSite
from newsletter.web.admission import Admission
from newsletter.web.api import openapi, reading
from newsletter.web.api import signup as signup_api
from newsletter.web.api.answers import Answers
from newsletter.web.bodies import LimitedBodies
from newsletter.web.csrf import SameSiteForms
from newsletter.web.finished import FinishedPages
from newsletter.web.guard import SECRET_PARAMETER, Guard
from newsletter.web.hosts import KnownHosts
from newsletter.web.monitoring import Monitoring
from newsletter.web.pace import Paced
from newsletter.web.pages import cite, confirming, leaving, moving, preferences
from newsletter.web.pages import feedback as feedback_pages
from newsletter.web.pages import signup as signup_pages
from newsletter.web.pages.languages import asked
from newsletter.web.pages.lists.known import KnownLists
from newsletter.web.pages.public import public_pages
from newsletter.web.published import Published, RecentPages


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSite:
    """What the pages for readers are made of.

    Attributes:
        store: what is known of readers and issues.
        lists: the list files, which say what readers may choose from.
        source_names: of a list.
        admission: lets requests to sign up in.
        links: reads the signed tokens, and makes the addresses of pages.
        renderer: renders the pages.
        clock: the present moment, for the time at which a reader left.
        wake: is called when a letter is to be sent.
        healthy: raises if the store cannot be used; the health check calls it.
        hooks: reads what services tell of what comes back; None: there are none.
        hosts: what the site is called beside its public address, without ports.
        hsts: for how many seconds browsers are to come by https alone; 0: they are told nothing.
        monitoring: answers whether the process is ready, and metrics; None: it does not.
        admin: the operator's pages; None: there are none.
        fresh_for: for how many seconds a public page counts as unchanged without a look at the ledger.
    """

    store: Store
    lists: Lists
    source_names: SourceNames
    admission: Admission
    links: Links
    renderer: PageRenderer
    clock: Clock
    wake: Callable[[], None]
    healthy: Callable[[], Awaitable[object]]
    hooks: Hooks | None = None
    hosts: Collection[str] = ()
    hsts: int = 0
    monitoring: Monitoring | None = None
    admin: AdminSite | None = None
    fresh_for: float = 0.0

    def routes(self) -> Iterator[BaseRoute]:
        """Yield the routes of all pages, in the order in which they are tried."""
        store, links, renderer, clock = self.store, self.links, self.renderer, self.clock
        signing_up = self.admission.signing_up
        yield from health.routes(self.healthy)
        if self.monitoring:
            yield from self.monitoring.routes()
        yield from static.routes(renderer.files)
        if self.admin:
            yield from self.admin.routes()
        yield from signup_pages.routes(self.admission, store.issues, links, renderer)
        yield from confirming.routes(signing_up, store.issues, links, renderer, clock)
        yield from signup_api.routes(self.admission)
        data = reading.PublicData(store, self.lists, self.source_names, Answers(links.public_url))
        yield from openapi.routes(data.operations(), renderer, links.public_url)
        yield from reading.routes(data)
        if self.hooks:
            yield from hook_pages.routes(self.hooks, store.inbound, clock)
        yield from leaving.routes(store.subscribers, store.leavings, store.issues, links, renderer, clock)
        yield from preferences.routes(store, self.lists, links, renderer, clock, self.wake)
        yield from moving.routes(store.address_changes, store.issues, links, renderer, clock, self.wake)
        yield from feedback_pages.routes(store.feedback, store.subscribers, store.issues, links, renderer, clock)
        yield from cite.routes(store.issues, store.listed)

    def published(self) -> Published:
        """Return the pages that depend on the site's data alone."""
        lists = KnownLists(
            issues=self.store.issues,
            lists=self.lists,
            signing_up=self.admission.signing_up,
            source_names=self.source_names,
        )
        groups = public_pages(self.store, lists, self.links, self.renderer, self.clock)
        return Published(groups, FinishedPages(), fresh_for=self.fresh_for)


def public_app(site: PublicSite) -> Starlette:
    """Return the app. It sets no cookies but for operators, and no GET changes anything."""
    public_url, published = site.links.public_url, site.published()
    app = Starlette(
        routes=[*site.routes(), published.route],  # last: it matches any path
        middleware=[
            Middleware(Guard, headers=headers.of_site(public_url, site.hsts)),
            Middleware(KnownHosts, public_url=public_url, names=site.hosts),
            Middleware(RecentPages, published=published),
            Middleware(SameSiteForms, public_url=public_url),
            Middleware(Paced, clients=site.admission.clients),
            Middleware(LimitedBodies),
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
