from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing, Skipped
from newsletter.sources import jsonl
from newsletter.sources.reading.files import Content, content
from tests.sources.conftest import DAY, NOW, Build

WHOLE = {
    "title": "Own Paper",
    "abstract": "We write it down.",
    "summary": "Written.",
    "ai_summary": "Written by a model.",
    "authors": ["Ada Example", "Bo Beispiel"],
    "author_count": 7,
    "published_on": "2026-03-10",
    "organization": "Example Lab",
    "categories": ["cs.CL"],
    "keywords": ["own"],
    "arxiv_id": "2603.00001",
    "doi": "10.1000/xyz",
    "url": "https://example.org/own",
    "pdf_url": "https://example.org/own.pdf",
    "code_url": "https://example.org/code",
    "project_url": "https://example.org/project",
    "thumbnail_url": "https://example.org/own.png",
    "media_urls": ["https://example.org/own.mp4"],
    "submitted_by": "Sam",
    "discussion_url": "https://example.org/own#talk",
}


def write(path: Path, *records: object) -> None:
    path.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")


async def test_every_field_of_a_listing_can_be_given(source: Build, tmp_path: Path) -> None:
    write(tmp_path / "own-2026-03-12.jsonl", WHOLE | {"upvotes": 5, "comments": 2, "stars": 9})
    (entry,) = (await source("jsonl:*.jsonl", folder=tmp_path).read(DAY, now=NOW)).entries
    for field in fields(Listing):
        value = getattr(entry.listing, field.name)
        given = WHOLE[field.name]
        assert value == (
            tuple(given)
            if isinstance(given, list)
            else date(2026, 3, 10)
            if field.name == "published_on"
            else given
        )
    assert (entry.sighting.upvotes, entry.sighting.comments, entry.sighting.stars) == (5, 2, 9)


def test_the_fields_are_documented() -> None:
    assert jsonl.__doc__
    assert all(f"`{field.name}`" in jsonl.__doc__ for field in fields(Listing))


async def test_the_day_is_the_records_own_or_else_the_files(source: Build, tmp_path: Path) -> None:
    write(tmp_path / "a-2026-03-12.jsonl", {"title": "A"}, {"title": "B", "listed_on": "2026-03-11"})
    write(tmp_path / "undated.jsonl", {"title": "C", "listed_on": "2026-03-12"}, {"title": "D"})
    pages = source("jsonl:*.jsonl", folder=tmp_path)
    page = await pages.read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == ["A", "C"]
    assert [(entry.what, entry.reason) for entry in page.skipped] == [
        ("undated.jsonl:2", "no listed_on, and no day at the end of the file's name")
    ]
    assert [entry.listing.title for entry in (await pages.read(date(2026, 3, 11), now=NOW)).entries] == ["B"]


async def test_a_bad_line_costs_itself_and_is_named(source: Build, tmp_path: Path) -> None:
    (tmp_path / "a-2026-03-12.jsonl").write_text('{"title": "A"}\n{"title"\n\n5\n{"title": "B"}', encoding="utf-8")
    page = await source("jsonl:*.jsonl", folder=tmp_path).read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == ["A", "B"]
    assert [entry.what for entry in page.skipped] == ["a-2026-03-12.jsonl:2", "a-2026-03-12.jsonl:4"]


async def test_a_file_that_cannot_be_read_costs_itself(source: Build, tmp_path: Path) -> None:
    with (tmp_path / "a-2026-03-12.jsonl").open("wb") as huge:
        huge.truncate(21 * 1024 * 1024)
    write(tmp_path / "b-2026-03-12.jsonl", {"title": "B"})
    page = await source("jsonl:*.jsonl", folder=tmp_path).read(DAY, now=NOW)
    assert len(page.entries) == 1
    assert [entry.what for entry in page.skipped] == ["a-2026-03-12.jsonl"]


def test_a_file_that_went_away_is_skipped_with_the_reason(tmp_path: Path) -> None:
    gone = content(tmp_path / "gone.jsonl")
    reason = "cannot be read: No such file or directory"
    assert gone == Content(None, (Skipped(what="gone.jsonl", reason=reason),))


async def test_a_pattern_that_matches_nothing_is_told(source: Build, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"\*\.jsonl: no file matches\Z"):
        await source("jsonl:*.jsonl", folder=tmp_path).read(DAY, now=NOW)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp1252"])
async def test_a_file_in_another_encoding_is_read(codec: str, source: Build, tmp_path: Path) -> None:
    line = json.dumps({"title": "Naïve Bayes à la carte", "authors": ["José Müller"]}, ensure_ascii=False)
    (tmp_path / "a-2026-03-12.jsonl").write_bytes(f"{line}\r\n".encode(codec))
    (entry,) = (await source("jsonl:*.jsonl", folder=tmp_path).read(DAY, now=NOW)).entries
    assert (entry.listing.title, entry.listing.authors) == ("Naïve Bayes à la carte", ("José Müller",))


async def test_an_array_a_wrapped_list_and_objects_over_lines_are_read(source: Build, tmp_path: Path) -> None:
    first, second = {"title": "One"}, {"title": "Two"}
    for name, text in {
        "a": json.dumps([first, second], indent=1),
        "b": json.dumps({"papers": [{"title": "Three"}, "x"]}),
        "c": json.dumps({"items": [{"title": "Four"}, {"abstract": "No title."}]}),
        "d": json.dumps({"title": "Five"}, indent=4),
    }.items():
        (tmp_path / f"{name}-2026-03-12.jsonl").write_text(text, encoding="utf-8")
    page = await source("jsonl:*.jsonl", folder=tmp_path).read(DAY, now=NOW)
    assert [entry.listing.title for entry in page.entries] == ["One", "Two", "Four", "Five"]
    assert [entry.what for entry in page.skipped] == ["b-2026-03-12.jsonl:1", "c-2026-03-12.jsonl:1 record 2"]


@pytest.mark.parametrize(
    "data", [b'{"title": "A"},', b"\xff\xfe\x00\xd8\x00\x41", b"%PDF-1.7", b'{"abstract": "a"}']
)
async def test_a_day_of_which_nothing_can_be_read_is_a_failure_that_names_the_file(
    data: bytes, source: Build, tmp_path: Path
) -> None:
    (tmp_path / "a-2026-03-12.jsonl").write_bytes(data)
    write(tmp_path / "b-2026-03-11.jsonl", {"title": "Of Another Day"})
    papers = source("jsonl:*.jsonl", folder=tmp_path)
    with pytest.raises(SourceError, match=r"nothing can be read: a-2026-03-12\.jsonl"):
        await papers.read(DAY, now=NOW)
    assert len((await papers.read(date(2026, 3, 11), now=NOW)).entries) == 1
    assert (await papers.read(date(2026, 3, 10), now=NOW)).entries == ()
