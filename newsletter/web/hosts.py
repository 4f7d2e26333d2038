"""Refuses requests for other sites: a stranger's name may be made to point at this machine (DNS rebinding)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.core.page_names import HEALTH, OWN_HEALTH, READY
from newsletter.web.guard import REASON

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(:\d{1,5})?", re.ASCII)
_HERE = frozenset({"localhost"})
_SHOWN = 100  # characters of a name in the log
_MALFORMED = "The request does not say which site it is for.\n"
_MISDIRECTED = "There is no such site here.\n"  # RFC 9110, 15.5.20

_BY_ANY_NAME = {f"/{path}" for path in (HEALTH, OWN_HEALTH, READY)}


class KnownHosts:
    """ASGI middleware: answers what is asked of this site by one of its names, or by an address of the machine.

    A browser that was led here by a name of somebody else says that name in `Host`; by an IP address, nobody can
    lead it anywhere else. Health checks answer by any name, as load balancers ask for them.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, names: Iterable[str]) -> None:
        """Begin.

        Args:
            app: answers.
            public_url: where readers reach the site, or empty.
            names: what else it is called, without ports.
        """
        self._app = app
        public = urlsplit(public_url).hostname
        self._names = _HERE | {name.lower().rstrip(".") for name in (*names, *([public] if public else []))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in _BY_ANY_NAME:
            said = Headers(scope=scope).getlist("Host")
            found = _HOST.fullmatch(said[0].lower()) if len(said) == 1 else None
            if found is None:
                scope[REASON] = "no host"
                await PlainTextResponse(_MALFORMED, 400)(scope, receive, send)
                return
            if not self._knows(found["name"]):
                scope[REASON] = f"unknown host {found['name'][:_SHOWN]} (NEWSLETTER_WEB__HOSTS)"
                await PlainTextResponse(_MISDIRECTED, 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _knows(self, name: str) -> bool:
        return name.rstrip(".") in self._names or _is_ip(name.strip("[]"))


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
