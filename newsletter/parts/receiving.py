"""What reads what comes back, as the settings say: mailboxes and webhooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.core.errors import ConfigurationError
from newsletter.sources.reading.document import Document

if TYPE_CHECKING:
    from pydantic import SecretStr

    from newsletter.core.tokens import Links
    from newsletter.inbound.imap import ImapSource
    from newsletter.inbound.process import InboundMail
    from newsletter.inbound.webhooks.message import Service
    from newsletter.ports import AccessTokens, Clock, Hooks, LedgerKeeper, MailboxSource, Store
    from newsletter.settings.inbound import InboundSettings
    from newsletter.sources.http.client import HttpClient

_IMAP_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class Receiving:
    """Makes what reads mailboxes and webhooks.

    Args:
        settings: where mail is read, and a secret for each service.
        store: keeps what comes back.
        links: reads the marks and tokens of our mails.
        http: returns the client that fetches the certificates of SNS.
        clock: the present moment.
        tokens: for the login at the mailbox; None: by what the settings say otherwise.
        keeper: keeps the ledger elsewhere before mails are put aside.
    """

    settings: InboundSettings
    store: Store
    links: Links
    http: Callable[[], HttpClient]
    clock: Clock
    tokens: AccessTokens | None = None
    keeper: LedgerKeeper | None = None

    @cached_property
    def mail(self) -> InboundMail:
        """What reads mailboxes."""
        from newsletter.inbound.process import InboundMail

        return InboundMail(self.store.inbound, self.store.suppressions, self.links, self.clock, self.keeper)

    @cached_property
    def hooks(self) -> Hooks:
        """The services that are set up."""
        from newsletter.inbound.webhooks.services import Webhooks

        services = _signed(self.settings, self.links)
        if self.settings.webhook_ses_topics:
            services.append(_ses(self.settings, self.links, self.http))
        return Webhooks(services)

    def mailboxes(self) -> list[MailboxSource]:
        """Return the mailboxes of the settings."""
        return [
            *([maildir(self.settings.maildir)] if self.settings.maildir else []),
            *([self.imap()] if self.settings.imap_host else []),
        ]

    def imap(self) -> MailboxSource:
        """Return the mailbox of the settings that is reached by IMAP."""
        return imap(self.settings, self.tokens)


def imap(settings: InboundSettings, tokens: AccessTokens | None, *, timeout: float = _IMAP_TIMEOUT) -> ImapSource:
    """Return the mailbox of the settings that is reached by IMAP.

    Args:
        settings: say where it is.
        tokens: for logins with access tokens; None: with a password, or a token of the settings.
        timeout: seconds, for each answer.
    """
    from newsletter.inbound.imap import ImapConfig, ImapSource

    return ImapSource(
        ImapConfig(
            host=settings.imap_host,
            port=settings.imap_port,
            security=settings.imap_security,
            username=settings.imap_username,
            password=partial(_secret, settings.imap_password, settings.imap_password_file, "PASSWORD"),
            token=partial(_secret, settings.imap_token, settings.imap_token_file, "TOKEN"),
            tokens=tokens,
            ca_file=settings.imap_ca_file,
            folder=settings.imap_folder,
            move_to=settings.imap_move_to,
            deletes=settings.imap_when_read == "delete",
            timeout=timeout,
        )
    )


def maildir(folder: Path) -> MailboxSource:
    """Return a Maildir."""
    from newsletter.inbound.maildir import MaildirSource

    return MaildirSource(folder)


def file(path: Path) -> MailboxSource:
    """Return the mails of a file."""
    from newsletter.inbound.files import FileSource

    return FileSource(path)


def _signed(settings: InboundSettings, links: Links) -> list[Service]:
    """Return the services whose messages a secret checks."""
    from newsletter.inbound.webhooks.brevo import Brevo
    from newsletter.inbound.webhooks.generic import Generic
    from newsletter.inbound.webhooks.mailgun import Mailgun
    from newsletter.inbound.webhooks.postmark import Postmark
    from newsletter.inbound.webhooks.resend import Resend

    made: list[tuple[Callable[[Links, str], Service], SecretStr]] = [
        (Mailgun, settings.webhook_mailgun_key),
        (Postmark, settings.webhook_postmark_login),
        (Brevo, settings.webhook_brevo_token),
        (Resend, settings.webhook_resend_secret),
        (Generic, settings.webhook_generic_secret),
    ]
    return [make(links, secret.get_secret_value()) for make, secret in made if secret.get_secret_value()]


def _ses(settings: InboundSettings, links: Links, http: Callable[[], HttpClient]) -> Service:
    from newsletter.inbound.webhooks.ses import Ses
    from newsletter.inbound.webhooks.sns import Sns

    def fetch(url: str) -> Awaitable[str]:
        return http().get(url, as_text, source="sns", public_only=True)

    return Ses(links, Sns(frozenset(settings.webhook_ses_topics), fetch))


def as_text(document: Document) -> str:
    """Return a document as text: it is read in the process that reads documents."""
    return document.content.decode("ascii", "replace")


def _secret(value: SecretStr, file: Path | None, name: str) -> str:
    """Return a secret of a setting or of a file, which is read anew each time."""
    if file is None:
        return value.get_secret_value()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"NEWSLETTER_INBOUND__IMAP_{name}_FILE: {file} cannot be read: {why}") from None
