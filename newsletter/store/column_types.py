"""Types of columns that neither engine has: moments in UTC, and whole records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, TypeVar
from zlib import compress, decompress

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Dialect

T = TypeVar("T")

# BIGINT everywhere but on SQLite, where only INTEGER counts up by itself.
Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Text that is looked up: compared byte by byte on both engines. PostgreSQL's default follows the rules of the
# system's language, which change with its updates and leave indexes wrong.
Exact = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
_NO_FRACTION = ".000000+00:00"  # ends the text of a whole second


def one_of(kind: type[StrEnum]) -> sa.Enum:
    """Return a column type for an enumeration: its values as short text, which stays readable and can grow."""
    return sa.Enum(
        kind, native_enum=False, length=20, values_callable=lambda members: [member.value for member in members]
    )


def moment_text(value: datetime) -> str:
    """Return an aware datetime as SQLite keeps it: in UTC, and such that text is ordered as time is.

    Raises:
        ValueError: the datetime is naive, so nobody can tell which moment it means.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return _utc_text(value if value.tzinfo is UTC else value.astimezone(UTC))


@lru_cache(maxsize=512)
def _utc_text(moment: datetime) -> str:
    """Return a moment in UTC as text; rows that are written together share a few, those of mails a few hundred."""
    # `str` takes half the time, but leaves out a fraction of zero.
    return str(moment) if moment.microsecond else moment.isoformat(" ", "microseconds")


def moment_texts(moments: Iterable[datetime]) -> list[str]:
    """Return what `moment_text` returns of each moment in UTC.

    Those that follow each other are mostly of one second. Its text is made once, so all take a third of the time.

    Raises:
        ValueError: a datetime is naive.
    """
    texts: list[str] = []
    start = end = _EPOCH
    second = ""
    for moment in moments:
        if moment.tzinfo is None or not start <= moment < end:
            start = moment.replace(microsecond=0)
            end, second = start + _SECOND, moment_text(start).removesuffix(_NO_FRACTION)
        texts.append(f"{second}.{moment.microsecond:06}+00:00")
    return texts


@lru_cache(maxsize=64)
def read_moment(value: str | datetime) -> datetime:
    """Return a moment as it comes from a driver as an aware datetime in UTC; rows of one issue share a few."""
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime, UTC on both ways. SQLite knows no datetimes at all, and would lose the time zone."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Choose TIMESTAMP WITH TIME ZONE, or text on SQLite."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn into UTC.

        Raises:
            ValueError: the datetime is naive.
        """
        if value is None:
            return None
        text = moment_text(value)
        return text if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        return None if value is None else read_moment(value)


class Frozen(sa.types.TypeDecorator[T]):
    """A whole record as JSON text: read by pydantic, so a stored value of a wrong shape is found out."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, record: type[T]) -> None:
        super().__init__()
        self.record = record

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.record)  # when it is needed: it takes milliseconds

    def process_bind_param(self, value: T | None, _dialect: Dialect) -> str | None:
        """Write the record."""
        return None if value is None else self._adapter.dump_json(value).decode()

    def process_result_value(self, value: str | None, _dialect: Dialect) -> T | None:
        """Read the record."""
        return None if value is None else self._adapter.validate_json(value)


class Compressed(sa.types.TypeDecorator[T]):
    """A whole record as JSON, compressed by zlib: some 10 KB for a rendered issue instead of 300."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, record: type[T]) -> None:
        super().__init__()
        self.record = record

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.record)  # when it is needed: it takes milliseconds

    def process_bind_param(self, value: T | None, _dialect: Dialect) -> bytes | None:
        """Write the record."""
        return None if value is None else compress(self._adapter.dump_json(value))

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> T | None:
        """Read the record."""
        return None if value is None else self._adapter.validate_json(decompress(value))


def as_text(column: sa.Column[Any]) -> sa.Label[str]:
    """Return a column as the text that it holds, whatever that stands for."""
    return sa.type_coerce(column, sa.Text).label(column.name)
