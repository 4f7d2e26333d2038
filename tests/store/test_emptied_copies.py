"""The databases that tests share one after the other are as good as new each time."""

from __future__ import annotations

import psycopg
import pytest

from tests.postgres import Copy

_COUNTS = "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM listings)"
_LISTING = "INSERT INTO listings (record, first_seen_at, updated_at) VALUES ('{}', now(), now()) RETURNING key"


@pytest.mark.parametrize("change", ["", "UPDATE ledger SET id = 'another'", "DELETE FROM ledger"])
def test_an_emptied_copy_has_the_rows_of_the_migrations_and_counts_from_one(
    postgres_url: str, change: str
) -> None:
    copy = Copy.standing_at(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        before = connection.execute("SELECT * FROM ledger").fetchall()
        assert connection.execute(_LISTING).fetchone() == (1,)
        if change:
            connection.execute(change)

        assert copy.emptied()

    with psycopg.connect(postgres_url) as connection:
        assert connection.execute(_COUNTS).fetchone() == (1, 0)
        assert connection.execute("SELECT * FROM ledger").fetchall() == before
        assert connection.execute(_LISTING).fetchone() == (1,)


def test_a_copy_whose_tables_were_changed_is_not_used_again(postgres_url: str) -> None:
    copy = Copy.standing_at(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP INDEX ix_deliveries_claimed_by")
    assert not copy.emptied()
