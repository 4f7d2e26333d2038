"""What was found at the URLs of pictures, in every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.figures import PictureCheck, checked
from newsletter.core.pictures import Figure, Picture, PictureKind
from newsletter.ports import Store
from tests.store.conftest import Opener
from tests.store.samples import DAY, NOW, draft, due, in_issue, keys, paper, record

URL = "https://example.org/shot.png"
SHOT = checked(URL, Picture(kind=PictureKind.PNG, width=1200, height=600), 90_000)


async def test_what_was_found_is_kept_and_read_as_it_was(store: Store) -> None:
    clip = PictureCheck(url="https://example.org/clip", refusal="a video")
    small = checked("https://example.org/small", Picture(kind=PictureKind.JPEG, width=2, height=2**31 - 1), None)
    await store.pictures.keep([SHOT, clip, small], now=NOW)
    urls = [URL, clip.url, small.url, "https://example.org/another"]
    assert await store.pictures.known(urls) == {URL: SHOT, clip.url: clip, small.url: small}
    assert await store.pictures.known([]) == {}


async def test_what_was_found_later_takes_its_place(store: Store) -> None:
    await store.pictures.keep([PictureCheck(url=URL, refusal="answered 404")], now=NOW)
    await store.pictures.keep([SHOT], now=NOW + timedelta(days=1))
    await store.pictures.keep([], now=NOW)
    assert await store.pictures.known([URL]) == {URL: SHOT}


async def test_runs_at_once_may_find_the_same(opened: Opener) -> None:
    stores = [await opened() for _ in range(3)]
    many = [PictureCheck(url=f"{URL}?{number}", refusal="a video") for number in range(50)]
    orders = [many, many[::-1], many[25:] + many[:25]]
    await asyncio.gather(*(one.pictures.keep(order, now=NOW) for one, order in zip(stores, orders, strict=True)))
    assert len(await stores[0].pictures.known([one.url for one in many])) == 50


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(
        PictureCheck,
        url=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=2000),
        picture=st.none()
        | st.builds(
            Picture,
            kind=st.sampled_from(PictureKind),
            width=st.integers(1, 2**31 - 1),
            height=st.integers(1, 2**31 - 1),
        ),
        size=st.none() | st.integers(0, 10**18),
        refusal=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    )
)
async def test_any_finding_is_read_as_it_was_kept(store: Store, check: PictureCheck) -> None:
    await store.pictures.keep([check], now=NOW)
    assert await store.pictures.known([check.url]) == {check.url: check}


async def test_an_issue_keeps_the_figures_of_its_papers(store: Store) -> None:
    await record(store, paper(1), paper(2))
    one, two = (await keys(store)).values()
    figure = Figure(url=URL, width=1200, height=600)
    await store.issues.freeze(
        draft(replace(in_issue(one), figure=figure), in_issue(two, 2)), "Papers", due(), now=NOW
    )
    issue = await store.issues.find("daily", DAY)
    assert issue is not None
    assert [listing.figure for listing in issue.listings] == [figure, None]
