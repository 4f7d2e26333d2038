"""What `newsletter preview` shows of an issue: its message, what the checks find, and what was chosen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from typing_extensions import override

from newsletter.core.address import AddressError, address_key, wire_form
from newsletter.core.calendar import agenda
from newsletter.core.choosing import USUAL, Chooser, chooser
from newsletter.core.delivery import Delivery
from newsletter.core.diff import MAX_CATCH_UP_DAYS, select
from newsletter.core.errors import ListFileError, UsageError
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import WEEKLY_EDITION, Cadence, NewsletterList
from newsletter.core.ranking import VOTES_ONLY, Measured
from newsletter.core.subscriber import Subscriber
from newsletter.core.text import counted
from newsletter.pipeline.editions import is_read_weekly
from newsletter.pipeline.publish import drafted, lookback
from newsletter.ports import Source
from newsletter.ports.previews import Asked, Considered, DayOfIssue, Portrait, Previewed, Previews, Remark
from newsletter.render.issue.catalogues import languages, own_language
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.message import IssueMessage
from newsletter.render.issue.tracing import TracedTemplates, untraced
from newsletter.render.lint import Finding, Level, Spot, lint, rules
from newsletter.render.lint.mail import Mail
from newsletter.web.studio import sample
from newsletter.web.studio.one_message import Studio
from newsletter.web.studio.placing import Competition, Sizes, parts_of, placed

_DAYS_SHOWN = 60
_STATES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer(Previews):
    """Shows closed issues and drafts.

    Attributes:
        studio: makes the messages.
        traced: makes them by templates whose elements say where they stand.
        trace: reads that.
        sample: the source of sample listings, for lists that have none yet.
        is_local: all relays are on this machine.
    """

    studio: Studio
    traced: MailRenderer
    trace: TracedTemplates
    sample: Source
    is_local: bool

    @override
    async def lists(self) -> Sequence[str]:
        names: list[str] = []
        lists = self.studio.files.read()
        if not lists.right and lists.wrong:
            mistakes = (mistake for error in lists.wrong.values() for mistake in error.mistakes)
            raise ListFileError(tuple(mistakes))
        for name, file in sorted(lists.right.items()):
            names.append(name)
            if file.list.weekly_edition and await is_read_weekly(self.studio.pipeline.store, file):
                names.append(name + WEEKLY_EDITION)
        return names

    @override
    async def days(self, list_name: str) -> Sequence[DayOfIssue]:
        history = await self.studio.pipeline.store.issues.history(list_name, limit=_DAYS_SHOWN)
        return [DayOfIssue(one.day, one.number) for one in history]

    @override
    async def readers(self, list_name: str, prefix: str, *, most: int) -> Sequence[str]:
        """Return addresses of the ledger, and those of the list's files that are not in it yet."""
        file = self.studio.file(list_name)
        readers_of, store = file.list.masthead.readers_of, self.studio.pipeline.store
        known = await store.subscribers.addresses(readers_of, prefix=prefix, limit=most)
        if await store.subscribers.synced_files(readers_of) is not None:
            return known
        first = prefix.lower()

        def named() -> list[str]:
            members = (one for one in file.roster.reading() if one.address_key.startswith(first))
            return [one.email for one in islice(members, most)]

        of_files = await asyncio.to_thread(named)
        return list(dict.fromkeys([*known, *of_files]))[:most]

    @override
    async def languages(self) -> Sequence[str]:
        return sorted(languages())

    @override
    async def collect(self, list_name: str) -> str:
        list_, now = self.studio.file(list_name).list, self.studio.clock()
        found = await self.studio.pipeline.collect(list_, agenda(list_, now).today, now=now)
        read = f"{counted(found.read, 'paper')} read, {found.new} of them new."
        return " ".join((read, *(f"Not read: {reason}." for reason in found.failures.values())))

    @override
    async def message(self, asked: Asked) -> Previewed:
        shown = await self._shown(asked)
        issue = shown.issue
        chosen = await self._chosen(shown, asked)
        message = await self.studio.message(issue, chosen.delivery, whole=False)
        raw, sizes = await asyncio.to_thread(_made, message, chosen.delivery)
        spoken = issue.in_language(chosen.delivery.choice.language)
        remarks = await asyncio.to_thread(self._remarks, raw, spoken, chosen.delivery)
        return Previewed(
            day=issue.day,
            subject=chosen.delivery.subject,
            raw=raw,
            sample=shown.is_sample,
            frozen=bool(issue.key),
            note=shown.note,
            remarks=remarks,
            checks=len(rules()),
            considered=await self._considered(shown, chosen, asked, sizes),
        )

    @override
    async def considered(self, asked: Asked) -> Considered:
        shown = await self._shown(asked)
        return await self._considered(shown, await self._chosen(shown, asked), asked, None)

    @override
    async def send(self, asked: Asked, to: str) -> str:
        try:
            wire_form(to)
        except AddressError as error:
            raise UsageError(str(error)) from error
        shown = await self._shown(asked)
        chosen = await self._chosen(shown, asked)
        outcome = await self.studio.send(shown.issue, to, chosen.delivery)
        return f"{to}: {outcome.state.value} by {outcome.relay} ({outcome.code} {outcome.text})"

    @override
    async def portrait(self, asked: Asked) -> Portrait | None:
        if not asked.reader:
            return None
        list_, store = self.studio.file(asked.list).list, self.studio.pipeline.store
        readers_of = list_.masthead.readers_of
        reader = await self.studio.subscriber(readers_of, asked.reader, by_file=asked.day is None)
        records = await store.subscribers.records(list_name=readers_of, address_key=reader.address_key, limit=1)
        cadence = reader.cadence or (Cadence.DAILY if list_.masthead.is_weekly_edition else list_.cadence)
        zone = f" ({reader.timezone or list_.timezone})"
        found = Portrait(
            subscriber=reader,
            known=bool(records) or await self._is_named(asked),
            cadence=cadence,
            days=(reader.days or list_.days) if cadence is Cadence.DAILY else list_.issue_days,
            hour=f"{reader.hour or list_.hour:%H:%M}",
            timezone=zone.strip(" ()"),
        )
        if not records:
            return found
        key = records[0].key
        newest = await store.outbox.of_subscriber(key, asked.list, limit=_STATES_SHOWN)
        said = Counter(one.liked for one in await store.feedback.all_of(key))
        states = {record.day: record.state for record in newest}
        return replace(found, states=states, liked=said[True], disliked=said[False])

    async def _is_named(self, asked: Asked) -> bool:
        """Return whether the list's files name the reader, who is not in the ledger."""
        first = await self.readers(asked.list, asked.reader, most=1)
        return [address_key(one) for one in first] == [address_key(asked.reader)]

    async def _shown(self, asked: Asked) -> _Shown:
        """Return the closed issue, else what it would be, else one of sample listings.

        Where nothing is new on the day that nobody asked for, today, it is the newest issue.
        """
        own, now = self.studio.file(asked.list).list, self.studio.clock()
        list_ = replace(own, ranking=replace(own.ranking, **asked.ranking))
        on, issues = asked.day or agenda(list_, now).today, self.studio.pipeline.store.issues
        if closed := await issues.find(list_.name, on):
            return await self._of_closed(closed, own)
        names = [source.name for source in self.studio.pipeline.sources_of(list_)]
        found = await drafted(self.studio.pipeline.store, list_, names, on, self.studio.pipeline.summaries)
        competition = Competition(among=found.among, previous=found.previous)
        if found.draft.listings:
            note = "A draft: what the issue would be if it were closed now."
            return self._of_draft(found.draft, list_, own, competition, note, now)
        if not asked.day and (latest := await issues.latest(list_.name)):
            note = f"Nothing is new on {on}: this is the newest issue."
            return replace(await self._of_closed(latest, own), note=note)
        candidates = sample.candidates(await self.sample.read(sample.DAY, now=now), listed_on=on)
        draft = select(candidates, list_, on, number=0)
        note = f"Sample listings: no papers are known for {on} yet."
        competition = Competition(among=Measured(candidates, None), previous=None)
        return replace(self._of_draft(draft, list_, own, competition, note, now), is_sample=True)

    def _of_draft(
        self,
        draft: Draft,
        list_: NewsletterList,
        own: NewsletterList,
        competition: Competition,
        note: str,
        now: datetime,
    ) -> _Shown:
        issue = draft.closed(0, self.studio.renderer.subject(draft), now)
        return _Shown(
            issue=issue, list=list_, own=own, competition=competition, note=note, left_out=draft.left_out
        )

    async def _of_closed(self, issue: Issue, list_: NewsletterList) -> _Shown:
        """Return a closed issue, with what its listings were held against when it was closed."""
        store, days = self.studio.pipeline.store, max(lookback(list_), MAX_CATCH_UP_DAYS)
        names = [source.name for source in self.studio.pipeline.sources_of(list_)]
        since = issue.day - timedelta(days=days)
        known = [
            replace(one, sightings=seen)
            for one in await store.library.candidates(names, since=since, until=issue.day)
            if (seen := tuple(each for each in one.sightings if each.seen_at <= issue.frozen_at))
        ]
        previous = await store.issues.latest(issue.list, before=issue.day)
        among = Measured(known, previous.frozen_at if previous else None)
        competition = Competition(among=among, previous=previous)
        return _Shown(issue=issue, list=list_, own=list_, competition=competition)

    async def _chosen(self, shown: _Shown, asked: Asked) -> _Chosen:
        """Return what a reader gets of the issue, or somebody without wishes in a language."""
        issue = shown.issue
        reader = await self.studio.reader(issue, asked.reader) if asked.reader else None
        tag = own_language(asked.language, issue.masthead.language) if asked.language else ""
        weights = USUAL if issue.key else asked.choice
        choose = await asyncio.to_thread(chooser, issue, (), weights)
        delivery = await self.studio.delivery(issue, reader, tag, choose)
        return _Chosen(delivery=delivery, choose=choose, reader=reader)

    async def _considered(self, shown: _Shown, chosen: _Chosen, asked: Asked, sizes: Sizes | None) -> Considered:
        return await asyncio.to_thread(_considered, shown, chosen, asked, sizes)

    def _remarks(self, raw: bytes, issue: Issue, delivery: Delivery) -> list[Remark]:
        findings = lint(raw, issue, is_local=self.is_local)
        if not any(one.spot and one.spot.tag for one in findings):
            return [_remark(one, "") for one in findings]
        line_of = self._lines_of_templates(Mail(raw).html, issue, delivery)
        return [_remark(one, line_of(one.spot) if one.spot else "") for one in findings]

    def _lines_of_templates(self, html: str, issue: Issue, delivery: Delivery) -> Callable[[Spot], str]:
        """Return what finds the template's line of a spot: nothing, if other templates made the mail."""
        self.trace.fingerprint(now=True)
        message = self.traced.message(issue, self.traced.render_for(issue, delivery.choice))
        traced = Mail(message.for_reader(delivery)[1])
        if untraced(traced.html) != html:
            return lambda _: ""

        def line_of(spot: Spot) -> str:
            element = next(islice(traced.page.iter(spot.tag), spot.index, None), None) if spot.tag else None
            return _from_here(self.trace.line_of(element))

        return line_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """An issue that is looked at: its list with the weights that were asked for, and with its own."""

    issue: Issue
    list: NewsletterList
    own: NewsletterList
    competition: Competition
    note: str = ""
    left_out: int = 0
    is_sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A delivery that no ledger knows, and what chose for it; `reader` is None if it is nobody's."""

    delivery: Delivery
    choose: Chooser
    reader: Subscriber | None = field(default=None)


