from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.render.issue.clauses import columns
from newsletter.render.issue.sentences import GAP, cut_at_sentence, gist, passage, sentences
from tests.timing import takes_time_in_proportion

ABSTRACT = (
    "Agents matter in many fields. Earlier work, e.g. by Smith et al. 2020, trains them alone. "
    "To address this gap, we introduce TwoAgents, a benchmark of 115 tasks. It has two roles. "
    "Our experiments show that accuracy falls by 40% when agents work in pairs. The code is public."
)


def test_a_text_is_read_as_sentences_and_abbreviations_end_none() -> None:
    assert sentences(ABSTRACT)[1] == "Earlier work, e.g. by Smith et al. 2020, trains them alone."
    assert len(sentences(ABSTRACT)) == 6
    assert sentences("这是第一句话。这是第二句话。") == ["这是第一句话。", "这是第二句话。"]
    assert sentences("") == []


def test_the_gist_says_what_was_done_and_not_that_the_field_matters() -> None:
    assert gist(ABSTRACT) == "We introduce TwoAgents, a benchmark of 115 tasks."
    assert gist("Stars shine. In this paper, we prove that they fade.") == "We prove that they fade."
    assert gist("Stars shine. We also report failures. This work presents a map.") == "This work presents a map."
    assert gist("Stars shine. They fade.") == "Stars shine."
    assert gist("") == ""


def test_a_passage_has_how_it_begins_what_was_done_and_what_came_of_it() -> None:
    first, _, done, _, result, _ = sentences(ABSTRACT)
    assert passage(ABSTRACT) == GAP.join((first, done, result))
    assert passage(ABSTRACT, most=2) == GAP.join((done, result))
    assert passage("One. Two follows.") == "One. Two follows."
    assert passage("") == ""
    assert passage("这是第一句话。这是第二句话。") == "这是第一句话。这是第二句话。"


@given(st.text(), st.integers(1, 4), st.integers(80, 600))
@example("这是一句比较长的话。" * 40, 4, 100)
def test_a_passage_keeps_within_its_limit(text: str, most: int, limit: int) -> None:
    assert columns(passage(text, most=most, limit=limit)) <= limit


@given(st.lists(st.sampled_from(sentences(ABSTRACT)), min_size=1, unique=True))
def test_a_passage_is_of_whole_sentences_in_their_order(chosen: list[str]) -> None:
    shown = passage(" ".join(chosen)).replace(GAP, " ")
    kept = [sentence for sentence in chosen if sentence in shown]
    assert shown == " ".join(kept)
    assert len(kept) == min(3, len(chosen))


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("One sentence. Another one. A third that is long.", 30, "One sentence. Another one."),
        (
            "We follow Smith et al. 2020 here, at length, to the very end of it.",
            40,
            "We follow Smith et al. 2020 here\u00a0…",
        ),
        ("It is 2.5 times faster. And it is cheaper, too.", 30, "It is 2.5 times faster."),
        ("A question? Yes! And then words that do not fit any more.", 25, "A question? Yes!"),
        ("这是第一句话。这是第二句话，比较长一些。", 20, "这是第一句话。"),
        ("这是第一句话。这是第二句话，比较长一些。", 37, "这是第一句话。"),
        ("这是第一句话。这是第二句话。这是第三句话。", 30, "这是第一句话。这是第二句话。"),
        ("E\u0301l va. Ella va. Y nadie va.", 15, "E\u0301l va. Ella va."),
        ("Short.", 30, "Short."),
    ],
)
def test_paragraphs_are_cut_at_a_sentence_where_one_fits(text: str, limit: int, short: str) -> None:
    assert cut_at_sentence(text, limit) == short


@given(text=st.text(), limit=st.integers(min_value=3, max_value=60))
@example("深。" * 10, 12)
def test_a_paragraph_is_never_longer_than_asked(text: str, limit: int) -> None:
    assert columns(cut_at_sentence(text, limit)) <= limit


@pytest.mark.parametrize("piece", ["a. B", "x", "We ", "e.g. ", "to this ", "深。", "((", "? A"])
def test_however_long_a_text_is_its_end_is_not_looked_at(piece: str) -> None:
    def read(text: str) -> object:
        return gist(text), passage(text), cut_at_sentence(text, 300)

    assert takes_time_in_proportion(read, piece * 300_000, seconds=0.3)
