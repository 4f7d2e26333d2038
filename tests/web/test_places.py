from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.page_names import in_path
from newsletter.web.pages.lists.places import (
    Archive,
    Day,
    Front,
    Place,
    TopicPapers,
    Topics,
    Week,
    address_of,
    monday_of,
    read_place,
)

days = st.dates(date(1970, 1, 5), date(2199, 12, 31))
numbers = st.integers(1, 9999)
names = st.just("daily")
places = st.one_of(
    st.builds(Front, list=names),
    st.builds(Topics, list=names),
    st.builds(Day, list=st.sampled_from(["daily", "daily.weekly"]), day=days, number=numbers),
    st.builds(Week, list=names, monday=days.map(monday_of), number=numbers),
    st.builds(Week, list=names),
    st.builds(Archive, list=names, year=st.none() | st.integers(1970, 2199)),
    st.builds(
        TopicPapers,
        list=names,
        topic=st.text(min_size=1, max_size=40).map(in_path),
        month=st.none() | days.map(lambda day: day.replace(day=1)),
        number=numbers,
    ),
)


@given(places)
def test_an_address_names_its_place(place: Place) -> None:
    assert read_place(address_of(place)) == place


@given(st.text() | st.from_regex(r"daily/(week|archive|topics|\d{4}-\d\d-\d\d)/[-A-Z0-9/.]*", fullmatch=True))
def test_each_place_has_one_address_and_any_other_names_none(address: str) -> None:
    place = read_place(address)

    assert place is None or address_of(place) == address
