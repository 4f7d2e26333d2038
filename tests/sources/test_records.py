from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from newsletter.core.identity import doi_in
from newsletter.core.listing import LinksLeftOut, Listing, Skipped
from newsletter.sources.reading.records import (
    BadRecordError,
    Record,
    Seen,
    count,
    day_of,
    each,
    image,
    link,
    links,
    page,
    text,
    texts,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(ANYTHING)
def test_any_value_comes_out_as_what_it_should_be(value: object) -> None:
    shown = text(value)
    shown.encode()
    assert "\n" not in shown
    assert len(shown) <= 200
    assert all(isinstance(item, str) for item in texts(value))
    assert (number := count(value)) is None or 0 <= number < 2**31
    assert isinstance(day_of(value), date | None)
    assert link(value).startswith(("http://", "https://")) or link(value) == ""
    assert all(links(value))
    Record(value).records("a")


@given(st.text())
def test_any_text_behind_a_scheme_is_a_safe_link_or_none(rest: str) -> None:
    url = link("https://" + rest)
    assert url == "" or (url.isprintable() and not set(url) & set(' <>"\\^`{|}'))


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (" https://github.com/owner/repo ", "https://github.com/owner/repo"),
        ("http://example.org:8080/a?b=c#d", "http://example.org:8080/a?b=c#d"),
        ("https://example.org/ü", "https://example.org/ü"),
        ("https://example.org/wiki/Bayes'_theorem", "https://example.org/wiki/Bayes'_theorem"),
        ("https://example.org/a|b", "https://example.org/a%7Cb"),
        ("https://example.org/q?x={1}", "https://example.org/q?x=%7B1%7D"),
        ('https://example.org/<"\\^`>', "https://example.org/%3C%22%5C%5E%60%3E"),
        ("https://example.org/100%/%zz/%41", "https://example.org/100%25/%25zz/%41"),
        ("https://example.org/a#b c#d", "https://example.org/a#b%20c%23d"),
        ("https://example.org/a\n  b", "https://example.org/a%20%20b"),
        ("https://example.org/\ud800", "https://example.org/%3F"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER。example/", "https://xn--bcher-kva.example/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://☃.example/", "https://xn--n3h.example/"),
        ("https://пример.рф:8080/а?б", "https://xn--e1afmkfd.xn--p1ai:8080/а?б"),
        ("https://my_host.example./a", "https://my_host.example./a"),
        ("https://[2606:4700::1]:8080/a", "https://[2606:4700::1]:8080/a"),
        ("https://a b.example/", ""),
        ("https://good.example\\.evil.example/", ""),
        ("https://\u202eelpmaxe.org/", ""),
        (" ", ""),
        ("/avatars/a.svg", ""),
        ("javascript:alert(1)", ""),
        ("ftp://example.org/", ""),
        ("https://", ""),
        ("https://huggingface.co@evil.example/", ""),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://example.org/\u202egpj.exe", "https://example.org/%E2%80%AEgpj.exe"),
        ("https://example.org:99999/", ""),
        ("https://[::1", ""),
        ("https://example.org/" + "a" * 2000, ""),
        (None, ""),
    ],
)
def test_links_are_absolute_and_lead_where_they_read(value: object, url: str) -> None:
    assert link(value) == url


def test_relative_links_are_joined_to_their_page() -> None:
    assert link("/paper", "https://example.org/feeds/a.xml") == "https://example.org/paper"
    assert link("a b.html", "https://example.org/feeds/a.xml") == "https://example.org/feeds/a%20b.html"
    assert link("", "https://example.org/feeds/a.xml") == ""


@given(st.text())
def test_a_link_stays_as_it_is_once_it_is_one(rest: str) -> None:
    url = link("https://example.org/" + rest)
    assert link(url) == url


@pytest.mark.parametrize("zone", ["%eth0", "%25eth0", "%41 author\te", "%"])
def test_an_address_with_a_zone_is_no_link(zone: str) -> None:
    assert link(f"http://[fe80::1{zone}]/a") == ""
    assert link("http://[2001:db8::1]:8080/a") == "http://[2001:db8::1]:8080/a"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("17", 17),
        (0, 0),
        (True, None),
        (-1, None),
        (2**31, None),
        ("9" * 11, None),
        (1.5, None),
        ("x", None),
    ],
)
def test_counts_fit_the_store(value: object, number: int | None) -> None:
    assert count(value) == number


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-03-12T07:45:00.000Z", date(2026, 3, 12)),
        ("2026-3-2", date(2026, 3, 2)),
        ("2026-02-30", None),
        ("2026-03-123", None),
        ("12 March 2026", None),
        (20260312, None),
    ],
)
def test_days_are_read_padded_or_not(value: object, day: date | None) -> None:
    assert day_of(value) == day


