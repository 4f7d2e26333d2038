"""What a list file may hold, as pydantic models, and what core makes of it.

The defaults are those of `core.newsletter_list`. Subscribers are validated one by one (`SubscriberTable`), so that
the good ones can be compared with each other although others, or the list itself, are wrong.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from email.headerregistry import Address as Mailbox
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from newsletter.core.choice import TextKind
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import Follow, read_follow
from newsletter.core.landing import Landing
from newsletter.core.layout import Layout
from newsletter.core.newsletter_list import (
    WEEKDAYS,
    Cadence,
    Hours,
    Masthead,
    NewsletterList,
    QuietDays,
    SignUpRule,
)
from newsletter.core.ranking import Weights
from newsletter.core.subscriber import Member
from newsletter.core.topics import Topic, TopicsMode
from newsletter.lists.addresses import Addresses
from newsletter.lists.channels import Channels, Target, channels_of, check_names
from newsletter.lists.summaries import SummariesTable
from newsletter.lists.tables import STRICT, Context, like, reads
from newsletter.lists.values import (
    read_cadence,
    read_colour,
    read_days,
    read_hour,
    read_hours,
    read_landing,
    read_language,
    read_line,
    read_own_language,
    read_quiet_days,
    read_span,
    read_subject,
    read_text_kind,
    read_timezone,
    read_topic,
    read_topics_mode,
    read_weekday,
)


def read_sender(text: str, addresses: Addresses) -> str:
    """Return `Name <address>` or a bare address as a header has it, the name in quotes where it needs them."""
    name, bracket, address = text.strip().removesuffix(">").rpartition("<")
    if not bracket and " " in address:
        raise ValueError(f'{text!r} is not a sender: write it like "Daily Papers <papers@example.org>"')
    local, _, domain = addresses.read(address.strip()).rpartition("@")
    if quoted := re.fullmatch(r'"(.*)"', name.strip()):
        name = re.sub(r"\\(.)", r"\1", quoted[1])
    return str(Mailbox(read_line(name), local, domain)) if name.strip() else f"{local}@{domain}"


def _check_source(text: str, context: Context) -> str:
    if mistake := context.check_source(text):
        raise ValueError(mistake)
    return text


def _read_examples(value: object, info: ValidationInfo[Context]) -> tuple[GivenPaper, ...]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return info.context.examples.read(one.strip() for one in value)
    raise ValueError('write a list in square brackets, such as ["2501.12345", "refs.bib"]')


def _read_own_days(value: object, info: ValidationInfo[Context]) -> tuple[int, ...]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return read_days(value, info.context.days)
    raise ValueError('write a list in square brackets, such as ["mon", "thu"]')


_TIME, _ADDRESS = r"([01]?\d|2[0-3]):[0-5]\d", r"[^\s<>]+@[^\s<>]+"
_DAY = Annotated[str, Field(json_schema_extra={"enum": [*WEEKDAYS]})]

Text = Annotated[str, reads(lambda text, _: text)]
Line = Annotated[str, reads(lambda text, _: read_line(text), like(r".*\S.*"))]
Name = Annotated[str, reads(lambda text, _: text and read_line(text))]
Hour = Annotated[time, reads(lambda text, _: read_hour(text), like(_TIME))]
ReadHours = Annotated[Hours, reads(lambda text, _: read_hours(text), like(rf"{_TIME}\s*-\s*{_TIME}"))]
Span = Annotated[timedelta, reads(lambda text, _: read_span(text), like(r"\d+[hd]"))]
Timezone = Annotated[str, reads(lambda text, _: read_timezone(text))]
ReadCadence = Annotated[Cadence, reads(lambda text, _: read_cadence(text), Cadence)]
ReadTopicsMode = Annotated[TopicsMode, reads(lambda text, _: read_topics_mode(text), TopicsMode)]
ReadTextKind = Annotated[TextKind, reads(lambda text, _: read_text_kind(text), TextKind)]
ReadLanding = Annotated[Landing, reads(lambda text, _: read_landing(text), Landing)]
ReadQuietDays = Annotated[QuietDays, reads(lambda text, _: read_quiet_days(text), QuietDays)]
Weekday = Annotated[int, reads(lambda text, _: read_weekday(text), _DAY)]
Colour = Annotated[str, reads(lambda text, _: read_colour(text), like("#[0-9A-Fa-f]{6}"))]
Language = Annotated[str, reads(lambda text, _: read_language(text))]
Address = Annotated[str, reads(lambda text, context: context.addresses.read(text), like(_ADDRESS))]
Sender = Annotated[str, reads(lambda text, context: read_sender(text, context.addresses))]
Source = Annotated[str, reads(_check_source)]
ReadFollow = Annotated[Follow, reads(lambda text, _: read_follow(text))]
OwnDays = Annotated[Any, BeforeValidator(_read_own_days, json_schema_input_type=list[_DAY])]
OwnLanguage = Annotated[str, reads(lambda text, _: read_own_language(text))]
ReadExamples = Annotated[Any, BeforeValidator(_read_examples, json_schema_input_type=list[str])]
Pattern = Annotated[str, reads(lambda text, _: read_subject(text))]
TopicChoice = Annotated[str, reads(lambda text, context: read_topic(text, context.topics))]


Cards = Annotated[int, Field(ge=0, le=50)]
Weight = Annotated[float, Field(ge=0, le=100)]

_MINUS = "-"
_MOST_LISTINGS = 1_000_000  # more than any list has; SQL and slices hold no number of any size


class Table(BaseModel):
    """A table of a list file."""

    model_config = STRICT


class TopicTable(Table):
    """`[topics.<name>]`. A keyword with a minus in front is a word to exclude."""

    keywords: list[Line] = []
    categories: list[Line] = []
    authors: list[Line] = []
    organizations: list[Line] = []
    exclude: list[Line] = []

    @model_validator(mode="after")
    def _matches_something(self) -> TopicTable:
        wanted = [keyword for keyword in self.keywords if not keyword.startswith(_MINUS)]
        if not (wanted or self.categories or self.authors or self.organizations):
            raise ValueError("matches nothing: add keywords, categories, authors or organizations")
        return self

    def to_topic(self, name: str) -> Topic:
        """Return the topic as core knows it."""
        excluded = (keyword.removeprefix(_MINUS) for keyword in self.keywords if keyword.startswith(_MINUS))
        return Topic(
            name=name,
            keywords=tuple(keyword for keyword in self.keywords if not keyword.startswith(_MINUS)),
            categories=tuple(self.categories),
            authors=tuple(self.authors),
            organizations=tuple(self.organizations),
            exclude=(*self.exclude, *excluded),
        )


class RankingTable(Table):
    """`[ranking]`: how much each signal counts; the defaults are those of `core.ranking`."""

    votes: Weight = Weights().votes
    growth: Weight = Weights().growth
    comments: Weight = Weights().comments
    stars: Weight = Weights().stars
    hackernews: Weight = Weights().hackernews
    freshness: Weight = Weights().freshness

    def to_weights(self) -> Weights:
        """Return the weights as core knows them."""
        return Weights(**self.model_dump())


class SubjectTable(Table):
    """`[subject]`: patterns of the mails' subjects."""

    daily: Pattern | None = None
    weekly: Pattern | None = None

    def to_patterns(self) -> dict[Cadence, str]:
        """Return the patterns as core knows them."""
        return {Cadence(name): pattern for name, pattern in self.model_dump(exclude_none=True).items()}


