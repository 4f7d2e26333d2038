from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import SourceError
from newsletter.core.listing import Page, Skipped
from newsletter.sources.reading.records import Seen
from newsletter.sources.saved_page import papers
from tests.services import shared
from tests.sources.conftest import NOW, Build
from tests.sources.pages import TITLES, abstract, block, dense, spaced

DAY = date(2026, 4, 15)


def read(text: str, day: date = DAY) -> tuple[list[Seen], list[Skipped]]:
    found = list(papers(text, day))
    seen = [paper for paper in found if isinstance(paper, Seen)]
    return seen, [paper for paper in found if isinstance(paper, Skipped)]


def titles(seen: list[Seen]) -> list[str]:
    return [paper.listing.title for paper in seen]


def test_a_dense_page_alternates_and_begins_behind_the_button() -> None:
    seen, skipped = read(dense(*TITLES))
    assert titles(seen) == list(TITLES)
    assert [paper.listing.abstract for paper in seen] == [abstract(title) for title in TITLES]
    assert not skipped


def test_a_first_title_in_lower_case_or_like_the_button_is_read_as_well() -> None:
    for first in ("lowercase2vec at Shared Task 7 : Small Words", "Subscribers and Their Habits"):
        assert titles(read(dense(first, *TITLES[:2]))[0]) == [first, *TITLES[:2]]
        assert titles(read(spaced(block(first), block(TITLES[0])))[0]) == [first, TITLES[0]]


def test_a_title_that_begins_like_the_button_stays_whole_without_a_head() -> None:
    assert titles(read(f"Subscribers and Their Habits\n{abstract('x')}")[0]) == ["Subscribers and Their Habits"]


def test_a_spaced_page_tells_authors_dates_and_comments() -> None:
    page = spaced(
        block(TITLES[0], "4 authors", "Mar 2, 2023"),
        block(TITLES[1], "1 authors", "Mar 17"),
        block(TITLES[2], "1,024 authors", "Jul 8, 2024 12"),
        block("Without Anything Behind"),
        block("From Last Winter", "2 authors", "Nov 30 3"),
    )
    seen, skipped = read(page)
    assert titles(seen) == [*TITLES, "Without Anything Behind", "From Last Winter"]
    assert [(paper.listing.author_count, paper.listing.published_on, paper.comments) for paper in seen] == [
        (4, date(2023, 3, 2), None),
        (1, date(2026, 3, 17), None),
        (1024, date(2024, 7, 8), 12),
        (None, None, None),
        (2, date(2025, 11, 30), 3),
    ]
    assert not skipped


@pytest.mark.parametrize(
    ("written", "day", "published_on"),
    [
        ("Apr 15", DAY, date(2026, 4, 15)),
        ("Apr 16", DAY, date(2025, 4, 16)),
        ("Feb 29", date(2025, 3, 1), date(2024, 2, 29)),
        ("Feb 29", date(2026, 3, 1), None),
        ("December 24, 2025", DAY, date(2025, 12, 24)),
        ("Feb 30, 2025", DAY, None),
    ],
)
def test_a_date_without_a_year_is_the_last_such(written: str, day: date, published_on: date | None) -> None:
    (seen,), _ = read(spaced(block(TITLES[0], "4 authors", written)), day)
    assert seen.listing.published_on == published_on


def test_comments_on_a_line_of_their_own_are_read() -> None:
    (seen, _), skipped = read(spaced(block(TITLES[0], "4 authors", "Mar 2, 2023") + "\n17", block(TITLES[1])))
    assert seen.comments == 17
    assert not skipped


def test_a_short_abstract_is_one() -> None:
    short = "We show that small is enough."
    for page in (f"{TITLES[0]}\n{short}\n{dense(TITLES[1])}", spaced(f"{TITLES[0]}\n\n{short}", block(TITLES[1]))):
        seen, skipped = read(page.replace("Subscribe", ""))
        assert [paper.listing.abstract for paper in seen] == [short, abstract(TITLES[1])]
        assert not skipped
    (seen_one,), _ = read(spaced(f"{TITLES[0]}\n\nSmall is enough\n\n  • 4 authors"))
    assert (seen_one.listing.title, seen_one.listing.abstract) == (TITLES[0], "Small is enough")


