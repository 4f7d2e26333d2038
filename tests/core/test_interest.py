from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.interest import Interests
from newsletter.core.listing import Listing
from newsletter.core.searching import SearchIndex

PAPERS = [
    Listing(title="Graph neural networks for molecules", abstract="Chemistry with graphs."),
    Listing(title="A network of roads", abstract="We study graphs of traffic."),
    Listing(title="Diffusion models for video", abstract="Frames from noise, by neural networks."),
    Listing(title="Reading minds", keywords=("protein folding",)),
    Listing(title="Video games", abstract="People play them."),
]


def scored(listings: list[Listing], interest: str) -> dict[int, float]:
    return Interests(SearchIndex(listings)).scores(interest)


def order(interest: str) -> list[int]:
    scores = scored(PAPERS, interest)
    return sorted(scores, key=lambda position: -scores[position])


def test_what_fits_best_comes_first() -> None:
    assert order("I work on graph neural networks for chemistry") == [0]
    assert order("graphs") == [0, 1]
    assert order("Videos, made by diffusion!") == [2, 4]


def test_the_readers_rarest_word_that_stands_in_a_paper_is_named() -> None:
    interests = Interests(SearchIndex(PAPERS))
    said = "Graphs, or Proteins folding"
    words = {position: interests.word_in(position, said) for position in interests.scores(said)}
    assert words == {0: "graphs", 1: "graphs", 3: "proteins"}


def test_each_clause_stands_for_itself() -> None:
    assert order("protein folding and games") == [3, 4]
    assert order("protein folding games") == [3]


def test_words_that_anybody_uses_match_nothing() -> None:
    assert order("I am interested in new research papers about things, and I like reading") == []


def test_nothing_matches_an_empty_issue_or_no_words() -> None:
    assert scored([], "graphs") == {}
    assert order("") == []
    assert order("…;,") == []


def test_a_paper_about_it_goes_before_one_that_mentions_it() -> None:
    about = Listing(title="Robots", abstract="Robots walk. Robots run.")
    mentions = Listing(
        title="Motors", abstract="They turn wheels, among other places in robots, and fans, and toys."
    )
    other = Listing(title="Fish", abstract="They swim.")
    scores = scored([mentions, other, about], "robots")
    assert scores.keys() == {0, 2}
    assert scores[2] > scores[0]


@given(st.text(max_size=200), st.lists(st.builds(Listing, title=st.text(max_size=40)), max_size=6))
def test_scores_are_positive_and_of_listings_that_are_there(interest: str, listings: list[Listing]) -> None:
    scores = scored(listings, interest)
    assert all(0 <= position < len(listings) and score > 0 for position, score in scores.items())
    assert list(scores) == sorted(scores)
