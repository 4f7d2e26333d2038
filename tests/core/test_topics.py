from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.listing import Listing
from newsletter.core.topics import OWN_WORDS, Topic, TopicsMode, choose, index

PAPERS = [
    Listing(title="Tool use by language agents", categories=("cs.AI",)),
    Listing(title="Protein folding", abstract="An agent-based model.", authors=("Ann Bé",)),
    Listing(title="Reagents in chemistry", categories=("physics.chem-ph",)),
    Listing(title="Attention", summary="Fast multi-agent systems", keywords=("robotics",)),
    Listing(title="Quantized weights. Tool", abstract="Use them on phones.", organization="Example AI Lab"),
]


@pytest.mark.parametrize(
    ("topic", "positions"),
    [
        (Topic(name="t", keywords=("agent",)), {0, 1, 3}),
        (Topic(name="t", keywords=("agents",)), {0, 1, 3}),
        (Topic(name="t", keywords=("Tool-Use",)), {0}),
        (Topic(name="t", keywords=("use tool",)), set()),
        (Topic(name="t", keywords=("robotics", "protein")), {1, 3}),
        (Topic(name="t", keywords=(" ",)), set()),
        (Topic(name="t", categories=("cs.AI",)), {0}),
        (Topic(name="t", categories=("physics",)), {2}),
        (Topic(name="t", categories=("phys",)), set()),
        (Topic(name="t", authors=("ann be",)), {1}),
        (Topic(name="t", keywords=("quantization",)), {4}),
        (Topic(name="t", keywords=("weight quantizing",)), set()),
        (Topic(name="t", keywords=("quantize weights",)), {4}),
        (Topic(name="t", organizations=("example ai",)), {4}),
        (Topic(name="t", organizations=("Example AI Lab",)), {4}),
        (Topic(name="t", organizations=("ample",)), set()),
        (Topic(name="t", keywords=("agent",), exclude=("protein",)), {0, 3}),
        (Topic(name="t", keywords=("agent",), exclude=("language agents", "proteins")), {3}),
        (Topic(name="t", categories=("cs",), exclude=("tools",)), set()),
        (Topic(name="t"), set()),
    ],
)
def test_a_topic_matches_whole_words_categories_and_authors(topic: Topic, positions: set[int]) -> None:
    assert index(PAPERS, {"t": topic})["t"] == positions


def test_a_reader_gets_matching_listings_first_and_loses_none() -> None:
    matches = {"a": frozenset({2}), "b": frozenset({2, 3})}
    choice = choose(matches, ["b", "a", "gone"], 4)
    assert choice.positions == (2, 3, 0, 1)
    assert choice.matched == {2: ("b", "a"), 3: ("b",)}


def test_under_only_a_reader_gets_what_matches_and_nothing_else() -> None:
    matches = {"a": frozenset({2}), "b": frozenset()}
    assert choose(matches, ["a"], 4, mode=TopicsMode.ONLY).positions == (2,)
    assert choose(matches, ["b"], 4, mode=TopicsMode.ONLY).positions == ()
    assert choose(matches, [], 4, mode=TopicsMode.ONLY).positions == (0, 1, 2, 3)


def test_what_fits_the_readers_own_words_comes_by_its_score() -> None:
    choice = choose({"a": frozenset({0, 3})}, ["a"], 5, interest={1: 0.5, 3: 2.0})
    assert choice.positions == (3, 1, 0, 2, 4)
    assert choice.matched == {3: ("a", OWN_WORDS), 1: (OWN_WORDS,), 0: ("a",)}
    assert choose({}, [], 2, mode=TopicsMode.ONLY, interest={}).positions == ()


def test_what_a_reader_has_had_is_left_out() -> None:
    choice = choose({"a": frozenset({2, 3})}, ["a"], 4, without={0, 3})
    assert choice.positions == (2, 1)
    assert choice.topics == (("a",), ())


positions = st.integers(0, 9)


@given(
    st.dictionaries(st.text(), st.frozensets(positions)),
    st.lists(st.text()),
    st.none() | st.dictionaries(positions, st.floats(0, 9)),
    st.sets(positions),
)
def test_every_choice_is_a_permutation_of_what_the_reader_may_get(
    matches: dict[str, frozenset[int]], wanted: list[str], interest: dict[int, float] | None, without: set[int]
) -> None:
    choice = choose(matches, wanted, 10, interest=interest, without=without)
    assert sorted(choice.positions) == sorted(set(range(10)) - without)
    only = choose(matches, wanted, 10, interest=interest, without=without, mode=TopicsMode.ONLY)
    if wanted or interest is not None:
        assert only.positions == tuple(one for one in choice.positions if choice.matched.get(one))
