"""The demo sends three mails once, whatever the operator's environment says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.demo.demo import run_demo


async def lines(state: Path) -> list[str]:
    """Run the demo, and return what it prints."""
    return list((await run_demo(state)).lines())


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


def test_as_json_it_is_the_object_of_a_run_with_the_files_of_its_mails(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "newsletter"
    for arrived in (3, 0):
        done = subprocess.run(
            [program, "demo", "--json", "--dir", tmp_path], capture_output=True, text=True, check=True
        )
        shown = json.loads(done.stdout)
        assert (shown["list"], shown["status"], shown["deliveries"]["sent"]) == ("sample", "sent", 3)
        assert (shown["arrived"], len(shown["mails"])) == (arrived, 3)
        assert all((tmp_path / mail).is_file() for mail in shown["mails"])
