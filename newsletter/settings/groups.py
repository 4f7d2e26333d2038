"""The groups of settings: each field, its type and its default."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from newsletter.core.delivery import Uncertain
from newsletter.settings.alarm import AlarmSettings
from newsletter.settings.channels import ChannelSettings
from newsletter.settings.doctor import DoctorSettings
from newsletter.settings.group import Group
from newsletter.settings.inbound import InboundSettings
from newsletter.settings.relays import SmtpSettings
from newsletter.settings.retention import RetentionSettings
from newsletter.settings.secret_files import without_files
from newsletter.settings.signup import SignUpSettings
from newsletter.settings.summaries import SummarySettings
from newsletter.settings.values import (
    FROM_JSON,
    IN_LOWER_CASE,
    LOOPBACK,
    AdminToken,
    BranchName,
    DatabaseAddress,
    Duration,
    Host,
    Hosts,
    MailDomain,
    Networks,
    Port,
    PublicAddress,
    SecretKey,
    UserAgent,
    WebAddress,
)
from newsletter.settings.webhooks import WebhookSettings

PREFIX = "NEWSLETTER_"
NESTED = "__"
_NO_SECRET = SecretStr("")


class DatabaseSettings(Group):
    """Where the ledger is; secret, as it may hold a password. `branch` keeps it, sealed, where no machine does."""

    url: DatabaseAddress = SecretStr("sqlite:///var/newsletter.db")
    branch: BranchName = ""


class HuggingFaceSettings(Group):
    """Hugging Face Daily Papers."""

    url: WebAddress = "https://huggingface.co"


class ArxivSettings(Group):
    """arXiv: the Atom API and the daily feeds."""

    url: WebAddress = "https://export.arxiv.org"
    rss_url: WebAddress = "https://rss.arxiv.org"


class BiorxivSettings(Group):
    """bioRxiv and medRxiv."""

    url: WebAddress = "https://api.biorxiv.org"


class HackerNewsSettings(Group):
    """Hacker News, through Algolia's search."""

    url: WebAddress = "https://hn.algolia.com"


class HttpSettings(Group):
    """How sources are fetched. `timeout` is in seconds; `allow_private` allows feeds in a private network.

    `pictures`: look at the pictures of papers, so that mails show those that are figures.
    """

    user_agent: UserAgent = "newsletter (self-hosted digest of research papers)"
    timeout: float = Field(default=30, gt=0)
    retries: int = Field(default=4, ge=0, le=20)
    allow_private: bool = False
    pictures: bool = True


class DomainSettings(Group):
    """The limits of a single recipient domain; None: as for all other domains."""

    connections: int | None = Field(default=None, ge=0)
    rate: float | None = Field(default=None, ge=0)


class DeliverySettings(Group):
    """How deliveries are made and retried. `batch` deliveries are claimed at a time.

    `processes` deliver a big issue together, at most; 0: as many as there are cores, where that helps.
    `domain_connections` limits the messages that a recipient domain gets at the same time, `domain_rate` those per
    second;
    0: no limit. `domains` has other limits for single domains. `dispatcher` says who delivers: this process
    (`inline`), workers (`procrastinate`), or workers where any are at work and this process where none are
    (`automatic`).
    """

    uncertain: Uncertain = Uncertain.RESEND
    max_attempts: int = Field(default=12, ge=1)
    give_up_after: Duration = timedelta(hours=36)
    batch: int = Field(default=2000, ge=1, le=10_000)
    processes: int = Field(default=0, ge=0, le=64)
    domain_connections: int = Field(default=0, ge=0)
    domain_rate: float = Field(default=0, ge=0)
    domains: Annotated[dict[MailDomain, DomainSettings], NoDecode, FROM_JSON] = Field(default={})
    dispatcher: Annotated[Literal["automatic", "inline", "procrastinate"], IN_LOWER_CASE] = "automatic"


