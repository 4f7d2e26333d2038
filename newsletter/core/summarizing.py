"""Of which papers a model writes what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.core.issue import Draft, IssueListing
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineTextKind, SummaryMode, SummaryRule
from newsletter.core.paper_language import assumed_language

NO_ABSTRACT = "no abstract"


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


def _is_wanted(listing: Listing, rule: SummaryRule) -> bool:
    if rule.mode is SummaryMode.MISSING:
        return not (listing.summary.strip() or listing.ai_summary.strip())
    return rule.mode is SummaryMode.ALL


def _paper(one: IssueListing, rule: SummaryRule) -> WantedPaper:
    own, language = assumed_language(one.listing), rule.language.lower().split("-")[0]
    return WantedPaper(key=one.key, listing=one.listing, is_translated=own not in {"", language})
