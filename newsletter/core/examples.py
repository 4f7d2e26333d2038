"""Papers that readers give as examples of what they like: arXiv ids, and entries of BibTeX files. Pure."""

from __future__ import annotations

from typing import NamedTuple

from newsletter.core.identity import ListingId, arxiv_id
from newsletter.core.likeness import Example, Opinion
from newsletter.core.listing import Listing

MOST_EXAMPLES = 100  # of one reader: of those, what the reader likes is the mean


class GivenPaper(NamedTuple):
    """A paper that a reader gives as an example, as far as the list's files tell. `arxiv_id` has no version."""

    arxiv_id: str = ""
    doi: str = ""
    title: str = ""
    abstract: str = ""

    @property
    def identities(self) -> tuple[ListingId, ...]:
        """Return what it is known by, strongest first."""
        return self._listing.identities

    @property
    def is_told(self) -> bool:
        """Return whether all is known of it that is compared."""
        return bool(self.title and self.abstract)

    @property
    def _listing(self) -> Listing:
        return Listing(title=self.title, abstract=self.abstract, arxiv_id=self.arxiv_id, doi=self.doi)

    def example(self) -> Example | None:
        """Return it as an example, by what the files tell; None if they tell no title."""
        return Example.of(str(self.identities[0]), self._listing) if self.title else None


def read_example(text: str) -> GivenPaper:
    """Return the paper of an arXiv id, with or without version, or of a link to arXiv, alphaXiv or Hugging Face.

    Raises:
        ValueError: it is none; says what to write.
    """
    if identifier := arxiv_id(text):
        return GivenPaper(arxiv_id=identifier)
    raise ValueError(
        f"{text!r} is no paper: write an arXiv id such as 2501.12345, a link to arXiv, or the name of a BibTeX "
        "file such as refs.bib"
    )


def with_examples(said: tuple[Opinion, ...], examples: tuple[Example, ...]) -> tuple[Opinion, ...]:
    """Return what a reader said of papers in mails, then the papers that they gave as examples, as liked.

    Each paper counts once, and what was said of it in a mail goes before.
    """
    spoken_of = {one.example for one in said}
    return (*said, *(Opinion(one, liked=True) for one in dict.fromkeys(examples) if one not in spoken_of))