class LayoutTable(Table):
    """`[layout]`: how many papers a mail shows as cards; the defaults are those of `core.layout`."""

    for_you: Cards = Layout().for_you
    also_today: Cards = Layout().also_today

    def to_layout(self) -> Layout:
        """Return the layout as core knows it."""
        return Layout(**self.model_dump())


class ThemeTable(Table):
    """`[theme]`: what of the look a list may choose, and the words around its papers."""

    intro: Text = ""
    outro: Text = ""
    logo: Line | None = None
    accent: Colour | None = None
    accent_dark: Colour | None = None
    background: Colour | None = None
    background_dark: Colour | None = None
    pictures: Literal["yes", "no"] | None = None
    thumbnails: Literal["yes", "no"] | None = None  # the name of `pictures` in former versions


class SubscriberTable(Table):
    """One of `[[subscribers]]`."""

    email: Address
    name: Name = ""
    topics: list[TopicChoice] = []
    follows: list[ReadFollow] = []
    cadence: ReadCadence | None = None
    hour: Hour | None = None
    timezone: Timezone | None = None
    topics_mode: ReadTopicsMode | None = None
    interest: Name = ""
    examples: ReadExamples = ()
    text: ReadTextKind = TextKind.SUMMARY
    days: OwnDays | None = None
    language: OwnLanguage | None = None

    def to_member(self) -> Member:
        """Return the member as core knows it; a topic that is named twice counts once."""
        return Member(
            email=self.email,
            name=self.name,
            topics=tuple(dict.fromkeys(self.topics)),
            follows=tuple(dict.fromkeys(self.follows)),
            cadence=self.cadence,
            hour=self.hour,
            timezone=self.timezone,
            topics_mode=self.topics_mode,
            interest=self.interest,
            examples=self.examples,
            text=self.text,
            days=self.days,
            language=self.language,
        )


