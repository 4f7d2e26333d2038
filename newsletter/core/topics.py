"""Topics: named interests of a list, which its readers choose from.

A topic matches a listing by keyword, category, author or organization, and by none if one of the words that it
excludes is there. Keywords and excluded words are whole words or phrases in title, abstract, summary or keywords,
compared without endings (`newsletter.core.stemming`). Pure; the topics of an issue are looked for once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.core.searching import Searchable, SearchIndex, phrase, stems
from newsletter.core.titles import normalised_title


class TopicsMode(StrEnum):
    """What a reader with wishes gets."""

    FIRST = "first"  # the matching listings first, the others after them
    ONLY = "only"  # the matching listings and no others


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named interest: any of what it names makes a listing match, any excluded word keeps it out.

    A category is whole (`cs.AI`) or stands for all of its kind (`cs`); an author is a full name; an organization
    is its name or some whole words of it.
    """

    name: str
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def matches(index: SearchIndex, topics: Mapping[str, Topic]) -> dict[str, dict[int, str]]:
    """Return for each topic the positions that it matches, each with what of the topic stands there."""
    found = {}
    for name, topic in topics.items():
        wanted = _Searched.of(topic)
        words = {position: wanted.word_in(one) for position, one in enumerate(index.all)}
        found[name] = {position: word for position, word in words.items() if word}
    return found


@dataclass(frozen=True, slots=True)
class _Searched:
    """A topic as it is looked for: what is compared, each with the word as the topic has it."""

    phrases: Mapping[str, str]
    categories: Mapping[str, str]
    authors: Mapping[str, str]
    organizations: Mapping[str, str]
    excluded: Sequence[str]

    @classmethod
    def of(cls, topic: Topic) -> _Searched:
        return cls(
            phrases=_phrases((keyword, stems(keyword)) for keyword in topic.keywords),
            categories={category.lower(): category for category in topic.categories},
            authors={normalised_title(author): author for author in topic.authors},
            organizations=_phrases((name, normalised_title(name).split()) for name in topic.organizations),
            excluded=list(_phrases((word, stems(word)) for word in topic.exclude)),
        )

    def word_in(self, one: Searchable) -> str:
        """Return the first word of the topic that a listing has; nothing if it matches by none."""
        if any(excluded in one.text for excluded in self.excluded):
            return ""
        found = (
            *(word for wanted, word in self.phrases.items() if wanted in one.text),
            *(name for author, name in self.authors.items() if author in one.authors),
            *(name for wanted, name in self.organizations.items() if wanted in one.organization),
            *(name for category, name in self.categories.items() if category in one.categories),
        )
        return next(iter(found), "")


def _phrases(words: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Return phrases with their words as written; one without a word would be found everywhere and is left out."""
    return {phrase(parts): word for word, parts in words if parts}
