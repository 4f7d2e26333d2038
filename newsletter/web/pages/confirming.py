"""The links in mails of sign-ups: a reader confirms, an operator decides. GET shows a button, POST does it.

A link works once. What was used, is too old or was not made by us is answered alike, after the same look into the
ledger: a token tells nothing to who does not have the right one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.page_names import CONFIRM, DECIDE
from newsletter.core.signup import VALID_FOR
from newsletter.core.tokens import Links
from newsletter.ports import Clock, Issues
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import Asked, ClosedForNowError, Confirmation, Joined, SigningUp, first_issue
from newsletter.render.issue.language import language
from newsletter.render.issue.times import moment, schedule, span
from newsletter.render.mime.addresses import Mailbox
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.forms import Form, read_body
from newsletter.web.pages.languages import asked as language_asked

_MAX_BODY_BYTES = 1024
_YES, _ACCEPT, _DECLINE = "yes", "accept", "decline"

_Answering = Callable[[Request], Awaitable[Response]]


def routes(
    signing_up: SigningUp, issues: Issues, links: Links, renderer: PageRenderer, clock: Clock
) -> list[Route]:
    """Return the routes.

    Args:
        signing_up: does what was confirmed or decided.
        issues: whether a list has an issue that can be sent at once.
        links: makes addresses of pages.
        renderer: renders the pages `confirm`, `confirmed`, `decide`, `signup_not_now` and `link_over`.
        clock: the present moment.
    """
    pages = _ConfirmingPages(signing_up, issues, links, renderer, clock)
    confirm, decide = (f"/{path}/{{{SECRET_PARAMETER}}}" for path in (CONFIRM, DECIDE))
    return [
        Route(confirm, pages.guarded(pages.ask), methods=["GET"]),
        Route(confirm, pages.guarded(pages.confirm), methods=["POST"]),
        Route(decide, pages.guarded(pages.ask_operator), methods=["GET"]),
        Route(decide, pages.guarded(pages.decide), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _ConfirmingPages:
    signing_up: SigningUp
    issues: Issues
    links: Links
    renderer: PageRenderer
    clock: Clock

    def guarded(self, answer: _Answering) -> _Answering:
        """Return what answers as `answer` does, and asks the visitor to come back where a list's file is wrong."""

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except ClosedForNowError:
                return HTMLResponse(
                    self.renderer.page("signup_not_now", {**language_asked(request), "issue_url": ""}), 503
                )

        return answered

    async def ask(self, request: Request) -> Response:
        """Show the button. Mail scanners follow links, so this changes nothing."""
        asked = await self.signing_up.to_confirm(_token(request), now=self.clock())
        if asked is None:
            return self._over(request)
        signup, list_ = asked
        words = language(list_.masthead.language)
        values = {
            "masthead": list_.masthead,
            "email": signup.request.email,
            "schedule": schedule(words, list_, signup.request.cadence),
            "topics": signup.request.topics,
            "has_latest": await self._has_issue(list_, signup.request.cadence),
            "days": span(words, VALID_FOR.days),
        }
        return HTMLResponse(self.renderer.page("confirm", values))

    async def confirm(self, request: Request) -> Response:
        """Put the reader on the list, or ask the operator where the list says so."""
        wants_latest = (await _form(request)).one("latest") == _YES
        now = self.clock()
        asked = await self.signing_up.to_confirm(_token(request), now=now)
        done = asked and await self.signing_up.confirm(asked, wants_latest=wants_latest, now=now)
        if asked is None or done is None:
            return self._over(request)
        return await self._confirmed(asked, done, sends_latest=wants_latest)

    async def _confirmed(self, asked: Asked, done: Confirmation, *, sends_latest: bool) -> Response:
        signup, list_ = asked
        cadence = signup.request.cadence
        first_at = await first_issue(self.issues, list_, cadence, self.clock())
        has_issue = await self._has_issue(list_, cadence)
        key = done.subscriber_key
        values = {
            "masthead": list_.masthead,
            "email": signup.request.email,
            "joined": done.joined.value,
            "first_issue": moment(language(list_.masthead.language), first_at, list_.timezone) if first_at else "",
            "sends_latest": sends_latest and has_issue,
            "issue_url": f"../../{list_.name}/" if has_issue else "",
            "preferences_url": "" if key is None else self.links.preferences(key),
            "sender": Mailbox.parse(list_.masthead.sender).address,
        }
        return HTMLResponse(self.renderer.page("confirmed", values))

    async def ask_operator(self, request: Request) -> Response:
        """Show both buttons."""
        asked = await self.signing_up.to_decide(_token(request), now=self.clock())
        return self._over(request) if asked is None else self._decision(asked, "asked")

    async def decide(self, request: Request) -> Response:
        """Accept or decline a reader."""
        decision = (await _form(request)).one("decision")
        now = self.clock()
        asked = await self.signing_up.to_decide(_token(request), now=now)
        if asked is None:
            return self._over(request)
        if decision not in {_ACCEPT, _DECLINE}:
            return self._decision(asked, "asked", status=422)
        joined = await self.signing_up.decide(asked, accepted=decision == _ACCEPT, now=now)
        if joined is None:
            return self._over(request)
        if joined is Joined.STAYS_OUT:
            return self._decision(asked, "stays out")
        return self._decision(asked, "accepted" if decision == _ACCEPT else "declined")

    def _decision(self, asked: Asked, decision: str, *, status: int = 200) -> Response:
        signup, list_ = asked
        request = signup.request
        values = {"email": request.email, "name": request.name, "decision": decision}
        return HTMLResponse(self.renderer.page("decide", {"masthead": list_.masthead, **values}), status)

    def _over(self, request: Request) -> Response:
        page = self.renderer.page("link_over", {**language_asked(request), "home_url": "../.."})
        return HTMLResponse(page, 404)

    async def _has_issue(self, list_: NewsletterList, cadence: Cadence | None) -> bool:
        weekly = list_.weekly_edition if cadence is Cadence.WEEKLY else None
        return await self.issues.outline((weekly or list_).name) is not None


def _token(request: Request) -> str:
    return str(request.path_params[SECRET_PARAMETER])


async def _form(request: Request) -> Form:
    return Form.read(await read_body(request, _MAX_BODY_BYTES), most=10)
