"""Single mails: an alarm, a test copy."""

from __future__ import annotations

from typing import Protocol

from newsletter.core.delivery import Outcome


class Mailer(Protocol):
    """Sends one mail to one person. The outbox knows nothing of it."""

    async def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        """Hand over one mail, to the first relay that takes it.

        Args:
            sender: the envelope sender, a bare address.
            recipient: the envelope recipient, a bare address.
            raw: the final bytes, with CRLF line ends; they are sent as they are.

        Returns:
            The outcome: `SENT`, or what the last relay answered; `UNCERTAIN` if a connection was lost in the
            middle, so that nobody knows whether the mail arrived.

        Raises:
            RelayError: no relay could be used; names each of them and the reason. It is a `RelaySetupError` where
                trying again is of no use, and names the setting to change.
        """
        ...
