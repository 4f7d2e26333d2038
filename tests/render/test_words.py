from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.render.issue.clauses import ELLIPSIS
from newsletter.render.issue.language import language
from newsletter.render.issue.words import (
    beside,
    counted,
    counts,
    in_words,
    more_in_the_text,
    more_on_the_web,
    rule,
    wishes,
    wrapped,
)
from tests.timing import takes_time_in_proportion

EN = language("en")


def test_days_are_words() -> None:
    assert EN.long_date(date(2026, 3, 12)) == "Thursday, 12 March 2026"
    assert EN.weekday(date(2026, 3, 12)) == "Thursday"
    assert EN.weekday_date(date(2026, 3, 12)) == "Thursday, 12 Mar"
    assert EN.short_date(date(2026, 3, 12)) == "12 Mar"
    assert EN.short_date(date(2025, 12, 30), date(2026, 3, 12)) == "30 Dec 2025"
    assert EN.short_date(date(2026, 1, 3), date(2026, 3, 12)) == "3 Jan"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1234, "1,234"), (12_345, "12.3K"), (20_000, "20K"), (1_250_000, "1.2M")],
)
def test_counts_stay_short(number: int, words: str) -> None:
    assert EN.compact(number) == words


def test_one_is_singular() -> None:
    said = [counted(EN, number, "paper") for number in (1, 2, 0)]
    assert said == ["1 paper", "2 papers", "0 papers"]


def test_what_no_catalogue_has_is_counted_in_english() -> None:
    assert counted(language("de"), 2, "newt") == "2 newts"


def test_counts_of_papers_are_a_sentence() -> None:
    said = {
        (0, 20, 46): "20 of 46 new papers",
        (0, 3, 3): "3 new papers",
        (6, 14, 48): "6 papers for you, and the best 14 of 42 others",
        (1, 2, 3): "1 paper for you, and 2 others",
        (9, 0, 46): "9 papers for you, of 46 new papers",
        (5, 0, 3): "5 papers for you",
        (5, 0, 5): "5 papers for you",
        (5, 2, 3): "5 papers for you, and 2 others",
    }
    assert {numbers: counts(EN, *numbers, 1) for numbers in said} == {
        numbers: f"{sentence}. About a minute." for numbers, sentence in said.items()
    }
    assert counts(EN, 0, 3, 3, 5) == "3 new papers. About 5 minutes."


def test_what_only_the_web_has_is_said() -> None:
    assert [more_on_the_web(EN, count) for count in (1, 28)] == [
        "1 more paper on the web",
        "28 more papers on the web",
    ]
    assert more_on_the_web(EN, 0) == more_in_the_text(EN, 0) == ""


def test_reasons_are_said_with_the_word_that_matched_each_once_and_a_few() -> None:
    theory = Reason(ReasonKind.TOPIC, "theory", "condition number")
    agents = Reason(ReasonKind.TOPIC, "agents", "Agents")
    assert in_words(EN, ()) == ""
    assert in_words(EN, (theory, agents)) == "theory: condition number · agents"
    assert in_words(EN, (Reason(ReasonKind.AUTHOR, "Ada Lovelace"),) * 2) == "you follow Ada Lovelace"
    assert in_words(EN, (Reason(ReasonKind.INTEREST, word="proofs"),)) == "your interest: proofs"
    many = tuple(Reason(ReasonKind.TOPIC, f"{number} {'long ' * 50}") for number in range(20))
    assert len(in_words(EN, many)) < 160


def test_the_topics_of_a_choice_are_named() -> None:
    one, two = Reason(ReasonKind.TOPIC, "agents", "a"), Reason(ReasonKind.TOPIC, "theory")
    choice = Choice((0, 1, 2), ((one,), (one, two, Reason(ReasonKind.AUTHOR, "Ada")), ()))
    assert wishes(choice) == "agents, theory"
    assert wishes(Choice((0,), ((),))) == ""


def test_a_head_of_a_section_fills_the_line() -> None:
    assert rule("For you", "AI summaries") == "-- For you " + "-" * 48 + " AI summaries"
    assert len(rule("Day by day")) == len(rule("中文标题")) + 4 == 72
    assert beside("Daily Papers", "12 March") == "Daily Papers" + " " * 52 + "12 March"
    assert beside("D" * 70, "12 March") == "D" * 70 + "\n12 March"


def test_wrapped_text_keeps_words_hyphens_and_links_whole() -> None:
    url = "https://example.org/" + "a" * 80
    text = f"{'word ' * 14}state-of-the-art {url} end"
    lines = wrapped(text, 4).splitlines()
    assert all(line.startswith("    ") for line in lines)
    assert any("state-of-the-art" in line for line in lines)
    assert f"    {url}" in lines


def test_the_margin_of_the_first_line_may_hold_a_number() -> None:
    assert wrapped("word " * 14, 7, "  147  ") == "  147  " + "word " * 12 + "word\n       word"


def test_text_without_spaces_is_wrapped_between_its_characters_which_take_two_columns() -> None:
    lines = wrapped("深度学习" * 20, 4).splitlines()
    assert [len(line) for line in lines] == [38, 38, 16]


def test_no_line_begins_with_a_full_stop_or_ends_with_an_opening_bracket() -> None:
    lines = wrapped("深「度」学习。" * 40).splitlines()
    assert len(lines) > 3
    assert not any(line[0] in "」。" or line[-1] == "「" for line in lines)


@pytest.mark.parametrize("piece", [" ", "\t", "\n", "a ", "深", "「", "\u00a0"])
def test_wrapping_takes_time_in_proportion_to_the_text(piece: str) -> None:
    assert takes_time_in_proportion(wrapped, "a" + piece * 16_000, seconds=0.3)


@given(st.text())
def test_wrapping_changes_nothing_but_white_space(text: str) -> None:
    assert "".join(wrapped(text, 4).split()) == "".join(text.split())


@given(st.lists(st.sampled_from(["word", "a", "longer-word", "模型"]), max_size=40), st.integers(0, 40))
def test_an_ellipsis_never_stands_alone_on_a_line(said: list[str], indent: int) -> None:
    lines = wrapped(" ".join(said) + ELLIPSIS, indent).splitlines()
    assert said == [] or all(line.strip() != "…" for line in lines)
