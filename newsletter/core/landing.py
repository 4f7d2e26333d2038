"""Where the title of a paper leads: the page that a list chooses for its papers, or a search by title. Pure."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlencode

from newsletter.core.listing import Listing
from newsletter.core.text import one_line


class Landing(StrEnum):
    """The page that titles of papers with an arXiv id lead to."""

    SOURCE = "source"  # the link that the source gives
    HUGGINGFACE = "huggingface"  # summary, discussion, models and data
    ARXIV = "arxiv"  # abstract, versions, all formats
    ARXIV_HTML = "arxiv_html"  # the whole text as a web page
    ALPHAXIV = "alphaxiv"  # the paper with annotations and questions


_PAPER = {
    Landing.HUGGINGFACE: "https://huggingface.co/papers/",
    Landing.ARXIV: "https://arxiv.org/abs/",
    Landing.ARXIV_HTML: "https://arxiv.org/html/",
    Landing.ALPHAXIV: "https://www.alphaxiv.org/abs/",
}
_HTML_SINCE = "2312"  # arXiv makes web pages of what was submitted since December 2023
_LONGEST_SEARCH = 200  # characters of a title; more words only make a search find less
# arXiv's search reads these as signs of its own: any character, a phrase, TeX.
_SIGNS = str.maketrans(dict.fromkeys('*?"\\$', " "))


def title_links(listing: Listing, landing: Landing) -> tuple[str, ...]:
    """Return where a paper's title may lead, best first, as sources write it: the first that is a web link counts.

    The last is a search by title, for papers of which nothing but the title is known: see `search_links`.

    Args:
        listing: the paper.
        landing: the page that the list chooses; a paper without an arXiv id keeps its own link.
    """
    arxiv = listing.arxiv_id
    own = (
        listing.url,
        f"{_PAPER[Landing.ARXIV]}{arxiv}" if arxiv else "",
        f"https://doi.org/{listing.doi}" if listing.doi else "",
    )
    links = [f"{_page(arxiv, landing)}{arxiv}"] if arxiv and landing in _PAPER else []
    links += [link for link in own if link and link not in links]
    return (*links, *search_links(listing, landing))


def search_links(listing: Listing, landing: Landing) -> tuple[str, ...]:
    """Return the search for a paper by title, Hugging Face's or arXiv's; none where the title has no words."""
    words = " ".join(one_line(listing.title).translate(_SIGNS).split())[:_LONGEST_SEARCH].rstrip()
    if not any(char.isalnum() for char in words):
        return ()
    if landing is Landing.HUGGINGFACE:
        return (f"https://huggingface.co/papers?{urlencode({'q': words})}",)
    return (f"https://arxiv.org/search/?{urlencode({'query': words, 'searchtype': 'title'})}",)


def _page(arxiv: str, landing: Landing) -> str:
    """Return the address of a landing page without the id; older papers have no page of the whole text."""
    is_old = "/" in arxiv or arxiv[:4] < _HTML_SINCE  # ids before 2007 have a slash, later ones begin with YYMM
    return _PAPER[Landing.ARXIV if landing is Landing.ARXIV_HTML and is_old else landing]
