"""What was found at the URLs of pictures, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from newsletter.core.figures import PictureCheck
from newsletter.core.pictures import Picture, PictureKind
from newsletter.ports import Pictures
from newsletter.store.bulk import among, insert
from newsletter.store.engine import Database
from newsletter.store.tables import pictures


class SqlPictures(Pictures):
    """One row for each URL that was looked at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def known(self, urls: Collection[str]) -> Mapping[str, PictureCheck]:
        if not urls:
            return {}
        async with self._database.read() as connection:
            found = await connection.execute(sa.select(pictures).where(among(connection, pictures.c.url, urls)))
            return {row.url: _check(row) for row in found}

    @override
    async def keep(self, checks: Iterable[PictureCheck], *, now: datetime) -> None:
        rows = [_row(check, now) for check in sorted(checks, key=lambda check: check.url)]
        if not rows:
            return
        async with self._database.write() as connection:
            statement = insert(connection, pictures)
            learnt = {column.name: column for column in statement.excluded if not column.primary_key}
            await connection.execute(statement.on_conflict_do_update(index_elements=["url"], set_=learnt), rows)


def _check(row: Any) -> PictureCheck:
    picture = Picture(kind=PictureKind(row.kind), width=row.width, height=row.height) if row.kind else None
    return PictureCheck(url=row.url, picture=picture, size=row.size, refusal=row.refusal)


def _row(check: PictureCheck, now: datetime) -> dict[str, Any]:
    picture = check.picture
    return {
        "url": check.url,
        "kind": picture.kind.value if picture else "",
        "width": picture.width if picture else None,
        "height": picture.height if picture else None,
        "size": check.size,
        "refusal": check.refusal,
        "checked_at": now,
    }
