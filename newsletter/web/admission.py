"""How requests to sign up come in, from the page and from programs: so many of each client, one address each."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from starlette.requests import Request

from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.signup import AddressProblem, RequestError, SignUpRequest, UnprovenError, read_address, wishes
from newsletter.ports import Clock
from newsletter.readers.signup import SigningUp
from newsletter.web.clients import Asking, Clients
from newsletter.web.pages.forms import Form
from newsletter.web.puzzles import Puzzles

log = structlog.get_logger(__name__)

# A person does not see this field. Programs that fill in all there is do, and what they send is thrown away.
TRAP = "website"
PROOF = "altcha"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Lets requests to sign up in.

    Attributes:
        signing_up: notes who asks.
        clients: tells where requests come from.
        quota: how many each client may make.
        puzzles: what each is to solve before; None: nothing.
        clock: the present moment.
    """

    signing_up: SigningUp
    clients: Clients
    quota: Asking
    puzzles: Puzzles | None
    clock: Clock

    async def counts(self, request: Request) -> bool:
        """Count a request of its client; return whether it may make it. That says nothing of any address."""
        return await self.quota.take(self.clients.of(request))

    def read(self, list_: NewsletterList, form: Form) -> SignUpRequest:
        """Return what is asked, cleaned.

        Args:
            list_: the list.
            form: with `email`, `name`, `topic` (any number) and `cadence`.

        Raises:
            RequestError: it names no single address that mail can go to.
        """
        email = read_address(" ".join(form.all("email")))
        try:
            email = self.signing_up.check_address(email)
        except ValueError:
            raise RequestError(AddressProblem.WRONG) from None
        return wishes(
            email,
            list_,
            name=form.one("name"),
            topics=form.all("topic"),
            cadence=form.one("cadence"),
        )

    async def take(self, request: Request, list_: NewsletterList, form: Form) -> SignUpRequest:
        """Note what is asked, and return it. What a program asks that fills in the trap is not noted.

        The answer follows from this alone: it is the same for all addresses, and comes before any mail is written.

        Raises: what `read` raises, and
            UnprovenError: a puzzle is to be solved, and was not.
        """
        wanted = self.read(list_, form)
        if self.puzzles and not await self.puzzles.take(form.one(PROOF)):
            raise UnprovenError
        if form.one(TRAP):
            log.info("sign_up_trapped", list=list_.name)
        else:
            client = self.clients.of(request)
            await self.signing_up.ask(list_, wanted, client=client, now=self.clock())
        return wanted


def media_type(request: Request) -> str:
    """Return the media type that a request says of its body, without parameters."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