def _made(message: IssueMessage, delivery: Delivery) -> tuple[bytes, Sizes]:
    raw = message.for_reader(delivery)[1]
    return raw, message.pages.html_weights(delivery.choice, delivery.subject)


def _considered(shown: _Shown, chosen: _Chosen, asked: Asked, sizes: Sizes | None) -> Considered:
    issue, list_ = shown.issue, shown.list
    is_weekly = list_.cadence is Cadence.WEEKLY
    return Considered(
        papers=placed(
            issue,
            chosen.delivery.choice,
            worths=chosen.choose.worths(chosen.reader) if chosen.reader else {},
            parts=parts_of(issue, list_, shown.competition),
            sizes=sizes,
        ),
        most=issue.terms.max_listings,
        left_out=shown.left_out,
        frozen=bool(issue.key),
        ranking=VOTES_ONLY if is_weekly else list_.ranking,
        usual=VOTES_ONLY if is_weekly else shown.own.ranking,
        choice=USUAL if issue.key else asked.choice,
        is_weekly=is_weekly,
    )


def _remark(finding: Finding, template: str) -> Remark:
    spot = finding.spot or Spot()
    return Remark(
        failure=finding.level is Level.FAILURE,
        rule=finding.rule,
        where=finding.where,
        message=finding.message,
        why=finding.why,
        tag=spot.tag,
        index=spot.index,
        header=spot.header,
        source_line=spot.source_line,
        text_line=spot.text_line,
        template=template,
    )


def _from_here(place: str) -> str:
    """Return a place in a file as seen from the working folder, if it is in it."""
    path, here = Path(place), Path.cwd()
    return str(path.relative_to(here)) if place and path.is_relative_to(here) else place
