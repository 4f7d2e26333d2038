"""What the pipeline asks of the world, as narrow protocols. Adapters honour them; contract tests hold them to it.

All moments are aware UTC datetimes, all days are plain dates.
"""

from newsletter.ports.address_changes import AddressChange, AddressChanges
from newsletter.ports.alarm import OperatorAlarm
from newsletter.ports.claims import ClaimedDeliveries
from newsletter.ports.delivering import ChunkDelivery, ChunkReport, Progress
from newsletter.ports.examples import Examples, PaperFinder
from newsletter.ports.feedback import Feedback, Said
from newsletter.ports.inbound import (
    ForgedError,
    Hooks,
    InboundCount,
    InboundEvents,
    Mailbox,
    MailboxSource,
    Processed,
    StoredMail,
    Taken,
)
from newsletter.ports.intake import CatchesUp, Clock, ListFile, Lists, LoadedLists, Source
from newsletter.ports.issues import IssueOutline, Issues, IssueSummary
from newsletter.ports.leavings import Leaving, Leavings
from newsletter.ports.letters import LetterKind, Letters
from newsletter.ports.library import Library, Recorded, SourceHealth
from newsletter.ports.listed import ListedPaper, ListedPapers
from newsletter.ports.mailer import Mailer
from newsletter.ports.outbox import Outbox
from newsletter.ports.personal_data import Erasure, PersonalData
from newsletter.ports.pictures import PictureReader, Pictures
from newsletter.ports.records import DeliveryRecord, DeliveryRecords
from newsletter.ports.rendering import Composed, Message, Renderer
from newsletter.ports.rosters import Checked, HeldFiles, Reading, Roster, SeenFiles
from newsletter.ports.signups import Funnel, SignUps
from newsletter.ports.slots import Slots
from newsletter.ports.slow_downs import SlowDown, SlowDownKind, SlowDowns
from newsletter.ports.store import Store
from newsletter.ports.subscribers import Comparison, Confirmed, Leaver, ReaderCounts, SubscriberRecord, Subscribers
from newsletter.ports.suppressions import HeldDomain, HighWater, Suppression, Suppressions

__all__ = [
    "AddressChange",
    "AddressChanges",
    "CatchesUp",
    "Checked",
    "ChunkDelivery",
    "ChunkReport",
    "ClaimedDeliveries",
    "Clock",
    "Comparison",
    "Composed",
    "Confirmed",
    "DeliveryRecord",
    "DeliveryRecords",
    "Erasure",
    "Examples",
    "Feedback",
    "ForgedError",
    "Funnel",
    "HeldDomain",
    "HeldFiles",
    "HighWater",
    "Hooks",
    "InboundCount",
    "InboundEvents",
    "IssueOutline",
    "IssueSummary",
    "Issues",
    "Leaver",
    "Leaving",
    "Leavings",
    "LetterKind",
    "Letters",
    "Library",
    "ListFile",
    "ListedPaper",
    "ListedPapers",
    "Lists",
    "LoadedLists",
    "Mailbox",
    "MailboxSource",
    "Mailer",
    "Message",
    "OperatorAlarm",
    "Outbox",
    "PaperFinder",
    "PersonalData",
    "PictureReader",
    "Pictures",
    "Processed",
    "Progress",
    "ReaderCounts",
    "Reading",
    "Recorded",
    "Renderer",
    "Roster",
    "Said",
    "SeenFiles",
    "SignUps",
    "Slots",
    "SlowDown",
    "SlowDownKind",
    "SlowDowns",
    "Source",
    "SourceHealth",
    "Store",
    "StoredMail",
    "SubscriberRecord",
    "Subscribers",
    "Suppression",
    "Suppressions",
    "Taken",
]
