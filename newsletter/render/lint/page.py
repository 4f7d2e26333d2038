"""Checks of the HTML part: what screen readers, Outlook and inboxes need."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.render.lint.finding import Finding, Level, Rule
from newsletter.render.lint.mail import Mail

LANG = Rule("lang", "Without it a screen reader reads the mail in its user's language, not its own (WCAG 3.1.1).")
DIR = Rule("dir", "Web mail sets its own direction around a mail that names none.", Level.WARNING)
TITLE = Rule("title", "Screen readers and browser tabs name the mail by it.")
ALT = Rule("image-alt", "A screen reader spells out the file name of an image without alt (WCAG 1.1.1).")
IMAGE_SIZE = Rule(
    "image-size", "Outlook shows an image in its own size where it has no width; a height follows.", Level.WARNING
)
TABLE_ROLE = Rule(
    "table-role", "Screen readers announce rows and columns of a table that is layout.", Level.WARNING
)

_LAYOUT = ("presentation", "none")


def check(mail: Mail) -> Iterator[Finding]:
    """Find missing attributes and elements."""
    page = mail.page
    for rule, name in ((LANG, "lang"), (DIR, "dir")):
        if not (page.get(name) or "").strip():
            yield rule.found("HTML part, <html>", f"has no {name}", spot=mail.spot_of(page))
    subject = mail.first("Subject")
    title = " ".join((page.findtext(".//title") or "").split())
    if subject is None or title != subject.decoded:
        yield TITLE.found("HTML part, <title>", f"{title!r} is not the subject" if title else "is missing")
    for image in page.iter("img"):
        where = f"HTML part, <img src={(image.get('src') or '')[:60]!r}>"
        if image.get("alt") is None:
            yield ALT.found(where, "has no alt; an ornament has an empty one", spot=mail.spot_of(image))
        if not image.get("width"):
            yield IMAGE_SIZE.found(where, "has no width", spot=mail.spot_of(image))
    for number, table in enumerate(page.iter("table"), start=1):
        if table.get("role") not in _LAYOUT and table.find(".//th") is None:
            where = f"HTML part, <table> number {number}"
            yield TABLE_ROLE.found(where, 'has no role="presentation"', spot=mail.spot_of(table))
