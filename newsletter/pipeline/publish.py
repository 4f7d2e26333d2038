"""Publish: from what was collected to a closed issue with its deliveries planned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from newsletter.core.calendar import Slot, planner
from newsletter.core.choice import NOTHING, Choice, TextKind
from newsletter.core.choosing import chooser, spoken
from newsletter.core.diff import (
    MAX_CATCH_UP_DAYS,
    competing,
    eligible,
    first_day_waiting,
    leaders_of,
    select,
    too_few,
)
from newsletter.core.errors import NoReaderError, StaleDraftError
from newsletter.core.figures import figure_urls, with_figures
from newsletter.core.issue import Draft, Issue
from newsletter.core.missed import with_missed
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.quiet import quieted, wants_short_mail
from newsletter.core.ranking import Measured
from newsletter.core.rendering import Rendering
from newsletter.core.restoring import last_day_sent, without
from newsletter.core.steps import Plan
from newsletter.core.subscriber import Subscriber
from newsletter.pipeline.freed import give_back
from newsletter.pipeline.languages import renderings, wanted_languages
from newsletter.ports import Message, Renderer, Store

if TYPE_CHECKING:
    from newsletter.pipeline.summaries import Summaries  # it loads the checks of texts

log = structlog.get_logger(__name__)

_WEEK = 7
_DRAFTS = 5  # how often a draft is made anew when other runs freeze issues of the list meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing came to: an issue, or the reason why there is none.

    `new` counts the unsent listings before the limit on an issue's length.
    """

    new: int
    issue: Issue | None = None
    created: bool = False  # just now
    reason: str = ""
    suppressed: int = 0  # of the subscribers, where none is to get it


