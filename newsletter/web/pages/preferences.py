"""A reader's own page: what they get, when and how. It needs no account: the link in their mails is the key.

And no other site can send a reader's POST: the address that takes it is known to nobody without the mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import available_timezones

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.core.address import masked
from newsletter.core.errors import ConfigurationError
from newsletter.core.leaving import Instead, less
from newsletter.core.newsletter_list import WEEKDAYS, Cadence, NewsletterList
from newsletter.core.page_names import PREFERENCES
from newsletter.core.subscriber import SubscriberStatus, Wishes
from newsletter.core.tokens import TEST_COPY, Links
from newsletter.core.topics import Topic
from newsletter.core.wishes import fitted
from newsletter.lists.addresses import Addresses
from newsletter.ports import Clock, Lists, Store, SubscriberRecord
from newsletter.ports.pages import PageRenderer
from newsletter.readers.preferences import (
    LONGEST_INTEREST,
    LONGEST_NAME,
    LONGEST_PAUSE,
    Filled,
    Mistake,
    fields_of,
    filled,
    other_papers,
)
from newsletter.render.issue.catalogues import SOURCE, language_for, language_names, languages
from newsletter.render.issue.citation import readable_title
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.forms import Form, read_body
from newsletter.web.pages.languages import asked
from newsletter.web.pages.readers import NOBODY, page_path, to_reader, today_of
from newsletter.web.static import root_of

log = structlog.get_logger(__name__)

_MAX_BODY_BYTES = 65_536
_WORDS_OF_TOPIC = 4  # that are shown
_A_MONDAY = date(2024, 1, 1)
_A_DAY = timedelta(days=1)
_REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def routes(
    store: Store, lists: Lists, links: Links, renderer: PageRenderer, clock: Clock, wake: Callable[[], None]
) -> list[Route]:
    """Return the routes: GET shows, POST saves.

    Args:
        store: keeps wishes, what readers said of papers, and new addresses.
        lists: say what there is to choose from.
        links: makes and reads the tokens.
        renderer: renders the pages `preferences`, `less`, `new_address`, `not_now`, `test_copy` and `gone`.
        clock: the present moment.
        wake: is called when a letter about a new address is to be sent.
    """
    pages = _PreferencesPages(store, lists, links, renderer, clock, wake)
    path = f"/{PREFERENCES}/{{{SECRET_PARAMETER}}}"
    return [
        Route(path, pages.show, methods=["GET"]),
        Route(path, pages.save, methods=["POST"]),
        Route(f"{path}/weekly", pages.ask_weekly, methods=["GET"]),
        Route(f"{path}/weekly", pages.choose_weekly, methods=["POST"]),
        Route(f"{path}/address", pages.ask_address, methods=["POST"]),
    ]


class _Visit(NamedTuple):
    """A reader on their page, their list, and which day it is where they are."""

    record: SubscriberRecord
    list: NewsletterList
    today: date

    def changed(self, wishes: Wishes) -> Wishes:
        """Return wishes as far as the list can meet them."""
        return fitted(wishes, self.list, languages())[0]


@dataclass(frozen=True, slots=True)
class _PreferencesPages:
    store: Store
    lists: Lists
    links: Links
    renderer: PageRenderer
    clock: Clock
    wake: Callable[[], None]

    async def show(self, request: Request) -> Response:
        """Show what the reader wishes. Mail scanners follow links, so this changes nothing."""
        visit = await self._visit(request)
        return visit if isinstance(visit, Response) else await self._page(request, visit)

    async def save(self, request: Request) -> Response:
        """Keep what the reader wishes, or take back what they said of a paper."""
        form = Form.read(await read_body(request, _MAX_BODY_BYTES))
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        if listing := form.number("take_back"):
            await self.store.feedback.take_back(visit.record.key, listing)
            return await self._page(request, visit, is_saved=True)
        if not form.has("name"):  # the page's own form always has it; with less, all wishes would be lost
            return await self._page(request, visit)

        def read(before: Wishes) -> Filled:
            return filled(form.fields, before, visit.list, languages(), today=visit.today)

        if mistakes := read(visit.record.subscriber.wishes).mistakes:
            return await self._page(request, visit, typed=form.fields, mistakes=mistakes)
        return await self._kept(request, visit, lambda before: read(before).wishes)

    async def ask_weekly(self, request: Request) -> Response:
        """Show the button that asks for an issue a week; changes nothing."""
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        is_weekly = Cadence.WEEKLY in {visit.list.cadence, visit.record.subscriber.cadence}
        return self._weekly(request, visit, is_done=is_weekly)

    async def choose_weekly(self, request: Request) -> Response:
        """Let the reader get an issue a week."""
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        if await self._keep(visit, lambda wishes: less(wishes, Instead.WEEKLY, visit.today)) is None:
            raise HTTPException(404)
        return self._weekly(request, visit, is_done=True)

    async def ask_address(self, request: Request) -> Response:
        """Note that the reader wants another address; the answer is the same whatever comes of it."""
        form = Form.read(await read_body(request, _MAX_BODY_BYTES))
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        typed = form.one("new_address").strip()
        try:
            email = Addresses().read(typed)
        except ValueError:
            mistakes = {"new_address": Mistake("address", "")}
            return await self._page(request, visit, typed={"new_address": [typed[:254]]}, mistakes=mistakes)
        if await self.store.address_changes.ask(visit.record.key, email, now=self.clock()):
            self.wake()
        log.info("new_address_asked", list=visit.list.name)
        values = {"state": "mailed", "email": email, "former": masked(visit.record.subscriber.email)}
        return self._answer(request, "new_address", visit, values)

    async def _visit(self, request: Request) -> _Visit | Response:
        """Return who the token stands for, or the page that says why there is nothing to choose.

        Raises:
            HTTPException: 404: we did not make the token.
        """
        key = self.links.read_preferences(request.path_params[SECRET_PARAMETER])
        if key == TEST_COPY:
            return HTMLResponse(self.renderer.page("test_copy", asked(request)))
        number = NOBODY if key is None else key
        record = next(iter(await self.store.subscribers.records(after=number - 1, limit=1)), None)
        if key is None:
            raise HTTPException(404)
        if record is None or record.key != key or record.subscriber.status is SubscriberStatus.REMOVED:
            return HTMLResponse(self.renderer.page("gone", asked(request)), 410)
        if record.subscriber.status is SubscriberStatus.UNSUBSCRIBED:
            return RedirectResponse(page_path(request, self.links, self.links.unsubscribe(key)), 303)
        list_ = await self._list(record.subscriber.list)
        if list_ is None:
            return HTMLResponse(self.renderer.page("not_now", asked(request)), 503)
        return _Visit(record, list_, today_of(record.subscriber, self.clock(), list_.timezone))

    async def _list(self, name: str) -> NewsletterList | None:
        """Return a list as its file says now; None where the file is wrong, or gone."""
        try:
            file = (await asyncio.to_thread(self.lists.read)).right.get(name)
        except ConfigurationError:
            return None
        return None if file is None else file.list

    async def _kept(self, request: Request, visit: _Visit, change: Callable[[Wishes], Wishes]) -> Response:
        now = await self._keep(visit, change)
        if now is None:  # they left meanwhile
            raise HTTPException(404)
        return await self._page(request, now, is_saved=True)

    async def _keep(self, visit: _Visit, change: Callable[[Wishes], Wishes]) -> _Visit | None:
        """Change wishes, and return the visit as it is then; None: the reader is not on the list any more."""
        key, now = visit.record.key, self.clock()
        changed = await self.store.subscribers.change_wishes(
            key, lambda wishes: visit.changed(change(wishes)), now=now
        )
        if changed is None:
            return None
        log.info("wishes_kept", list=visit.list.name)
        [record] = await self.store.subscribers.records(after=key - 1, limit=1)
        return visit._replace(record=record, today=today_of(record.subscriber, now, visit.list.timezone))

    def _weekly(self, request: Request, visit: _Visit, *, is_done: bool) -> Response:
        values = {"email": masked(visit.record.subscriber.email), "instead": Instead.WEEKLY, "is_done": is_done}
        return self._answer(request, "less", visit, values)

    def _answer(
        self, request: Request, page: str, visit: _Visit, values: Mapping[str, Any], status: int = 200
    ) -> Response:
        masthead = to_reader(visit.list.masthead, visit.record.subscriber)
        shown = {"root": root_of(request), "masthead": masthead, **values}
        return HTMLResponse(self.renderer.page(page, shown), status)

    async def _page(
        self,
        request: Request,
        visit: _Visit,
        *,
        typed: Mapping[str, Sequence[str]] | None = None,
        mistakes: Mapping[str, Mistake] | None = None,
        is_saved: bool = False,
    ) -> Response:
        """Show the form: as the reader's wishes are, or with what they typed, where something is wrong with it."""
        key, wishes = visit.record.key, visit.record.subscriber.wishes
        said = await self.store.feedback.all_of(key)
        of_wishes = {**fields_of(wishes, visit.list, today=visit.today), "new_address": [""]}
        if typed and "name" in typed:  # the whole form: what is not there was left out
            of_wishes = dict.fromkeys(of_wishes, ())
        fields = of_wishes | dict(typed or {})
        values = _choices(visit) | {
            "fields": fields,
            "mistakes": mistakes or {},
            "is_saved": is_saved,
            "said": [
                {"key": one.listing_key, "title": readable_title(one.listing), "liked": one.liked} for one in said
            ],
            "address_url": page_path(request, self.links, f"{self.links.preferences(key)}/address"),
            "unsubscribe_url": page_path(request, self.links, self.links.unsubscribe(key)),
        }
        return self._answer(request, "preferences", visit, values, 422 if mistakes else 200)


