from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.full_text import (
    LONGEST_QUERY,
    Term,
    like,
    marked,
    passage,
    read_query,
    search_text,
    words_of,
)
from newsletter.core.listing import Listing


def shown(text: str, query: str) -> str:
    """Return a text with its marks."""
    return "".join(
        f"[{piece.text}]" if piece.is_match else piece.text for piece in marked(text, read_query(query))
    )


def test_words_have_no_case_no_accents_and_no_punctuation() -> None:
    assert words_of("Schrödinger's CAT: next-token (GPT-4o)") == [
        *("schrodinger", "s", "cat", "next", "token", "gpt", "4o"),
    ]


def test_scripts_without_spaces_are_looked_through_letter_by_letter() -> None:
    assert words_of("深度学习 networks") == ["深", "度", "学", "习", "networks"]


def test_names_and_ids_of_a_listing_are_apart_from_its_other_words() -> None:
    listing = Listing(
        title="On Cats",
        authors=("Zoë Ån",),
        arxiv_id="2603.00001",
        organization="MIT",
        abstract="They purr.",
        keywords=("animals",),
    )
    assert search_text(listing) == (
        ("on", "cats"),
        ("zoe", "an", "mit", "2603", "00001"),
        ("animals", "they", "purr"),
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("cats", ((Term(("cat",), is_open=True),),)),
        ("studies", ((Term(("studies",), is_open=True), Term(("study",), is_open=True)),)),
        ("a", ((Term(("a",), is_open=False),),)),
        ('"Next Tokens" x', ((Term(("next", "tokens"), is_open=False),), (Term(("x",), is_open=False),))),
        ('"never closed', ((Term(("never", "closed"), is_open=False),),)),
        ("next-token", ((Term(("next", "token"), is_open=True),),)),
        ("https://arxiv.org/abs/2506.08007v2", ((Term(("2506", "08007"), is_open=False),),)),
        ('"" -- !?', ()),
    ],
)
def test_a_query_asks_for_words_with_other_endings_and_for_phrases(text: str, terms: object) -> None:
    assert read_query(text).terms == terms


def test_long_queries_are_cut_and_say_so() -> None:
    assert read_query(" ".join(f"word{number}" for number in range(9))).is_cut
    assert read_query("x" * (LONGEST_QUERY + 1)).is_cut
    assert not read_query(f"cat{' ' * 1000}").is_cut


@given(st.text(max_size=400))
def test_any_text_is_a_query_of_bounded_length(text: str) -> None:
    query = read_query(text)
    assert len(query.text) <= LONGEST_QUERY
    assert len(query.terms) <= 8
    words = [word for alternatives in query.terms for term in alternatives for word in term.words]
    assert all(word.isalnum() and len(word) <= 40 for word in words)
    assert sum(map(len, words)) < 20 * LONGEST_QUERY
    assert read_query(query.text).terms == query.terms


@given(st.text(max_size=200), st.text(max_size=60), st.integers(10, 80))
def test_marks_and_passages_leave_the_text_as_it_is(text: str, query: str, limit: int) -> None:
    asked = read_query(query)
    assert "".join(piece.text for piece in marked(text, asked)) == text
    part = passage(text, asked, limit)
    assert part.removeprefix("… ").removesuffix(" …") in text
    assert len(part) <= max(limit + 4, 4)


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Schrödinger’s cats", "schrodinger cat", "[Schrödinger]’s [cats]"),
        ("A network of networks", "networks", "A [network] of [networks]"),
        ("next-token prediction", '"next token"', "[next]-[token] prediction"),
        ("深度学习", "学", "深度[学]习"),
        ("concatenate", "cat", "concatenate"),
        ("<b>cat</b>", "cat", "<b>[cat]</b>"),
    ],
)
def test_what_a_query_asks_for_is_marked(text: str, query: str, expected: str) -> None:
    assert shown(text, query) == expected


def test_a_passage_is_about_what_was_found() -> None:
    text = f"{'word ' * 100}here is the needle in it {'word ' * 100}".strip()
    part = passage(text, read_query("needle"), 60)
    assert part.startswith("… here")
    assert part.endswith("word …")
    assert "the needle in" in part


def test_a_listing_is_like_those_with_the_words_of_its_title_and_its_keywords() -> None:
    query = like(Listing(title="On 2024: The Cats of Rome", keywords=("feline",)), most=2)
    assert query.terms == ((Term(("cats",), is_open=False), Term(("rome",), is_open=False)),)
    assert like(Listing(title="!"), most=5).terms == ()
