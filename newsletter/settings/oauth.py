"""Logins with access tokens (OAuth 2.0): the settings that relays and the mailbox have in common."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from newsletter.core.network import on_loopback
from newsletter.core.oauth import TokenClient
from newsletter.settings.values import IN_LOWER_CASE

Provider = Annotated[Literal["", "google", "microsoft"], IN_LOWER_CASE]

_GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
_MICROSOFT_TOKENS = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_OWN_NAME = "https://outlook.office365.com/.default"  # Microsoft's scope for client credentials
_ANY_TENANT = "common"
_NO_ADDRESS = "write an address that begins with https://, without a login and without #"


def _tenant(value: str) -> str:
    """Return a tenant's id or domain; it becomes a part of an address."""
    if not value.isascii() or not all(letter.isalnum() or letter in ".-" for letter in value):
        raise ValueError("write the id or the domain of your tenant, as in example.onmicrosoft.com")
    return value


def https_address(value: str) -> str:
    """Return the address of a server that is told secrets: https, or on this machine; or nothing."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host, has_port = parts.hostname or "", parts.port != 0
    except ValueError:
        raise ValueError(_NO_ADDRESS) from None
    if parts.scheme not in {"http", "https"} or not (host and has_port and value.isprintable()):
        raise ValueError(_NO_ADDRESS)
    if any(sign in value for sign in " #@"):
        raise ValueError(_NO_ADDRESS)
    if parts.scheme == "http" and not on_loopback(host):
        raise ValueError("would send secrets in the clear: write an address that begins with https://")
    return value


Tenant = Annotated[str, AfterValidator(_tenant)]  # or an empty text
HttpsAddress = Annotated[str, AfterValidator(https_address)]  # or an empty text


class TokenValues(NamedTuple):
    """What the settings say of one login with tokens; secrets in the clear."""

    provider: str
    tenant: str
    token_url: str
    client_id: str
    client_secret: str
    refresh_token: str
    scope: str

    @property
    def is_used(self) -> bool:
        """Return whether logins are by tokens."""
        return bool(self.provider or self.token_url)

    @property
    def mistake(self) -> str:
        """Return what is missing or too much, or nothing."""
        if not self.is_used:
            return "set oauth_provider or oauth_token_url as well" if any(self) else ""
        is_microsoft = self.provider == "microsoft"
        wrong = {
            "set oauth_provider or oauth_token_url, not both": self.provider and self.token_url,
            "oauth_tenant belongs to oauth_provider=microsoft alone": self.tenant and not is_microsoft,
            "set oauth_client_id as well": not self.client_id,
            "Google has no client credentials for mail: set oauth_refresh_token": (
                self.provider == "google" and not self.refresh_token
            ),
            "set oauth_refresh_token, or oauth_client_secret for client credentials": (
                not (self.refresh_token or self.client_secret)
            ),
            "client credentials belong to one tenant: set oauth_tenant": (
                is_microsoft and not (self.refresh_token or self.tenant)
            ),
        }
        return next((what for what, is_so in wrong.items() if is_so), "")

    def client(self, settings: str, person_scope: str) -> TokenClient:
        """Return whom we are known as to the authorization server.

        Args:
            settings: what the names of these settings begin with.
            person_scope: Microsoft's scope in the name of a person, where the settings name none.
        """
        scope, url = self.scope, self.token_url
        match self.provider:
            case "microsoft":
                url = _MICROSOFT_TOKENS.format(tenant=self.tenant or _ANY_TENANT)
                scope = scope or (f"{person_scope} offline_access" if self.refresh_token else _OWN_NAME)
            case "google":
                url = _GOOGLE_TOKENS  # a new token has the scope that the person agreed to
        return TokenClient(
            url=url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            refresh_token=self.refresh_token,
            scope=scope,
            settings=settings,
        )


def token_values(fields: dict[str, object], prefix: str) -> TokenValues | None:
    """Return what fields say of logins with tokens; None: one of them is wrong, and so not among them."""
    found = [fields.get(f"{prefix}{name}") for name in TokenValues._fields]
    if any(value is None for value in found):
        return None
    return TokenValues(
        *(value.get_secret_value() if isinstance(value, SecretStr) else str(value) for value in found)
    )
