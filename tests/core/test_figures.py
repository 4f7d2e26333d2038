"""Which pictures of a paper a mail shows as its figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.figures import (
    LEAST_WIDTH,
    MOST_BYTES,
    PictureCheck,
    checked,
    figure_urls,
    possible_figures,
    to_be_checked,
    with_figures,
)
from newsletter.core.listing import Listing
from newsletter.core.pictures import Figure, Picture, PictureKind
from tests import factories

SHOT = "https://cdn-uploads.example.org/production/uploads/aB3/shot.png"


def picture(width: int, height: int) -> Picture:
    return Picture(kind=PictureKind.PNG, width=width, height=height)


def found(url: str, width: int = 1200, height: int = 600, size: int | None = 90_000) -> PictureCheck:
    return checked(url, picture(width, height), size)


def paper(*media: str) -> Listing:
    return Listing(title="A paper", media_urls=media)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(600, 150, 1), (600, 900, MOST_BYTES), (1200, 600, 90_000), (6000, 4000, 900_000)],
)
def test_a_picture_of_a_fitting_size_is_a_figure(width: int, height: int, size: int) -> None:
    assert found(SHOT, width, height, size).figure == Figure(url=SHOT, width=width, height=height)


@pytest.mark.parametrize(
    ("width", "height", "size", "reason"),
    [
        (599, 400, 9, "too narrow: 599 by 400 pixels"),
        (2400, 599, 9, "a banner: 2,400 by 599 pixels"),
        (800, 1201, 9, "too tall: 800 by 1,201 pixels"),
        (6000, 5000, 9, "too large: 6,000 by 5,000 pixels"),
        (800, 600, MOST_BYTES + 1, "too large: 1,048,577 bytes"),
        (800, 600, None, "its server does not say how many bytes it has"),
    ],
)
def test_a_picture_of_another_size_is_refused_with_the_reason(
    width: int, height: int, size: int | None, reason: str
) -> None:
    check = found(SHOT, width, height, size)
    assert (check.refusal, check.figure) == (reason, None)


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1), st.none() | st.integers(0, 2**62))
def test_a_figure_is_never_out_of_bounds(width: int, height: int, size: int | None) -> None:
    figure = found(SHOT, width, height, size).figure
    if figure is not None:
        assert size is not None
        assert size <= MOST_BYTES
        assert figure.width >= LEAST_WIDTH
        assert figure.width / 4 <= figure.height <= figure.width * 1.5


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2603.01234.png",
        "https://example.org/social-thumbnails/1.png",
        "https://opengraph.githubassets.com/1/a/b.gif",
        "http://example.org/shot.png",
        "https://example.org/clip.mp4",
        "https://example.org/clip.QT",
        "https://example.org/clip.mov?download=true",
        "https://example.org/moving.gif",
        "https://example.org/drawing.svg#a",
        "https://example.org/picture.webp",
        "https://example.org/sh ot.png",
        "https://example.org/gröẞe.png",
        "https://example.org/" + "a" * 2000 + ".png",
        "https://[::1/shot.png",
        "https:///shot.png",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "",
    ],
)
def test_what_cannot_be_a_figure_is_not_asked_for(url: str) -> None:
    assert possible_figures(paper(url)) == ()


def test_a_paper_may_have_a_few_pictures_each_once_in_its_order() -> None:
    urls = [f"https://example.org/{number}" for number in range(5)]
    media = (urls[0], "https://example.org/clip.mp4", urls[0], *urls[1:])
    assert possible_figures(paper(*media)) == tuple(urls[:3])


@given(st.lists(st.text(max_size=80)))
def test_any_media_are_asked_for_over_https_or_not_at_all(media: list[str]) -> None:
    assert all(url.startswith("https://") for url in possible_figures(paper(*media)))


@given(st.text(max_size=80))
def test_any_text_after_https_is_an_address_of_one_line_or_none(text: str) -> None:
    assert all(url.isascii() and url.isprintable() for url in possible_figures(paper("https://" + text)))


def test_the_pictures_of_papers_that_may_come_first_are_looked_at_best_papers_first() -> None:
    papers = [
        replace(one, media_urls=(f"https://example.org/{n}.png", SHOT))
        for n, one in enumerate(factories.papers(90))
    ]
    draft = factories.draft(papers)
    wanted = to_be_checked(draft)
    assert wanted[:3] == ("https://example.org/0.png", SHOT, "https://example.org/1.png")
    assert len(wanted) == 61
    assert len(figure_urls(draft.listings)) == 91


def test_a_paper_has_the_first_of_its_pictures_that_is_a_figure() -> None:
    urls = [f"https://example.org/{number}.png" for number in range(4)]
    draft = factories.draft([paper(*urls[:3]), paper(urls[3]), paper(), paper(urls[0])])
    checks = {
        urls[0]: PictureCheck(url=urls[0], refusal="a video"),
        urls[1]: found(urls[1]),
        urls[2]: found(urls[2], 900, 450),
    }
    drawn = with_figures(draft, checks)
    assert [one.figure and one.figure.url for one in drawn.listings] == [urls[1], None, None, None]
    assert replace(drawn, listings=draft.listings) == draft
