"""The demo sends three mails once, whatever the operator's environment says."""

from pathlib import Path

import pytest

from newsletter.demo.demo import run_demo


async def lines(state: Path) -> list[str]:
    """Run the demo, and return what it prints."""
    return [line async for line in run_demo(state)]


async def test_three_mails_arrive_and_a_second_run_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_SMTP__HOST", "relay.example.org")

    first = await lines(tmp_path)
    arrived = sorted((tmp_path / "inbox" / "new").iterdir())
    second = await lines(tmp_path)

    assert len(arrived) == 3
    assert [line.strip() for line in first if line.startswith("  ")] == [str(mail) for mail in arrived]
    assert any(line.startswith("nothing sent: each of the 3 readers") for line in second)
    assert sorted((tmp_path / "inbox" / "new").iterdir()) == arrived
