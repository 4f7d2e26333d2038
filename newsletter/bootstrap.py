"""The composition root: the one place where settings become clients and parts become a program.

Each part is made when it is first asked for, and what it is made of is imported then: `status` opens the ledger
and loads no SMTP client, `lists schema` loads no database driver either. So imports stand in functions here,
and those at the top are light, or for types.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.core.errors import ConfigurationError
from newsletter.parts import dispatching, keeping, reading, summarizing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from newsletter.core.issue import Issue
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.core.tokens import Links
    from newsletter.delivery.inline import Inline
    from newsletter.delivery.processes.many import ManyProcesses
    from newsletter.delivery.service import DeliveryService
    from newsletter.lists.files import ListFiles
    from newsletter.operations.alarms import LedgerAlarm
    from newsletter.outgoing.alarms import AlarmMail, Mastheads
    from newsletter.parts.late import LateMailer, LateRenderer
    from newsletter.parts.ledger import Ledger
    from newsletter.parts.receiving import Receiving
    from newsletter.parts.relaying import Relaying
    from newsletter.pipeline.check import IssueCheck
    from newsletter.pipeline.deliver import ClosedIssues, Delivering
    from newsletter.pipeline.high_water import HighWaterMark
    from newsletter.pipeline.run import Pipeline
    from newsletter.pipeline.summaries import Summaries
    from newsletter.ports import Dispatcher, Message, Source
    from newsletter.readers.letters import TemplateLetters
    from newsletter.render.issue.issue_renderer import MailRenderer
    from newsletter.render.issue.renderer import TemplateRenderer
    from newsletter.render.mime.signing import Signer
    from newsletter.scheduling.tick import Ticker
    from newsletter.settings import Settings
    from newsletter.sources.http.client import HttpClient
    from newsletter.web.studio.one_message import Studio


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Program]:
    """Build the program for as long as the context lasts.

    Raises:
        ConfigurationError: a setting or key file is wrong.
        StoreError: the ledger cannot be opened.
    """
    from newsletter.parts import ledger

    links = _links(settings)
    async with AsyncExitStack() as closing:
        yield Program(settings, await ledger.opened(settings, links, closing), links, closing)


class Program:
    """The parts that commands work with. What was opened is closed at the end of `build`."""

    def __init__(self, settings: Settings, ledger: Ledger, links: Links, closing: AsyncExitStack) -> None:
        """Read the key files, so that a wrong one is found before anything is done.

        Raises:
            ConfigurationError: names setting and file.
        """
        self.settings = settings
        self.store, self.jobs = ledger
        self.links = links
        self._signer = _signer(settings)
        self._closing = closing
        self._has_visitors = False
        self.cores = 0  # that delivery may use; 0: all

    @cached_property
    def lists(self) -> ListFiles:
        """The operator's list files."""
        return list_files(self.settings)

    @cached_property
    def mark(self) -> HighWaterMark:
        """What notices that the database is an older copy."""
        from newsletter.pipeline.high_water import HighWaterMark

        return HighWaterMark(self.store.high_water, self.settings.paths.state)

    @cached_property
    def _http(self) -> HttpClient:
        from newsletter.sources.http.client import HttpClient, HttpConfig

        http = self.settings.http
        config = HttpConfig(
            user_agent=http.user_agent, timeout=http.timeout, retries=http.retries, state=self.settings.paths.state
        )
        client = HttpClient(config)
        self._closing.push_async_callback(client.aclose)
        return client

    def at_end(self, close: Callable[[], Awaitable[object]]) -> None:
        """Let something be closed when the program is taken down."""
        self._closing.push_async_callback(close)

    def load(self, *, has_visitors: bool) -> None:
        """Load and make all parts now: there is no time for it once visitors are answered, or jobs taken."""
        from newsletter.pipeline import check  # noqa: F401

        self._has_visitors = has_visitors
        _ = self._renderer, self.delivery, self._relaying.mailer, self._http

    async def problem_of_link(self, url: str) -> str:
        """Return why a page cannot be had, or nothing."""
        return await self._http.problem(url, public_only=not self.settings.http.allow_private)

    def sources_of(self, list_: NewsletterList) -> list[Source]:
        """Return the sources of a list."""
        from newsletter.parts.late import LateHttp
        from newsletter.sources import registry
        from newsletter.sources.parts import SourceConfig

        config = SourceConfig(
            huggingface_url=self.settings.huggingface.url,
            arxiv_url=self.settings.arxiv.url,
            arxiv_rss_url=self.settings.arxiv.rss_url,
            biorxiv_url=self.settings.biorxiv.url,
            hackernews_url=self.settings.hackernews.url,
            allow_private=self.settings.http.allow_private,
        )
        folder, http = Path(list_.folder), LateHttp(lambda: self._http)
        return [registry.build(spec, folder=folder, config=config, http=http) for spec in list_.sources]

    def source_names(self, list_: NewsletterList) -> list[str]:
        """Return the names by which the ledger knows the sources of a list."""
        return [source.name for source in self.sources_of(list_)]

    @cached_property
    def templates(self) -> TemplateRenderer:
        """The templates of mails and pages: the operator's own before the program's."""
        from newsletter.render.issue.renderer import TemplateRenderer

        return TemplateRenderer(own_templates(self.settings), packaged_templates())

    @cached_property
    def _renderer(self) -> MailRenderer:
        from newsletter.render.issue.issue_renderer import MailRenderer

        return MailRenderer(self.templates, self.links, self._signer)

    @cached_property
    def _late_renderer(self) -> LateRenderer:
        from newsletter.parts.late import LateRenderer

        return LateRenderer(lambda: self._renderer)

    @cached_property
    def closed(self) -> ClosedIssues:
        """Closed issues as mail."""
        from newsletter.pipeline.deliver import ClosedIssues

        return ClosedIssues(self.store.issues, self._late_renderer)

    @cached_property
    def _relaying(self) -> Relaying:
        return self._relaying_of(self.settings)

    def _relaying_of(self, settings: Settings) -> Relaying:
        from newsletter.parts.relaying import Relaying

        return Relaying(settings, self.store, utc_now, self.at_end, self.alarm)

    @cached_property
    def _mailer(self) -> LateMailer:
        from newsletter.parts.late import LateMailer

        return LateMailer(lambda: self._relaying.mailer)

    @cached_property
    def delivery(self) -> DeliveryService | ManyProcesses:
        """What delivers closed issues, with the processes that help."""
        from newsletter.parts.delivering import DeliveryParts

        made = DeliveryParts(
            settings=self.settings,
            store=self.store,
            clock=utc_now,
            relaying_of=self._relaying_of,
            cores=self.cores,
            has_visitors=self._has_visitors,
        ).delivery()
        self.at_end(made.close)
        return made

    def delivering(self, dispatcher: Dispatcher | None = None) -> Delivering:
        """Return what delivers closed issues: by a dispatcher, or in this process."""
        from newsletter.pipeline.deliver import Delivering

        return Delivering(self.store, self.closed, dispatcher or self.here, utc_now, self.mark)

    @cached_property
    def here(self) -> Inline:
        """What delivers in this process."""
        return dispatching.inline(lambda: self.delivery, self.settings, self.store.outbox, utc_now)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The way from sources to inboxes."""
        from newsletter.pipeline.run import Pipeline

        dispatcher = dispatching.dispatcher(self.settings, self.jobs, self.store, self.here, utc_now)
        return Pipeline(
            store=self.store,
            renderer=self._late_renderer,
            closed=self.closed,
            delivering=self.delivering(dispatcher),
            sources_of=self.sources_of,
            check=self._check,
            mark=self.mark,
            applies_files=self.settings.lists.apply == "automatic",
            pictures=reading.pictures(self.settings, lambda: self._http),
            papers=reading.papers(self.settings, lambda: self._http),
            summaries=self.summaries,
        )

    @cached_property
    def summaries(self) -> Summaries | None:
        """What has a model write of papers; None: the settings name none."""
        texts = self.store.machine_texts
        return summarizing.summaries(
            self.settings, lambda: self.templates, self.at_end, texts, self.alarm, utc_now
        )

    def _check(self, issue: Issue, message: Message) -> None:
        self._issue_check(issue, message)

    @cached_property
    def _issue_check(self) -> IssueCheck:
        from newsletter.pipeline.check import IssueCheck
        from newsletter.settings.reach import relays_are_local

        return IssueCheck(is_local=relays_are_local(self.settings.smtp))

    @cached_property
    def studio(self) -> Studio:
        """What shows single messages."""
        from newsletter.web.studio.one_message import Studio

        return Studio(
            files=self.lists,
            pipeline=self.pipeline,
            renderer=self._renderer,
            mailer=self._mailer,
            clock=utc_now,
        )

    @cached_property
    def letters(self) -> TemplateLetters:
        """What writes to single persons."""
        from newsletter.readers.letters import TemplateLetters

        return TemplateLetters(self.templates, self._mailer, self._signer)

    @cached_property
    def receiving(self) -> Receiving:
        """What reads what comes back."""
        from newsletter.parts.receiving import Receiving

        tokens, keeper = self._relaying.mailbox_tokens, keeping.ledger_keeper(self.settings)
        inbound = self.settings.inbound
        return Receiving(inbound, self.store, self.links, lambda: self._http, utc_now, tokens, keeper)

    @cached_property
    def alarm(self) -> LedgerAlarm:
        """The operator's alarm."""
        from newsletter.operations.alarms import LedgerAlarm

        return LedgerAlarm(self.store.alarms, self.settings.alarm.receivers, utc_now)

    def alarm_mail(self, masthead_of: Mastheads) -> AlarmMail:
        """Return what mails alarms to the operator, in the name of the list that `masthead_of` gives."""
        from newsletter.outgoing.alarms import AlarmMail
        from newsletter.render.issue.renderer import TemplateRenderer

        return AlarmMail(
            to=self.settings.alarm.to,
            templates=self.templates,
            packaged=TemplateRenderer(None, packaged_templates()),
            mailer=self._mailer,
            signer=self._signer,
            masthead_of=masthead_of,
        )

    @cached_property
    def ticker(self) -> Ticker:
        """What the scheduler does every few seconds."""
        from newsletter.scheduling.tick import Ticker

        return Ticker(self.lists, self.pipeline, self.alarm)


