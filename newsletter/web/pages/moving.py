"""The page of the link by which a reader confirms a new address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.address import masked
from newsletter.core.page_names import NEW_ADDRESS
from newsletter.core.tokens import Links
from newsletter.ports import AddressChange, AddressChanges, Clock, Issues
from newsletter.ports.pages import PageRenderer
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.readers import NOBODY, masthead_for

log = structlog.get_logger(__name__)


def routes(
    changes: AddressChanges,
    issues: Issues,
    links: Links,
    renderer: PageRenderer,
    clock: Clock,
    wake: Callable[[], None],
) -> list[Route]:
    """Return the routes: GET asks, POST moves the reader.

    Args:
        changes: the new addresses that readers asked for.
        issues: the newest issue says how a list presents itself.
        links: reads the tokens.
        renderer: renders the page `new_address`.
        clock: the present moment.
        wake: is called when the letter to the former address is to be sent.
    """
    pages = _MovingPages(changes, issues, links, renderer, clock, wake)
    path = f"/{NEW_ADDRESS}/{{{SECRET_PARAMETER}}}"
    return [Route(path, pages.ask, methods=["GET"]), Route(path, pages.move, methods=["POST"])]


@dataclass(frozen=True, slots=True)
class _MovingPages:
    changes: AddressChanges
    issues: Issues
    links: Links
    renderer: PageRenderer
    clock: Clock
    wake: Callable[[], None]

    async def ask(self, request: Request) -> Response:
        """Show the button. Mail scanners follow links, so this changes nothing."""
        change = await self.changes.find(self._key(request), now=self.clock())
        return await self._page("asks", change)

    async def move(self, request: Request) -> Response:
        """Give the reader the new address; the link works once."""
        change = await self.changes.move(self._key(request), now=self.clock())
        if change is not None:
            log.info("address_changed", list=change.reader.list)
            self.wake()
        return await self._page("done", change)

    def _key(self, request: Request) -> int:
        """Return the number of the token's change, or `NOBODY`, which is looked for like any other."""
        return self.links.read_new_address(request.path_params[SECRET_PARAMETER], now=self.clock()) or NOBODY

    async def _page(self, state: str, change: AddressChange | None) -> Response:
        """Show the page.

        Raises:
            HTTPException: 404: there is no such change, or it was made, or cannot be made any more.
        """
        if change is None:
            raise HTTPException(404)
        values = {
            "masthead": await masthead_for(self.issues, change.reader),
            "state": state,
            "email": change.email,
            "former": masked(change.former_email or change.reader.email),
        }
        return HTMLResponse(self.renderer.page("new_address", values))