class DkimSettings(Group):
    """The DKIM signature (RFC 6376): all three, or none to leave signing to the relay.

    There may be a second signature by an Ed25519 key (RFC 8463) with its own selector.
    """

    domain: str = ""
    selector: str = ""
    key_file: Path | None = Field(default=None, validate_default=True)
    ed25519_selector: str = ""
    ed25519_key_file: Path | None = Field(default=None, validate_default=True)

    @field_validator("key_file")
    @classmethod
    def _all_or_none(cls, key_file: Path | None, info: ValidationInfo) -> Path | None:
        given = [bool(info.data.get("domain")), bool(info.data.get("selector")), key_file is not None]
        if any(given) and not all(given):
            raise ValueError("domain, selector and key_file go together: set all three or none")
        return key_file

    @field_validator("ed25519_key_file")
    @classmethod
    def _second_behind_a_first(cls, key_file: Path | None, info: ValidationInfo) -> Path | None:
        if bool(info.data.get("ed25519_selector")) != (key_file is not None):
            raise ValueError("ed25519_selector and ed25519_key_file go together: set both or neither")
        if key_file is not None and info.data.get("key_file") is None:
            raise ValueError("signs beside the RSA key, which most receivers need: set key_file as well")
        return key_file


class WebSettings(Group):
    """The public pages. `public_url` is where readers reach them, or empty.

    `secret_key` signs links in mails; links that one of `former_secret_keys` signed work still. `trusted_proxies`
    are the networks of proxies whose word counts on where a request comes from. With `admin_token` operators sign
    in to their pages, from `admin_networks` alone; without it there are none. `hosts` are further names of the
    site; `hsts` is for how many seconds browsers are to come by https alone.
    """

    host: Host = "127.0.0.1"
    port: Port = 8000
    public_url: PublicAddress = ""
    secret_key: SecretKey = _NO_SECRET
    former_secret_keys: Annotated[tuple[SecretKey, ...], NoDecode, FROM_JSON] = ()
    admin_token: AdminToken = _NO_SECRET
    admin_networks: Annotated[Networks, NoDecode] = LOOPBACK
    trusted_proxies: Annotated[Networks, NoDecode] = LOOPBACK
    hosts: Annotated[Hosts, NoDecode] = ()
    hsts: int = Field(default=0, ge=0, le=2 * 366 * 24 * 3600)


class PathSettings(Group):
    """The folders, relative to the working directory."""

    subscribers: Path = Path("subscribers")
    templates: Path = Path("templates")
    state: Path = Path("var")


class LogSettings(Group):
    """What is logged to stderr, and how."""

    level: Annotated[Literal["debug", "info", "warning", "error"], IN_LOWER_CASE] = "info"
    format: Annotated[Literal["console", "json"], IN_LOWER_CASE] = "console"


class ScheduleSettings(Group):
    """How often `serve` collects (minutes) and checks what is due (seconds)."""

    collect_every: int = Field(default=60, ge=1, le=24 * 60)
    tick: int = Field(default=15, ge=1, le=3600)


class ListsSettings(Group):
    """When subscribers are brought into line with the list files: by `run` and `serve`, or by a command alone."""

    apply: Annotated[Literal["automatic", "by_command"], IN_LOWER_CASE] = "automatic"


class Settings(BaseSettings):
    """All settings. Secrets show as asterisks wherever this is printed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    smtp: SmtpSettings = SmtpSettings()
    database: DatabaseSettings = DatabaseSettings()
    huggingface: HuggingFaceSettings = HuggingFaceSettings()
    arxiv: ArxivSettings = ArxivSettings()
    biorxiv: BiorxivSettings = BiorxivSettings()
    hackernews: HackerNewsSettings = HackerNewsSettings()
    http: HttpSettings = HttpSettings()
    delivery: DeliverySettings = DeliverySettings()
    dkim: DkimSettings = DkimSettings()
    web: WebSettings = WebSettings()
    inbound: InboundSettings = InboundSettings()
    signup: SignUpSettings = SignUpSettings()
    webhooks: WebhookSettings = WebhookSettings()
    channels: ChannelSettings = ChannelSettings()
    summaries: SummarySettings = SummarySettings()
    paths: PathSettings = PathSettings()
    log: LogSettings = LogSettings()
    lists: ListsSettings = ListsSettings()
    retention: RetentionSettings = RetentionSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alarm: AlarmSettings = AlarmSettings()
    doctor: DoctorSettings = DoctorSettings()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, *(without_files(cls, source) for source in (env_settings, dotenv_settings)))
