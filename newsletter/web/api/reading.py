"""Reading by programs: lists, issues and papers as JSON, for any site. GET alone, and nothing of a reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.core.errors import SearchError
from newsletter.core.full_text import read_query as read_search
from newsletter.core.newsletter_list import WEEKLY_EDITION, NewsletterList
from newsletter.core.page_names import API, read_paper_path
from newsletter.ports import Lists, Store
from newsletter.ports.listed import SourceNames
from newsletter.web.api import answers, parameters
from newsletter.web.api.answers import Answer, Answers, ErrorAnswer
from newsletter.web.api.parameters import Parameter, ParameterError
from newsletter.web.api.signup import SIGN_UP

_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "86400",  # seconds
}
_CACHED = {"Cache-Control": "public, max-age=60", "X-Robots-Tag": "noindex"}
_WITH_MISTAKES = "the list's file has mistakes: its operator knows them"

Values = Mapping[str, Any]


class NotThereError(Exception):
    """There is nothing of this name; one line."""


class NotNowError(Exception):
    """It is there, and nothing is known of it at the moment; one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the API answers at one path.

    Attributes:
        path: below `/-/api/`, with parameters in braces.
        words: what it answers.
        answer: its shape.
        parameters: what the request may say.
        give: makes the answer of the values of the parameters.
    """

    path: str
    words: str
    answer: type[Answer]
    parameters: tuple[Parameter, ...] = ()
    give: Callable[[Values], Awaitable[Answer]]

    @property
    def name(self) -> str:
        """Return what programs call it, such as `issuesOfList`."""
        first, *rest = self.answer.__name__.removesuffix("Answer"), *self.path.split("/")
        return first[0].lower() + first[1:] + "".join(part.strip("{}").capitalize() for part in rest)


@dataclass(frozen=True, slots=True)
class PublicData:
    """Reads what the API answers from the ledger and the list files."""

    store: Store
    lists: Lists
    source_names: SourceNames
    answers: Answers

    def operations(self) -> tuple[Operation, ...]:
        """Return all that can be asked, in the order of the documentation."""
        return *self._of_lists(), *self._of_papers()

    def _of_lists(self) -> tuple[Operation, ...]:
        return (
            Operation(path="lists", words="All lists.", answer=answers.ListsAnswer, give=self.all_lists),
            Operation(
                path="lists/{list}",
                words="One list.",
                answer=answers.ListAnswer,
                parameters=(parameters.LIST,),
                give=self.one_list,
            ),
            Operation(
                path="lists/{list}/issues",
                words="The issues of a list, the newest first. A daily list's weekly edition is `<list>.weekly`.",
                answer=answers.IssuesAnswer,
                parameters=(parameters.LIST, parameters.BEFORE_DAY, parameters.LIMIT),
                give=self.issues,
            ),
            Operation(
                path="lists/{list}/issues/{day}",
                words="One issue with its papers. It never changes.",
                answer=answers.IssueAnswer,
                parameters=(parameters.LIST, parameters.DAY),
                give=self.issue,
            ),
        )

    def _of_papers(self) -> tuple[Operation, ...]:
        limit = parameters.LIMIT
        return (
            Operation(
                path="lists/{list}/papers",
                words="What the list's sources showed: the newest first, or all of a day.",
                answer=answers.PapersAnswer,
                parameters=(parameters.LIST, parameters.OF_DAY, parameters.BEFORE, limit),
                give=self.papers,
            ),
            Operation(
                path="papers/{paper}",
                words="One paper, with what sources said of it and the issues that it stands in.",
                answer=answers.PaperAnswer,
                parameters=(parameters.PAPER,),
                give=self.paper,
            ),
            Operation(
                path="search",
                words="A search over all papers, the best first.",
                answer=answers.FoundAnswer,
                parameters=(parameters.SEARCHED, parameters.OF_LIST, parameters.OFFSET, limit),
                give=self.search,
            ),
        )

    async def all_lists(self, _: Values) -> Answer:
        """Return all lists, and apart from them those whose files have mistakes."""
        loaded = await asyncio.to_thread(self.lists.read)
        rows = [self.answers.list(file.list) for _, file in sorted(loaded.right.items())]
        return answers.ListsAnswer(
            lists=rows, wrong=[self.answers.wrong_list(name) for name in loaded.with_mistakes]
        )

    async def one_list(self, values: Values) -> Answer:
        """Return one list."""
        return self.answers.list(await self._list(values["list"]))

    async def issues(self, values: Values) -> Answer:
        """Return a page of a list's issues."""
        name, limit = values["list"], values["limit"]
        found = await self.store.issues.history(name, limit=limit + 1, before=values["before"])
        if not found:
            await self._list(name.removesuffix(WEEKLY_EDITION))  # is there such a list?
        shown, path = found[:limit], f"lists/{quote(name)}/issues"
        more = {"before": shown[-1].day.isoformat(), "limit": limit} if len(found) > limit else None
        return answers.IssuesAnswer(
            issues=[self.answers.issue_in_list(one) for one in shown], next=self._next(path, more)
        )

    async def issue(self, values: Values) -> Answer:
        """Return one issue."""
        found = await self.store.issues.find(values["list"], values["day"])
        if found is None:
            raise NotThereError("there is no issue of this list and day")
        return self.answers.issue(found)

    async def papers(self, values: Values) -> Answer:
        """Return what a list's sources showed."""
        list_, limit = await self._list(values["list"]), values["limit"]
        sources = self.source_names(list_)
        if values["day"] is not None:
            shown = await self.store.listed.on_day(sources, values["day"])
            return answers.PapersAnswer(papers=[self.answers.listed(one) for one in shown], next=None)
        found = await self.store.listed.newest(sources, before=values["before"], limit=limit + 1)
        shown = found[:limit]
        more = {"before": shown[-1].key, "limit": limit} if len(found) > limit else None
        return answers.PapersAnswer(
            papers=[self.answers.listed(one) for one in shown],
            next=self._next(f"lists/{list_.name}/papers", more),
        )

    async def paper(self, values: Values) -> Answer:
        """Return one paper."""
        identity = read_paper_path(values["paper"])
        found = None if identity is None else await self.store.papers.find(identity)
        if found is None:
            raise NotThereError("no paper is known by this")
        return self.answers.paper(found)

    async def search(self, values: Values) -> Answer:
        """Return what a search finds."""
        known = None if values["list"] is None else await self._list(values["list"])
        sources = self.source_names(known) if known else None
        offset, limit, text = values["offset"], values["limit"], values["q"]
        found = await self.store.papers.search(read_search(text), sources=sources, offset=offset, limit=limit)
        listed = await self.store.listed.by_keys(found.keys)
        more = None
        if offset + len(found.keys) < found.total and found.keys:
            of_list = {} if values["list"] is None else {"list": values["list"]}
            more = {"q": text, **of_list, "offset": offset + len(found.keys), "limit": limit}
        return answers.FoundAnswer(
            papers=[self.answers.listed(listed[key]) for key in found.keys if key in listed],
            next=self._next("search", more),
            total=found.total,
        )

    async def _list(self, name: str) -> NewsletterList:
        """Return the list of a name.

        Raises:
            NotThereError: there is none.
            NotNowError: its file has mistakes.
        """
        loaded = await asyncio.to_thread(self.lists.read)
        if name in loaded.with_mistakes:
            raise NotNowError(_WITH_MISTAKES)
        if name not in loaded.right:
            raise NotThereError("there is no list of this name")
        return loaded.right[name].list

    def _next(self, path: str, query: Mapping[str, Any] | None) -> str | None:
        return None if query is None else f"{self.answers.api(path)}?{urlencode(query)}"


