"""The golden mails before html-validate and caniemail, the checkers that only node has."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.browser.node import NODE, NODE_MODULES
from tests.render.conftest import GOLDEN
from tests.services import missing, need

# What some clients do not know, and why the mail is whole without it.
ALLOWED = {
    "!important keyword": "dark mode and phones: without it they show the light page at 600 px",
    ":hover": "an underline under the pointer",
    "<body> element": "some clients turn it into a div; the table within repeats its background",
    "<style> element": "holds only dark mode, phones and hover",
    "@media": "dark mode and phones: without it they show the light page at 600 px",
    "Attribute selector": "Outlook.com's dark mode and Apple's data detectors",
    "Class selector": "in style blocks only, see there",
    "Descendant combinator": "in style blocks only, see there",
    "Type selector": "in style blocks only, see there",
    "aria-label attribute": "names the mail, votes and actions; their texts do too",
    "border-radius": "corners stay square",
    "display:none": "the preheader shows at the top",
    "height attribute": "the style says it too",
    "height property": "the attribute says it too",
    "lang attribute": "screen readers fall back to their own language",
    "overflow": "the preheader, which is hidden three ways",
    "role attribute": "tables are announced as such",
    "text-decoration": "titles are underlined",
    "white-space": "votes, actions and labels may be wrapped",
    "width attribute": "the style says it too",
    "word-break": "a word longer than the line widens the page",
}


@pytest.fixture(scope="module")
def findings() -> dict[str, Any]:
    """What the checkers found, by golden mail; one run for all."""
    node = need("node")
    if not NODE_MODULES.exists():
        missing("html-validate and caniemail (npm ci in tests/node)")
    files = sorted(str(path) for path in GOLDEN.glob("*.html"))
    done = subprocess.run(
        [node, str(NODE / "check.mjs"), *files], capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert len(found) == len(files) > 5
    return found


def test_markup_is_valid(findings: dict[str, Any]) -> None:
    assert {name: found["markup"] for name, found in findings.items() if found["markup"]} == {}


def test_mail_clients_know_all_that_a_mail_needs(findings: dict[str, Any]) -> None:
    used = {feature for found in findings.values() for feature in found["unknown"]}
    assert used - set(ALLOWED) == set()


def test_no_exception_is_made_for_what_is_not_used(findings: dict[str, Any]) -> None:
    used = {feature for found in findings.values() for feature in found["unknown"]}
    assert set(ALLOWED) - used == set()
