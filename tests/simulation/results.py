"""What a simulation came to: whether each reader got each issue that was due, once, in time, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.simulation.expected import List, Reader, due
from tests.simulation.run import Simulation
from tests.simulation.story import SLOW_DOMAIN, Story
from tests.simulation.world import Copy, notes_of, papers_of

HOUR = timedelta(hours=1)
_DEADLINE = {False: timedelta(hours=36), True: timedelta(days=4)}  # by whether it is a weekly issue
_AFTER_PROVIDER = timedelta(hours=6)  # what was deferred again and again is tried again within that
_IN_FLIGHT = 4  # messages, one on each connection: so many come twice at most when a process is killed
_READ_BACK = timedelta(days=14)  # what comes on the last days may come to readers after the end


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A copy that is due: of which issue, to whom, when, and until when it has to be there."""

    reader: Reader
    edition: str
    day: date
    due: datetime
    by: datetime


@dataclass(kw_only=True)
class Results:
    """What a simulation came to. All that is in `wrong` is a mistake."""

    expected: int = 0
    in_time: int = 0
    after_trouble: int = 0  # later than an hour, as the program was down or could not send
    again: int = 0  # second copies of what was in flight at a kill, with the same Message-ID
    papers: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.wrong


def judged(simulation: Simulation) -> Results:
    """Compare what the relay took with what was due."""
    results = Results()
    copies = dict(simulation.relay.copies_of)
    for one in expected(simulation.story):
        results.expected += 1
        _judge(results, one, copies.pop((one.reader.address, one.edition, one.day), []))
    for (address, edition, day), [first, *_] in copies.items():
        results.wrong.append(f"{address} got {edition} of {day} at {first.at:%m-%d %H:%M} UTC, which was not due")
    _judge_papers(results, simulation)
    most_again = _IN_FLIGHT * len([point for _, point in simulation.died if point != "SIGTERM"])
    if results.again > most_again:
        results.wrong.append(f"{results.again} copies came twice, more than were in flight at kills")
    if simulation.deaths_to_come:
        results.wrong.append(f"never died: {simulation.deaths_to_come}")
    return results


def _judge(results: Results, one: Expected, copies: list[Copy]) -> None:
    what = f"{one.reader.address}, {one.edition} of {one.day}, due {one.due:%m-%d %H:%M} UTC"
    if not copies:
        results.wrong.append(f"{what}: never came")
        return
    if len({copy.message_id for copy in copies}) > 1:
        results.wrong.append(f"{what}: came {len(copies)} times")
    results.again += len(copies) - 1
    came = copies[0].at
    if came < one.due:
        results.wrong.append(f"{what}: came too early, {came:%m-%d %H:%M}")
    elif came <= one.due + HOUR:
        results.in_time += 1
    elif came <= one.by:
        results.after_trouble += 1
    else:
        results.wrong.append(f"{what}: came late, {came:%m-%d %H:%M}")


def _judge_papers(results: Results, simulation: Simulation) -> None:
    """See that no reader got a paper twice, and that who reads daily all the time got all of them."""
    long = [span for span in simulation.story.down if span.until - span.since >= _DEADLINE[False]]
    withdrawn = {one.address for one in simulation.story.readers_at(simulation.now) if one.hour and long}
    by_reader: dict[tuple[str, str], list[tuple[str, date, frozenset[str]]]] = {}
    for (address, edition, day), [copy, *_] in simulation.relay.copies_of.items():
        by_reader.setdefault((address, edition.removesuffix(".weekly")), []).append((edition, day, copy.papers))
    for (address, name), issues in by_reader.items():
        counted = Counter(paper for _, _, papers in issues for paper in papers)
        results.papers += counted.total()
        results.wrong += [f"{address} got {paper} {count} times" for paper, count in counted.items() if count > 1]
        if address.startswith(("leaves", "weekly")):
            continue
        missing = [paper for paper in _all_papers(simulation.story, name) if paper not in counted]
        results.lost += len(missing)
        if address in withdrawn:  # their issue was old news when the program came back
            continue
        results.wrong += [f"{address} never got {', '.join(missing[:5])} …"] if missing else []