def _choices(visit: _Visit) -> dict[str, Any]:
    """Return what there is to choose from, and who chooses."""
    reader, list_ = visit.record.subscriber, visit.list
    is_daily = list_.cadence is Cadence.DAILY
    days = sorted(list_.days) if is_daily and len(list_.days) > 1 else []
    return {
        "email": masked(reader.email),
        "since": today_of(reader, visit.record.joined_at, list_.timezone),
        "topics": {name: _about(topic) for name, topic in list_.topics.items()},
        "has_cadence": is_daily,
        "weekdays": [(WEEKDAYS[day], _A_MONDAY + day * _A_DAY) for day in days],
        "hour": f"{list_.hour:%H:%M}",
        "timezone": list_.timezone,
        "timezones": _timezones(reader.timezone),
        "languages": language_names(),
        "language_name": language_names()[language_for(list_.masthead.language) or SOURCE],
        "kept_papers": [
            {"key": str(one.identities[0]), "title": one.title} for one in other_papers(reader.wishes)
        ],
        "tomorrow": visit.today + _A_DAY,
        "latest": visit.today + LONGEST_PAUSE,
        "most_name": LONGEST_NAME,
        "most_interest": LONGEST_INTEREST,
    }


def _about(topic: Topic) -> str:
    words = (*topic.keywords, *topic.authors, *topic.organizations, *topic.categories)
    return ", ".join(words[:_WORDS_OF_TOPIC])


def _timezones(own: str | None) -> dict[str, list[str]]:
    """Return the timezones to choose from, by region; the reader's own is always one of them."""
    regions = _places()
    if own is None or any(own in names for names in regions.values()):
        return regions
    return regions | {own: [own]}


@cache
def _places() -> dict[str, list[str]]:
    names = sorted(available_timezones())
    return {region: [name for name in names if name.startswith(f"{region}/")] for region in _REGIONS} | {
        "UTC": ["UTC"]
    }
