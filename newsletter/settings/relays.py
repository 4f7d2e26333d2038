"""The settings of relays: SMTP servers, and services that take finished mails over HTTPS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from newsletter.core.relay import Pipelining, RelayKind, Security
from newsletter.settings.group import Group
from newsletter.settings.oauth import HttpsAddress, Provider, Tenant, TokenValues, token_values
from newsletter.settings.values import FROM_JSON, HostName, HostOrNothing

_NO_SECRET = SecretStr("")
_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_HTTPS_PORTS = {"https": 443, "http": 80}
_LOCALHOST = "localhost"
_LONGEST_REGION = 32


def service_address(kind: RelayKind, region: str, endpoint: str) -> str:
    """Return the address of a service that takes mails over HTTPS: that of its region, or another one.

    Raises:
        ValueError: the region is missing, or there is no such one; says what to write.
    """
    if endpoint:
        return endpoint.rstrip("/")
    if kind is RelayKind.MAILGUN:
        if region not in {"", "us", "eu"}:
            raise ValueError("of Mailgun: write us or eu")
        return "https://api.eu.mailgun.net" if region == "eu" else "https://api.mailgun.net"
    return f"https://email.{region}.amazonaws.com"


class RelaySettings(Group):
    """A relay: an SMTP server or, by its `kind`, a service that takes mails over HTTPS.

    `ehlo_name` is our name in EHLO; empty: this machine's full name or, if it has none, the sender's domain.
    `greeting_timeout`, `timeout` (for all until the relay is ready for mail, and for each other reply) and
    `final_timeout` (for the reply to a message) are in seconds. `rate` is in messages per second (0: no limit);
    `weight` is the relay's share of the work. `per_hour` and `per_day` are the most mails in 60 minutes and in 24
    hours (0: no limit). `warm_up` is the most mails of the first day (0: no warm-up), which doubles every
    `warm_up_days` days.
    """

    kind: RelayKind = RelayKind.SMTP
    region: str = Field(default="", max_length=_LONGEST_REGION, pattern=r"^[a-z0-9-]*$", validate_default=True)
    endpoint: HttpsAddress = ""
    host: HostOrNothing = Field(default="", validate_default=True)
    security: Security = Security.STARTTLS
    port: int = Field(default=0, ge=0, le=65535, validate_default=True)  # 0: the usual port of `security`
    oauth_provider: Provider = ""
    oauth_tenant: Tenant = ""
    oauth_token_url: HttpsAddress = ""
    oauth_client_id: str = ""
    oauth_client_secret: SecretStr = _NO_SECRET
    oauth_refresh_token: SecretStr = _NO_SECRET
    oauth_scope: str = Field(default="", validate_default=True)
    username: str = ""
    password: SecretStr = Field(default=_NO_SECRET, validate_default=True)
    ca_file: Path | None = None
    ehlo_name: HostName = ""
    greeting_timeout: float = Field(default=10, gt=0, le=300)
    timeout: float = Field(default=60, gt=0, le=3600)
    final_timeout: float = Field(default=600, gt=0, le=3600)  # RFC 5321, 4.5.3.2.6
    pipelining: Pipelining = Pipelining.MESSAGES
    connections: int = Field(default=4, ge=1, le=1000)
    messages_per_connection: int = Field(default=100, ge=1)
    rate: float = Field(default=0, ge=0)
    per_hour: int = Field(default=0, ge=0)
    per_day: int = Field(default=0, ge=0)
    warm_up: int = Field(default=0, ge=0)
    warm_up_days: int = Field(default=2, ge=1, le=365)
    weight: int = Field(default=0, ge=0, le=1000)

    @field_validator("endpoint")
    @classmethod
    def _of_https(cls, endpoint: str, info: ValidationInfo) -> str:
        if endpoint and info.data.get("kind") is RelayKind.SMTP:
            raise ValueError("belongs to relays over HTTPS: write host and port of an SMTP server")
        return endpoint

    @field_validator("host")
    @classmethod
    def _place(cls, host: str, info: ValidationInfo) -> str:
        kind, region, endpoint = (info.data.get(name) for name in ("kind", "region", "endpoint"))
        if kind is None or region is None or endpoint is None:
            return host  # one of them is wrong, which is said
        if kind is RelayKind.SMTP:
            if not host:
                raise ValueError("is missing: add it")
            if region:
                raise ValueError("has no region: region belongs to relays over HTTPS")
            return host
        if host not in {"", _LOCALHOST}:
            raise ValueError(f"remove it: for {kind}, set region, or endpoint for another place")
        if kind is RelayKind.SES and not region:
            raise ValueError("set the region of Amazon SES, as in eu-west-1, as region")
        return urlsplit(service_address(kind, region, endpoint)).hostname or ""

    @field_validator("port")
    @classmethod
    def _usual_port(cls, port: int, info: ValidationInfo) -> int:
        kind = info.data.get("kind")
        if kind not in {RelayKind.SMTP, None} and "host" in info.data:
            parts = urlsplit(service_address(kind, info.data["region"], info.data["endpoint"]))
            return parts.port or _HTTPS_PORTS[parts.scheme]
        return port or _PORTS[info.data.get("security", Security.STARTTLS)]

    @field_validator("oauth_scope")
    @classmethod
    def _whole_login(cls, scope: str, info: ValidationInfo) -> str:
        values = token_values(info.data | {"oauth_scope": scope}, "oauth_")
        if values is None:
            return scope
        if values.is_used and info.data.get("kind") is not RelayKind.SMTP:
            raise ValueError("only SMTP servers take logins with tokens: remove the oauth_ settings")
        if values.mistake:
            raise ValueError(values.mistake)
        return scope

    @field_validator("password")
    @classmethod
    def _with_username(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        kind, has_password = info.data.get("kind"), bool(password.get_secret_value())
        has_username = bool(info.data.get("username"))
        if "oauth_provider" not in info.data or "oauth_token_url" not in info.data:
            return password  # one of them is wrong, which is said
        if info.data.get("oauth_provider") or info.data.get("oauth_token_url"):
            if has_password or not has_username:
                raise ValueError("a login with tokens has a username and no password: set username alone")
        elif has_password != has_username:
            raise ValueError("username and password go together: set both or neither")
        if kind is RelayKind.SES and not has_password:
            raise ValueError("set username to the id of an access key of AWS, and password to its secret")
        if kind is RelayKind.MAILGUN and not has_password:
            raise ValueError("set username to your sending domain, and password to an API key of Mailgun")
        return password

    @property
    def address(self) -> str:
        """Return where a service is asked that takes mails over HTTPS."""
        return service_address(self.kind, self.region, self.endpoint)

    @property
    def tokens(self) -> TokenValues | None:
        """Return what is said of logins with tokens; None: there are none."""
        values = token_values(dict(self), "oauth_")
        return values if values and values.is_used else None


class SmtpSettings(RelaySettings):
    """The first relay, and further ones that take over in this order."""

    host: HostOrNothing = Field(default=_LOCALHOST, validate_default=True)
    relays: Annotated[tuple[RelaySettings, ...], NoDecode, FROM_JSON] = ()

    @field_validator("relays")
    @classmethod
    def _each_once(cls, relays: tuple[RelaySettings, ...], info: ValidationInfo) -> tuple[RelaySettings, ...]:
        seen = {(str(info.data.get("host")).lower(), info.data.get("port"), info.data.get("username"))}
        for number, relay in enumerate(relays):
            one = (relay.host.lower(), relay.port, relay.username)
            if one in seen:
                raise ValueError(f"[{number}] is a relay that is there already: remove it, it could not take over")
            seen.add(one)
        return relays
