"""The composition of the operator's pages. It stands above the root."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import newsletter
from newsletter.bootstrap import utc_now

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

    from newsletter.bootstrap import Program
    from newsletter.readers.signup import SigningUp
    from newsletter.web.admin.access import Access
    from newsletter.web.admin.site import AdminSite

_SECONDS_TO_FINISH = 2.0
_TRIES = 10  # at signing in, of each address in an hour


@asynccontextmanager
async def admin_site(program: Program, signing_up: SigningUp) -> AsyncIterator[AdminSite | None]:
    """Give the operator's pages for as long as the context lasts; None where the settings name no token.

    Args:
        program: what they are made of.
        signing_up: does what operators decide about who signed up.
    """
    if not program.settings.web.admin_token.get_secret_value():
        yield None
        return
    from newsletter.readers.background import Background

    async def collect(stop: asyncio.Event) -> bool:
        await program.ticker.collect(now=utc_now(), stop=stop)
        return True

    _ = program.ticker  # loaded now: a page has no time for it
    collecting = Background("reading sources", collect)
    try:
        yield _site(program, signing_up, collecting.soon)
    finally:
        await collecting.close(within=_SECONDS_TO_FINISH)


def _site(program: Program, signing_up: SigningUp, collect: Callable[[], None]) -> AdminSite:
    from newsletter.composition.clustering import cluster_reader
    from newsletter.composition.watching import relay_names
    from newsletter.operations.doctor.kept import FILE
    from newsletter.operations.overview import Overseer
    from newsletter.parts.relaying import quotas_of
    from newsletter.web.admin.site import AdminSite

    overseer = Overseer(
        store=program.store,
        lists=program.lists,
        source_names=program.source_names,
        cluster=cluster_reader(program),
        relays=relay_names(program),
        quotas=quotas_of(program.settings),
    )
    return AdminSite(
        access=_access(program),
        overseer=overseer,
        signing_up=signing_up,
        renderer=program.templates,
        clock=utc_now,
        collect=collect,
        examination=program.settings.paths.state / FILE,
        version=newsletter.__version__,
    )


def _access(program: Program) -> Access:
    from newsletter.web.admin.access import Access
    from newsletter.web.clients import Clients, SharedQuota

    web = program.settings.web
    return Access(
        token=web.admin_token.get_secret_value(),
        networks=web.admin_networks,
        clients=Clients(web.trusted_proxies),
        links=program.links,
        clock=utc_now,
        tries=SharedQuota(
            what="sign-in",
            most=_TRIES,
            per=timedelta(hours=1),
            counts=program.store.shared_counts,
            secret=program.links.secret_key,
            clock=utc_now,
        ),
    )
