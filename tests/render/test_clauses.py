from __future__ import annotations

from unicodedata import combining

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.issue.clauses import brief, clause, columns, cut
from tests.timing import takes_time_in_proportion

WORDS = ("we", "show", "that", "agents", ",", "which", "plan", "by", "asking", "(", "others", ")", "do", "better.")


def test_text_is_cut_between_words() -> None:
    assert cut("Efficient Disentanglement for Talking", 30) == "Efficient Disentanglement\u00a0…"
    assert cut("Short", 30) == "Short"
    assert cut("Title: and more", 10) == "Title\u00a0…"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("An agent plans its steps by asking another agent for advice.", 40, "An agent plans its steps\u00a0…"),
        ("It reads long texts, which nobody had thought possible.", 40, "It reads long texts\u00a0…"),
        ("A model of the whole world for very small robots at home.", 45, "A model of the whole world\u00a0…"),
        ("Lingshu, a model for medicine, answers most questions.", 40, "Lingshu answers most questions."),
        (
            "We prove that the bound holds; earlier work only assumed it.",
            45,
            "We prove that the bound holds\u00a0…",
        ),
        ("All in all the method is a lot better than what there was.", 24, "All in all the method\u00a0…"),
        ("这是第一句话，比较长一些的句子在这里继续下去", 24, "这是第一句话\u00a0…"),
    ],
)
def test_text_is_cut_where_a_clause_ends(text: str, limit: int, short: str) -> None:
    assert clause(text, limit) == short


@given(st.text(), st.integers(6, 60))
def test_what_is_cut_is_never_longer_than_asked(text: str, limit: int) -> None:
    assert columns(clause(text, limit)) <= limit
    assert columns(cut(text, limit)) <= limit
    assert columns(brief("A: B", text, limit)) <= limit


@given(st.text(st.sampled_from("e\u0301 \u200d👩🏽x深")), st.integers(4, 30))
def test_nothing_that_is_shown_as_one_character_is_cut_apart(text: str, limit: int) -> None:
    short = cut(text, limit)
    kept = short.removesuffix("\u00a0…")
    if kept != text and text.startswith(kept) and len(kept) < len(text) and kept:
        assert not combining(text[len(kept)])
        assert kept[-1] != "\u200d" or text[len(kept)] == " "


@given(st.lists(st.sampled_from(WORDS)))
def test_a_clause_ends_neither_inside_a_word_nor_with_one_that_leads_on(words: list[str]) -> None:
    text = " ".join(words)
    short = clause(text, 40)
    if short != text and text.startswith(short.removesuffix("\u00a0…")):
        last = short.removesuffix("\u00a0…").split()[-1:]
        assert not {"that", "which", "by", ",", "("} & set(last) or len(short.split()) <= 2
        assert set(last) <= set(words)


def test_a_line_in_brief_does_not_repeat_the_name_of_its_title() -> None:
    title = "MiniCPM4: Ultra-Efficient LLMs on End Devices"
    assert brief(title, "MiniCPM4 achieves the best results.", 60) == "Achieves the best results."
    assert brief(title, "MiniCPM4, a family of models, reads fast.", 60) == "Reads fast."
    assert brief(title, "MiniCPM4 (MC4) is a family of models.", 60) == "A family of models."
    assert brief(title, "MiniCPM4-V sees.", 60) == "MiniCPM4-V sees."
    assert brief(title, "Small models read fast.", 60) == "Small models read fast."
    assert brief("All You Need", "All You Need. Attention is enough.", 60) == "Attention is enough."
    assert brief("All You Need", "All You Need", 60) == ""


@pytest.mark.parametrize(
    "text",
    [
        "MiniCPM4 is introduced to read fast.",
        "MiniCPM4 and MiniCPM5 read fast.",
        "MiniCPM4s read fast.",
        "MiniCPM4, a small, curated corpus, reads fast.",
        "End Devices of all kinds read fast.",
        "End Devices' owners read fast.",
    ],
)
def test_a_line_in_brief_keeps_a_name_that_it_needs(text: str) -> None:
    title = "MiniCPM4: Ultra-Efficient LLMs" if text.startswith("Mini") else "End Devices"
    assert brief(title, text, 80) == text


def test_a_line_in_brief_without_its_name_keeps_all_other_words() -> None:
    title = "Rectified Sparse Attention"
    assert brief(title, f"{title} (ReSA) improves what is the rule.", 80) == "Improves what is the rule."
    assert brief("MiniCPM4: Small", "MiniCPM4, a model, is a reader.", 80) == "A reader."


@pytest.mark.parametrize("piece", ["a, ", "x", "(", "a, the b, ", "深", "e\u0301", " which"])
def test_however_long_a_text_is_its_end_is_not_looked_at(piece: str) -> None:
    def read(text: str) -> object:
        return clause(text, 150), cut(text, 90), brief("a: b", text, 90)

    assert takes_time_in_proportion(read, piece * 300_000, seconds=0.3)
