"""Publish: from what was collected to a frozen issue with its deliveries planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from newsletter.core.calendar import Slot, planner
from newsletter.core.choice import Choices
from newsletter.core.delivery import Delivery
from newsletter.core.diff import MAX_CATCH_UP_DAYS, eligible, first_day, select, too_few, unsent
from newsletter.core.errors import NoReaderError, StaleDraftError
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.subscriber import Subscriber
from newsletter.core.topics import Choice
from newsletter.ports import Composed, Message, Renderer, Store

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


async def draft(store: Store, list_: NewsletterList, sources: Sequence[str], day: date) -> Draft:
    """Return what an issue of `day` would hold now: the best of what the list's readers have not been sent.

    Args:
        store: the ledger.
        list_: the list.
        sources: the names of its sources.
        day: the issue's day; nothing listed later competes.
    """
    previous = await store.issues.latest(list_.name, before=day)
    newest = await store.issues.last_number(list_.name)
    sent = await store.issues.listing_keys(list_.name)
    days = lookback(list_)
    candidates = await store.library.candidates(
        sources, since=day - timedelta(days=max(days, MAX_CATCH_UP_DAYS)), until=day
    )
    competing = eligible(
        candidates,
        since=first_day(day, days, previous.day if previous else None),
        news_since=previous.frozen_at if previous else None,
    )
    fresh = unsent(competing, sent)
    return select(fresh, list_, day, number=newest + 1, among=candidates, previous=previous)


def as_issue(one: Draft, subject: str, now: datetime) -> Issue:
    """Return a draft as the issue that it will be, for rendering before it is frozen."""
    return Issue(
        key=0,
        number=one.number,
        subject=subject,
        frozen_at=now,
        masthead=one.masthead,
        day=one.day,
        candidates=one.candidates,
        listings=one.listings,
    )


async def had_before(
    store: Store, list_: NewsletterList, listings: Sequence[IssueListing]
) -> dict[str, frozenset[int]]:
    """Return which of these listings came to readers of a list with its other edition, by address key.

    A reader who changes between daily and weekly issues gets no paper twice.
    """
    return await store.issues.had(
        list_.other_edition,
        [one.key for one in listings],
        cadence=list_.cadence,
        usual=list_.usual_cadence,
    )


@dataclass(frozen=True, slots=True)
class WithoutRepeats:
    """A message that leaves out what a reader has had from the list's other edition; honours `ports.Message`."""

    message: Message
    had: Mapping[str, frozenset[int]]

    @property
    def html_bytes(self) -> int:
        """See `Message`."""
        return self.message.html_bytes

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        """See `Message`."""
        return self.message.for_reader(self._knowing(delivery))

    def composed_for(self, delivery: Delivery) -> Composed:
        """See `Message`."""
        return self.message.composed_for(self._knowing(delivery))

    def _knowing(self, delivery: Delivery) -> Delivery:
        had = self.had.get(delivery.subscriber.address_key)
        return delivery._replace(had=had) if had else delivery


async def _chooser(store: Store, list_: NewsletterList, one: Draft) -> Callable[[Subscriber], Choice]:
    choices, had = Choices(one.listings, list_), await had_before(store, list_, one.listings)

    def choice(reader: Subscriber) -> Choice:
        return choices.of(reader, had.get(reader.address_key, frozenset()))

    return choice


async def publish(
    store: Store,
    renderer: Renderer,
    list_: NewsletterList,
    sources: Sequence[str],
    slot: Slot,
    *,
    now: datetime,
    at_once: bool,
    check: Callable[[Issue, Message], None],
) -> Published:
    """Freeze the list's issue of a slot, unless it is frozen already or there is too little for one, or nobody.

    Without a reader there is no issue: what nobody was sent is still news. The message is rendered and checked
    first: a broken template stops an issue before it exists.

    Raises:
        RenderError: a template is wrong.
        LintError: `check` found that the issue must not go out.
        StaleDraftError: other runs kept freezing issues of this list.
    """
    if (existing := await store.issues.find(list_.name, slot.day)) is not None:
        return Published(new=existing.candidates, issue=existing)
    for _ in range(_DRAFTS):
        one = await draft(store, list_, sources, slot.day)
        if reason := too_few(one, list_):
            log.info("no_issue", list=list_.name, day=str(slot.day), reason=reason)
            return Published(new=one.candidates, reason=reason)
        subject = _checked_subject(renderer, list_, one, check, now=now)
        plan = planner(list_, slot, now, at_once=at_once, choice=await _chooser(store, list_, one))
        try:
            issue, created = await store.issues.freeze(one, subject, plan, now=now, needs_reader=True)
        except StaleDraftError:
            continue
        except NoReaderError as nobody:
            log.warning("no_issue", list=list_.name, day=str(slot.day), reason=str(nobody))
            return Published(new=one.candidates, reason=str(nobody), suppressed=nobody.suppressed)
        log.info("issue_frozen", list=list_.name, day=str(slot.day), number=issue.number, created=created)
        return Published(new=issue.candidates, issue=issue, created=created)
    raise StaleDraftError(f"list {list_.name}: other runs keep freezing issues; run again")


def _checked_subject(
    renderer: Renderer,
    list_: NewsletterList,
    one: Draft,
    check: Callable[[Issue, Message], None],
    *,
    now: datetime,
) -> str:
    """Return the subject of a draft whose message has been rendered and checked."""
    subject = renderer.subject(one)
    provisional = as_issue(one, subject, now)
    check(provisional, renderer.message(provisional, list_))
    return subject
