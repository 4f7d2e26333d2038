"""Sign-ups on the web: who asked for a list and did not confirm it yet, and the mails that this causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.signup import Ceilings, SignUp, SignUpMail, SignUpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many asked for a list, how many of them were mailed, and how many confirmed it."""

    asked: int = 0
    mailed: int = 0
    confirmed: int = 0


class SignUps(Protocol):
    """Sign-ups, at most one for each list and address."""

    async def ask(self, list_name: str, request: SignUpRequest, *, client: str, now: datetime) -> None:
        """Keep a request; who is on the list, or must get no mail, is not looked at, so all take the same time.

        Args:
            list_name: the list that is asked for.
            request: what is asked.
            client: stands for the network that it came from; empty where that is not known.
            now: aware, UTC.
        """
        ...

    async def find(self, key: int) -> SignUp | None:
        """Return the sign-up of a number, or None: there was none, or it is over."""
        ...

    async def to_decide(self, *, limit: int) -> list[SignUp]:
        """Return the sign-ups that wait for the operator's decision, the oldest first."""
        ...

    async def confirm(self, key: int, *, wants_latest: bool, needs_approval: bool, now: datetime) -> bool:
        """Note that its reader has confirmed it; return False, having changed nothing, if they may not any more.

        Args:
            key: the sign-up's.
            wants_latest: whether the reader asked for the newest issue at once.
            needs_approval: whether the operator decides next; else the reader is on the list.
            now: aware, UTC.
        """
        ...

    async def decide(self, key: int, *, accepted: bool, now: datetime) -> bool:
        """Note what the operator decided; return False, having changed nothing, if that is not asked any more."""
        ...

    async def has_mails(self, *, now: datetime) -> bool:
        """Return whether a mail of any sign-up is to be sent by now, as far as no ceiling keeps it back."""
        ...

    async def next_mails(self, ceilings: Ceilings, *, most: int, now: datetime) -> Sequence[SignUp]:
        """Return sign-ups whose next mail is to be sent now, and note that the caller sends it.

        What asks for confirmation stays under the ceilings, which count it from now on. Who is on the list by now,
        or must get no mail, is forgotten. What a caller does not report on is returned again later.

        Args:
            ceilings: for mails that ask for confirmation.
            most: how many sign-ups are returned at most.
            now: aware, UTC.
        """
        ...

    async def mail_sent(self, key: int, mail: SignUpMail, *, now: datetime) -> None:
        """Note that a mail of a sign-up was handed over."""
        ...

    async def mail_not_sent(self, key: int, *, for_good: bool, now: datetime) -> None:
        """Note that nobody took a mail of a sign-up; no ceiling counts it then.

        Args:
            key: the sign-up's.
            for_good: the recipient's side refused it. A sign-up that waits for a reader there is forgotten. Else
                the mail is tried again later.
            now: aware, UTC.
        """
        ...

    async def forget_old(self, *, now: datetime) -> int:
        """Forget sign-ups whose time is over, and mails that no ceiling counts any more.

        Returns:
            How many sign-ups were forgotten.
        """
        ...

    async def funnels(self, *, since: date) -> Mapping[str, Funnel]:
        """Return how many signed up since a day (UTC), by the names of the lists."""
        ...