def _all_papers(story: Story, name: str) -> list[str]:
    """Return what was listed early enough to come to each reader, from the first day on."""
    days, day = [], story.first.date()
    while day <= (story.last - timedelta(days=4)).date():
        days.append(day)
        day += timedelta(days=1)
    of = next(one for one in story.lists if one.name == name)
    papers = [paper for day in days for paper in papers_of(day)] if "huggingface" in of.sources else []
    return papers + [note for day in days for note in notes_of(day)]


def expected(story: Story) -> list[Expected]:
    """Return all copies that are due, up to two days before the end."""
    found = []
    for of in story.lists:
        for weekly in (False, True):
            slots = of.slots(story.first.date() - timedelta(days=1), story.last.date(), weekly=weekly)
            for (day, slot), newer in zip(slots, [*(at for _, at in slots[1:]), None], strict=True):
                made = _up_at(story, max(slot, story.first))
                begins = story.first.astimezone(ZoneInfo(of.zone)).date()  # a new list begins with its first day
                is_over = made - slot > _DEADLINE[weekly] or (newer is not None and newer <= made)
                if day < begins or made > story.last or is_over:  # a newer issue brings its papers
                    continue
                readers = [one for one in story.readers_at(made) if one.list == of.name and one.weekly == weekly]
                found += [one for reader in readers if (one := _expected(story, of, reader, day, slot, made))]
    return found


def _expected(
    story: Story, of: List, reader: Reader, day: date, slot: datetime, made: datetime
) -> Expected | None:
    """Return the copy of an issue that a reader is to get; None: it is withdrawn, or due after the end."""
    at = max(due(reader, of, slot), made)
    sent = _up_at(story, at)
    if reader.address.startswith("leaves") and story.leaves and sent >= story.leaves:
        return None
    if sent - at > _DEADLINE[reader.weekly] or sent + 2 * HOUR > story.last:
        return None
    name = of.name + (".weekly" if reader.weekly else "")
    return Expected(reader=reader, edition=name, day=day, due=at, by=_by(story, reader, sent))


def _up_at(story: Story, moment: datetime) -> datetime:
    """Return the first time from a moment on that the program runs."""
    return next((span.until for span in story.down if moment in span), moment)


def _by(story: Story, reader: Reader, at: datetime) -> datetime:
    """Return by when a copy that can be sent from a moment on has to be there: in an hour, or after trouble."""
    by = at + HOUR
    for span in (*story.relay_down, *story.login_expired):
        if span.touches(at, by):
            by = span.until + HOUR
    for span in story.domain_down:
        if reader.address.endswith(SLOW_DOMAIN) and span.touches(at, by):
            by = span.until + _AFTER_PROVIDER
    return by


def table(simulation: Simulation, results: Results) -> str:
    """Return what it came to, in rows for people."""
    story = simulation.story
    alarms = Counter(subject.partition(":")[2].strip() or subject for _, subject in simulation.relay.alarms)
    rows = [
        ("time", f"{story.first:%Y-%m-%d} to {story.last:%Y-%m-%d}, {simulation.ticks} ticks"),
        ("processes", f"{simulation.starts} started, {len(simulation.died)} killed or ended at work"),
        ("sources' answers", f"{simulation.sources.answers}, faulty: {simulation.sources.faulty}"),
        ("readers", f"{len(story.readers_at(story.first))} of {len(story.lists)} lists"),
        ("copies due", str(results.expected)),
        ("… came within the hour", str(results.in_time)),
        ("… came later, after downtime or trouble of the relay", str(results.after_trouble)),
        ("second copies of what was in flight at a kill", str(results.again)),
        ("papers sent", str(results.papers)),
        ("papers of copies that were withdrawn as too late", str(results.lost)),
        ("other mails", str(len(simulation.relay.others))),
        *((f"alarm: {what}", str(count)) for what, count in sorted(alarms.items())),
        ("mistakes", str(len(results.wrong))),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
