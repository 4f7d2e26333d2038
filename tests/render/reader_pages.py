"""Values of the pages of single readers, in each state that they may be in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from newsletter.readers.preferences import Mistake
from tests import factories

DAY = date(2026, 3, 12)
_ADA = "ada@example.org"
_MONDAY = date(2024, 1, 1)

_FIELDS = {
    "name": ["Ada"],
    "cadence": ["daily"],
    "days": ["mon", "wed"],
    "hour": ["07:30"],
    "timezone": ["Europe/London"],
    "paused_until": [""],
    "topics": ["agents"],
    "topics_mode": ["first"],
    "authors": ["Ada Lovelace"],
    "organizations": [""],
    "keywords": [""],
    "interest": [""],
    "papers": ["2501.12345"],
    "kept_papers": ["doi:10.1/1"],
    "text": ["summary"],
    "language": [""],
    "new_address": [""],
}


def preferences(mistakes: Mapping[str, Mistake] | None = None, *, is_saved: bool = False) -> dict[str, Any]:
    """Return the values of the page of preferences."""
    return {
        "masthead": factories.masthead(),
        "email": "a•••@example.org",
        "since": DAY,
        "topics": {"agents": "agent, tool use", "vision": "cs.CV"},
        "fields": _FIELDS,
        "mistakes": mistakes or {},
        "is_saved": is_saved,
        "has_cadence": True,
        "weekdays": [("mon", _MONDAY), ("wed", _MONDAY + timedelta(days=2))],
        "hour": "08:00",
        "timezone": "Europe/London",
        "language_name": "English",
        "timezones": {"Europe": ["Europe/London", "Europe/Isle_of_Man"], "UTC": ["UTC"]},
        "languages": {"en": "English", "de": "Deutsch"},
        "kept_papers": [{"key": "doi:10.1/1", "title": factories.PAPERS[0].title}],
        "said": [{"key": 7, "title": factories.PAPERS[0].title, "liked": True}],
        "address_url": "../../-/preferences/MQ/address",
        "unsubscribe_url": "../../-/unsubscribe/MQ",
        "tomorrow": DAY + timedelta(days=1),
        "latest": DAY + timedelta(days=366),
        "most_name": 100,
        "most_interest": 2000,
    }


MISTAKES = {
    "name": Mistake("too_long", "100"),
    "days": Mistake("no_day"),
    "hour": Mistake("hour", "25:00"),
    "timezone": Mistake("timezone", "1"),
    "paused_until": Mistake("past"),
    "authors": Mistake("line_too_long", "1"),
    "organizations": Mistake("nothing", "1"),
    "keywords": Mistake("too_many", "100"),
    "interest": Mistake("too_long", "2000"),
    "papers": Mistake("paper", "1"),
    "new_address": Mistake("address"),
}


def states() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the name and the values of each page, by what it says."""
    reader = {"masthead": factories.masthead(), "email": _ADA}
    left = {
        "is_news": True,
        "left_on": None,
        "stay_url": "../stay/MQ",
        "has_weekly": True,
        "asks_why": True,
        "is_thanked": False,
    }
    before = {"is_news": False, "stay_url": "", "asks_why": False}
    less = {"instead": "weekly", "until": DAY}
    moving = {"former": "a•••@example.org"}
    dates = MISTAKES | {"paused_until": Mistake("date", "1")}
    return {
        "leaves": ("unsubscribe", {**reader, "has_weekly": True, "has_pause": True}),
        "leaves or not": ("unsubscribe", {**reader, "has_weekly": False, "has_pause": False}),
        "left": ("unsubscribed", {**reader, **left}),
        "left before": ("unsubscribed", {**reader, **left, **before, "left_on": DAY}),
        "is out": ("unsubscribed", {**reader, **left, **before}),
        "said why": ("unsubscribed", {**reader, **left, "is_thanked": True}),
        "may stay": ("stay", {**reader, "is_done": False}),
        "stays": ("stay", {**reader, "is_done": True}),
        "may get less": ("less", {**reader, **less, "is_done": False}),
        "weekly": ("less", {**reader, **less, "is_done": True}),
        "pauses": ("less", {**reader, **less, "instead": "pause", "is_done": True}),
        "preferences": ("preferences", preferences()),
        "saved": ("preferences", preferences(is_saved=True)),
        "mistakes": ("preferences", preferences(MISTAKES)),
        "other mistakes": ("preferences", preferences(dates | {"interest": Mistake("far")})),
        "not now": ("not_now", {}),
        "mailed": ("new_address", {**reader, **moving, "state": "mailed"}),
        "may move": ("new_address", {**reader, **moving, "state": "asks"}),
        "moved": ("new_address", {**reader, **moving, "state": "done"}),
    }