def test_a_title_without_an_abstract_costs_itself() -> None:
    seen, skipped = read(spaced(block(TITLES[0]), "A Title Alone", block(TITLES[1]), "The End"))
    assert titles(seen) == list(TITLES[:2])
    assert [paper.what for paper in skipped] == ["A Title Alone", "The End"]
    assert {paper.reason for paper in skipped} == {"a line that no abstract follows"}


def test_a_title_that_only_details_follow_is_a_paper() -> None:
    seen, skipped = read(spaced("A Title Alone\n\n  • 4 authors\n·\nMar 2, 2023", block(TITLES[1])))
    assert titles(seen) == ["A Title Alone", TITLES[1]]
    assert seen[0].listing.author_count == 4
    assert not skipped


def test_an_abstract_without_a_title_costs_itself() -> None:
    seen, skipped = read(spaced(block(TITLES[0]), abstract("nothing"), block(TITLES[1])))
    assert titles(seen) == list(TITLES[:2])
    assert [paper.reason for paper in skipped] == ["an abstract that no title precedes"]


def test_a_very_long_title_is_still_one() -> None:
    long = "All " + "the Words of a Title " * 12
    seen, _ = read(spaced(block(TITLES[0]), block(long.strip()), block(TITLES[1])))
    assert titles(seen) == [TITLES[0], long.strip(), TITLES[1]]


def test_stray_lines_of_the_head_are_no_papers() -> None:
    seen, skipped = read("Log in\nTrending now\n" + spaced(block(TITLES[0])))
    assert titles(seen) == [TITLES[0]]
    assert [paper.what for paper in skipped] == ["Log in", "Trending now"]
    assert titles(read("Log in\n" + dense(*TITLES))[0]) == list(TITLES)


@pytest.mark.parametrize("text", ["", "\n\n", dense("x").splitlines()[0], spaced()])
def test_a_page_without_papers_is_empty(text: str) -> None:
    assert read(text) == ([], [])


@given(
    st.lists(
        st.sampled_from(
            [*TITLES, abstract("x"), "  • 4 authors", "·", "Mar 2, 2023 1", "7", "", "Subscribe", "junk"]
        )
    )
)
def test_no_mixture_of_lines_is_too_odd(lines: list[str]) -> None:
    seen, _ = read("\n".join(lines))
    assert all(paper.listing.title and len(paper.listing.title) <= 200 for paper in seen)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    seen, _ = read(text)
    assert all(paper.listing.title for paper in seen)


async def test_pages_are_found_by_the_day_in_their_names(source: Build, tmp_path: Path) -> None:
    folder = tmp_path / "pages [old]"
    folder.mkdir()
    (folder / "a-2026-04-14.txt").write_text(dense(TITLES[0]), encoding="utf-8")
    (folder / "a-2026-04-15.txt").write_text(dense(TITLES[1], TITLES[2]), encoding="utf-8")
    (folder / "b-2026-04-15.txt").write_text(spaced(block(TITLES[0]), block(TITLES[1])), encoding="utf-8")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    (folder / "c-2026-13-45.txt").write_text("x", encoding="utf-8")
    pages = source("saved_page:../pages [[]old]/*.txt", folder=folder)
    assert [len((await pages.read(date(2026, 4, day), now=NOW)).entries) for day in (13, 14, 15)] == [0, 1, 3]
    page = await pages.read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == [TITLES[1], TITLES[2], TITLES[0]]
    assert [(entry.sighting.position, entry.sighting.listed_on) for entry in page.entries] == [
        (0, DAY),
        (1, DAY),
        (2, DAY),
    ]
    assert {entry.sighting.source for entry in page.entries} == {pages.name}
    assert [paper.what for paper in page.skipped] == ["c-2026-13-45.txt", "notes.txt"]


