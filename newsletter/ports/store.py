"""The ledger: all that is kept, each kind with a port of its own."""

from __future__ import annotations

from typing import Protocol

from newsletter.ports.address_changes import AddressChanges
from newsletter.ports.alarm import Alarms
from newsletter.ports.backups import Backups
from newsletter.ports.beats import Beats
from newsletter.ports.cluster import WorkerRegister
from newsletter.ports.examples import Examples
from newsletter.ports.feedback import Feedback
from newsletter.ports.growth import Growth
from newsletter.ports.halts import Halts
from newsletter.ports.inbound import InboundEvents
from newsletter.ports.issues import Issues
from newsletter.ports.leavings import Leavings
from newsletter.ports.library import Library
from newsletter.ports.listed import ListedPapers
from newsletter.ports.notices import Notices
from newsletter.ports.outbox import Outbox
from newsletter.ports.oversight import Oversight
from newsletter.ports.papers import Papers
from newsletter.ports.personal_data import PersonalData
from newsletter.ports.pictures import Pictures
from newsletter.ports.rate_leases import RateLeases
from newsletter.ports.relay_usage import RelayUsage
from newsletter.ports.restored import Restored
from newsletter.ports.shared_counts import SharedCounts
from newsletter.ports.signups import SignUps
from newsletter.ports.slots import Slots
from newsletter.ports.slow_downs import SlowDowns
from newsletter.ports.subscribers import Subscribers
from newsletter.ports.summaries import MachineTexts
from newsletter.ports.suppressions import HighWater, Suppressions
from newsletter.ports.tidying import Tidying
from newsletter.ports.turns import Turns


class Store(Protocol):
    """One ledger, with a port for each kind of what it keeps."""

    library: Library  # listings and sightings
    papers: Papers  # one by one, and found by their words
    listed: ListedPapers  # the listings as pages show them
    pictures: Pictures  # what was found at the URLs of papers' pictures
    machine_texts: MachineTexts  # what models wrote of papers
    issues: Issues  # closed
    subscribers: Subscribers  # of all lists
    signups: SignUps  # of who asked on the web and is not on a list yet
    leavings: Leavings  # that they left, as long as that keeps them out
    address_changes: AddressChanges  # new addresses that they ask for
    examples: Examples  # what is known of papers that they gave as examples
    feedback: Feedback  # what they said of papers
    outbox: Outbox  # deliveries
    halts: Halts  # issues of which no more is sent
    growth: Growth  # how many readers there are, day by day
    oversight: Oversight  # what operators look at
    relay_usage: RelayUsage  # how many mails relays were handed
    rates: RateLeases  # of relays and domains, over all processes
    slow_downs: SlowDowns  # what holds mail up for a while
    suppressions: Suppressions  # addresses that are never mailed
    personal_data: PersonalData  # all that is known of one person
    inbound: InboundEvents  # what came back
    high_water: HighWater  # how far the ledger has come
    slots: Slots  # what became of lists' slots
    notices: Notices  # what webhooks and channels are told
    alarms: Alarms  # what operators are told of
    beats: Beats  # that processes do their work
    live_workers: WorkerRegister  # which processes deliver
    backups: Backups  # of itself
    restored: Restored  # what is said of a time that its backup does not know
    shared_counts: SharedCounts  # of what each visitor may do so often
    tidying: Tidying  # removes what is old
    turns: Turns  # work that one process does at a time

    async def is_up_to_date(self) -> bool:
        """Return whether the ledger has just the tables that this version of the program needs.

        Raises:
            StoreError: it cannot be read.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...
