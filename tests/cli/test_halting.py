"""`issues pause`, `resume` and `cancel`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from newsletter.core.delivery import Change, DeliveryState
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


def test_what_is_uncertain_of_a_cancelled_issue_can_only_be_counted_as_sent_or_withdrawn(
    call: Call, folder: Path
) -> None:
    close_an_issue(folder)

    async def be_uncertain() -> None:
        store = await open_store(f"sqlite:///{folder}/var/newsletter.db")
        for state in (DeliveryState.SENDING, DeliveryState.UNCERTAIN):
            await store.outbox.record([Change(key=1, state=state, at=datetime.now(UTC), attempts=1)])
        await store.close()

    asyncio.run(be_uncertain())
    _, out, _ = call("status")
    assert "`newsletter deliveries release --list daily --date 2026-03-13` sends them again, with" in out
    call("issues", "cancel", *DATE)
    _, out, _ = call("status")
    assert "cancelled since" in out
    assert "is left of it" not in out
    assert "2026-03-13` lets `newsletter run` withdraw them, with --as-sent counts them as sent" in out
    call("deliveries", "release", *DATE)
    assert "`newsletter run` withdraws what is left of it" in call("status")[1]


def test_of_an_issue_that_is_not_there_nothing_is_said(call: Call, folder: Path) -> None:
    close_an_issue(folder)
    for words in (("--list", "dayly"), ("--list", "daily", "--date", "2026-03-14")):
        code, out, err = call("issues", "pause", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