async def test_a_pattern_that_matches_nothing_is_told(source: Build, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"\Asaved_page:/.*/\*\.txt: no file matches\Z"):
        await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)


async def test_a_file_that_is_huge_or_in_another_encoding_costs_no_more_than_itself(
    source: Build, tmp_path: Path
) -> None:
    (tmp_path / "a-2026-04-15.txt").write_bytes(dense(TITLES[0]).encode() + b"\nCaf\xe9\n")
    with (tmp_path / "b-2026-04-15.txt").open("wb") as huge:
        huge.truncate(21 * 1024 * 1024)
    page = await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == [TITLES[0]]
    assert [paper.reason for paper in page.skipped] == [
        "a line that no abstract follows",
        "larger than 20,971,520 bytes",
    ]


MARKUP = """<!doctype html><html><head><title>Daily Papers</title><style>h3 {{}}</style></head><body>
<nav><a href="/">Models</a><a href="/d">Datasets</a></nav><h1>Daily Papers</h1>
<article><h3><a href="/papers/2603.00001">Growing &amp; <i>Gardens</i></a></h3><p>{0}</p></article>
<article><h3><a href="/papers/2603.00002">On the Taste
of Tokens</a></h3><p>{0}</p><div><span>&bull; 4 authors</span></div></article></body></html>"""


async def test_a_page_saved_as_html_is_read(source: Build, tmp_path: Path) -> None:
    (tmp_path / "a-2026-04-15.txt").write_text(MARKUP.format(abstract("x")), encoding="utf-8")
    page = await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == ["Growing & Gardens", "On the Taste of Tokens"]
    assert all(entry.listing.abstract == abstract("x").strip() for entry in page.entries)
    assert page.entries[1].listing.author_count == 4


@pytest.mark.parametrize("title", ["429 Too Many Requests", "Error 503", "Access denied", "Just a moment..."])
async def test_the_page_of_an_error_is_none_of_papers(title: str, source: Build, tmp_path: Path) -> None:
    markup = f"<html><head><title>{title}</title></head><h1>Slow Down</h1><p>{abstract('x')}</p></html>"
    (tmp_path / "a-2026-04-15.html").write_text(markup, encoding="utf-8")
    with pytest.raises(SourceError, match=r"a-2026-04-15\.html: it is the page of an error, '" + title):
        await source("saved_page:*.html", folder=tmp_path).read(DAY, now=NOW)


@pytest.mark.parametrize("begin", ["> ", ">", ">> "])
async def test_a_page_that_a_mail_program_quoted_is_read(begin: str, source: Build, tmp_path: Path) -> None:
    quoted = "".join(f"{begin}{line}\n" if line else ">\n" for line in spaced(*map(block, TITLES)).split("\n"))
    (tmp_path / "a-2026-04-15.txt").write_text(f"Ann wrote:\n{quoted}", encoding="utf-8")
    page = await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == list(TITLES)


def test_a_title_is_read_without_the_mark_of_a_heading() -> None:
    seen, _ = read(spaced(block(f"## {TITLES[0]}"), block("#Hashtags in Use")))
    assert titles(seen) == [TITLES[0], "#Hashtags in Use"]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
async def test_a_page_in_another_encoding_is_read(codec: str, source: Build, tmp_path: Path) -> None:
    title = "Naïve Codes – a “Smart” Résumé"
    (tmp_path / "a-2026-04-15.txt").write_bytes(spaced(block(title)).encode(codec))
    (entry,) = (await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)).entries
    assert entry.listing.title == title


