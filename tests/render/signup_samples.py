"""Values of the mails and pages of signing up, as the program gives them to the templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.core.webmail import webmail_of
from tests import factories

_EMAIL = "ada@gmail.com"
_SNIPPET = '<form action="https://papers.example.org/-/signup/daily" method="post">…</form>'


def signup_mails() -> Mapping[str, dict[str, Any]]:
    """Return the values of one mail of each kind, by its folder."""
    head = {"masthead": factories.masthead(), "email": "ada@example.org"}
    person = {**head, "name": "Ada Lovelace", "topics": ("agents", "vision")}
    return {
        "reminder": {
            **head,
            "confirm_url": "https://papers.example.org/-/confirm/WyJhZGFAZXhhbXBsZS5vcmciXQ.aVn3xQ.u5e8Xk1",
            "valid_for": "6 days",
        },
        "approval": {
            **person,
            "decide_url": "https://papers.example.org/-/decide/WyJhZGFAZXhhbXBsZS5vcmciXQ.aVn3xQ.u5e8Xk1",
            "days": 30,
        },
        "new_reader": person,
    }


def signup_pages() -> Mapping[str, dict[str, Any]]:
    """Return the values of the pages for readers, by name."""
    masthead = factories.masthead()
    reader = {"masthead": masthead, "email": _EMAIL}
    return {
        "signup": form(),
        "signup_asked": {**reader, "webmail": webmail_of(_EMAIL), "days": "7", "signup_url": "daily"},
        "confirm": {**reader, "schedule": "日", "topics": ("1", "2"), "has_latest": True, "days": "7"},
        "confirmed": confirmed("on the list"),
        "link_over": {"home_url": "../.."},
    }


def form(**values: Any) -> dict[str, Any]:
    """Return the values of the form, some of them others."""
    return {
        "masthead": factories.masthead(),
        "is_open": True,
        "is_weekly": False,
        "has_weekly": True,
        "needs_approval": True,
        "schedule": "日",
        "topics": [("1", "1, 2"), ("2", "")],
        "typed": {"email": "@", "name": "", "topics": ("1",), "cadence": "weekly"},
        "problem": "wrong",
        "issue_url": "../../daily",
        "snippet": _SNIPPET,
        "puzzle": "",
        **values,
    }


def confirmed(joined: str, **values: Any) -> dict[str, Any]:
    """Return the values of the page after the button."""
    return {
        "masthead": factories.masthead(),
        "email": _EMAIL,
        "joined": joined,
        "first_issue": "日",
        "sends_latest": True,
        "issue_url": "../../daily",
        "preferences_url": "https://papers.example.org/-/preferences/MQ.x3Jt8q",
        "sender": "papers@example.org",
        **values,
    }


def states() -> list[tuple[str, dict[str, Any]]]:
    """Return these pages in their other states, those for the operator too."""
    who = {"masthead": factories.masthead(), "email": _EMAIL, "name": "Ada Lovelace"}
    return [
        ("signup", form(is_open=False)),
        ("signup", form(problem="", has_weekly=False, topics=[], is_weekly=True)),
        ("signup", form(problem="many")),
        ("signup", form(problem="unproven", puzzle="{}")),
        ("confirmed", confirmed("waits", preferences_url="")),
        ("confirmed", confirmed("stays out", preferences_url="")),
        *(("decide", {**who, "decision": said}) for said in ("asked", "accepted", "declined", "stays out")),
    ]
