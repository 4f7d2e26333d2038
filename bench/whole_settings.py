"""The settings with which the whole program is measured, as variables of its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def environment_of(
    state: Path, database: str, *, connections: int, processes: int, dispatcher: str = "inline", **more: str
) -> Mapping[str, str]:
    """Return this process's environment with the settings of the program, and without others' settings.

    Args:
        state: an empty folder for all that the program writes, but its ledger.
        database: the URL of an empty ledger.
        connections: to the relay, whose port is still to be set.
        processes: in how many processes it delivers.
        dispatcher: who delivers.
        more: other settings, by their names without `NEWSLETTER_`.
    """
    subscribers = state / "subscribers"
    subscribers.mkdir()
    settings = {
        "DATABASE__URL": database,
        "PATHS__STATE": str(state),
        "PATHS__TEMPLATES": str(state / "templates"),
        "PATHS__SUBSCRIBERS": str(subscribers),
        "SMTP__HOST": "127.0.0.1",
        "SMTP__SECURITY": "none",
        "SMTP__EHLO_NAME": "newsletter.example.org",
        "SMTP__CONNECTIONS": str(connections),
        "WEB__PUBLIC_URL": "https://papers.example.org",
        "LOG__LEVEL": "warning",
        "DELIVERY__PROCESSES": str(processes),
        "DELIVERY__DISPATCHER": dispatcher,
        **more,
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return others | {f"NEWSLETTER_{name}": value for name, value in settings.items()}