def utc_now() -> datetime:
    """Return the present moment: the one clock that the program reads."""
    return datetime.now(UTC)


def list_files(settings: Settings) -> ListFiles:
    """Return the operator's list files."""
    from newsletter.lists.files import ListFiles
    from newsletter.settings.reach import relays_are_local
    from newsletter.sources import registry

    return ListFiles(
        settings.paths.subscribers,
        check_source=registry.check,
        warning_of=registry.warning,
        allow_placeholders=relays_are_local(settings.smtp),
        secrets={name: one.get_secret_value() for name, one in settings.channels.secrets.items()},
        has_model=bool(settings.summaries.url),
    )


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
    from newsletter.store import sqlite_file

    return sqlite_file(settings.database.url.get_secret_value())


async def upgrade_database(settings: Settings) -> None:
    """Bring the database to this version's tables."""
    from newsletter.store import upgrade

    await upgrade(settings.database.url.get_secret_value())
    await dispatching.bring_tables_up_to_date(settings)


def packaged_templates() -> Path:
    """Return the folder of the program's own templates: in the wheel, or at the top of a checkout."""
    packaged = Path(__file__).parent / "_templates"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"


def own_templates(settings: Settings) -> Path:
    """Return the operator's folder of templates, which may come to be there later."""
    return settings.paths.templates


def secret_key(settings: Settings) -> str:
    """Return the key that signs links: the operator's, or one made once and kept beside the ledger.

    Raises:
        ConfigurationError: the key cannot be kept, or what is kept is no key; names the file.
    """
    from newsletter.settings.secret_key import FILE, kept_key

    return settings.web.secret_key.get_secret_value() or kept_key(settings.paths.state / FILE)


def _links(settings: Settings) -> Links:
    from newsletter.core.tokens import Links

    former = (key.get_secret_value() for key in settings.web.former_secret_keys)
    return Links(settings.web.public_url, secret_key(settings), tuple(former))


def _signer(settings: Settings) -> Signer | None:
    if settings.dkim.key_file is None:
        return None
    from newsletter.settings.dkim import signer

    return signer(settings.dkim)
