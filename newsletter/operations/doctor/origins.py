"""The domains that the mail of lists comes from, and that answers to it go to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.core.newsletter_list import Masthead
from newsletter.render.mime.addresses import Mailbox, wire_address

# Kept free for examples, or for names without DNS (RFC 2606, 6761): no mail comes from there.
_EXAMPLES = ("example.org", "example.com", "example.net", "invalid", "localhost", "local", "test")


@dataclass(frozen=True, slots=True)
class MailOrigin:
    """Where a list's mail comes from, with domains in ASCII.

    Attributes:
        sender: the address in From.
        envelope: the address that relays are told, without the mark of a delivery.
        answers: the domains of all addresses to which mail comes back.
    """

    sender: str
    envelope: str
    answers: tuple[str, ...]

    @classmethod
    def of(cls, masthead: Masthead) -> MailOrigin:
        """Return where the mail of a list comes from.

        Raises:
            RenderError: an address cannot stand in a header.
        """
        sender = Mailbox.parse(masthead.sender).address
        envelope = wire_address(masthead.bounces_to) if masthead.bounces_to else sender
        answers = [sender, envelope]
        if masthead.reply_to:
            answers.append(Mailbox.parse(masthead.reply_to).address)
        if leaving := masthead.unsubscribe_mailto.removeprefix("mailto:").partition("?")[0]:
            answers.append(wire_address(leaving))
        return cls(sender, envelope, tuple(dict.fromkeys(map(_domain, answers))))

    @property
    def author(self) -> str:
        """Return the domain in From."""
        return _domain(self.sender)

    @property
    def bounces(self) -> str:
        """Return the domain of the envelope sender, which SPF is about."""
        return _domain(self.envelope)


def each_once(values: Iterable[str]) -> list[str]:
    """Return values in their order, each once."""
    return list(dict.fromkeys(values))


def is_example(domain: str) -> bool:
    """Return whether a domain is kept free for examples: no DNS knows anything of it."""
    return any(f".{domain.lower()}".endswith(f".{end}") for end in _EXAMPLES)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
