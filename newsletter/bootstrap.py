"""The composition root: the one place where settings become clients and parts become a program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from newsletter.core.delivery import RetryPolicy
from newsletter.core.errors import ConfigurationError
from newsletter.core.tokens import Links
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.mailer import RelayMailer
from newsletter.delivery.service import DeliveryService
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.lists.files import ListFiles
from newsletter.operations.alarms import Alarm
from newsletter.pipeline.check import check_issue
from newsletter.pipeline.deliver import ClosedIssues, Delivering
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.run import Pipeline
from newsletter.ports import Lists, Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.scheduling.tick import Ticker
from newsletter.settings import Settings
from newsletter.settings.dkim import signer
from newsletter.settings.reach import relays_are_local
from newsletter.settings.secret_key import kept_key
from newsletter.sources import registry
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.parts import NO_SERVICES, NoHttp, SourceConfig
from newsletter.sources.pictures import WebPictures
from newsletter.store import open_store, sqlite_file, upgrade
from newsletter.web.studio import sample
from newsletter.web.studio.one_message import Studio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.ports import Source
    from newsletter.settings.groups import DeliverySettings, RelaySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The parts that commands work with."""

    settings: Settings
    lists: Lists
    store: Store
    pipeline: Pipeline
    delivery: DeliveryService
    links: Links
    templates: TemplateRenderer
    studio: Studio
    alarm: Alarm
    ticker: Ticker
    problem_of_link: Callable[[str], Awaitable[str]]


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Program]:
    """Build the program for as long as the context lasts.

    Raises:
        ConfigurationError: a setting, key file or list file is wrong.
        StoreError: the ledger cannot be opened.
    """
    http = http_client(settings)
    store = await open_store(settings.database.url.get_secret_value())
    try:
        program = _assembled(settings, store, http)
        async with program.delivery:
            yield program
    finally:
        await store.close()
        await http.aclose()


def _assembled(settings: Settings, store: Store, http: HttpClient) -> Program:
    links = Links(settings.web.public_url, secret_key(settings))
    templates = TemplateRenderer(own_templates(settings), packaged_templates())
    dkim = signer(settings.dkim)
    renderer = MailRenderer(templates, links, dkim)
    relays = [SmtpRelay(_relay_config(relay, further)) for further, relay in _relays(settings)]
    delivery, mailer = _delivery(settings, store, relays), RelayMailer(relays)
    pipeline = _pipeline(settings, store, http, renderer, delivery)
    lists = list_files(settings)
    alarm = Alarm(
        to=settings.alarm.to,
        templates=templates,
        packaged=TemplateRenderer(None, packaged_templates()),
        mailer=mailer,
        signer=dkim,
        folder=settings.paths.state / "alarms",
        clock=utc_now,
    )
    samples = registry.build(sample.SPEC, folder=sample.FOLDER, config=NO_SERVICES, http=NoHttp())
    return Program(
        settings=settings,
        lists=lists,
        store=store,
        pipeline=pipeline,
        delivery=delivery,
        links=links,
        templates=templates,
        studio=Studio(
            files=lists, pipeline=pipeline, renderer=renderer, mailer=mailer, clock=utc_now, sample=samples
        ),
        alarm=alarm,
        ticker=Ticker(lists, pipeline, alarm),
        problem_of_link=partial(http.problem, public_only=not settings.http.allow_private),
    )


def _pipeline(
    settings: Settings, store: Store, http: HttpClient, renderer: MailRenderer, delivery: DeliveryService
) -> Pipeline:
    closed = ClosedIssues(store.issues, renderer)
    mark = HighWaterMark(store.high_water, settings.paths.state)
    return Pipeline(
        store=store,
        renderer=renderer,
        closed=closed,
        delivering=Delivering(store, closed, delivery, utc_now, mark),
        sources_of=_sources_of(settings, http),
        check=partial(check_issue, is_local=relays_are_local(settings.smtp)),
        mark=mark,
        pictures=WebPictures(http, public_only=not settings.http.allow_private)
        if settings.http.pictures
        else None,
    )


def _delivery(settings: Settings, store: Store, relays: Sequence[SmtpRelay]) -> DeliveryService:
    ledger = ledger_file(settings)  # where it is a file, all who use it run on this machine
    return DeliveryService(
        store.outbox,
        relays,
        _rules(settings),
        batch=settings.delivery.batch,
        journals=ledger and ledger.with_name(f"{ledger.name}.journals"),
        limits=domain_limits(settings.delivery),
        hindrances=store.hindrances,
    )


