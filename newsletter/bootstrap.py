"""The composition root: the one place where settings become clients and parts become a program."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import structlog

from newsletter.core.delivery import RetryPolicy
from newsletter.core.errors import ConfigurationError, LintError
from newsletter.core.network import on_loopback, unreachable
from newsletter.core.tokens import Links
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.mailer import RelayMailer
from newsletter.delivery.service import DeliveryService
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.lists.files import ListFiles
from newsletter.operations.alarms import Alarm
from newsletter.pipeline.deliver import ClosedIssues, Delivering
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.run import Pipeline
from newsletter.ports import Lists, Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint import Level, lint
from newsletter.render.mime.signing import Signer, SigningKey
from newsletter.settings import Settings
from newsletter.settings.secret_key import kept_key
from newsletter.sources import registry
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.parts import SourceConfig
from newsletter.store import open_store, sqlite_file, upgrade
from newsletter.web.studio.one_message import Studio, for_nobody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from newsletter.core.issue import Issue
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.ports import Message, Source
    from newsletter.settings.groups import DeliverySettings, RelaySettings

log = structlog.get_logger(__name__)


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
    dkim = signer(settings)
    renderer = MailRenderer(templates, links, dkim)
    closed = ClosedIssues(store.issues, renderer)
    mark = HighWaterMark(store.high_water, settings.paths.state)
    relays = [SmtpRelay(_relay_config(relay, further)) for further, relay in _relays(settings)]
    delivery, mailer = _delivery(settings, store, relays), RelayMailer(relays)
    pipeline = Pipeline(
        store=store,
        renderer=renderer,
        closed=closed,
        delivering=Delivering(store, closed, delivery, utc_now, mark),
        sources_of=_sources_of(settings, http),
        check=partial(check_issue, is_local=relays_are_local(settings)),
        clock=utc_now,
        mark=mark,
    )
    lists = list_files(settings)
    return Program(
        settings=settings,
        lists=lists,
        store=store,
        pipeline=pipeline,
        delivery=delivery,
        links=links,
        templates=templates,
        studio=Studio(files=lists, pipeline=pipeline, renderer=renderer, mailer=mailer),
        alarm=Alarm(
            to=settings.alarm.to,
            templates=templates,
            packaged=TemplateRenderer(None, packaged_templates()),
            mailer=mailer,
            signer=dkim,
            folder=settings.paths.state / "alarms",
            clock=utc_now,
        ),
        problem_of_link=partial(http.problem, public_only=not settings.http.allow_private),
    )


def _delivery(settings: Settings, store: Store, relays: Sequence[SmtpRelay]) -> DeliveryService:
    return DeliveryService(
        store.outbox,
        relays,
        _rules(settings),
        batch=settings.delivery.batch,
        journals=store.file and store.file.with_name(f"{store.file.name}.journals"),
        limits=domain_limits(settings.delivery),
        hindrances=store.hindrances,
    )


def utc_now() -> datetime:
    """Return the present moment: the one clock that the program reads."""
    return datetime.now(UTC)


def list_files(settings: Settings) -> ListFiles:
    """Return the operator's list files."""
    return ListFiles(settings.paths.subscribers, check_source=registry.check)


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
    """Return the file that holds the ledger, where it is one."""
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


def signer(settings: Settings) -> Signer | None:
    """Return what signs messages with DKIM, or None where no key is set.

    Raises:
        ConfigurationError: a key file cannot be read or holds another kind of key; names setting and file.
    """
    dkim = settings.dkim
    if dkim.key_file is None:
        return None
    keys = [_signing_key(dkim.selector, dkim.key_file, "KEY_FILE")]
    if weakness := keys[0].weakness:
        log.warning(
            "dkim_key_is_weak", setting="NEWSLETTER_DKIM__KEY_FILE", file=str(dkim.key_file), reason=weakness
        )
    if dkim.ed25519_key_file is not None:
        second = _signing_key(dkim.ed25519_selector, dkim.ed25519_key_file, "ED25519_KEY_FILE")
        if second.algorithm != "ed25519-sha256":
            raise ConfigurationError(
                f"NEWSLETTER_DKIM__ED25519_KEY_FILE: {dkim.ed25519_key_file} is no Ed25519 key: it would sign as "
                f"RSA twice"
            )
        keys.append(second)
    return Signer(dkim.domain, *keys)


def _signing_key(selector: str, path: Path, setting: str) -> SigningKey:
    try:
        return SigningKey.load(selector, path)
    except ConfigurationError as error:
        raise ConfigurationError(f"NEWSLETTER_DKIM__{setting}: {error}") from error


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


def relays_are_local(settings: Settings) -> bool:
    """Tell whether every relay is on this machine."""
    return all(on_loopback(relay.host) for relay in (settings.smtp, *settings.smtp.relays))


def check_public_url(settings: Settings) -> str:
    """Return why the links of mails would lead readers nowhere, or nothing."""
    url = settings.web.public_url
    if not url or not (reason := unreachable(url)):
        return ""
    return f"NEWSLETTER_WEB__PUBLIC_URL: {reason}: write a public https:// address, or leave it empty"


def check_issue(issue: Issue, message: Message, *, is_local: bool = False) -> None:
    """Look at an issue's final bytes before anything is sent; log what could be better.

    Args:
        issue: the issue.
        message: what it was rendered to.
        is_local: every relay is on this machine.

    Raises:
        LintError: the issue must not go out as it is; names the first finding.
    """
    _, raw = message.for_reader(for_nobody(issue))
    findings = lint(raw, issue, is_local=is_local)
    for finding in findings:
        log.warning("lint", list=issue.list, rule=finding.rule, where=finding.where, message=finding.message)
    failures = [finding for finding in findings if finding.level is Level.FAILURE]
    if failures:
        more = f" (and {len(failures) - 1} more: `newsletter lint`)" if len(failures) > 1 else ""
        raise LintError(f"{issue.list} {issue.day}: {failures[0].where}: {failures[0].message}{more}")


def configure_logging(settings: Settings) -> None:
    """Log to stderr, for people or as JSON lines; the standard library's records too."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = (
        (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
        if settings.log.format == "json"
        else (
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The default shows the values of variables, secrets and addresses among them.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        )
    )
    level = logging.getLevelNamesMapping()[settings.log.level.upper()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(message)s")


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
