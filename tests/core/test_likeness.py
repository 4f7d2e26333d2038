"""What is like the papers that a reader liked, and what is nearly the same as one that they didn't."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.likeness import Example, Likeness, LikenessIndex, Opinion
from newsletter.core.listing import Listing
from newsletter.core.searching import SearchIndex
from tests import factories
from tests.timing import takes_time_in_proportion

SPLATTING = Listing(
    title="Gaussian splatting of streets at night",
    abstract="We render dynamic scenes by gaussian splatting and reconstruct streets from uncalibrated video.",
)
FOLDING = Listing(
    title="Folding proteins",
    abstract="Structures of proteins and their binding sites, predicted by sequence.",
)
SPLATS = Listing(
    title="Streaming gaussian splatting",
    abstract="Online reconstruction of dynamic scenes by gaussian splatting of uncalibrated video streams.",
)
ISSUE = [*factories.papers(20), SPLATS]
HERE = len(ISSUE) - 1

NOTHING = Likeness({}, {}, frozenset())
WORDS = st.sampled_from(["graph", "protein", "splat", "agent", "law", "video", "model", "train", "of", "we"])
LISTINGS = st.builds(
    Listing,
    title=st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
    abstract=st.lists(WORDS, max_size=30).map(" ".join),
)


def index(*listings: Listing) -> LikenessIndex:
    return LikenessIndex(SearchIndex(listings or ISSUE))


def liked(listing: Listing, key: int = 1) -> Opinion:
    return Opinion(Example.of(key, listing), liked=True)


def disliked(listing: Listing, key: int = 2) -> Opinion:
    return Opinion(Example.of(key, listing), liked=False)


def test_a_paper_of_the_same_field_fits_and_names_the_paper_that_was_liked() -> None:
    found = index().of([liked(SPLATTING, 7), liked(FOLDING, 8)])
    splatting = {position for position, one in enumerate(ISSUE) if "splatting" in one.title.lower()}
    assert found.likest == dict.fromkeys(splatting, Example.of(7, SPLATTING))
    assert found.values[HERE] == max(found.values.values())


def test_a_paper_that_the_reader_named_is_like_another_one_and_never_like_itself() -> None:
    again = Listing(title="Streaming Gaussian Splatting.", arxiv_id="2603.00001")
    assert HERE not in index().of([liked(SPLATS, 7), liked(again, 8)]).likest
    assert index().of([liked(SPLATS, 7), liked(SPLATTING, 8)]).likest[HERE] == Example.of(8, SPLATTING)


def test_nothing_fits_where_nothing_is_liked() -> None:
    assert index().of([]) == NOTHING
    found = index().of([disliked(SPLATTING)])
    assert found.likest == {}
    assert min(found.values.values()) < max(found.values.values()) <= 0


def test_what_is_nearer_to_a_disliked_paper_does_not_fit() -> None:
    both = [liked(SPLATTING), disliked(SPLATS)]
    assert HERE not in index().of(both).likest
    assert index().of(both).unwanted == {HERE}


def test_a_disliked_paper_of_the_field_makes_what_is_like_it_less_worth_but_not_unwanted() -> None:
    other = Listing(title="Splatting fluids", abstract="Gaussian splatting of water, smoke and fire for games.")
    alone, both = index().of([liked(SPLATTING)]), index().of([liked(SPLATTING), disliked(other)])
    assert 0 < both.values[HERE] < alone.values[HERE]
    assert not both.unwanted


def test_many_liked_papers_of_other_fields_take_nothing_from_the_one_that_fits() -> None:
    others = [liked(one, key) for key, one in enumerate(factories.papers(60)[30:], start=100)]
    found = index().of([liked(SPLATTING, 7), *others])
    assert found.likest[HERE] == Example.of(7, SPLATTING)


@pytest.mark.parametrize("size", [1, 3, 10, 21])
def test_a_paper_is_unwanted_itself_and_cut_by_half_whatever_else_there_is(size: int) -> None:
    some = [*factories.papers(size - 1), SPLATS]
    half = Listing(title=SPLATS.title, abstract=SPLATS.abstract[: len(SPLATS.abstract) // 2])
    for again in (SPLATS, half):
        assert size - 1 in index(*some).of([disliked(again)]).unwanted


def test_among_few_papers_words_that_two_have_in_common_by_chance_are_not_enough() -> None:
    law = "We moreover compare courts of appeal in nine countries, and explain why verdicts differ there."
    sea = "Whales moreover sing in dialects. We record pods over nine winters and explain how calves learn."
    few = [Listing(title="Verdicts", abstract=law), FOLDING]
    chance = Listing(title="Songs", abstract=sea)
    assert index(*few).of([liked(chance)]).likest == {}


def test_two_papers_have_nothing_in_common_without_words() -> None:
    assert (
        index(Listing(title="…"), FOLDING).of([liked(Listing(title="…")), disliked(Listing(title=""))]) == NOTHING
    )
    assert LikenessIndex(SearchIndex([])).of([liked(FOLDING)]) == NOTHING


@given(st.lists(LISTINGS, min_size=1, max_size=8), st.lists(st.tuples(LISTINGS, st.booleans()), max_size=5))
def test_similarities_are_cosines_and_likeness_is_rocchio_s_formula(
    listings: list[Listing], said: list[tuple[Listing, bool]]
) -> None:
    here = index(*listings)
    opinions = [Opinion(Example.of(key, one), liked=like) for key, (one, like) in enumerate(said)]
    found = here.of(opinions)
    count = Counter(one.liked for one in opinions)
    for position in range(len(listings)):
        similar = [(here.similar(each.example).get(position, 0.0), each.liked) for each in opinions]
        assert all(0 <= similarity < 1.000001 for similarity, _ in similar)
        plus = sum(similarity for similarity, like in similar if like) / max(count[True], 1)
        minus = sum(similarity for similarity, like in similar if not like) / max(count[False], 1)
        assert found.values.get(position, 0.0) == pytest.approx(plus - minus / 2)
        if position in found.likest:
            others = (each.example for each in opinions if each.liked)
            others = (one for one in others if position not in here.titled(one.title))
            best = max(here.similar(one)[position] for one in others if position in here.similar(one))
            assert here.similar(found.likest[position])[position] == best
            assert all(similarity < best for similarity, like in similar if not like)


def test_to_hold_an_example_against_an_issue_takes_time_in_proportion_to_its_length() -> None:
    def hold(words: str) -> None:
        index(FOLDING, Listing(title="Long", abstract=words)).of([liked(Listing(title="Words", abstract=words))])

    words = " ".join(f"word{one}" for one in range(20_000))
    assert takes_time_in_proportion(hold, words, seconds=0.3)