async def test_a_line_that_cannot_be_read_gives_no_paper_anothers_abstract(source: Build, tmp_path: Path) -> None:
    lines = [TITLES[0], "Учение", "Разреженные коды", abstract("x"), TITLES[1], abstract(TITLES[1])]
    (tmp_path / "a-2026-04-15.txt").write_bytes("\n".join(lines).encode("koi8-r"))
    page = await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == [TITLES[1]]
    assert [paper.what.partition(": ")[0] for paper in page.skipped] == [
        "a-2026-04-15.txt:2",
        "a-2026-04-15.txt:3",
        "a-2026-04-15.txt",
        "a-2026-04-15.txt",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><html><body><p>Log in</p><p>Sign up</p></body></html>",
        b"Log in\nSign up\n",
        b"%PDF-1.7\n",
        textwrap.fill(abstract("x") * 3, 78).encode(),
        "\n".join(textwrap.fill(line, 78) for line in dense(*TITLES).split("\n")).encode(),
        b"",
        b" \r\n\n",
    ],
    ids=[
        "a login page",
        "stray lines",
        "a PDF",
        "half a page",
        "a dense page that was wrapped",
        "nothing",
        "blank lines",
    ],
)
async def test_a_page_of_which_nothing_can_be_read_is_a_failure_that_names_it(
    data: bytes, source: Build, tmp_path: Path
) -> None:
    (tmp_path / "a-2026-04-15.txt").write_bytes(data)
    pages = source("saved_page:*.txt", folder=tmp_path)
    with pytest.raises(SourceError, match=r"nothing can be read: a-2026-04-15\.txt"):
        await pages.read(DAY, now=NOW)
    assert (await pages.read(date(2026, 4, 14), now=NOW)).entries == ()


async def test_pages_without_a_day_in_any_name_are_a_failure(source: Build, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(dense(*TITLES), encoding="utf-8")
    with pytest.raises(SourceError, match=r"page\.txt: no day at the end of its name"):
        await source("saved_page:*.txt", folder=tmp_path).read(DAY, now=NOW)


class TestRecordedPages:
    """What is known of three recorded pages."""

    async def pages(self, source: Build) -> list[Page]:
        recorded = source("saved_page:listings/*.txt", folder=shared("listings").parent)
        days = (date(2026, 3, 11), date(2026, 3, 12), date(2026, 4, 15))
        return [await recorded.read(day, now=NOW) for day in days]

    async def test_all_papers_are_there_and_whole(self, source: Build) -> None:
        pages = await self.pages(source)
        assert [len(page.entries) for page in pages] == [119, 49, 32]
        assert not any(page.skipped for page in pages)
        assert all(len(entry.listing.abstract) > 300 for page in pages for entry in page.entries)

    async def test_papers_that_come_again_are_known(self, source: Build) -> None:
        first, second, third = [{entry.listing.id for entry in page.entries} for page in await self.pages(source)]
        assert len(second - first) == 46
        assert len(third - first - second) == 7

    async def test_every_word_of_the_pages_is_in_a_paper(self, source: Build) -> None:
        for page, day in zip(await self.pages(source), ("03-11", "03-12", "04-15"), strict=True):
            text = shared("listings", f"daily-papers-2026-{day}.txt").read_text("utf-8")
            lines = [line for line in text.splitlines() if len(line) > 60]
            known = {text for entry in page.entries for text in (entry.listing.title, entry.listing.abstract)}
            missing = [line for line in lines if " ".join(line.removeprefix("Subscribe").split()) not in known]
            assert not missing

    async def test_details_of_the_spaced_page_are_exact(self, source: Build) -> None:
        page = (await self.pages(source))[2]
        assert all(entry.listing.author_count and entry.listing.published_on for entry in page.entries)
        assert sum(entry.listing.author_count or 0 for entry in page.entries) == 177
        counted = {
            entry.sighting.position: entry.sighting.comments for entry in page.entries if entry.sighting.comments
        }
        assert counted == {5: 1, 10: 3, 17: 1, 18: 3, 21: 2, 28: 3}
        assert page.entries[7].listing.published_on == date(2026, 3, 17)
