"""The search over all papers: what of a text is looked through, and what a visitor's query asks for. Pure.

Texts and queries become the same plain words: lower case, no accents, no punctuation. Scripts that put no spaces
between words are looked through letter by letter. So databases compare bare words, and no query can be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.core.identity import arxiv_id
from newsletter.core.listing import Listing
from newsletter.core.stemming import stem
from newsletter.core.text import one_line
from newsletter.core.titles import normalised_title

LONGEST_QUERY = 200  # characters
_MOST_TERMS = 8
_LONGEST_WORD = 40  # characters; of a longer one the beginning is compared
_MOST_WORDS = 4000  # of a listing's text that are looked through
_MOST_NAMES = 1000  # authors
_SHORTEST_BEGINNING = 2  # letters of a word that is not typed to its end
_SHORTEST_STEM = 3

# Letters of scripts without spaces between words.
_DENSE = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff])")
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
# A word as it stands in a text, with the marks on its letters.
_WORD = re.compile(r"\w(?:[\w\u0300-\u036f]*\w)?[\u0300-\u036f]*")


def words_of(text: str) -> list[str]:
    """Return the words of a text as the search compares them."""
    plain = normalised_title(_DENSE.sub(r" \1 ", text))
    return [word[:_LONGEST_WORD] for word in plain.split()]


class SearchText(NamedTuple):
    """What of a listing is looked through, most telling first: its title, its names and ids, all other words."""

    title: tuple[str, ...]
    names: tuple[str, ...]
    words: tuple[str, ...]


def search_text(listing: Listing) -> SearchText:
    """Return what of a listing is looked through."""
    names = (*listing.authors[:_MOST_NAMES], listing.organization, listing.arxiv_id, listing.doi)
    texts = (*listing.keywords, *listing.categories, listing.ai_summary, listing.summary, listing.abstract)
    return SearchText(
        title=tuple(words_of(listing.title)[:_MOST_WORDS]),
        names=tuple(_words(names)),
        words=tuple(_words(texts)),
    )


def _words(texts: tuple[str, ...]) -> list[str]:
    return [word for text in texts for word in words_of(text)][:_MOST_WORDS]


class Term(NamedTuple):
    """Words that must stand one after the other.

    Attributes:
        words: at least one, as `words_of` gives them.
        is_open: whether the last of them may be the beginning of a longer word.
    """

    words: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a visitor asks for: each of the alternatives in `terms`, one of each.

    Attributes:
        text: the query as one clean line, to be shown again.
        terms: for each word or quoted phrase what may stand for it; a word is found with other endings, too.
        is_cut: whether it was longer than what is looked for.
    """

    text: str = ""
    terms: tuple[tuple[Term, ...], ...] = ()
    is_cut: bool = False


def read_query(text: str) -> Query:
    """Return what a visitor asks for; any text is a query, and one without words asks for nothing.

    An arXiv id or a link to it asks for that paper. Words in double quotes must stand together as they are.
    """
    shown = one_line(text, LONGEST_QUERY)
    is_long = len(text) > LONGEST_QUERY and len(one_line(text, LONGEST_QUERY + 1)) > LONGEST_QUERY
    if identifier := arxiv_id(shown):
        return Query(text=shown, terms=((Term(tuple(words_of(identifier)), is_open=False),),))
    terms = list(dict.fromkeys(_terms(shown)))
    return Query(text=shown, terms=tuple(terms[:_MOST_TERMS]), is_cut=is_long or len(terms) > _MOST_TERMS)


def _terms(text: str) -> Iterator[tuple[Term, ...]]:
    for found in _TERM.finditer(text):
        quoted, plain = found.groups()
        words = tuple(words_of(quoted if plain is None else plain))
        if not words:
            continue
        if plain is None:
            yield (Term(words, is_open=False),)
        elif len(words) == 1:
            yield tuple(_with_endings(words[0]))
        else:  # such as `next-token`
            yield (Term(words, is_open=len(words[-1]) >= _SHORTEST_BEGINNING),)


def _with_endings(word: str) -> Iterator[Term]:
    """Yield what stands for a word: what it begins, and what its stem begins (`networks` finds `network`)."""
    base = stem(word)
    if len(base) < _SHORTEST_STEM:
        base = word
    if not word.startswith(base):
        yield Term((word,), is_open=True)
    yield Term((base,), is_open=len(base) >= _SHORTEST_BEGINNING)


def like(listing: Listing, *, most: int) -> Query:
    """Return a query of which any term may stand for a listing: the words of its title and its keywords."""
    words = dict.fromkeys(word for text in (listing.title, *listing.keywords) for word in words_of(text))
    telling = [word for word in words if len(word) > _SHORTEST_STEM and not word.isdecimal()]
    return Query(terms=(tuple(Term((word,), is_open=False) for word in telling[:most]),) if telling else ())


class Piece(NamedTuple):
    """A part of a text; `is_match`: the query asks for it."""

    text: str
    is_match: bool


def marked(text: str, query: Query) -> tuple[Piece, ...]:
    """Return a text in pieces, which make the text when they are joined."""
    pieces, end = list[Piece](), 0
    for start, stop in _matches(text, query):
        if start > end:
            pieces.append(Piece(text[end:start], is_match=False))
        pieces.append(Piece(text[start:stop], is_match=True))
        end = stop
    if end < len(text):
        pieces.append(Piece(text[end:], is_match=False))
    return tuple(pieces)


def passage(text: str, query: Query, limit: int) -> str:
    """Return the part of a text in which the query is first found, or its beginning.

    Args:
        text: one line.
        query: what is looked for.
        limit: the most characters of it; `…` stands at either end where it goes on.
    """
    if len(text) <= limit:
        return text
    first = next(_matches(text, query), (0, 0))[0]
    start = max(first - limit // 4, 0)
    if start:
        start = text.find(" ", start, first) + 1 or first
    end = start + limit
    if end < len(text):
        end = max(text.rfind(" ", start, end + 1), start) or end
        end = end if end > start else start + limit
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"


def _matches(text: str, query: Query) -> Iterator[tuple[int, int]]:
    """Yield where words stand that the query asks for."""
    asked = {(word, is_last and term.is_open) for word, is_last, term in _asked(query)}
    exact = frozenset(word for word, _ in asked)
    begun = tuple(word for word, is_open in asked if is_open)
    for found in _WORD.finditer(text):
        if _DENSE.search(found[0]):
            yield from ((at.start(), at.end()) for at in _DENSE.finditer(text, *found.span()) if at[0] in exact)
        elif any(word in exact or word.startswith(begun) for word in words_of(found[0])):
            yield found.span()


def _asked(query: Query) -> Iterator[tuple[str, bool, Term]]:
    for alternatives in query.terms:
        for term in alternatives:
            for place, word in enumerate(term.words, 1):
                yield word, place == len(term.words), term
