"""Signing up: the form, and the page after it.

The form may be sent from other sites. That is harmless: it asks for no more than anybody can ask, there are no
cookies and no accounts whose rights it could borrow, and all it causes is one mail with a button behind its link.
`docs/signup.md` says so for operators.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.newsletter_list import Cadence, NewsletterList, SignUpRule
from newsletter.core.page_names import SIGN_UP
from newsletter.core.signup import MOST_TOPICS, VALID_FOR, RequestError, UnprovenError
from newsletter.core.tokens import Links
from newsletter.core.webmail import webmail_of
from newsletter.ports import Issues
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import ClosedForNowError
from newsletter.render.issue.language import language
from newsletter.render.issue.times import schedule, span
from newsletter.web.admission import Admission, media_type
from newsletter.web.pages.forms import Form, read_body
from newsletter.web.pages.languages import asked

_MAX_BODY_BYTES = 16 * 1024
_MOST_FIELDS = MOST_TOPICS + 10
_KEYWORDS_SHOWN = 4  # of a topic
_NOTHING_TYPED = Form({})
_FORM = "application/x-www-form-urlencoded"

_SNIPPET = """<form action="{action}" method="post">
  <label>{pitch}
    <input type="email" name="email" required placeholder="you@example.org">
  </label>
  <button>{button}</button>
</form>"""
_PITCHES = {
    Cadence.DAILY: "Get trending papers in your email inbox once a day!",
    Cadence.WEEKLY: "Get trending papers in your email inbox once a week!",
}


def routes(admission: Admission, issues: Issues, links: Links, renderer: PageRenderer) -> list[Route]:
    """Return the routes: GET shows the form of a list, POST notes who asks.

    Args:
        admission: lets requests in.
        issues: the newest issue is linked to.
        links: makes addresses of pages.
        renderer: renders the pages `signup`, `signup_asked` and `signup_not_now`.
    """
    pages = _SignUpPages(admission, issues, links, renderer)
    path = f"/{SIGN_UP}/{{list}}"
    return [
        Route(path, pages.form, methods=["GET"]),
        Route(path, pages.ask, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _SignUpPages:
    admission: Admission
    issues: Issues
    links: Links
    renderer: PageRenderer

    async def form(self, request: Request) -> Response:
        """Show the form, or that the list takes no new readers."""
        try:
            list_ = await self._list(request)
        except ClosedForNowError:
            return await self._closed_for_now(request)
        return await self._form(list_, _NOTHING_TYPED)

    async def ask(self, request: Request) -> Response:
        """Note who asks, and answer the same whoever it is: which addresses are known is nobody's business."""
        try:
            list_ = await self._list(request)
        except ClosedForNowError:
            return await self._closed_for_now(request)
        if not self.admission.signing_up.is_open(list_):
            return await self._form(list_, _NOTHING_TYPED, status=403)
        if media_type(request) != _FORM:
            raise HTTPException(415)
        typed = Form.read(await read_body(request, _MAX_BODY_BYTES), most=_MOST_FIELDS)
        if not await self.admission.counts(request):
            return await self._form(list_, typed, problem="many", status=429)
        try:
            wanted = await self.admission.take(request, list_, typed)
        except RequestError as error:
            return await self._form(list_, typed, problem=error.problem.value, status=422)
        except UnprovenError:  # the form stood on a page without a puzzle, or no script runs
            return await self._form(list_, typed, problem="unproven", status=422)
        values = {
            "masthead": list_.masthead,
            "email": wanted.email,
            "webmail": webmail_of(wanted.email),
            "days": span(language(list_.masthead.language), VALID_FOR.days),
            "signup_url": list_.name,
        }
        return HTMLResponse(self.renderer.page("signup_asked", values))

    async def _list(self, request: Request) -> NewsletterList:
        """Return the list that is asked for.

        Raises:
            HTTPException: 404: there is none of that name.
            ClosedForNowError: its file has mistakes.
        """
        list_ = await self.admission.signing_up.list_named(request.path_params["list"])
        if list_ is None:
            raise HTTPException(404)
        return list_

    async def _closed_for_now(self, request: Request) -> Response:
        """Say that nobody can sign up at the moment; what the operator has to mend is nobody else's business."""
        newest = await self.issues.outline(request.path_params["list"])
        values: dict[str, Any] = {"masthead": newest.masthead} if newest else dict(asked(request))
        values["issue_url"] = f"../../{newest.list}/" if newest else ""
        return HTMLResponse(self.renderer.page("signup_not_now", values), 503)

    async def _form(self, list_: NewsletterList, typed: Form, *, problem: str = "", status: int = 200) -> Response:
        values: dict[str, Any] = {
            "masthead": list_.masthead,
            "is_open": self.admission.signing_up.is_open(list_),
            "is_weekly": list_.cadence is Cadence.WEEKLY,
            "has_weekly": list_.weekly_edition is not None,
            "needs_approval": list_.signup is SignUpRule.APPROVAL,
            "schedule": schedule(language(list_.masthead.language), list_),
            "topics": [(name, _words_of(list_, name)) for name in list_.topics],
            "typed": {
                "email": typed.one("email"),
                "name": typed.one("name"),
                "topics": typed.all("topic"),
                "cadence": typed.one("cadence"),
            },
            "problem": problem,
            "issue_url": await self._newest(list_.name, "../.."),
            "snippet": self._snippet(list_),
        }
        puzzle = self.admission.puzzles.new() if self.admission.puzzles and values["is_open"] else None
        page = self.renderer.page("signup", {**values, "puzzle": json.dumps(puzzle) if puzzle else ""})
        return HTMLResponse(page, status)

    def _snippet(self, list_: NewsletterList) -> str:
        """Return the HTML of the form for other sites, in the list's language."""
        words = language(list_.masthead.language)
        pitch, button = words.gettext(_PITCHES[list_.cadence]), words.gettext("Sign up")
        return _SNIPPET.format(action=self.links.sign_up(list_.name), pitch=escape(pitch), button=escape(button))

    async def _newest(self, list_name: str, root: str) -> str:
        """Return the address of a list's page as seen from another one, or nothing where it has no issue."""
        return f"{root}/{list_name}/" if await self.issues.outline(list_name) else ""


def _words_of(list_: NewsletterList, topic: str) -> str:
    """Return some of the words by which papers fit a topic."""
    return ", ".join(list_.topics[topic].keywords[:_KEYWORDS_SHOWN])
