from __future__ import annotations

import pytest

from newsletter.core.listing import Listing
from newsletter.core.searching import SearchIndex
from newsletter.core.topics import Topic, matches

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
    assert matches(SearchIndex(PAPERS), {"t": topic})["t"].keys() == positions


@pytest.mark.parametrize(
    ("topic", "word"),
    [
        (Topic(name="t", keywords=("nothing", "Tool-Use", "agent")), "Tool-Use"),
        (Topic(name="t", keywords=("nothing",), categories=("cs",)), "cs"),
        (Topic(name="t", categories=("CS.ai",)), "CS.ai"),
    ],
)
def test_what_of_a_topic_stands_in_a_paper_is_named_as_the_topic_has_it(topic: Topic, word: str) -> None:
    assert matches(SearchIndex(PAPERS), {"t": topic})["t"][0] == word
