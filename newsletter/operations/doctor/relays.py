"""Whether relays take our mail, and what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from newsletter.core.certificate import Certificate
from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.core.errors import NoAnswerError, RelayError
from newsletter.operations.doctor.examination import failed
from newsletter.ports.relay_probe import RelayFacts, RelayProbe
from newsletter.ports.website import Website
from newsletter.render.issue.fit import BUDGET

# The HTML part, encoded, with the text part and the headers beside it.
_LARGEST_MAIL = 2 * BUDGET
_MEGA = 10**6


async def relay(
    probe: RelayProbe, envelopes: Sequence[tuple[str, str]], now: datetime, *, is_in_the_clear: bool
) -> list[Diagnosis]:
    """Return how a relay does.

    Args:
        probe: the relay.
        envelopes: senders and recipients that it shall be ready to take mail for.
        now: aware.
        is_in_the_clear: whether mail goes to another machine without encryption.
    """
    try:
        facts = await probe.look(envelopes)
    except RelayError as error:
        return [failed("relay", str(error))]
    found = [fail("relay", f"{probe.name} {refusal}", _HOW_TO_BE_TAKEN) for refusal in facts.refusals]
    if 0 < facts.size < _LARGEST_MAIL:
        says = f"{probe.name} takes mails of at most {facts.size:,} bytes (SIZE)"
        found.append(
            fail("relay", says, f"let it take {_LARGEST_MAIL:,}, as issues may have, or use another relay")
        )
    if facts.certificate and facts.certificate.ends_soon(now):
        found.append(warn("relay", f"{probe.name}: {certificate_in_words(facts.certificate, now)}", _RENEW))
    if is_in_the_clear:
        says = f"{probe.name}: mails and login go over the network unencrypted"
        found.append(warn("relay", says, "use starttls or tls if the relay can"))
    return found or [ok("relay", f"{probe.name}: {_in_words(facts, now)}")]


async def web_service(name: str, address: str, website: Website, now: datetime) -> Diagnosis:
    """Return whether a service that takes mails over HTTPS can be reached.

    Args:
        name: its host and port.
        address: its web address.
        website: asks it.
        now: aware.
    """
    try:
        answer = await website.ask("GET", address)
    except NoAnswerError as error:
        return failed("relay", f"{name}: {error}", "see the region or the endpoint of the relay, and the network")
    certificate = f", {certificate_in_words(answer.certificate, now)}" if answer.certificate else ""
    return ok("relay", f"{name}: answers{certificate}; whether it takes your mail, only a mail shows (--send-to)")


_HOW_TO_BE_TAKEN = (
    "let the relay take mail from this machine for everybody: by a login, by its settings, or by showing your "
    "provider that the sender is yours"
)
_RENEW = "renew it, and see why that does not happen by itself"


def certificate_in_words(certificate: Certificate, now: datetime) -> str:
    """Return whom a certificate is for, and how long."""
    names = ", ".join(certificate.names[:3]) or "no name"
    return f"certificate for {names}, {certificate.days_left(now)} days left"


def _in_words(facts: RelayFacts, now: datetime) -> str:
    size = f"mails up to {facts.size / _MEGA:,.1f} MB" if facts.size else "mails of any size"
    return ", ".join(
        (
            certificate_in_words(facts.certificate, now) if facts.certificate else "no encryption",
            "login taken" if facts.login else "no login",
            size,
            "PIPELINING" if facts.pipelining else "no PIPELINING (slower)",
        )
    )
