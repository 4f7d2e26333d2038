"""Papers that readers gave as examples, in SQL: with the texts that sources showed, else those that arXiv has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.examples import GivenPaper
from newsletter.core.likeness import Example
from newsletter.core.listing import Listing
from newsletter.core.subscriber import SubscriberStatus
from newsletter.ports import Examples
from newsletter.store.bulk import among, insert
from newsletter.store.engine import Database
from newsletter.store.subscriber_rows import read_examples
from newsletter.store.tables import listing_ids, listings, looked_up_papers, subscribers

_PAGE = 100  # subscribers who are read at once, with up to a hundred examples each
_KEPT = 4000  # papers that are remembered while an issue is closed, some 8 KB each


class SqlExamples(Examples):
    """One row for each paper that was looked up; what readers gave stands with the readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def to_look_up(self, list_name: str, *, most: int, unknown_since: datetime) -> list[str]:
        wanted: list[str] = []
        seen: set[str] = set()
        last = 0
        while len(wanted) < most:
            async with self._database.read() as connection:
                page = (await connection.execute(_GIVEN, {"list": list_name, "last": last})).all()
                if not page:
                    break
                last = page[-1].key
                given = (paper for row in page for paper in read_examples(row.examples) if not paper.is_told)
                ids = dict.fromkeys(paper.arxiv_id for paper in given if paper.arxiv_id not in seen | {""})
                seen.update(ids)
                known = await _known(connection, ids, unknown_since)
            wanted += [one for one in ids if one not in known]
        return wanted[:most]

    @override
    async def keep(self, found: Mapping[str, Listing | None], *, now: datetime) -> None:
        rows = [{"arxiv_id": key, "record": found[key], "looked_up_at": now} for key in sorted(found)]
        if not rows:
            return
        async with self._database.write() as connection:
            statement = insert(connection, looked_up_papers)
            learnt = {name: statement.excluded[name] for name in ("record", "looked_up_at")}
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["arxiv_id"], set_=learnt), rows
            )


_GIVEN = (
    sa.select(subscribers.c.key, subscribers.c.examples)
    .where(
        subscribers.c.list == sa.bindparam("list"),
        subscribers.c.key > sa.bindparam("last"),
        subscribers.c.examples != "[]",
        subscribers.c.status == SubscriberStatus.ACTIVE,
    )
    .order_by(subscribers.c.key)
    .limit(_PAGE)
)


async def _known(connection: AsyncConnection, ids: Collection[str], unknown_since: datetime) -> set[str]:
    """Return which arXiv ids need not be looked up."""
    if not ids:
        return set()
    named = await _listing_keys(connection, [f"arxiv:{one}" for one in ids])
    query = sa.select(looked_up_papers.c.arxiv_id).where(
        among(connection, looked_up_papers.c.arxiv_id, ids),
        sa.or_(looked_up_papers.c.record.is_not(None), looked_up_papers.c.looked_up_at >= unknown_since),
    )
    return {one.removeprefix("arxiv:") for one in named} | set(await connection.scalars(query))


async def _listing_keys(connection: AsyncConnection, identities: Collection[str]) -> dict[str, int]:
    """Return the keys of the listings of some identities; of several of one title, the first."""
    query = sa.select(listing_ids.c.identity, sa.func.min(listing_ids.c.listing_key)).where(
        among(connection, listing_ids.c.identity, identities)
    )
    return await _pairs(connection, query.group_by(listing_ids.c.identity))


async def _pairs(connection: AsyncConnection, query: sa.Select[Any]) -> dict[Any, Any]:
    """Return the rows of a query for two columns, as a dictionary."""
    return {row[0]: row[1] for row in (await connection.execute(query)).all()}


class KnownExamples:
    """The examples of readers with their texts; asked for many readers at once."""

    def __init__(self) -> None:
        self._known: dict[GivenPaper, Example | None] = {}

    async def of(
        self, connection: AsyncConnection, given: Mapping[int, Sequence[GivenPaper]]
    ) -> dict[int, tuple[Example, ...]]:
        """Return examples by the keys of readers who gave some; one whose title nobody knows is left out."""
        papers = {paper for theirs in given.values() for paper in theirs}
        if len(self._known) > _KEPT:
            self._known.clear()
        if unknown := papers - self._known.keys():
            self._known |= await _examples(connection, sorted(unknown))
        return {
            reader: tuple(one for paper in theirs if (one := self._known[paper]) is not None)
            for reader, theirs in given.items()
            if theirs
        }


async def _examples(connection: AsyncConnection, papers: Iterable[GivenPaper]) -> dict[GivenPaper, Example | None]:
    """Return what is compared of papers: what a source showed, what arXiv has, or what the reader gave."""
    identities = {paper: [str(one) for one in paper.identities] for paper in papers}
    keys = await _listing_keys(connection, {one for each in identities.values() for one in each})
    shown = {paper: next((keys[one] for one in each if one in keys), None) for paper, each in identities.items()}
    wanted = {key for key in shown.values() if key is not None}
    query = sa.select(listings.c.key, listings.c.record).where(among(connection, listings.c.key, wanted))
    records = await _pairs(connection, query)
    asked = {paper.arxiv_id for paper, key in shown.items() if key is None and not paper.is_told} - {""}
    found = sa.select(looked_up_papers.c.arxiv_id, looked_up_papers.c.record).where(
        among(connection, looked_up_papers.c.arxiv_id, asked)
    )
    of_arxiv = await _pairs(connection, found)
    examples: dict[GivenPaper, Example | None] = {}
    for paper, key in shown.items():
        record = of_arxiv.get(paper.arxiv_id)
        if key is not None:
            examples[paper] = Example.of(key, records[key])
        elif record is not None:
            examples[paper] = Example.of(f"arxiv:{paper.arxiv_id}", record)
        else:
            examples[paper] = paper.example()
    return examples