def lookback(list_: NewsletterList) -> int:
    """Return how many days a list looks back: a weekly one at least its week."""
    return max(list_.lookback_days, _WEEK) if list_.cadence is Cadence.WEEKLY else list_.lookback_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What an issue would hold now, and what that was held against: all candidates, and the issue before it."""

    draft: Draft
    among: Measured
    previous: Issue | None


async def draft(
    store: Store,
    list_: NewsletterList,
    sources: Sequence[str],
    day: date,
    summaries: Summaries | None = None,
) -> Draft:
    """Return what an issue of `day` would hold now: all that is new since the list's last issue, or rose since.

    Args:
        store: the ledger.
        list_: the list.
        sources: the names of its sources.
        day: the issue's day; nothing listed later competes.
        summaries: adds what a model wrote of the papers, as far as it is known; None: nothing is added.
    """
    return (await drafted(store, list_, sources, day, summaries)).draft


async def drafted(
    store: Store,
    list_: NewsletterList,
    sources: Sequence[str],
    day: date,
    summaries: Summaries | None = None,
) -> Drafted:
    """Return the draft of an issue with what it was held against; takes what `draft` takes."""
    previous = await store.issues.latest(list_.name, before=day)
    last, waits_since = previous.day if previous else None, await store.slots.waits_since(list_.name)
    since = first_day_waiting(day, list_, lookback(list_), last, waits_since=waits_since)
    found = await _drafted_since(store, list_, sources, day, since, previous)
    draft = found.draft
    draft = with_figures(draft, await store.pictures.known(figure_urls(draft.listings)))
    if summaries is not None:
        draft = await summaries.added(draft, list_.summaries)
    return replace(found, draft=draft)


async def _drafted_since(
    store: Store, list_: NewsletterList, sources: Sequence[str], day: date, since: date, previous: Issue | None
) -> Drafted:
    """Return the draft, without pictures, of what is listed from `since` on and of what is news."""
    newest = await store.issues.last_number(list_.name)
    earliest = min(since, day - timedelta(days=max(lookback(list_), MAX_CATCH_UP_DAYS)))
    candidates = await store.library.candidates(sources, since=earliest, until=day)
    if last_day := last_day_sent(list_, await store.restored.assumed_until()):
        listed = await store.restored.listed_by([one.key for one in candidates], sources, last_day)
        candidates = without(candidates, listed)
    forgotten = await store.tidying.forgotten(list_.masthead.editions, [one.key for one in candidates])
    candidates = without(candidates, forgotten)
    previous_at = previous.frozen_at if previous else None
    possible = eligible(candidates, since=since, news_since=previous_at)
    before = await store.issues.competed(list_.name, [candidate.key for candidate in possible])
    among = Measured(candidates, previous_at)
    fresh = competing(possible, before, among=among, leaders=leaders_of(list_))
    had = {key for key, was_sent in before.items() if was_sent}
    found = select(fresh, list_, day, number=newest + 1, among=among, previous=previous, had=had)
    found = quieted(found, list_, among, before, previous)
    if found.candidates and (missed := await store.issues.missed(list_.name, {one.key for one in candidates})):
        again = (one for one in candidates if one.key in missed)
        found = with_missed(found, again, list_, among, previous)
    return Drafted(draft=found, among=among, previous=previous)


async def publish(  # noqa: PLR0913 (what an issue is made of, and when)
    store: Store,
    renderer: Renderer,
    list_: NewsletterList,
    sources: Sequence[str],
    slot: Slot,
    *,
    now: datetime,
    at_once: bool,
    check: Callable[[Issue, Message], None],
    summaries: Summaries | None = None,
) -> Published:
    """Freeze the list's issue of a slot, unless it is frozen already, or there are too few papers, or no readers.

    Without a reader there is no issue: what nobody was sent is still news. The message is rendered and checked
    first: a broken template stops an issue before it exists. On a day without news there is an issue only if
    the list asks for a short mail. What a model wrote of the papers is frozen with them, as far as it is known.

    Raises:
        RenderError: a template is wrong.
        LintError: `check` found that the issue must not go out.
        StaleDraftError: other runs kept freezing issues of this list.
    """
    if (existing := await store.issues.find(list_.name, slot.day)) is not None:
        return Published(new=existing.candidates, issue=existing)
    for _ in range(_DRAFTS):
        drafted = await draft(store, list_, sources, slot.day, summaries)
        is_quiet = drafted.is_quiet and drafted.number > 1 and wants_short_mail(list_)
        if (reason := too_few(drafted, list_)) and not is_quiet:
            log.info("no_issue", list=list_.name, day=str(slot.day), reason=reason)
            return Published(new=drafted.candidates, reason=reason)
        # In a thread, as it takes a second: delivery of other issues and the web pages go on meanwhile.
        languages = await wanted_languages(store.subscribers, drafted.terms)
        issue, rendered = await asyncio.to_thread(_checked, renderer, drafted, languages, check, now=now)
        choose, subject_of = _choose(issue, languages), subjects(renderer, issue)
        plan = planner(list_, slot, now, at_once=at_once, choose=choose, subject_of=subject_of, is_quiet=is_quiet)
        with suppress(StaleDraftError):
            return await _frozen(store, drafted, issue.subject, rendered, plan, now=now)
    raise StaleDraftError(f"list {list_.name}: other runs keep freezing issues; run again")


def _choose(issue: Issue, languages: Collection[str]) -> Callable[[Subscriber, frozenset[int]], Choice]:
    if not issue.is_quiet:
        return chooser(issue, languages).of
    nothing = {language: replace(NOTHING, language=language) for language in ("", *languages)}
    return lambda reader, _had: nothing[spoken(reader, languages)]


async def _frozen(
    store: Store, drafted: Draft, subject: str, rendered: Mapping[str, Rendering], plan: Plan, *, now: datetime
) -> Published:
    where = {"list": drafted.masthead.list, "day": str(drafted.day)}
    try:
        issue, created = await store.issues.freeze(
            drafted, subject, plan, now=now, renderings=rendered, needs_reader=True, once_for_alike=True
        )
    except NoReaderError as nobody:
        log.warning("no_issue", **where, reason=str(nobody))
        return Published(new=drafted.candidates, reason=str(nobody), suppressed=nobody.suppressed)
    log.info("issue_frozen", **where, number=issue.number, created=created)
    if created and drafted.left_out:
        log.info("candidates_left_out", **where, left_out=drafted.left_out, kept=len(drafted.listings))
    return Published(new=issue.candidates, issue=issue, created=created)


def _checked(
    renderer: Renderer,
    drafted: Draft,
    languages: Collection[str],
    check: Callable[[Issue, Message], None],
    *,
    now: datetime,
) -> tuple[Issue, dict[str, Rendering]]:
    """Return the issue that a draft would be, and its renderings by language, if all pass the check."""
    issue = drafted.closed(0, renderer.subject(drafted), now)
    rendered = renderings(renderer, issue, languages, check)
    give_back()
    return issue, rendered


def subjects(renderer: Renderer, issue: Issue) -> Callable[[Choice], str]:
    """Return the function that gives a choice from an issue its subject."""
    # A subject depends on the language, the first listing and how it is read, and the count: see `Renderer`.
    known: dict[tuple[str, TextKind, int, int], str] = {("", TextKind.SUMMARY, -1, 0): issue.subject}

    def subject_of(choice: Choice) -> str:
        positions = choice.positions
        key = choice.language, choice.text, positions[0] if positions else -1, len(positions)
        if key not in known:
            shown = positions or range(len(issue.listings))
            known[key] = renderer.subject(issue.in_language(choice.language).part(shown, choice.text))
        return known[key]

    return subject_of
