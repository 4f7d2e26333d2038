"""What is chosen from issues for their readers, in SQL: numbered choices, and what earlier ones brought."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.choice import Choice, Reason, ReasonKind, TextKind
from newsletter.core.issue import Issue
from newsletter.core.steps import NOT_BROUGHT
from newsletter.store.bulk import among
from newsletter.store.tables import IS_CLOSED, choices, deliveries, issue_listings, issues

# How many choices are remembered while an issue is closed. Beyond it one may be stored twice, which does no harm.
_NUMBERS_KEPT = 100_000
_CHOICES_KEPT = 20_000


def written(choice: Choice) -> bytes:
    """Return a choice as it is stored: a JSON array of the positions and of the reasons beside each, in UTF-8.

    Where the reader wants abstracts, or has a language of their own, these are third and fourth.

    This is done for each of a million readers; `json.dumps` of the whole takes ten times as long.
    """
    positions, reasons = ",".join(map(str, choice.positions)), ",".join(map(_reasons_written, choice.reasons))
    more = ""
    if choice.text is not TextKind.SUMMARY or choice.language:
        more = f',"{choice.text}"' + (f',"{choice.language}"' if choice.language else "")
    return f"[[{positions}],[{reasons}]{more}]".encode()


@lru_cache(maxsize=16_384)
def _reasons_written(reasons: tuple[Reason, ...]) -> str:
    """Return the reasons of one listing as JSON; readers share a few."""
    return to_json(reasons).decode()


@lru_cache(maxsize=1024)
def read_choice(text: str) -> Choice:
    """Return a choice that was stored; each delivery that is claimed asks for one, and many share a few."""
    positions, reasons, *more = from_json(text)
    return Choice(
        positions=tuple(positions),
        reasons=tuple(tuple(map(_reason, each)) for each in reasons),
        text=TextKind(more[0]) if more else TextKind.SUMMARY,
        language=more[1] if len(more) > 1 else "",
    )


def _reason(stored: str | list[str]) -> Reason:
    """Return a reason; versions before follows stored the name of the topic alone."""
    if isinstance(stored, str):
        return Reason(ReasonKind.TOPIC, stored)
    kind, name, word = stored
    return Reason(ReasonKind(kind), name, word)


class NumberedChoices:
    """Numbers the choices of an issue that is being closed: equal ones have one number."""

    def __init__(self, issue_key: int) -> None:
        self._issue_key = issue_key
        self._numbers: dict[bytes, int] = {}
        self._last = 0
        self._new: list[tuple[int, int, str, str]] = []

    def number(self, choice: Choice, subject: str) -> int:
        """Return the number of a choice; `take_new` gives those that are new."""
        chosen = written(choice)
        digest = blake2b(chosen, digest_size=16).digest()  # a tenth of the text's size
        if digest not in self._numbers:
            if len(self._numbers) >= _NUMBERS_KEPT:
                self._numbers.clear()
            self._last += 1
            self._numbers[digest] = self._last
            self._new.append((self._issue_key, self._last, chosen.decode(), subject))
        return self._numbers[digest]

    def take_new(self) -> list[tuple[int, int, str, str]]:
        """Return the choices that were not returned before, as rows of `ADD_CHOICES`."""
        new, self._new = self._new, []
        return new


class Brought:
    """Which of an issue's listings earlier issues of the list, daily or weekly, brought to whom."""

    def __init__(self, held: dict[int, dict[int, int]]) -> None:
        """Begin with the issues that hold any of the listings: by key, the keys of these listings by position."""
        self._held = held
        self._choices: dict[tuple[int, int], frozenset[int]] = {}

    @classmethod
    async def before(cls, connection: AsyncConnection, issue: Issue) -> Brought:
        """Return what can be asked about the listings of an issue; listings that were merged count as one."""
        wanted = {listing.key for listing in issue.listings}
        holding = sa.select(issue_listings.c.issue_key).where(
            among(connection, issue_listings.c.listing_key, wanted)
        )
        query = (
            sa.select(issue_listings.c.issue_key, issue_listings.c.listing_key)
            .join(issues, issues.c.key == issue_listings.c.issue_key)
            .where(issues.c.list.in_(issue.masthead.editions), IS_CLOSED, issues.c.key.in_(holding))
            .order_by(issue_listings.c.issue_key, issue_listings.c.rank)
        )
        keys: dict[int, list[int]] = {}
        for issue_key, listing_key in await connection.execute(query):
            keys.setdefault(issue_key, []).append(listing_key)
        return cls(
            {
                issue_key: {position: key for position, key in enumerate(held) if key in wanted}
                for issue_key, held in keys.items()
            }
        )

    def choices_of(self, subscriber_key: sa.ColumnElement[int]) -> Sequence[sa.ColumnElement[str]]:
        """Return the expressions for what was chosen from these issues for a subscriber; none if there are none.

        Those for whom they are equal were brought the same. What was withdrawn or refused was not brought.
        """
        if not self._held:
            return ()
        query = self._brought_by(sa.select(self._chosen()))
        return (query.where(deliveries.c.subscriber_key == subscriber_key).scalar_subquery(),)

    def choices_between(self, after: int, until: int) -> sa.Subquery | None:
        """Return what `choices_of` does as a table with the columns `subscriber_key` and `chosen`; None: as there.

        Args:
            after: the key of the subscriber before the first one.
            until: the key of the last one.
        """
        if not self._held:
            return None
        key = deliveries.c.subscriber_key
        query = self._brought_by(sa.select(key, self._chosen().label("chosen"))).where(key > after, key <= until)
        return (query.group_by(key) if len(self._held) > 1 else query).subquery()

    def _chosen(self) -> sa.ColumnElement[str]:
        """Return the expression for what was chosen for a subscriber; of several issues, an aggregate."""
        chosen: sa.ColumnElement[str] = sa.cast(deliveries.c.choice, sa.Text)
        if len(self._held) > 1:  # to put one text together takes as long as to find it
            chosen = sa.func.aggregate_strings(sa.cast(deliveries.c.issue_key, sa.Text) + ":" + chosen, ",")
        return chosen

    def _brought_by(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """Return a query for deliveries of these issues that were brought, or are still to be."""
        return query.where(
            deliveries.c.issue_key.in_(self._held),
            deliveries.c.state.not_in(NOT_BROUGHT),
            deliveries.c.choice.is_not(None),
        )

    async def to(self, connection: AsyncConnection, readers: Collection[int]) -> dict[int, frozenset[int]]:
        """Return which of the listings were chosen for subscribers before, by the subscribers' keys.

        What was withdrawn or refused was not brought; what is still to be sent counts as brought.
        """
        if not self._held or not readers:
            return {}
        columns = (deliveries.c.subscriber_key, deliveries.c.issue_key, deliveries.c.choice)
        query = self._brought_by(sa.select(*columns)).where(
            among(connection, deliveries.c.subscriber_key, readers)
        )
        rows = (await connection.execute(query)).all()
        await self._read(connection, {(issue_key, number) for _, issue_key, number in rows})
        found: dict[int, frozenset[int]] = {}
        for reader, issue_key, number in rows:
            found[reader] = found.get(reader, frozenset()) | self._choices[issue_key, number]
        return found

    async def _read(self, connection: AsyncConnection, wanted: Iterable[tuple[int, int]]) -> None:
        """Read choices that are not known yet."""
        if len(self._choices) > _CHOICES_KEPT:
            self._choices.clear()
        unknown: dict[int, list[int]] = {}
        for issue_key, number in wanted:
            if (issue_key, number) not in self._choices:
                unknown.setdefault(issue_key, []).append(number)
        for issue_key, numbers in unknown.items():
            held = self._held[issue_key]
            query = sa.select(choices.c.number, choices.c.chosen).where(
                choices.c.issue_key == issue_key, among(connection, choices.c.number, numbers)
            )
            for number, chosen in await connection.execute(query):
                positions = read_choice(chosen).positions
                self._choices[issue_key, number] = frozenset(held[one] for one in positions if one in held)
