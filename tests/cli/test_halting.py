"""`issues pause`, `resume` and `cancel`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from newsletter.store import open_store
from tests.delivery.stores import freeze_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Call

DATE = ("--list", "daily", "--date", "2026-03-13")


def close_an_issue(folder: Path) -> None:
    """Close an issue for three readers."""

    async def close() -> None:
        store = await open_store(f"sqlite:///{folder}/var/newsletter.db")
        await freeze_for(store, 3)
        await store.close()

    asyncio.run(close())


def test_an_issue_is_paused_goes_on_and_is_cancelled(call: Call, folder: Path) -> None:
    close_an_issue(folder)
    assert call("issues", "pause", *DATE)[:2] == (0, "daily 2026-03-13, issue 1: paused; 3 queued\n")
    _, out, _ = call("status")
    assert "paused since" in out
    assert "`newsletter issues resume --list daily --date 2026-03-13`" in " ".join(out.split())
    assert "paused: 3 queued" in call("issues", "list")[1]
    _, out, _ = call("issues", "resume", "--list", "daily", "--json")  # the newest
    assert (json.loads(out)["halt"], json.loads(out)["deliveries"]) == (None, {"queued": 3})
    assert "cancelled: 3 withdrawn" in call("issues", "cancel", *DATE)[1]
    code, out, err = call("issues", "resume", *DATE)
    assert (code, out) == (2, "")
    assert "daily 2026-03-13: it is cancelled since" in err
    assert call("issues", "cancel", *DATE)[0] == 0  # safe to repeat


def test_of_an_issue_that_is_not_there_nothing_is_said(call: Call, folder: Path) -> None:
    close_an_issue(folder)
    for words in (("--list", "dayly"), ("--list", "daily", "--date", "2026-03-14")):
        code, out, err = call("issues", "pause", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
