"""Checks the final bytes of a mail before anything is sent: delivery, size, accessibility, links."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.core.issue import Issue
from newsletter.render.lint import content, contrast, headers, links, page, structure, wire
from newsletter.render.lint.dead import dead_links
from newsletter.render.lint.finding import Finding, Level, Rule, Spot
from newsletter.render.lint.mail import Mail

__all__ = ["Finding", "Level", "Spot", "dead_links", "lint", "rules"]


def lint(raw: bytes, issue: Issue | None = None, *, https: bool = False, is_local: bool = False) -> list[Finding]:
    """Return the findings on a mail, failures first.

    Args:
        raw: the final bytes, as they go to the relay.
        issue: the mail's issue; None for a single mail, such as a welcome, which needs no unsubscribe link.
        https: report links with plain HTTP too.
        is_local: all relays are on this machine; pages that only this machine reaches are then a warning.
    """
    return sorted(_findings(Mail(raw, issue), https=https, is_local=is_local), key=lambda finding: finding.level)


def _findings(mail: Mail, *, https: bool, is_local: bool) -> Iterator[Finding]:
    yield from wire.check(mail)
    yield from headers.check(mail, is_local=is_local)
    yield from structure.check(mail)
    yield from page.check(mail)
    yield from links.check(mail, https=https)
    yield from content.check(mail)
    yield from contrast.check(mail)


def rules() -> frozenset[Rule]:
    """Return the rules that `lint` knows."""
    modules = (wire, headers, structure, page, links, content, contrast)
    return frozenset(value for module in modules for value in vars(module).values() if isinstance(value, Rule))
