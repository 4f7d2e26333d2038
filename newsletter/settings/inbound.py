"""The settings of what comes back: where mail is read, and which services tell of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from newsletter.core.relay import Security
from newsletter.settings.group import Group
from newsletter.settings.oauth import HttpsAddress, Provider, Tenant, TokenValues, token_values
from newsletter.settings.values import FROM_JSON, IN_LOWER_CASE, HostOrNothing, SecretKey

_NO_SECRET = SecretStr("")
_PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}
_ARN_PARTS = 6


def _topic(value: str) -> str:
    """Return the name of an SNS topic, which says service, region and account."""
    parts = value.split(":")
    if len(parts) != _ARN_PARTS or parts[0] != "arn" or parts[2] != "sns" or not all(parts):
        raise ValueError("write the ARN of a topic, as in arn:aws:sns:eu-west-1:123456789012:bounces")
    return value


def _login(value: SecretStr) -> SecretStr:
    """Return a name and a password as HTTP's basic authentication takes them."""
    name, colon, password = value.get_secret_value().partition(":")
    if value.get_secret_value() and not (name and colon and password):
        raise ValueError("write a name and a password, with a colon between them")
    return value


class InboundSettings(Group):
    """Where bounces, complaints and mailed unsubscriptions are read.

    `maildir` is a folder, `imap_host` a server; either, both or none. What was read by IMAP is moved to the folder
    `imap_move_to`, or deleted. `every` is in minutes. Of the webhooks, those with a secret are there.
    """

    maildir: Path | None = None
    imap_host: HostOrNothing = ""
    imap_security: Security = Security.TLS
    imap_port: int = Field(
        default=0, ge=0, le=65535, validate_default=True
    )  # 0: the usual port of `imap_security`
    imap_username: str = Field(default="", validate_default=True)
    imap_password: SecretStr = _NO_SECRET
    imap_password_file: Path | None = None
    imap_token: SecretStr = _NO_SECRET
    imap_oauth_provider: Provider = ""
    imap_oauth_tenant: Tenant = ""
    imap_oauth_token_url: HttpsAddress = ""
    imap_oauth_client_id: str = ""
    imap_oauth_client_secret: SecretStr = _NO_SECRET
    imap_oauth_refresh_token: SecretStr = _NO_SECRET
    imap_oauth_scope: str = Field(default="", validate_default=True)
    imap_token_file: Path | None = Field(default=None, validate_default=True)
    imap_ca_file: Path | None = None
    imap_folder: str = "INBOX"
    imap_move_to: str = "Processed"
    imap_when_read: Annotated[Literal["move", "delete"], IN_LOWER_CASE] = "move"
    every: int = Field(default=5, ge=1, le=24 * 60)
    webhook_ses_topics: Annotated[tuple[Annotated[str, AfterValidator(_topic)], ...], NoDecode, FROM_JSON] = ()
    webhook_mailgun_key: SecretStr = _NO_SECRET
    webhook_postmark_login: Annotated[SecretStr, AfterValidator(_login)] = _NO_SECRET
    webhook_brevo_token: SecretKey = _NO_SECRET
    webhook_resend_secret: SecretStr = _NO_SECRET
    webhook_generic_secret: SecretKey = _NO_SECRET

    @field_validator("imap_port")
    @classmethod
    def _usual_port(cls, port: int, info: ValidationInfo) -> int:
        return port or _PORTS[info.data.get("imap_security", Security.TLS)]

    @field_validator("imap_username")
    @classmethod
    def _of_host(cls, username: str, info: ValidationInfo) -> str:
        if info.data.get("imap_host") and not username:
            raise ValueError("is missing: the mailbox at imap_host needs a login")
        return username

    @field_validator("imap_token_file")
    @classmethod
    def _one_secret(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        names = ("imap_password", "imap_password_file", "imap_token")
        given = [name for name in names if (value := info.data.get(name)) and str(value)]
        by_oauth = bool(info.data.get("imap_oauth_provider") or info.data.get("imap_oauth_token_url"))
        count = len(given) + (file is not None) + by_oauth
        if count != bool(info.data.get("imap_host")):
            raise ValueError(
                "of imap_password, imap_password_file, imap_token, imap_token_file and imap_oauth_provider (or "
                "imap_oauth_token_url) set one, beside imap_host"
            )
        return file

    @field_validator("imap_oauth_scope")
    @classmethod
    def _whole_login(cls, scope: str, info: ValidationInfo) -> str:
        values = token_values(info.data | {"imap_oauth_scope": scope}, "imap_oauth_")
        if values and values.mistake:
            raise ValueError(values.mistake.replace("oauth_", "imap_oauth_"))
        return scope

    @property
    def tokens(self) -> TokenValues | None:
        """Return what is said of logins with tokens that are renewed; None: there are none."""
        values = token_values(dict(self), "imap_oauth_")
        return values if values and values.is_used else None

    @field_validator("webhook_resend_secret")
    @classmethod
    def _of_svix(cls, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value() and not secret.get_secret_value().startswith("whsec_"):
            raise ValueError("write the webhook's signing secret, which begins with whsec_")
        return secret
