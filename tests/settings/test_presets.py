"""What `.env.example` and docs/relays.md say to write for some providers can be written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from newsletter.core.delivery import Uncertain
from newsletter.core.relay import RelayKind
from newsletter.settings.load import load
from tests.settings.document import EXAMPLE, ROOT

GUIDE = (ROOT / "docs" / "relays.md").read_text(encoding="utf-8")
IN_GUIDE = re.findall(r"^```ini\n(.+?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^# (?P<name>\w[\w ]+?) {2,}(?P<values>(?:HOST|KIND)=.+(?:\n# {15,}[A-Z].+)*)", re.MULTILINE)
IN_EXAMPLE = {found["name"]: found["values"].replace("\n#", " ") for found in _ROW.finditer(EXAMPLE.read_text())}


def from_example(values: str) -> str:
    """Return the lines of `.env` that a row of the example stands for."""
    pairs = (word.partition("=")[::2] for word in shlex.split(values))
    groups = {"UNCERTAIN": "DELIVERY"}
    return "".join(f"NEWSLETTER_{groups.get(name, 'SMTP')}__{name}='{value}'\n" for name, value in pairs)


def test_there_is_one_for_each_provider() -> None:
    assert len(IN_GUIDE) == len(IN_EXAMPLE) == 10
    in_guide = sorted(re.findall(r"(?:HOST|REGION)=(\S+)", "".join(IN_GUIDE)))
    assert in_guide == sorted(re.findall(r"(?:HOST|REGION)=(\S+)", " ".join(IN_EXAMPLE.values())))


@pytest.mark.parametrize("lines", [*IN_GUIDE, *map(from_example, IN_EXAMPLE.values())])
def test_each_can_be_used(lines: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(lines)
    settings = load(file)
    smtp = settings.smtp
    assert bool(smtp.username) == (smtp.host != "localhost")
    assert (smtp.kind is RelayKind.SMTP) == smtp.host.startswith(("smtp", "email-smtp", "localhost"))
    replaces_ids = ("office365", "amazonaws", "postmark", "brevo", "resend")
    expected = Uncertain.HOLD if any(part in smtp.host for part in replaces_ids) else Uncertain.RESEND
    assert settings.delivery.uncertain is expected
