"""The operator's pages: what they are made of, and their routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.page_names import ADMIN
from newsletter.operations.overview import Overseer
from newsletter.ports import Clock
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import SigningUp
from newsletter.web.admin import actions, pages
from newsletter.web.admin.access import SIGN_IN, Access
from newsletter.web.admin.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSite:
    """What the operator's pages are made of.

    Attributes:
        access: lets operators in.
        overseer: gathers what they see.
        signing_up: does what they decide about who signed up.
        renderer: renders the pages.
        clock: the present moment.
        collect: is called when the sources are to be read; it returns at once.
        examination: the file that keeps what `newsletter doctor` found last.
        version: of the program.
    """

    access: Access
    overseer: Overseer
    signing_up: SigningUp
    renderer: PageRenderer
    clock: Clock
    collect: Callable[[], None]
    examination: Path
    version: str

    def routes(self) -> Iterator[Route]:
        """Yield the routes."""
        access = self.access
        desk = Desk(
            store=self.overseer.store,
            overseer=self.overseer,
            signing_up=self.signing_up,
            renderer=self.renderer,
            clock=self.clock,
            collect=self.collect,
            examination=self.examination,
            version=self.version,
        )

        async def ask_token(request: Request) -> Response:
            return HTMLResponse(desk.render(request, "sign_in", {"problem": ""}))

        async def sign_in(request: Request) -> Response:
            def page(problem: str) -> str:
                return desk.render(request, "sign_in", {"problem": problem})

            return await access.sign_in(request, page)

        yield Route(f"/{ADMIN}/{SIGN_IN}", access.within_networks(ask_token), methods=["GET"])
        yield Route(f"/{ADMIN}/{SIGN_IN}", access.within_networks(sign_in), methods=["POST"])
        yield Route(f"/{ADMIN}/sign-out", access.signed_in(access.sign_out), methods=["POST"])
        for method, handlers in (("GET", pages.handlers(desk)), ("POST", actions.handlers(desk))):
            for path, handler in handlers.items():
                yield Route(f"/{ADMIN}/{path}", access.signed_in(handler), methods=[method])
