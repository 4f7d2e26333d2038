"""Papers that readers give as examples: which texts name one, and how they come beside what was said in mails."""

from __future__ import annotations

import pytest

from newsletter.core.examples import GivenPaper, read_example, with_examples
from newsletter.core.likeness import Example, Opinion
from newsletter.core.listing import Listing


@pytest.mark.parametrize(
    "text",
    [
        "2501.12345",
        "2501.12345v3",
        "arXiv:2501.12345",
        "https://arxiv.org/abs/2501.12345v2",
        "https://arxiv.org/pdf/2501.12345",
        "https://huggingface.co/papers/2501.12345",
        "https://www.alphaxiv.org/abs/2501.12345",
    ],
)
def test_an_arxiv_id_is_read_in_each_of_its_forms(text: str) -> None:
    assert read_example(text) == GivenPaper(arxiv_id="2501.12345")


@pytest.mark.parametrize("text", ["", "2513.00001", "Attention is all you need", "https://example.org/2501.12345"])
def test_what_names_no_paper_is_a_mistake_that_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write an arXiv id such as 2501\.12345"):
        read_example(text)


def test_what_was_said_of_a_paper_in_a_mail_goes_before_and_each_paper_counts_once() -> None:
    one, other = (Example.of(key, Listing(title=f"Paper {key}")) for key in (1, "arxiv:2501.12345"))
    said = (Opinion(one, liked=False),)
    assert with_examples(said, (one, other, other)) == (*said, Opinion(other, liked=True))


def test_a_paper_without_a_title_is_no_example_by_itself() -> None:
    assert GivenPaper(arxiv_id="2501.12345").example() is None
    told = GivenPaper(title="Streaming splats", abstract="Splats, streamed.").example()
    assert told is not None
    assert told.title == "Streaming splats"
    assert told.words["splat"] == 3  # words of titles count twice
