"""What the pipeline asks of the world, as narrow protocols. Adapters honour them; contract tests hold them to it.

All moments are aware UTC datetimes, all days are plain dates.
"""

from newsletter.ports.access_tokens import AccessTokens
from newsletter.ports.address_changes import AddressChange, AddressChanges
from newsletter.ports.alarm import Alarms, OperatorAlarm
from newsletter.ports.backups import Backup, Backups
from newsletter.ports.beats import Beat, Beats
from newsletter.ports.claims import ClaimedDeliveries
from newsletter.ports.cluster import JobCounts, LiveWorker, LiveWorkers, QueueCount, RelayRate
from newsletter.ports.delivering import ChunkDelivery, ChunkReport, Progress
from newsletter.ports.dispatching import Dispatcher
from newsletter.ports.examples import Examples, PaperFinder
from newsletter.ports.feedback import Feedback, Said
from newsletter.ports.growth import Grown, Growth
from newsletter.ports.halts import Halts
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
from newsletter.ports.issues import IssueHeading, IssueOutline, Issues, IssueSummary
from newsletter.ports.job_queue import ClosingJobs, IssueJobs, JobQueue
from newsletter.ports.keeping import LedgerKeeper
from newsletter.ports.leavings import Leaving, Leavings
from newsletter.ports.letters import LetterKind, Letters
from newsletter.ports.library import Library, Recorded, SourceHealth
from newsletter.ports.listed import ListedPaper, ListedPapers
from newsletter.ports.mailer import Mailer
from newsletter.ports.notices import NoticeCounts, Notices
from newsletter.ports.outbox import Outbox
from newsletter.ports.oversight import CameBack, Oversight, Place, PlacedDelivery, Returned
from newsletter.ports.papers import Found, InIssue, Paper, PaperAddress, Papers
from newsletter.ports.personal_data import Erasure, Known, PersonalData
from newsletter.ports.pictures import PictureReader, Pictures
from newsletter.ports.posting import Answer, Poster
from newsletter.ports.rate_leases import AskedPlaces, RateLeases
from newsletter.ports.records import DeliveryRecord, DeliveryRecords
from newsletter.ports.relay_usage import Granted, RelayUsage
from newsletter.ports.rendering import Composed, Message, Renderer
from newsletter.ports.restored import Restored
from newsletter.ports.rosters import Checked, HeldFiles, Reading, Roster, SeenFiles
from newsletter.ports.signups import Funnel, SignUps
from newsletter.ports.slots import Slots
from newsletter.ports.slow_downs import SlowDown, SlowDownKind, SlowDowns
from newsletter.ports.store import Store
from newsletter.ports.subscribers import Comparison, Confirmed, Leaver, ReaderCounts, SubscriberRecord, Subscribers
from newsletter.ports.summaries import (
    MachineText,
    MachineTexts,
    ModelAnswer,
    ModelUsage,
    Reserved,
    Summarizer,
)
from newsletter.ports.suppressions import HeldDomain, HighWater, Reached, Suppression, Suppressions
from newsletter.ports.turns import Turns

__all__ = [
    "AccessTokens",
    "AddressChange",
    "AddressChanges",
    "Alarms",
    "Answer",
    "AskedPlaces",
    "Backup",
    "Backups",
    "Beat",
    "Beats",
    "CameBack",
    "CatchesUp",
    "Checked",
    "ChunkDelivery",
    "ChunkReport",
    "ClaimedDeliveries",
    "Clock",
    "ClosingJobs",
    "Comparison",
    "Composed",
    "Confirmed",
    "DeliveryRecord",
    "DeliveryRecords",
    "Dispatcher",
    "Erasure",
    "Examples",
    "Feedback",
    "ForgedError",
    "Found",
    "Funnel",
    "Granted",
    "Grown",
    "Growth",
    "Halts",
    "HeldDomain",
    "HeldFiles",
    "HighWater",
    "Hooks",
    "InIssue",
    "InboundCount",
    "InboundEvents",
    "IssueHeading",
    "IssueJobs",
    "IssueOutline",
    "IssueSummary",
    "Issues",
    "JobCounts",
    "JobQueue",
    "Known",
    "Leaver",
    "Leaving",
    "Leavings",
    "LedgerKeeper",
    "LetterKind",
    "Letters",
    "Library",
    "ListFile",
    "ListedPaper",
    "ListedPapers",
    "Lists",
    "LiveWorker",
    "LiveWorkers",
    "LoadedLists",
    "MachineText",
    "MachineTexts",
    "Mailbox",
    "MailboxSource",
    "Mailer",
    "Message",
    "ModelAnswer",
    "ModelUsage",
    "NoticeCounts",
    "Notices",
    "OperatorAlarm",
    "Outbox",
    "Oversight",
    "Paper",
    "PaperAddress",
    "PaperFinder",
    "Papers",
    "PersonalData",
    "PictureReader",
    "Pictures",
    "Place",
    "PlacedDelivery",
    "Poster",
    "Processed",
    "Progress",
    "QueueCount",
    "RateLeases",
    "Reached",
    "ReaderCounts",
    "Reading",
    "Recorded",
    "RelayRate",
    "RelayUsage",
    "Renderer",
    "Reserved",
    "Restored",
    "Returned",
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
    "Summarizer",
    "Suppression",
    "Suppressions",
    "Taken",
    "Turns",
]
