"""The composition of relays: what mail is handed to, and the logins at them and at the mailbox.

What it is made of is imported in its functions: many runs send nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.core.relay import RelayKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from newsletter.core.quotas import Quota, QuotaOf
    from newsletter.delivery.https.service import MailService
    from newsletter.delivery.limits.quota import RelayQuota
    from newsletter.delivery.mailer import RelayMailer
    from newsletter.delivery.relay import Relay
    from newsletter.delivery.smtp.relay_config import RelayConfig
    from newsletter.ports import AccessTokens, Clock, OperatorAlarm, Poster, Store
    from newsletter.settings import Settings
    from newsletter.settings.oauth import TokenValues
    from newsletter.settings.relays import RelaySettings

_TOKENS = "oauth"  # the folder of refresh tokens, in the state folder
_SECONDS = 20.0  # that an authorization server may take
_CONNECTING = 10.0  # … and for the connection
_ANSWER = 64 * 1024  # bytes of an answer that are read
_SEND_SCOPE = "https://outlook.office.com/SMTP.Send"
_READ_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All"


@dataclass(frozen=True)
class Relaying:
    """Makes relays, and what gives access tokens.

    Args:
        settings: which relays, and how to log in.
        store: keeps how much of each quota and rate is used; None: none counts.
        clock: the present moment.
        at_end: lets something be closed at the end of the program.
        alarm: the operator's.
    """

    settings: Settings
    store: Store | None
    clock: Clock
    at_end: Callable[[Callable[[], Awaitable[object]]], None]
    alarm: OperatorAlarm

    @cached_property
    def relays(self) -> list[Relay]:
        """The first relay, and the further ones, in the order in which they are tried."""
        smtp = self.settings.smtp
        return [self._relay(smtp, None), *(self._relay(one, number) for number, one in enumerate(smtp.relays))]

    @cached_property
    def mailer(self) -> RelayMailer:
        """What sends single mails."""
        from newsletter.delivery.mailer import RelayMailer

        return RelayMailer(self.relays, self.store.rates if self.store else None)

    @property
    def mailbox_tokens(self) -> AccessTokens | None:
        """What gives the tokens of the mailbox; None: it has none."""
        inbound = self.settings.inbound
        subject = f"{inbound.imap_host}:{inbound.imap_port}"
        return self._tokens(inbound.tokens, "NEWSLETTER_INBOUND__IMAP_OAUTH_", _READ_SCOPE, subject)

    def _relay(self, relay: RelaySettings, number: int | None) -> Relay:
        from newsletter.delivery.smtp.relay import SmtpRelay
        from newsletter.settings.sending import relay_config

        config = relay_config(relay, number)
        quota = self._quota(config, relay)
        if relay.kind is not RelayKind.SMTP:
            return self._https_relay(relay, config, quota)
        tokens = self._tokens(relay.tokens, config.setting("oauth_"), _SEND_SCOPE, config.name)
        return SmtpRelay(config, tokens=tokens, quota=quota)

    def _https_relay(self, relay: RelaySettings, config: RelayConfig, quota: RelayQuota | None) -> Relay:
        from newsletter.delivery.https.mailgun import Mailgun
        from newsletter.delivery.https.relay import HttpsRelay
        from newsletter.delivery.https.ses import Ses
        from newsletter.delivery.https.sigv4 import AwsKey

        name, secret = relay.username, relay.password.get_secret_value()
        service: MailService
        if relay.kind is RelayKind.SES:
            service = Ses(relay.address, AwsKey(name, secret, relay.region, "ses"), config.setting)
        else:
            service = Mailgun(relay.address, name, secret, config.setting)
        poster = self._poster_within(relay.timeout, relay.greeting_timeout)
        return HttpsRelay(config, service, poster, self.clock, quota)

    def _quota(self, config: RelayConfig, relay: RelaySettings) -> RelayQuota | None:
        """Return how many mails a relay may be handed, None: any number. Each account has a quota of its own."""
        quota = _limits(relay)
        if not quota.is_set or self.store is None:
            return None
        from newsletter.delivery.limits.quota import RelayQuota

        made = RelayQuota(config.name, config.account, quota, self.store.relay_usage, self.clock)
        self.at_end(made.end)
        return made

    def _tokens(self, values: TokenValues | None, settings: str, scope: str, subject: str) -> AccessTokens | None:
        if values is None:
            return None
        from newsletter.oauth import KeptRefreshToken, RenewedTokens

        client = values.client(settings, scope)
        kept = KeptRefreshToken.of(client, self.settings.paths.state / _TOKENS)
        return RenewedTokens(client, self._poster, self.clock, kept, alarm=self.alarm, subject=subject)

    @cached_property
    def _poster(self) -> Poster:
        return self._poster_within(_SECONDS, _CONNECTING)

    def _poster_within(self, seconds: float, connecting: float) -> Poster:
        """Return what posts, and has so many seconds for a connection, and for all."""
        from newsletter.sources.http.poster import WebPoster

        poster = WebPoster(
            user_agent=self.settings.http.user_agent,
            timeout=seconds,
            public_only=False,
            most=_ANSWER,
            connect_timeout=min(connecting, seconds / 2),
        )
        self.at_end(poster.aclose)
        return poster


def quotas_of(settings: Settings) -> list[QuotaOf]:
    """Return the quotas of the relays that have one."""
    from newsletter.core.quotas import QuotaOf
    from newsletter.delivery.smtp.relay_config import RelayConfig  # without the library that speaks SMTP

    found = []
    for relay in (settings.smtp, *settings.smtp.relays):
        config = RelayConfig(host=relay.host, port=relay.port, username=relay.username)
        found.append(QuotaOf(config.name, config.account, _limits(relay)))
    return [one for one in found if one.quota.is_set]


def _limits(relay: RelaySettings) -> Quota:
    from newsletter.core.quotas import Quota

    return Quota(
        per_hour=relay.per_hour,
        per_day=relay.per_day,
        warm_up=relay.warm_up,
        warm_up_days=relay.warm_up_days,
    )
