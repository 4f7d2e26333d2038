"""What a spam filter with its own rules, and without the network, holds against our mails."""

from __future__ import annotations

import re
import subprocess

import pytest

from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.signing import Signer, SigningKey
from tests.render import mails as make
from tests.services import need

_RULE = re.compile(r"(?m)^ *(-?\d+\.\d) ([A-Z][A-Z0-9_]+) ")


def judged(raw: bytes) -> dict[str, float]:
    """Return the rules that SpamAssassin found to hold, with their points."""
    command = [need("spamassassin", "/usr/bin/spamassassin"), "--local", "--test-mode"]
    report = subprocess.run(command, input=raw, capture_output=True, check=True, timeout=60).stdout.decode()
    rules = {
        name: float(points) for points, name in _RULE.findall(report.partition("Content analysis details:")[2])
    }
    assert "HTML_MESSAGE" in rules, "it has looked at the mail"
    return rules


@pytest.mark.parametrize("name", ["twenty", "hostile", "mathematics"])
def test_no_rule_holds_anything_against_an_issue(name: str, renderer: TemplateRenderer) -> None:
    signer = Signer("example.org", SigningKey("main", make.rsa_key()))
    rules = judged(make.sample_mail(name, renderer, signer))
    assert {rule for rule, points in rules.items() if points > 0} == set()
    assert sum(rules.values()) < 2.0


def test_no_rule_holds_anything_against_a_mail_to_one_person(renderer: TemplateRenderer) -> None:
    rules = judged(make.single_mail("confirm", renderer))
    assert {rule for rule, points in rules.items() if points > 0} == set()
