"""Sessions with a relay, of the kind that fits what it offers."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property

from aiosmtplib import SMTP, SMTPException
from typing_extensions import override

from newsletter.core.errors import RelaySetupError
from newsletter.core.relay import Pipelining, Security
from newsletter.delivery.limits.quota import RelayQuota
from newsletter.delivery.relay import Relay
from newsletter.delivery.smtp.experience import Experience
from newsletter.delivery.smtp.looking import facts_of
from newsletter.delivery.smtp.opening import Opener
from newsletter.delivery.smtp.pipelined import PipelinedSession
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.session import Session
from newsletter.delivery.smtp.stepwise import StepwiseSession
from newsletter.delivery.smtp.wire import Wire
from newsletter.delivery.smtp.write_queue import WriteQueue
from newsletter.ports import AccessTokens
from newsletter.ports.relay_probe import RelayFacts, RelayProbe

__all__ = ["RelayConfig", "SmtpRelay"]


class SmtpRelay(Relay, RelayProbe):
    """An SMTP server."""

    def __init__(
        self, config: RelayConfig, *, tokens: AccessTokens | None = None, quota: RelayQuota | None = None
    ) -> None:
        """Begin without a session.

        Args:
            config: the relay.
            tokens: for a login with an access token; None: with the password, if there is one.
            quota: how many mails it may be handed; None: any number.
        """
        self.name, self.account, self.connections = config.name, config.account, config.connections
        self.rate, self.weight, self.quota = config.rate, config.weight, quota
        self._config = config
        self._experience = Experience(config.name, joining=config.pipelining is Pipelining.MESSAGES)
        self.joins = self._experience.joins
        self._opener = Opener(config, self._experience, tokens)
        self._queue = WriteQueue()

    @override
    async def connect(self, *, sender: str = "") -> Session:
        """Return a session that is ready for mail.

        Without STARTTLS where it is asked for, or with a certificate that is not trusted, nothing is sent: there
        is no way back to a connection in the clear.
        """
        client, ehlo_name = await self._open(sender)
        return self._session(client, ehlo_name)

    @override
    async def look(self, envelopes: Sequence[tuple[str, str]]) -> RelayFacts:
        client, ehlo_name = await self._open(envelopes[0][0] if envelopes else "")
        try:
            return await facts_of(client, self._config, ehlo_name, envelopes)
        finally:
            with suppress(SMTPException, OSError):
                await client.quit()
            client.close()

    async def _open(self, sender: str) -> tuple[SMTP, str]:
        tls = None if self._config.security is Security.NONE else self._tls
        return await self._opener.open(tls, sender)

    def _session(self, client: SMTP, ehlo_name: str) -> Session:
        if self._config.pipelining is Pipelining.OFF or not client.supports_extension("pipelining"):
            return StepwiseSession(client, self._config, self._experience, ehlo_name)
        extensions = dict(client.esmtp_extensions)
        wire = Wire.take_over(client, self._queue)
        return PipelinedSession(wire, extensions, self._config, self._experience, ehlo_name)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        config = self._config
        try:
            return ssl.create_default_context(cafile=config.ca_file)
        except OSError as error:
            raise RelaySetupError(
                f"cannot read the certificates in {config.ca_file}: {error}; see {config.setting('ca_file')}"
            ) from error
