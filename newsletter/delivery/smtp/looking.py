"""What a relay says of itself while no mail is sent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from newsletter.core.certificate import Certificate
from newsletter.delivery.smtp import advice
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.replies import Reply, Stage
from newsletter.ports.relay_probe import RelayFacts


async def facts_of(
    client: SMTP, config: RelayConfig, greeted_as: str, envelopes: Sequence[tuple[str, str]]
) -> RelayFacts:
    """Return what a relay says that is ready for mail.

    Args:
        client: connected, greeted, secured and logged in.
        config: the relay.
        greeted_as: the name that it was greeted with.
        envelopes: of mails that it shall be ready to take.

    Raises:
        RelaySetupError: it turns us away because of a setting.
        RelayError: it has ended the session.
    """
    refusals = []
    try:
        for sender, recipient in envelopes:
            if refusal := await _refusal(client, config, greeted_as, sender, recipient):
                refusals.append(refusal)
            await client.rset()
    except (SMTPException, OSError) as error:
        raise advice.broken(config, error) from error
    size = client.esmtp_extensions.get("size", "")
    return RelayFacts(
        security=config.security,
        certificate=_certificate(client),
        login=bool(config.username),
        size=int(size) if size.isascii() and size.isdigit() else 0,
        pipelining=client.supports_extension("pipelining"),
        refusals=refusals,
    )


async def _refusal(client: SMTP, config: RelayConfig, greeted_as: str, sender: str, recipient: str) -> str:
    """Return how the relay refuses an envelope for good, or nothing; "later" may be greylisting."""
    stage = Stage.MAIL
    try:
        await client.mail(sender)
        stage = Stage.RCPT
        await client.rcpt(recipient)
    except SMTPResponseException as error:
        reply = Reply(error.code, error.message)
        advice.check_setup(stage, reply, config, greeted_as)
        address = sender if stage is Stage.MAIL else recipient
        if error.code >= 500:  # noqa: PLR2004 (never, RFC 5321, 4.2.1)
            return f"does not take {stage.value} {address}: {reply}"
    return ""


def _certificate(client: SMTP) -> Certificate | None:
    with suppress(ValueError):
        if peer := client.get_transport_info("peercert"):
            return Certificate.of(peer)
    return None
