"""Of which papers a model writes what, and papers with what it wrote. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from newsletter.core.issue import Draft, IssueListing
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary, MachineTextKind, SummaryMode, SummaryRule
from newsletter.core.machine_text.check import RefusedTextError, checked
from newsletter.core.paper_language import assumed_language

NO_ABSTRACT = "no abstract"

# What a model wrote of papers, by kind and the numbers of their listings.
Texts = Mapping[MachineTextKind, Mapping[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPaper:
    """A paper that a model is to write of.

    Attributes:
        key: the store's number of its listing.
        listing: the paper.
        is_translated: whether its title is wanted, too, in another language than its own.
    """

    key: int
    listing: Listing
    is_translated: bool

    @property
    def kinds(self) -> tuple[MachineTextKind, ...]:
        """Return what is wanted of it. Without a summary, its title is of no use."""
        return (MachineTextKind.SUMMARY, MachineTextKind.TITLE)[: 1 + self.is_translated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list wants of a model for an issue.

    Attributes:
        papers: the best first. What no reader chooses without wishes comes behind that, and what is only for
            readers who missed an issue comes last.
        left_out: how many others the list would want, by the reason why they cannot be had.
    """

    papers: tuple[WantedPaper, ...] = ()
    left_out: Mapping[str, int]


def wanted(draft: Draft, rule: SummaryRule) -> Wanted:
    """Return of which papers of an issue a model is to write what.

    Args:
        draft: the issue; its listings stand best first.
        rule: what the list wants.
    """
    asked = [one for one in draft.listings if _is_wanted(one.listing, rule)]
    with_abstract = [one for one in asked if one.listing.abstract.strip()]
    missing = len(asked) - len(with_abstract)
    return Wanted(
        papers=tuple(_paper(one, rule) for one in with_abstract),
        left_out={NO_ABSTRACT: missing} if missing else {},
    )


def with_machine_texts(draft: Draft, texts: Texts, rule: SummaryRule, model: str) -> Draft:
    """Return a draft whose papers have what a model wrote of them.

    A paper may have changed since, so each text is checked once more against its title and abstract.

    Args:
        draft: the issue.
        texts: what is known; of a paper that has no summary, a title is not used.
        rule: what the list wants.
        model: who wrote it.
    """
    summaries = {one.key: _summary(one, texts, rule, model) for one in wanted(draft, rule).papers}
    listings = tuple(replace(one, machine=summaries.get(one.key)) for one in draft.listings)
    return replace(draft, listings=listings)


def _is_wanted(listing: Listing, rule: SummaryRule) -> bool:
    if rule.mode is SummaryMode.MISSING:
        return not (listing.summary.strip() or listing.ai_summary.strip())
    return rule.mode is SummaryMode.ALL


def _paper(one: IssueListing, rule: SummaryRule) -> WantedPaper:
    own, language = assumed_language(one.listing), rule.language.lower().split("-")[0]
    return WantedPaper(key=one.key, listing=one.listing, is_translated=own not in {"", language})


def _summary(paper: WantedPaper, texts: Texts, rule: SummaryRule, model: str) -> MachineSummary | None:
    found = {kind: _still_right(paper, kind, texts, rule.language) for kind in paper.kinds}
    text, title = found[MachineTextKind.SUMMARY], found.get(MachineTextKind.TITLE, "")
    if not text:
        return None
    return MachineSummary(text=text, language=rule.language, model=model, title=title, show=rule.show)


def _still_right(paper: WantedPaper, kind: MachineTextKind, texts: Texts, language: str) -> str:
    """Return a text that is known, or nothing where there is none that the paper bears out."""
    text, listing = texts.get(kind, {}).get(paper.key, ""), paper.listing
    if not text:
        return ""
    try:
        return checked(text, kind=kind, title=listing.title, abstract=listing.abstract, language=language)
    except RefusedTextError:
        return ""
