"""Texts and links of strangers: nothing is raised, and time is in proportion to their length."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.core.identity import IdKind, doi, identities
from newsletter.core.normalisation import normalised
from newsletter.core.searching import stems
from newsletter.core.text import one_line
from newsletter.delivery.smtp.replies import Reply, Stage, step
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.sentences import cut_at_sentence
from newsletter.render.issue.words import wrapped
from newsletter.render.mime.addresses import Mailbox
from newsletter.render.mime.headers import text as header
from newsletter.sources.reading.plaintext import plain
from newsletter.sources.reading.syndication import without_announcement
from tests.timing import takes_time_in_proportion


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/?a=\udcff",
        "https://example.org/?\ud800=b",
        "https://example.org/\udfff?a=b&c=%ff",
        "https://\udcff.example.org/",
        "https://example.org/?" + "\udc80" * 1_000,
        "https://example.org/#\ud800",
    ],
)
def test_a_link_with_half_of_a_surrogate_pair_identifies_or_not_but_raises_nothing(link: str) -> None:
    for identity in identities(urls=(link,), title="A"):
        assert identity.kind in {IdKind.URL, IdKind.TITLE}


@pytest.mark.parametrize(
    "text", ["10.1000/a\u202eb", "10.1000/a\U0009b6f4b", "10.1000/\x07", "doi:10.1000/a%00b", "10.1000/\ue000"]
)
def test_what_cannot_be_shown_is_no_doi(text: str) -> None:
    assert doi(text) == ""


def test_a_doi_in_any_letters_is_one() -> None:
    assert doi("10.1000/Größe-数学") == "10.1000/größe-数学"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (without_announcement, " " * 200_000 + "x"),
        (without_announcement, "arXiv:1 " * 50_000),
        (without_announcement, "arXiv:1 Announce Type:" + "\n" * 200_000),
        (lambda text: step(Stage.RCPT, Reply(550, text), "mx"), "user a " * 40_000),
        (lambda text: step(Stage.RCPT, Reply(550, text), "mx"), "recipient" * 40_000),
        (lambda text: step(Stage.RCPT, Reply(550, text), "mx"), "5.1." * 80_000),
        (plain, "<a b" * 60_000),
        (plain, "<!--" * 60_000),
        (plain, "<script" * 60_000),
        (plain, "&" * 300_000),
        (stems, "ational" * 60_000),
        (stems, "a\u0301" * 150_000),
        (stems, "\u0345\u0301" * 150_000),
        (one_line, "\u0345\u0301" * 150_000),
        (one_line, "a" + "\u0315\u0301\u0316" * 100_000),
        (one_line, "\u05d0" + "\u05bc\u05b8\u0344" * 100_000),
        (one_line, "漢字" * 100_000),
        (readable, "$\\not{" + "\u0345\u0301" * 100_000 + "}$"),
        (lambda text: wrapped(text, 4), "a " * 150_000),
        (lambda text: wrapped(text, 4), "-" * 300_000),
        (lambda text: cut_at_sentence(text, 480), "A. " * 100_000),
        (lambda text: header("Subject", text), "é" * 100_000),
        (lambda text: header("Subject", text), "=?" * 100_000),
    ],
)
def test_time_is_in_proportion_to_the_length(read: Callable[[str], object], text: str) -> None:
    assert takes_time_in_proportion(read, text, seconds=4)


def test_thirty_marks_on_a_letter_are_kept_and_the_others_left_out() -> None:
    assert normalised("NFC", "q" + "\u0301" * 100 + "x") == "q" + "\u0301" * 30 + "x"
    assert normalised("NFKD", "q" + "\u0344" * 100 + "x") == "q" + "\u0308\u0301" * 15 + "x"
    many = "e\u0301" * 100 + "漢" * 100 + "각" * 100
    assert normalised("NFC", many) == unicodedata.normalize("NFC", many)


@given(st.text(st.sampled_from("aé漢각\u0301\u0345\u0344\u0316\u05bc\ufb1d\u1f82\u0f73"), max_size=120))
def test_what_is_normalised_stays_as_it_is(text: str) -> None:
    once = normalised("NFC", text)
    assert normalised("NFC", once) == once
    assert max(map(len, re.findall("[\u0301\u0345\u0308\u0316\u05bc]+", once)), default=0) <= 31


@pytest.mark.parametrize("text", ["(" * 900, "a@" + "(" * 900, ":" * 900, "(" * 100_000, "a@b.c" * 1_000])
def test_an_address_in_endless_comments_is_none(text: str) -> None:
    with pytest.raises(RenderError):
        Mailbox.parse(text)
