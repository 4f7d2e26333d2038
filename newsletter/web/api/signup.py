"""Signing up by programs: JSON to `/-/api/signup`, from any site.

Any site may send it, also by a script in a visitor's browser (CORS): there are no cookies, and nothing in the
answer depends on who asks. The answer is the same for all addresses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter.core.newsletter_list import Cadence
from newsletter.core.page_names import API
from newsletter.core.signup import LONGEST_ADDRESS_TYPED, MOST_TOPICS, AddressProblem, RequestError, UnprovenError
from newsletter.readers.signup import ClosedForNowError
from newsletter.web.admission import PROOF, TRAP, Admission, media_type
from newsletter.web.pages.forms import Form, read_body

_MAX_BODY_BYTES = 16 * 1024
_CORS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",  # seconds
}
_PROBLEMS = {
    AddressProblem.MISSING: "email: is missing",
    AddressProblem.WRONG: "email: no mail can go to this address",
    AddressProblem.SEVERAL: "email: one address alone",
}
_MISTAKES_SHOWN = 5
SIGN_UP = "signup"  # the path below that of the API


class Wanted(BaseModel):
    """What a program asks. Texts that are longer than the fields of the page are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    list: str = Field(max_length=200)
    email: str = Field(max_length=LONGEST_ADDRESS_TYPED)
    name: str = Field(default="", max_length=400)
    topics: tuple[str, ...] = Field(default=(), max_length=MOST_TOPICS, strict=False)
    cadence: Cadence | None = Field(default=None, strict=False)
    altcha: str = ""  # the solution of a puzzle, where the operator asks for one
    website: str = ""  # the trap of the form, for sites that send their own form by a script


class SignUpAnswer(BaseModel):
    """That a sign-up is noted."""

    status: Literal["asked"] = "asked"
    message: str = "A mail asks the owner of the address to confirm, unless that address gets the list already."


def routes(admission: Admission) -> list[Route]:
    """Return the routes; `admission` lets requests in."""
    door = _SignUpDoor(admission)
    path = f"/{API}/{SIGN_UP}"
    return [
        Route(path, door.ask, methods=["POST"]),
        Route(path, door.allow, methods=["OPTIONS"]),
        Route(f"/{API}/puzzle", door.puzzle, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class _SignUpDoor:
    admission: Admission

    async def allow(self, _: Request) -> Response:
        """Tell a browser that any site may ask (CORS: https://fetch.spec.whatwg.org/#http-cors-protocol)."""
        return Response(status_code=204, headers=_PREFLIGHT)

    async def puzzle(self, _: Request) -> Response:
        """Give a puzzle, for the widget of ALTCHA on other sites; 404 where none is asked for."""
        if self.admission.puzzles is None:
            return _refused(404, "no puzzle is asked for")
        return JSONResponse(self.admission.puzzles.new(), headers=_CORS)

    async def ask(self, request: Request) -> Response:
        """Note who asks."""
        if media_type(request) != "application/json":
            return _refused(415, "send it as application/json")
        try:
            body = await read_body(request, _MAX_BODY_BYTES)
        except HTTPException as error:
            return _refused(error.status_code, "the body is too long")
        if not await self.admission.counts(request):
            return _refused(429, "too many requests from your network: try again in an hour")
        try:
            wanted = Wanted.model_validate(json.loads(body))
        except ValidationError as error:
            return _refused(422, "; ".join(_in_words(one) for one in error.errors()[:_MISTAKES_SHOWN]))
        except (ValueError, RecursionError):
            return _refused(400, "the body is not JSON")
        return await self._take(request, wanted)

    async def _take(self, request: Request, wanted: Wanted) -> Response:
        try:
            list_ = await self.admission.signing_up.list_named(wanted.list)
        except ClosedForNowError:
            return _refused(503, "list: signing up is closed for now")
        if list_ is None:
            return _refused(404, "list: there is none of this name")
        if not self.admission.signing_up.is_open(list_):
            return _refused(403, "list: it takes no new readers by themselves")
        form = Form(
            {
                "email": [wanted.email],
                "name": [wanted.name],
                "topic": wanted.topics,
                "cadence": [wanted.cadence or ""],
                PROOF: [wanted.altcha],
                TRAP: [wanted.website],
            }
        )
        try:
            await self.admission.take(request, list_, form)
        except RequestError as error:
            return _refused(422, _PROBLEMS[error.problem])
        except UnprovenError:
            return _refused(422, f"altcha: solve a puzzle of /{API}/puzzle, each once")
        return JSONResponse(SignUpAnswer().model_dump(), 202, headers=_CORS)


def _in_words(error: Any) -> str:
    place = ".".join(map(str, error["loc"]))
    return f"{place}: {error['msg']}" if place else str(error["msg"])


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status, headers=_CORS)
