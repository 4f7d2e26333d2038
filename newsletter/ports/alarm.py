"""Reports to the operator."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from newsletter.core.errors import ListFileError, NewsletterError
from newsletter.core.newsletter_list import Masthead


class OperatorAlarm(Protocol):
    """Reports trouble to the operator."""

    async def ring(self, masthead: Masthead, day: date, error: NewsletterError | ListFileError) -> None:
        """Report that a list's issue of a day cannot be made. Never raises: it comes on top of other trouble."""
        ...
