"""Letters: the mails that a list writes to one person, beside its issues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from newsletter.core.delivery import Outcome
from newsletter.core.newsletter_list import Masthead


class LetterKind(StrEnum):
    """What a letter is about: the folder of its templates."""

    CONFIRM = "confirm"  # asks the owner of an address whether they signed up
    REMINDER = "reminder"  # asks once more
    APPROVAL = "approval"  # asks the operator about somebody who signed up
    NEW_READER = "new_reader"  # tells the operator of somebody who signed up and confirmed it
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    NEW_ADDRESS = "new_address"  # asks the owner of an address whether the issues should go there
    MOVED = "moved"  # tells the former address


class Letters(Protocol):
    """Writes letters and hands them over."""

    async def send(
        self,
        kind: LetterKind,
        masthead: Masthead,
        to: tuple[str, str],
        values: Mapping[str, Any],
        *,
        about: str,
        now: datetime,
        way_out: str = "",
    ) -> Outcome:
        """Write a letter in the name of a list, in its language, and hand it over.

        Args:
            kind: which letter.
            masthead: the list.
            to: name, which may be empty, and address of the recipient.
            values: what the templates of the kind name at their top, but for `masthead`.
            about: what this letter is about, such as `signup 12`. With kind, list and address it makes the
                Message-ID: a letter that is sent again on the same day has the same.
            now: its date; aware.
            way_out: the page or mail address by which the recipient leaves the list, for the header
                List-Unsubscribe, or nothing: a letter to somebody who is not on a list has no such header.

        Returns:
            The outcome, as `Mailer.send` does.

        Raises:
            RelayError: no relay could be used.
            RenderError: a template is wrong, or the address cannot stand in a header.
        """
        ...