def utc_now() -> datetime:
    """Return the present moment: the one clock that the program reads."""
    return datetime.now(UTC)


def list_files(settings: Settings) -> ListFiles:
    """Return the operator's list files."""
    return ListFiles(settings.paths.subscribers, check_source=registry.check, finds_nothing=registry.finds_nothing)


def check_folder(settings: Settings) -> None:
    """Find out whether this is a working folder, before anything is written into it.

    It is one if it has list files, or a ledger: who has removed the last list may still look at what went out.

    Raises:
        ConfigurationError: it is none; says where list files were looked for.
    """
    lists, ledger = list_files(settings), ledger_file(settings)
    if ledger is not None and ledger.exists():
        return
    if lists.is_empty() and ledger is not None:
        raise ConfigurationError(
            f"{lists.folder.absolute()}: there is no list file (.toml): `newsletter init` writes a first one; "
            "`newsletter --dir DIR …` works in another folder"
        )


def ledger_file(settings: Settings) -> Path | None:
    """Return the file that holds the ledger, if it is a file."""
    return sqlite_file(settings.database.url.get_secret_value())


async def upgrade_database(settings: Settings) -> None:
    """Bring the database to this version's tables."""
    await upgrade(settings.database.url.get_secret_value())


def packaged_templates() -> Path:
    """Return the folder of the program's own templates: in the wheel, or at the top of a checkout."""
    packaged = Path(__file__).parent / "_templates"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"


def own_templates(settings: Settings) -> Path | None:
    """Return the operator's folder of templates, if there is one."""
    return settings.paths.templates if settings.paths.templates.is_dir() else None


def secret_key(settings: Settings) -> str:
    """Return the key that signs links: the operator's, or one made once and kept beside the ledger.

    Raises:
        ConfigurationError: the key cannot be kept, or what is kept is no key; names the file.
    """
    return settings.web.secret_key.get_secret_value() or kept_key(settings.paths.state / "secret_key")


def http_client(settings: Settings) -> HttpClient:
    """Return what asks sources."""
    return HttpClient(
        HttpConfig(
            user_agent=settings.http.user_agent,
            timeout=settings.http.timeout,
            retries=settings.http.retries,
            state=settings.paths.state,
        )
    )


def domain_limits(delivery: DeliverySettings) -> DomainLimits:
    """Return what each recipient domain is sent; what is not said of a single domain is as for all."""
    general = Limit(at_once=delivery.domain_connections, rate=delivery.domain_rate)
    own = {
        domain: Limit(
            at_once=general.at_once if limit.connections is None else limit.connections,
            rate=general.rate if limit.rate is None else limit.rate,
        )
        for domain, limit in delivery.domains.items()
    }
    return DomainLimits(general, own)


def _sources_of(settings: Settings, http: HttpClient) -> Callable[[NewsletterList], list[Source]]:
    config = SourceConfig(
        huggingface_url=settings.huggingface.url,
        arxiv_url=settings.arxiv.url,
        arxiv_rss_url=settings.arxiv.rss_url,
        biorxiv_url=settings.biorxiv.url,
        hackernews_url=settings.hackernews.url,
        allow_private=settings.http.allow_private,
    )

    def sources_of(newsletter_list: NewsletterList) -> list[Source]:
        folder = Path(newsletter_list.folder)
        return [registry.build(spec, folder=folder, config=config, http=http) for spec in newsletter_list.sources]

    return sources_of


def _rules(settings: Settings) -> Rules:
    policy = RetryPolicy(
        max_attempts=settings.delivery.max_attempts, give_up_after=settings.delivery.give_up_after
    )
    return Rules(retry=policy, uncertain=settings.delivery.uncertain, clock=utc_now, jitter=SystemRandom().random)


def _relays(settings: Settings) -> Iterator[tuple[int | None, RelaySettings]]:
    """Yield the first relay, and the further ones with their numbers."""
    yield None, settings.smtp
    yield from enumerate(settings.smtp.relays)


def _relay_config(relay: RelaySettings, further: int | None) -> RelayConfig:
    return RelayConfig(
        host=relay.host,
        port=relay.port,
        username=relay.username,
        password=relay.password.get_secret_value(),
        security=relay.security,
        ca_file=relay.ca_file,
        ehlo_name=relay.ehlo_name,
        greeting_timeout=relay.greeting_timeout,
        timeout=relay.timeout,
        final_timeout=relay.final_timeout,
        pipelining=relay.pipelining,
        further=further,
        connections=relay.connections,
        messages_per_connection=relay.messages_per_connection,
        rate=relay.rate,
        weight=relay.weight,
    )
