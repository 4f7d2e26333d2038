"""What was chosen for a reader and what was not, paper by paper. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from newsletter.core.choice import Choice
from newsletter.core.choosing import Worth
from newsletter.core.diff import ranked_for
from newsletter.core.issue import Issue, IssueListing
from newsletter.core.issue_sections import issue_sections
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.ranking import Measured, Parts
from newsletter.ports.previews import PlacedPaper
from newsletter.render.issue import words
from newsletter.render.issue.language import language
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.view import title_link

# By section of the mail and position: the bytes of the HTML part that a listing takes.
Sizes: TypeAlias = "Mapping[str, Mapping[int, int]]"

_SECTIONS = {
    "lead": "lead",
    "for_you": "for you",
    "also_today": "also today",
    "brief": "in brief",
    "rising": "still rising",
    "discussed": "most discussed",
}
_SAME_SCORE = 1e-6
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Competition:
    """What the candidates of an issue were held against: all that stands on the pages, and the issue before it."""

    among: Measured
    previous: Issue | None


def placed(
    issue: Issue,
    choice: Choice,
    *,
    worths: Mapping[int, Worth],
    parts: Mapping[int, Parts],
    sizes: Sizes | None = None,
) -> tuple[PlacedPaper, ...]:
    """Return the candidates of an issue: those that a reader gets, in the mail's order, then the rest by rank.

    Args:
        issue: the issue.
        choice: what the reader gets of it.
        worths: by position, of what fits the reader's wishes.
        parts: of the scores, by the keys of listings, as far as they are known.
        sizes: what the mail shows; None: it was not rendered.
    """
    shown = issue_sections(issue, choice)
    section_of = {position: name for name, positions in reversed(shown.named.items()) for position in positions}
    in_order = [*dict.fromkeys((*choice.positions, *section_of))]
    reasons = dict(zip(choice.positions, choice.reasons, strict=True))
    left = [position for position in range(len(issue.listings)) if position not in section_of]
    found = []
    for place, position in enumerate((*in_order, *left), start=1):
        item, section = issue.listings[position], section_of.get(position, "")
        size = (sizes or {}).get(section, {}).get(position, 0)
        found.append(
            replace(
                _paper(item, issue),
                place=place if section else 0,
                section=_in_words(item, section, fits=sizes is None or size > 0),
                reasons=words.each_in_words(language("en"), reasons.get(position, ())),
                parts=parts.get(item.key),
                worth=worths.get(position),
                size=size,
            )
        )
    return tuple(found)


def _paper(item: IssueListing, issue: Issue) -> PlacedPaper:
    title = " ".join(readable(item.listing.title[:_LONGEST_TITLE]).split())
    return PlacedPaper(
        place=0,
        rank=item.rank,
        title=title or words.untitled(language("en")),
        url=title_link(item.listing, issue.terms.landing)[0],
        section="",
        notes=tuple(reason for reason in item.reasons if not reason.endswith(("upvote", "upvotes"))),
        upvotes=item.upvotes,
        score=item.score,
    )


def _in_words(item: IssueListing, section: str, *, fits: bool) -> str:
    if not section:
        return "for who missed it" if item.again else "web only"
    if not fits:
        return "no room left"
    if section.startswith("day_"):
        return f"{item.listed_on:%A}" if section != "day_before" else "from before"
    return _SECTIONS[section]


def parts_of(issue: Issue, list_: NewsletterList, competition: Competition) -> dict[int, Parts]:
    """Return what makes up the scores of an issue's listings, by key, as far as that comes to the score they have.

    Of a closed issue it does not where counts were learnt of later, or the list's weights have changed.

    Args:
        issue: the issue.
        list_: its list, with the weights.
        competition: what its listings were held against.
    """
    scores = {one.key: one.score for one in issue.listings}
    return {
        key: parts
        for key, parts in _measured(issue, list_, competition)
        if abs(parts.score - scores[key]) < _SAME_SCORE
    }


def _measured(issue: Issue, list_: NewsletterList, competition: Competition) -> Iterator[tuple[int, Parts]]:
    # What is there again is new to those who get it: `core.missed`.
    ageless = replace(list_, ranking=replace(list_.ranking, freshness=0.0))
    by_key = {one.key: one for one in competition.among.candidates}
    for again, ranked_by in ((False, list_), (True, ageless)):
        some = [by_key[one.key] for one in issue.listings if one.again is again and one.key in by_key]
        among, previous = competition.among, competition.previous
        for one in ranked_for(some, ranked_by, issue.day, among=among, previous=previous):
            yield one.candidate.key, one.parts