class ListTable(Table):
    """The whole file; what stands in `subscribers` is left to `SubscriberTable`."""

    title: Line
    sender: Sender
    sources: list[Source]
    reply_to: Sender = ""
    postal_address: Text = ""
    language: Language = "en"
    unsubscribe_mailto: Address = ""
    bounces_to: Address = ""
    cadence: ReadCadence = Cadence.DAILY
    days: list[Weekday] = [0, 1, 2, 3, 4]
    weekly_day: Weekday | None = None
    hour: Hour = time(8)
    timezone: Timezone = "UTC"
    hours: ReadHours | None = None
    deadline: Span | None = None
    lookback_days: int = Field(default=3, ge=0, le=366)
    max_listings: int = Field(default=20, ge=0, le=_MOST_LISTINGS)
    min_listings: int = Field(default=1, ge=1, le=_MOST_LISTINGS)
    quiet_days: ReadQuietDays = QuietDays.SKIP
    landing: ReadLanding = Landing.SOURCE
    topics_mode: ReadTopicsMode = TopicsMode.FIRST
    signup: Literal["open", "approval", "closed"] = "closed"
    members: Text | None = None
    theme: ThemeTable = ThemeTable()
    subject: SubjectTable = SubjectTable()
    layout: LayoutTable = LayoutTable()
    ranking: RankingTable = RankingTable()
    channels: Channels = {}
    summaries: SummariesTable = SummariesTable()
    topics: dict[str, TopicTable] = {}
    subscribers: list[dict[str, Any]] = []

    @field_validator("sources", "days")
    @classmethod
    def _each_once(cls, items: list[Any], info: ValidationInfo) -> list[Any]:
        if not items and info.field_name == "sources":
            raise ValueError('name at least one, such as "huggingface"')
        if len(set(items)) < len(items):
            raise ValueError("one of them is named twice: remove it")
        return items

    @field_validator("min_listings")
    @classmethod
    def _fits_limit(cls, least: int, info: ValidationInfo) -> int:
        most = info.data.get("max_listings", 0)
        if 0 < most < least:
            raise ValueError(f"is more than max_listings ({most}), so that no issue would ever come out")
        return least

    @field_validator("topics")
    @classmethod
    def _can_be_chosen(cls, topics: dict[str, TopicTable]) -> dict[str, TopicTable]:
        for name in topics:
            if read_line(name) != name or ";" in name:
                raise ValueError(f"{name!r} cannot be a topic's name: no semicolon, no space at its ends")
        return topics

    @field_validator("channels")
    @classmethod
    def _have_names(cls, channels: dict[str, Target]) -> dict[str, Target]:
        check_names(channels)
        return channels

    def to_list(self, name: str, folder: str) -> NewsletterList:
        """Return the list as core knows it; `folder` is where its file stands."""
        return NewsletterList(
            masthead=self._masthead(name),
            sources=tuple(self.sources),
            folder=folder,
            cadence=self.cadence,
            days=tuple(self.days),
            weekly_day=self.weekly_day,
            hour=self.hour,
            timezone=self.timezone,
            hours=self.hours,
            deadline=self.deadline,
            lookback_days=self.lookback_days,
            max_listings=self.max_listings,
            min_listings=self.min_listings,
            quiet_days=self.quiet_days,
            landing=self.landing,
            signup=SignUpRule(self.signup),
            ranking=self.ranking.to_weights(),
            topics={name: topic.to_topic(name) for name, topic in self.topics.items()},
            topics_mode=self.topics_mode,
            subjects=self.subject.to_patterns(),
            layout=self.layout.to_layout(),
            channels=channels_of(self.channels),
            summaries=self.summaries.to_rule(self.language),
        )

    def _masthead(self, name: str) -> Masthead:
        return Masthead(
            list=name,
            title=self.title,
            sender=self.sender,
            reply_to=self.reply_to,
            postal_address=self.postal_address,
            language=self.language,
            unsubscribe_mailto=self.unsubscribe_mailto,
            bounces_to=self.bounces_to,
            intro=self.theme.intro,
            outro=self.theme.outro,
            theme=self.theme.model_dump(exclude_none=True, exclude={"intro", "outro"}),
            cadence=self.cadence,
        )
