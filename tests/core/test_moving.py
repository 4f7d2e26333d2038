from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.address import Address, masked
from newsletter.core.moving import may_ask

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
_BEFORE = st.lists(st.timedeltas(timedelta(), timedelta(days=40)).map(lambda ago: NOW - ago), max_size=8)


@given(_BEFORE, _BEFORE)
def test_no_reader_asks_and_no_address_is_mailed_more_than_three_times_in_a_day(
    of_reader: list[datetime], of_address: list[datetime]
) -> None:
    today = [sum(at > NOW - timedelta(days=1) for at in asked) for asked in (of_reader, of_address)]
    assert may_ask(of_reader, of_address, now=NOW) is (max(today) < 3)


@given(st.from_regex(r"[a-z.+]{1,20}@[a-z]{1,20}\.example", fullmatch=True))
def test_an_address_is_shown_by_its_first_letter_and_its_domain(email: str) -> None:
    assert masked(email) == f"{email[0]}•••@{Address.parse(email).domain}"
