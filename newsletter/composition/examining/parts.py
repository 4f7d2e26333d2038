"""What several checks of `newsletter doctor` need, made once, when it is first needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from newsletter import bootstrap
from newsletter.bootstrap import utc_now
from newsletter.core.alarms import Cause
from newsletter.core.errors import ConfigurationError, NewsletterError
from newsletter.core.network import on_loopback
from newsletter.operations.doctor.machine import has_timezones
from newsletter.operations.doctor.origins import MailOrigin, is_example
from newsletter.ports import OperatorAlarm

if TYPE_CHECKING:
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.core.tokens import Links
    from newsletter.delivery.dns import DnsResolver
    from newsletter.inbound.imap import ImapSource
    from newsletter.operations.doctor.spf import SendingHost
    from newsletter.parts.relaying import Relaying
    from newsletter.pipeline.asking import Model
    from newsletter.ports.ledger_state import LedgerState
    from newsletter.render.mime.signing import SigningKey
    from newsletter.settings import Settings
    from newsletter.settings.relays import RelaySettings
    from newsletter.sources.http.website import PlainWebsite

_PATIENCE = 8.0  # seconds, for each answer of a relay
_PATIENCE_WITH_MODELS = 25.0  # … for that of a model, which may have to be loaded first


@dataclass(frozen=True)
class Parts:
    """Parts of checks.

    Args:
        settings: of the operator.
        closing: what is closed at the end.
        list_name: the only list whose mail is looked at; None: all.
    """

    settings: Settings
    closing: AsyncExitStack
    list_name: str | None

    @cached_property
    def lists(self) -> list[NewsletterList]:
        """The lists whose files are right; members are not looked at here."""
        if not has_timezones():
            return []
        try:
            right = bootstrap.list_files(self.settings).read().right
            return [file.list for name, file in right.items() if self.list_name in {None, name}]
        except ConfigurationError:
            return []

    @cached_property
    def origins(self) -> list[MailOrigin]:
        """Where the mail of lists comes from."""
        found: dict[MailOrigin, None] = {}
        for one in self.lists:
            with suppress(NewsletterError):
                found[MailOrigin.of(one.masthead)] = None
        return list(found)

    @property
    def trying_out(self) -> bool:
        """Return whether all senders are examples: no mail leaves this machine."""
        return all(is_example(one.author) for one in self.origins)

    @cached_property
    def dns(self) -> DnsResolver:
        """What asks DNS."""
        from newsletter.delivery.dns import DnsResolver

        return DnsResolver(self.settings.doctor.resolver)

    @cached_property
    def website(self) -> PlainWebsite:
        """What asks web addresses."""
        from newsletter.sources.http.website import PlainWebsite

        return PlainWebsite(self.settings.http.user_agent, self.dns.addresses)

    @property
    def relays(self) -> list[RelaySettings]:
        """The relays, in the order in which they are tried."""
        return [self.settings.smtp, *self.settings.smtp.relays]

    @cached_property
    def relaying(self) -> Relaying:
        """What makes relays, with less patience than mail has and without quotas."""
        from newsletter.parts.relaying import Relaying

        first, *further = (_impatient(one) for one in self.relays)
        smtp = first.model_copy(update={"relays": tuple(further)})
        settings = self.settings.model_copy(update={"smtp": smtp})
        return Relaying(settings, None, utc_now, self._at_end, _NoAlarm())

    def _at_end(self, close: Callable[[], Awaitable[object]]) -> None:
        self.closing.push_async_callback(close)

    @cached_property
    def hosts(self) -> list[SendingHost]:
        """The relays as SPF sees them."""
        from newsletter.operations.doctor.spf import SendingHost

        return [SendingHost(one.host, on_loopback(one.host)) for one in self.relays]

    @cached_property
    def keys(self) -> list[SigningKey]:
        """The keys that sign; none where that is left to relays.

        Raises:
            ConfigurationError: a key file is wrong.
        """
        from newsletter.settings.dkim import signing_keys

        return signing_keys(self.settings.dkim)

    def links(self) -> Links | None:
        """Return what makes links; None before the first run, which makes their key.

        Raises:
            ConfigurationError: the key is none.
        """
        from newsletter.core.tokens import Links
        from newsletter.settings.secret_key import FILE

        of = self.settings
        if of.web.secret_key.get_secret_value() or (of.paths.state / FILE).exists():
            return Links(of.web.public_url, bootstrap.secret_key(of))
        return None

    def imap(self) -> ImapSource | None:
        """Return the mailbox of what comes back; None: there is none on a server."""
        from newsletter.parts.receiving import imap

        inbound = self.settings.inbound
        if not inbound.imap_host:
            return None
        return imap(inbound, self.relaying.mailbox_tokens, timeout=_PATIENCE)

    def model(self) -> Model | None:
        """Return what asks a model for summaries; None: none is set."""
        if not self.settings.summaries.url:
            return None
        from newsletter.parts.summarizing import model_of
        from newsletter.render.issue.renderer import TemplateRenderer

        templates = TemplateRenderer(bootstrap.own_templates(self.settings), bootstrap.packaged_templates())
        return model_of(self.settings, templates, self._at_end, patience=_PATIENCE_WITH_MODELS)

    async def ledger(self) -> LedgerState:
        """Return how the database stands.

        Raises:
            StoreError: it cannot be reached or read.
        """
        from newsletter.store.looking import look_at

        return await look_at(self.settings.database.url.get_secret_value())


class _NoAlarm(OperatorAlarm):
    """Rings for nobody: who calls the doctor reads the answer."""

    @override
    async def ring(self, cause: Cause, subject: str, reason: str, *, day: date | None = None) -> None: ...

    @override
    async def over(self, causes: Collection[Cause], subject: str) -> None: ...


def _impatient(relay: RelaySettings) -> RelaySettings:
    """Return a relay that is waited for no longer than a person waits."""
    update = {name: min(getattr(relay, name), _PATIENCE) for name in ("timeout", "greeting_timeout")}
    return relay.model_copy(update=update)
