"""Showing what holds mail up: slow domains and relays in trouble."""

from __future__ import annotations

from datetime import datetime

from newsletter.bootstrap import Program
from newsletter.cli.output import table
from newsletter.cli.session import now
from newsletter.ports import Hindrance, HindranceKind


async def find_hindrances(program: Program) -> list[Hindrance]:
    """Return what an operator may want to know of, not what is our own affair.

    That is a rate used up for a moment, and a relay that takes no joined envelopes: it costs a round trip.
    """
    known = await program.store.hindrances.known(now=now())
    return [one for one in known if one.kind in {HindranceKind.DOMAIN, HindranceKind.RELAY}]


def show_hindrances(hindrances: list[Hindrance]) -> None:
    """Print them as a table."""
    moment = now()
    table(
        ("what", "name", "since (UTC)", "until", "what it said"),
        ((one.kind, one.name, f"{one.since:%F %R}", _until(one, moment), one.reason) for one in hindrances),
    )


def _until(one: Hindrance, moment: datetime) -> str:
    if one.until:
        return f"{one.until:%F %R:%S}" if one.until > moment else "it takes one message"
    return "the next run" if one.given_up else "it works"
