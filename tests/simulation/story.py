"""What happens in a simulation: lists, readers, and the trouble of a year or of two weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.simulation.expected import List, Reader

OPERATOR = "operator@papers.example"
SLOW_DOMAIN = "mailbox.example"

EUROPE = List(
    name="europe",
    hour="07:30",
    zone="Europe/London",
    days=(0, 1, 2, 3, 4, 5, 6),
    weekly_day=4,
    sources=("huggingface", "feed:FEED"),
)
# On one day a year its clocks don't show this hour, and on another one twice.
SYDNEY = List(
    name="sydney",
    hour="02:30",
    zone="Australia/Sydney",
    days=(0, 2, 4, 6),
    weekly_day=6,
    sources=("feed:FEED",),
)
LISTS = (EUROPE, SYDNEY)

_OWN_HOURS = (
    ("London", "Europe/London", "01:30"),  # skipped and repeated there
    ("New York", "America/New_York", "02:30"),  # likewise
    ("Los Angeles", "America/Los_Angeles", "18:00"),
    ("Santiago", "America/Santiago", "00:30"),  # likewise, at midnight
    ("Kolkata", "Asia/Kolkata", "06:15"),
    ("Tokyo", "Asia/Tokyo", "23:45"),
    ("Sydney", "Australia/Sydney", "02:30"),
    ("Lord Howe", "Australia/Lord_Howe", "02:15"),  # the clocks jump by half an hour
    ("Auckland", "Pacific/Auckland", "08:00"),
)


def _readers() -> list[Reader]:
    readers = []
    for of in LISTS:
        for city, zone, hour in _OWN_HOURS:
            address = f"{city.lower().replace(' ', '-')}@{of.name}.example"
            readers.append(Reader(address=address, list=of.name, hour=hour, zone=zone))
        readers.append(Reader(address=f"plain@{of.name}.example", list=of.name))
        readers.append(Reader(address=f"slow-{of.name}@{SLOW_DOMAIN}", list=of.name))
        readers.append(Reader(address=f"leaves@{of.name}.example", list=of.name, hour="12:00"))
        readers.append(
            Reader(address=f"travels@{of.name}.example", list=of.name, hour="09:00", zone="Europe/London")
        )
        readers.append(Reader(address=f"weekly@{of.name}.example", list=of.name, weekly=True))
        weekly = Reader(
            address=f"weekly-tokyo@{of.name}.example", list=of.name, hour="20:00", zone="Asia/Tokyo", weekly=True
        )
        readers.append(weekly)
    return readers


READERS = tuple(_readers())


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when (UTC) something is so."""

    since: datetime
    until: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    def touches(self, since: datetime, until: datetime) -> bool:
        """Return whether any of the time from `since` to `until` is in it."""
        return self.since <= until and since < self.until