def routes(data: PublicData) -> Iterator[BaseRoute]:
    """Yield the routes; they stand before all pages of lists."""
    for operation in data.operations():
        path = operation.path.replace("{paper}", "{paper:path}")
        yield Route(f"/{API}/{path}", _door(operation), methods=["GET"])
    yield Route(f"/{API}/{{rest:path}}", allow, methods=["OPTIONS"])
    yield Route(f"/{API}/{{rest:path}}", nothing_there, methods=["GET"])


def _door(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    in_path = [one for one in operation.parameters if one.in_path]

    async def give(request: Request) -> Response:
        try:
            values = parameters.read_query(operation.parameters, request.query_params.multi_items())
            values |= _in_path(in_path, request.path_params)
            answer = await operation.give(values)
        except ParameterError as error:
            return refused(HTTPStatus.BAD_REQUEST, str(error))
        except NotThereError as error:
            return refused(HTTPStatus.NOT_FOUND, str(error))
        except (SearchError, NotNowError) as error:
            return refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return answered(request, answer.model_dump_json().encode())

    return give


def _in_path(known: Iterable[Parameter], said: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the parameters in a path.

    Raises:
        NotThereError: one cannot be read, so nothing has this path.
    """
    try:
        return {one.name: one.read(said[one.name]) for one in known}
    except ValueError as error:
        raise NotThereError(str(error)) from None


def answered(request: Request, body: bytes, media_type: str = "application/json") -> Response:
    """Return an answer that caches may keep for a minute, or that the asker's own copy is right still."""
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, **_CACHED, **_CORS}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def refused(status: HTTPStatus, reason: str) -> Response:
    """Return why there is no answer."""
    return JSONResponse(ErrorAnswer(error=reason).model_dump(), status, headers=_CORS)


async def allow(_: Request) -> Response:
    """Tell a browser that any site may ask (CORS: https://fetch.spec.whatwg.org/#http-cors-protocol)."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)


async def nothing_there(request: Request) -> Response:
    """Say that the API has no such address, or none that can be read."""
    if request.path_params["rest"] == SIGN_UP:
        answer = refused(HTTPStatus.METHOD_NOT_ALLOWED, "it is asked by POST")
        answer.headers["Allow"] = "POST, OPTIONS"
        return answer
    return refused(HTTPStatus.NOT_FOUND, f"there is nothing at this address; /{API}/ says what there is")
