from __future__ import annotations

import pytest

from newsletter.core.choice import Reason, ReasonKind
from newsletter.core.follows import Follow, Follows, Matching, read_follow
from newsletter.core.listing import Listing
from newsletter.core.searching import SearchIndex

PAPERS = [
    Listing(title="State space models", authors=("Ada Lovelace", "Álvaro Núñez"), organization="Example AI Lab"),
    Listing(title="Spaces of states", abstract="A state-space in between.", authors=("A. Lovelace",)),
    Listing(title="Fish", abstract="Space. States.", organization="Examples of fish"),
]


def found(*written: str) -> list[int]:
    follows = Follows(SearchIndex(PAPERS))
    return sorted({position for one in written for position in follows.matching(read_follow(one)).positions})


@pytest.mark.parametrize(
    ("written", "positions"),
    [
        ("author: Ada Lovelace", [0]),
        ("Author:ada  lovelace", [0]),
        ("author: Alvaro Nunez", [0]),
        ("author: Lovelace", []),
        ("organization: example ai", [0]),
        ("organization: Example", [0]),
        ("organization: ample", []),
        ("keyword: state space", [0, 1]),
        ("keyword: fish", [2]),
        ("keyword: nothing of it", []),
    ],
)
def test_authors_are_whole_names_organizations_whole_words_and_keywords_phrases(
    written: str, positions: list[int]
) -> None:
    assert found(written) == positions


def test_each_follow_is_a_reason() -> None:
    follows = (read_follow("keyword: models"), read_follow("author: Ada Lovelace"))
    matching = Follows(SearchIndex(PAPERS)).matching
    assert [matching(one) for one in follows] == [
        Matching(Reason(ReasonKind.KEYWORD, "models"), frozenset({0})),
        Matching(Reason(ReasonKind.AUTHOR, "Ada Lovelace"), frozenset({0})),
    ]


@pytest.mark.parametrize("written", ["", "Ada Lovelace", "author", "author:", "keyword: …", "journal: Nature"])
def test_what_names_nobody_or_nothing_is_a_mistake(written: str) -> None:
    with pytest.raises(ValueError, match=r"author: Ada Lovelace|names nobody"):
        read_follow(written)


def test_a_follow_is_written_as_it_is_read() -> None:
    follow = Follow(ReasonKind.AUTHOR, "Ada: the Lovelace")
    assert read_follow(str(follow)) == Follow.written(str(follow)) == follow
