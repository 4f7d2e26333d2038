"""Good mails with one defect planted, for the tests of the linter."""

from __future__ import annotations

from dataclasses import replace

from newsletter.core.issue import Issue
from newsletter.core.tokens import Links
from newsletter.render.lint import Finding, lint
from tests.render import mails as make


def changed(text: str, old: str, new: str) -> str:
    assert old in text, f"{old!r} is nowhere to be changed"
    return text.replace(old, new)


def findings(raw: bytes, issue: Issue | None = None) -> list[Finding]:
    return lint(raw, issue or make.issue())


def rules_of(raw: bytes, issue: Issue | None = None) -> list[tuple[str, str]]:
    """Return rule and level of all that is found."""
    return [(finding.rule, str(finding.level)) for finding in findings(raw, issue)]


def in_bytes(old: str, new: str, raw: bytes | None = None) -> bytes:
    """Return a mail whose final bytes hold something else; lines end in LF in `old` and `new`."""
    text = (raw or make.mail()).decode("latin-1").replace("\r\n", "\n")
    return changed(text, old, new).replace("\n", "\r\n").encode("latin-1")


def in_page(
    old: str = "",
    new: str = "",
    *,
    text: tuple[str, str] = ("", ""),
    issue: Issue | None = None,
    links: Links | None = None,
) -> bytes:
    """Return a mail whose HTML or text part was rendered with something else."""
    issue = issue or make.issue()
    good = make.rendered(issue)
    bad = replace(
        good,
        html=changed(good.html, old, new) if old else good.html,
        text=changed(good.text, *text) if text[0] else good.text,
    )
    message = make.made_of(bad, issue, links=links or make.LINKS)
    return message.for_reader(make.chosen(issue, make.delivery()))[1]
