"""The operator's settings, from `.env` and the environment; only `bootstrap` and `cli` read them.

Each field is the variable `NEWSLETTER_<GROUP>__<FIELD>`; the environment goes before `.env`, and an empty value
is the same as none. `.env.example` names them all with a word on each.
"""

from __future__ import annotations

import os
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from dotenv.parser import parse_stream
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from newsletter.core.delivery import Uncertain
from newsletter.core.errors import ConfigurationError
from newsletter.setting_values import (
    FROM_JSON,
    IN_LOWER_CASE,
    DatabaseAddress,
    Duration,
    HostName,
    MailAddress,
    MailDomain,
    Port,
    WebAddress,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "NEWSLETTER_"
_NESTED = "__"
_NO_SECRET = SecretStr("")


class Security(StrEnum):
    """How the connection to a relay is protected; there is no way from one down to another."""

    STARTTLS = "starttls"  # upgraded before anything is said; without the upgrade nothing is sent
    TLS = "tls"  # from the first byte
    NONE = "none"  # in the clear, because the operator said so


_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


class Group(BaseModel):
    """A group of settings: unknown names are mistakes, values don't change, messages don't show them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class RelaySettings(Group):
    """One SMTP server.

    `ehlo_name` is what it is greeted with; empty: this machine's full name or, where that is none, the sender's
    domain. `greeting_timeout` is in seconds. `rate` is in messages per second, 0 for no limit; `weight` is its
    share of the work.
    """

    host: str = Field(min_length=1)
    security: Security = Security.STARTTLS
    port: int = Field(default=0, ge=0, le=65535, validate_default=True)  # 0: the usual one of `security`
    username: str = ""
    password: SecretStr = Field(default=_NO_SECRET, validate_default=True)
    ca_file: Path | None = None
    ehlo_name: HostName = ""
    greeting_timeout: float = Field(default=10, gt=0, le=300)
    connections: int = Field(default=4, ge=1, le=1000)
    messages_per_connection: int = Field(default=100, ge=1)
    rate: float = Field(default=0, ge=0)
    weight: int = Field(default=0, ge=0, le=1000)

    @field_validator("port")
    @classmethod
    def _usual_port(cls, port: int, info: ValidationInfo) -> int:
        return port or _PORTS[info.data.get("security", Security.STARTTLS)]

    @field_validator("password")
    @classmethod
    def _with_username(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(password.get_secret_value()) != bool(info.data.get("username")):
            raise ValueError("username and password go together: set both or neither")
        return password


class SmtpSettings(RelaySettings):
    """The first relay, and further ones that take over in this order."""

    host: str = "localhost"
    relays: Annotated[tuple[RelaySettings, ...], NoDecode, FROM_JSON] = ()


class DatabaseSettings(Group):
    """Where the ledger is; secret, as it may hold a password."""

    url: DatabaseAddress = SecretStr("sqlite:///var/newsletter.db")


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
    """How sources are fetched. `timeout` is in seconds; `allow_private` lets feeds lie in the own network."""

    user_agent: str = "newsletter (self-hosted digest of research papers)"
    timeout: float = Field(default=30, gt=0)
    retries: int = Field(default=4, ge=0, le=20)
    allow_private: bool = False


class DomainSettings(Group):
    """What one recipient domain is sent at most, where that differs from the others: None is the same as there."""

    connections: int | None = Field(default=None, ge=0)
    rate: float | None = Field(default=None, ge=0)


class DeliverySettings(Group):
    """How deliveries are made and made again. `batch` deliveries are claimed at a time.

    `domain_connections` is how many messages one recipient domain is sent at the same time, `domain_rate` how many
    a second; 0 for as many as go. `domains` has other limits for single domains.
    """

    uncertain: Uncertain = Uncertain.RESEND
    max_attempts: int = Field(default=12, ge=1)
    give_up_after: Duration = timedelta(hours=36)
    batch: int = Field(default=2000, ge=1, le=10_000)
    domain_connections: int = Field(default=0, ge=0)
    domain_rate: float = Field(default=0, ge=0)
    domains: Annotated[dict[MailDomain, DomainSettings], NoDecode, FROM_JSON] = {}


class DkimSettings(Group):
    """The DKIM signature (RFC 6376): all three, or none to leave signing to the relay.

    Beside it there may be a second one by an Ed25519 key (RFC 8463), under a selector of its own.
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
    """The public pages. `public_url` is where readers reach them; `secret_key` signs the links in mails."""

    host: str = "127.0.0.1"
    port: Port = 8000
    public_url: WebAddress = "http://localhost:8000"
    secret_key: SecretStr = _NO_SECRET
    admin_token: SecretStr = _NO_SECRET


class PathSettings(Group):
    """Where things lie, relative to the working directory."""

    subscribers: Path = Path("subscribers")
    templates: Path = Path("templates")
    state: Path = Path("var")


class LogSettings(Group):
    """What is logged to stderr, and how."""

    level: Annotated[Literal["debug", "info", "warning", "error"], IN_LOWER_CASE] = "info"
    format: Annotated[Literal["console", "json"], IN_LOWER_CASE] = "console"


class ScheduleSettings(Group):
    """How often `serve` collects (minutes) and looks what is due (seconds)."""

    collect_every: int = Field(default=60, ge=1, le=24 * 60)
    tick: int = Field(default=15, ge=1, le=3600)


class AlarmSettings(Group):
    """Who hears of an issue that failed; nobody if empty."""

    to: MailAddress = ""


class Settings(BaseSettings):
    """All settings. Secrets show as asterisks wherever this is printed."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter=_NESTED,
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
    paths: PathSettings = PathSettings()
    log: LogSettings = LogSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alarm: AlarmSettings = AlarmSettings()


def load(env_file: Path | None = Path(".env")) -> Settings:
    """Return the settings of the environment and of `env_file`, which need not be there.

    Raises:
        ConfigurationError: one line for each mistake, with the name of the variable and never its value.
    """
    mistakes = [*_mistakes_in_file(env_file), *_mistakes_in_environment()]
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        mistakes += _explained(error)
    except SettingsError as error:
        mistakes.append(str(error))
    else:
        if not mistakes:
            return settings
    raise ConfigurationError("\n".join(mistakes))


def variables() -> list[str]:
    """Return the names of all variables."""
    return [
        f"{_PREFIX}{group}{_NESTED}{field}".upper()
        for group, info in Settings.model_fields.items()
        for field in type(info.default).model_fields
    ]


def _mistakes_in_file(env_file: Path | None) -> Iterator[str]:
    """Find unknown and repeated variables; a line that python-dotenv would skip over ends it all."""
    if env_file is None or not env_file.exists():
        return
    try:
        text = env_file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{env_file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{env_file}: cannot be read: it is not UTF-8 text") from None
    seen: set[str] = set()
    for binding in parse_stream(StringIO(text)):
        string, first = binding.original
        blank_lines = string[: len(string) - len(string.lstrip())].count("\n")
        place, name = f"{env_file}:{first + blank_lines}", (binding.key or "").upper()
        if binding.error or (name and binding.value is None):
            raise ConfigurationError(f"{place}: write NAME=value, with quotes around a value with spaces or #")
        if name in seen:
            yield f"{place}: {name}: is set a second time: remove one of the two"
        elif name and name not in variables():
            yield f"{place}: {_unknown(name)}"
        if name:
            seen.add(name)


def _mistakes_in_environment() -> Iterator[str]:
    """Find variables with our prefix that are no setting; pydantic-settings passes over them in silence."""
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX) and name.upper() not in variables():
            yield _unknown(name)


def _unknown(name: str) -> str:
    known = [variable.removeprefix(_PREFIX) for variable in variables()]
    near = get_close_matches(name.upper().removeprefix(_PREFIX), known, n=1)
    advice = f"did you mean {_PREFIX}{near[0]}?" if near else "remove it; .env.example names all"
    return f"{name}: unknown setting: {advice}"


def _explained(error: ValidationError) -> Iterator[str]:
    """Yield a line for each finding of pydantic's, but for unknown variables: those were found by name."""
    for detail in error.errors(include_url=False, include_input=False):
        variable, inner = detail["loc"][:2], detail["loc"][2:]
        if detail["type"] == "extra_forbidden" and not inner:
            continue
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inner if step != "[key]")
        said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
        message = {"missing": "is missing: add it", "extra_forbidden": "unknown key: remove it"}
        name = f"{_PREFIX}{_NESTED.join(map(str, variable))}".upper()
        yield f"{name}{place}: {message.get(detail['type'], said)}"
