"""Papers with what a model wrote of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from newsletter.core.issue import Draft
from newsletter.core.machine_summary import MachineSummary, MachineTextKind, SummaryRule
from newsletter.core.machine_text.check import RefusedTextError, checked
from newsletter.core.summarizing import WantedPaper, wanted

# What a model wrote of papers, by kind and the numbers of their listings.
Texts = Mapping[MachineTextKind, Mapping[int, str]]


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