def test_half_a_surrogate_pair_does_not_survive() -> None:
    assert text("a\ud83db") == "a?b"


def test_long_texts_and_lists_are_cut_and_the_cut_is_logged() -> None:
    with capture_logs() as logs:
        assert text("a" * 600, 500) == "a" * 500
        assert len(texts(["A. Name"] * 3000, 2000)) == 2000
    assert [(log["event"], log["limit"]) for log in logs] == [("text_cut", 500), ("items_cut", 2000)]


@pytest.mark.parametrize(
    ("urls", "picture"),
    [
        (["https://e.org/a.mp4", "https://e.org/b.PNG?size=2"], "https://e.org/b.PNG?size=2"),
        (["https://e.org/a.mov", "https://e.org/clip"], ""),
        ([], ""),
    ],
)
def test_a_picture_is_one_by_its_ending(urls: list[str], picture: str) -> None:
    assert image(*urls) == picture


@pytest.mark.parametrize(
    ("url", "doi"),
    [
        ("https://www.biorxiv.org/content/10.1101/2026.03.01.123456v2.full.pdf", "10.1101/2026.03.01.123456"),
        ("https://dl.acm.org/doi/abs/10.1145/1234567.1234568", "10.1145/1234567.1234568"),
        ("https://doi.org/10.1000/XYZ", "10.1000/xyz"),
        ("doi:10.1000/xyz", "10.1000/xyz"),
        ("https://example.org/blog/10.1000", ""),
        ("", ""),
    ],
)
def test_dois_are_found_in_the_addresses_of_publishers(url: str, doi: str) -> None:
    assert doi_in(url) == doi


def test_a_page_holds_each_listing_once_in_order_and_tells_what_it_skipped() -> None:
    def read(record: Record) -> Seen | None:
        if record.raw("unwanted"):
            return None
        return Seen(listing=Listing(title=record.title("title")), upvotes=record.count("upvotes"))

    raw = [
        {"title": "B", "upvotes": 2},
        {"upvotes": 9},
        {"title": "x", "unwanted": True},
        None,
        {"title": "A"},
        {"title": "b"},
    ]
    now = datetime(2026, 3, 12, 9, tzinfo=UTC)
    found = page("test", date(2026, 3, 12), now, each(raw, read))
    assert [(entry.listing.title, entry.sighting.position) for entry in found.entries] == [("B", 0), ("A", 1)]
    assert found.entries[0].sighting.upvotes == 2
    assert found.skipped == (
        Skipped(what="record 2", reason="no title"),
        Skipped(what="record 4", reason="not an object"),
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (f"https://example.org/{'x' * 2000}", "more than 2,000 characters"),
        ("https://ada:s3cret@example.org/", "a user name or a password"),
        ("https://:s3cret@example.org/", "a user name or a password"),
        ("https:\\\\example.org\\paper", "no host on the web; a backslash is no slash"),
        ("https://example.org\\paper", "no host on the web; a backslash is no slash"),
        ("https://[x", "no host and port that can be read"),
        ("ftp:/example.org", ""),
        ("urn:uuid:5", ""),
    ],
)
def test_a_link_that_is_left_out_is_said_with_the_reason(said: str, reason: str) -> None:
    def read(record: Record) -> Seen:
        return Seen(listing=Listing(title="A", url=record.link("a") or record.link("a", "b")))

    found = page(
        "test", date(2026, 3, 12), datetime(2026, 3, 12, tzinfo=UTC), each([{"a": said, "b": said}], read)
    )
    expected = (LinksLeftOut(what="A", reason=reason, number=1),) if reason else ()
    assert found.links_left_out == expected
    assert "s3cret" not in repr(found)


def test_a_title_is_one_clean_line_or_none() -> None:
    assert Record({"a": "Title <b>\n  here"}).title("a") == "Title <b> here"
    assert Record({"a": "Title <b>\n  here"}).title("a", is_markup=True) == "Title here"
    for nothing in (1, " ", None, "\u200b", "\u200d\u0301"):
        with pytest.raises(BadRecordError, match="no title"):
            Record({"a": nothing}).title("a")
    with pytest.raises(BadRecordError, match="no title"):
        Record({"a": "<script>x</script>"}).title("a", is_markup=True)


def test_the_first_field_that_is_usable_counts() -> None:
    record = Record({"a": " ", "b": 5, "c": "here"})
    assert record.text("a", "b", "c") == "here"
    assert record.link("a", "b") == ""
    assert record.day("c", "missing") is None
