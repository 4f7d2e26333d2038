"""Checks of the words: no placeholders of templates, a postal address, and an unsubscribe link."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.render.lint.finding import Finding, Level, Rule, Spot
from newsletter.render.lint.headers import ways_out
from newsletter.render.lint.mail import Mail, plain

LEFTOVER = Rule("leftover", "A value was never put in: readers would see the placeholder.")
POSTAL_ADDRESS = Rule("postal-address", "Bulk mail must name its sender's postal address (CAN-SPAM 16 CFR 316).")
WAY_OUT = Rule("unsubscribe-link", "Who finds no way out presses Spam.")

# Our placeholders (`newsletter.render.mime.markers`) and Jinja's; in links also as premailer escapes them.
_MARK = re.compile(r"%%[\w.]+|%25%25[\w.]+")
_TEMPLATE = re.compile(r"\{\{-?\s*[a-z_][\w.]*\s*(?:\||-?\}\})|\{%-?\s*\w+|%7B(?:%7B|%25)\w*", re.IGNORECASE)
_NOT_WORD = re.compile(r"[\W_]+")


def check(mail: Mail) -> Iterator[Finding]:
    """Find placeholders, and a missing postal address or unsubscribe link of an issue."""
    subject = mail.first("Subject")
    for where, text in (
        ("header Subject", subject.decoded if subject else ""),
        ("HTML part", mail.html),
        ("text part", mail.text),
    ):
        # Sets of sets in a formula look like a template's braces: a warning, not a failure.
        for pattern, level in ((_MARK, Level.FAILURE), (_TEMPLATE, Level.WARNING)):
            left = (plain(match[0]) for match in pattern.finditer(text))
            if found := next((mark for mark in left if mark not in mail.written), None):
                yield LEFTOVER.found(where, f"holds {found!r}", level, spot=_spot(mail, where, found))
    if mail.issue:
        yield from _postal_address(mail, mail.issue.masthead.postal_address)
        yield from _way_out(mail)


def _spot(mail: Mail, where: str, text: str) -> Spot | None:
    match where:
        case "HTML part":
            return mail.spot_of_text(text)
        case "text part":
            return mail.line_of_text(text)
        case _:
            return Spot(header="Subject")


def _postal_address(mail: Mail, postal_address: str) -> Iterator[Finding]:
    if not postal_address:
        yield POSTAL_ADDRESS.found("list file", "names no postal_address", Level.WARNING)
    for where, text in (("HTML part", mail.shown_text), ("text part", mail.text)):
        if _letters(postal_address) not in _letters(text):
            yield POSTAL_ADDRESS.found(where, "does not show the postal address")


def _letters(text: str) -> str:
    """Return only letters and digits: the two parts may wrap an address differently."""
    return _NOT_WORD.sub("", text).casefold()


def _way_out(mail: Mail) -> Iterator[Finding]:
    uris = ways_out(mail)
    if not any(uri in mail.links for uri in uris):
        yield WAY_OUT.found("HTML part", "has no link to the URI of List-Unsubscribe")
    if not any(uri in mail.text for uri in uris):
        yield WAY_OUT.found("text part", "does not show the URI of List-Unsubscribe")