@dataclass(frozen=True, slots=True)
class Death:
    """The process dies in the first tick from a moment on in which it comes to a point for the `count`th time.

    Without a point it is asked to end (SIGTERM) while it delivers.
    """

    since: datetime
    point: str
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happens to some lists from `first` to `last` (UTC).

    `down`: no process runs. `relay_down`: the relay refuses connections. `login_expired`: it refuses the login, as
    when a token has expired. `domain_down`: a provider takes nothing. `twins`: two processes run at once. `moves`:
    when travellers come to a timezone. `leaves`: when those leave who leave. `faults`: the share of faulty answers
    of sources.
    """

    first: datetime
    last: datetime
    lists: tuple[List, ...] = LISTS
    deaths: tuple[Death, ...] = ()
    down: tuple[Span, ...] = ()
    relay_down: tuple[Span, ...] = ()
    login_expired: tuple[Span, ...] = ()
    domain_down: tuple[Span, ...] = ()
    twins: tuple[Span, ...] = ()
    moves: tuple[tuple[datetime, str], ...] = ()
    leaves: datetime | None = None
    faults: float = 0.05
    seed: int = 1

    def is_up(self, moment: datetime) -> bool:
        """Return whether the program runs at a moment."""
        return not any(moment in span for span in self.down)

    def readers_at(self, moment: datetime) -> list[Reader]:
        """Return the readers as the list files have them at a moment."""
        zone = next((zone for since, zone in reversed(self.moves) if since <= moment), "")
        names = {one.name for one in self.lists}
        readers = [one for one in READERS if one.list in names]
        return [one.moved_to(zone) if zone and one.address.startswith("travels") else one for one in readers]


def _on(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


def _for(since: datetime, **long: float) -> Span:
    return Span(since, since + timedelta(**long))


# 2027: Europe's clocks change on March 28 and October 31, North America's on March 14 and November 7, Australia's
# on April 4 and October 3, New Zealand's on April 4 and September 26, Chile's on April 4 and September 5.
YEAR = Story(
    first=_on(1, 4),
    last=datetime(2028, 1, 3, tzinfo=UTC),
    deaths=(
        Death(_on(1, 12), "after the issue is written"),
        Death(_on(2, 3), "after a page is written", 2),
        Death(_on(3, 14), "before a note", 2),
        Death(_on(3, 28), "after something is sent", 3),
        Death(_on(4, 4), "after an answer", 4),
        Death(_on(4, 20), "before the ledger is written"),
        Death(_on(5, 6), "after the issue is closed"),
        Death(_on(6, 1), "after the claim"),
        Death(_on(7, 7), ""),
        Death(_on(8, 15), "before the claim"),
        Death(_on(9, 5), "before the issue's row is written on"),
        Death(_on(10, 3), "after a note", 3),
        Death(_on(10, 31), "after something is sent", 6),
        Death(_on(11, 7), ""),
        Death(_on(12, 2), "after the ledger is written"),
    ),
    down=(_for(_on(5, 18, 4), days=3), _for(_on(9, 20, 5, 50), hours=5)),
    relay_down=(_for(_on(2, 16, 6), hours=4), _for(_on(8, 24, 14), hours=3)),
    login_expired=(_for(_on(6, 22, 5), hours=6),),
    domain_down=(_for(_on(7, 20, 4), hours=8),),
    twins=(_for(_on(11, 15), days=5),),
    moves=(
        (_on(3, 1, 12), "Asia/Tokyo"),
        (_on(6, 10, 12), "America/Los_Angeles"),
        (_on(10, 20, 12), "Pacific/Auckland"),
    ),
    leaves=_on(10, 11, 13),
)

# A long weekend on which Europe's clocks change, of one list.
SPRING = Story(
    first=_on(3, 27),
    last=_on(3, 30),
    lists=(EUROPE,),
    deaths=(Death(_on(3, 27), "after a page is written", 2), Death(_on(3, 28), "after something is sent", 2)),
    down=(_for(_on(3, 29, 6), hours=3),),
    login_expired=(_for(_on(3, 27, 12), minutes=90),),
    twins=(_for(_on(3, 29, 9), hours=5),),
    moves=((_on(3, 28, 12), "Asia/Tokyo"),),
    leaves=_on(3, 28, 12, 30),
)

# Two weeks around the change of Europe's clocks, and those of the south a week later.
FORTNIGHT = Story(
    first=_on(3, 24),
    last=_on(4, 6),
    deaths=(Death(_on(3, 28), "after something is sent", 2), Death(_on(4, 3), "after a page is written", 2)),
    down=(_for(_on(3, 30, 12), hours=10),),
    relay_down=(_for(_on(3, 26, 6), hours=2),),
    login_expired=(_for(_on(4, 1, 6), hours=2),),
    twins=(_for(_on(4, 4), hours=12),),
    moves=((_on(3, 29, 12), "Asia/Tokyo"),),
    leaves=_on(3, 31, 12, 30),
)
