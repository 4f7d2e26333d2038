"""What sources take from the answers of their services; the parser process runs these functions."""

import pytest

from newsletter.sources import biorxiv, hackernews, huggingface
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.records import BadRecordError


def document(text: str) -> Document:
    return Document(content=text.encode())


def test_daily_papers_are_an_array() -> None:
    assert huggingface._array(document('[{"title": "A paper"}]')) == [{"title": "A paper"}]
    with pytest.raises(ValueError, match="not a list of papers"):
        huggingface._array(document('{"error": "not found"}'))


@pytest.mark.parametrize(
    ("text", "total", "found"),
    [
        ('{"messages": [{"total": 240}], "collection": [{"doi": "10.1101/1"}]}', 240, 1),
        ('{"messages": [{"total": "31"}], "collection": []}', 31, 0),
        ('{"messages": [{"status": "no posts found"}], "collection": []}', 0, 0),
    ],
)
def test_a_collection_says_how_many_preprints_there_are(text: str, total: int, found: int) -> None:
    said, records = biorxiv._collection(document(text))

    assert (said, len(records)) == (total, found)


@pytest.mark.parametrize(
    ("text", "found", "pages"),
    [('{"hits": [{"title": "A story"}], "nbPages": 3}', 1, 3), ('{"hits": []}', 0, 1)],
)
def test_stories_come_in_one_page_at_least(text: str, found: int, pages: int) -> None:
    hits, count = hackernews._hits(document(text))

    assert (len(hits), count) == (found, pages)


@pytest.mark.parametrize("text", ["{}", '{"hits": "none", "collection": "none"}'])
def test_an_answer_without_its_list_is_no_page(text: str) -> None:
    with pytest.raises(BadRecordError, match="no list of hits"):
        hackernews._hits(document(text))
    with pytest.raises(BadRecordError, match="no list of collection"):
        biorxiv._collection(document(text))
