"""Checks of parts and sizes: what mail programs show, clip or drop."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.render.issue.fit import BUDGET
from newsletter.render.lint.css import nested_at_rules
from newsletter.render.lint.finding import Finding, Level, Rule
from newsletter.render.lint.mail import Mail

PARTS = Rule("part-order", "Clients show the last part that they can; text must come first (RFC 2046, 5.1.4).")
HTML_SIZE = Rule("html-size", "Gmail clips a page near 102 KB, and with it the unsubscribe link.")
STYLE_SIZE = Rule("style-size", "Gmail drops all styles where they have more than 16,000 characters.")
NESTED_AT = Rule("nested-at", "Gmail drops a style block that has an @ rule within another.", Level.WARNING)

STYLE_LIMIT = 16_000


def check(mail: Mail) -> Iterator[Finding]:
    """Find parts in the wrong order and pages that are too large."""
    kinds = [part.content_type for part in mail.parts]
    if mail.content_type != "multipart/alternative" or kinds != ["text/plain", "text/html"]:
        message = f"{mail.content_type} of {', '.join(kinds)}; expected multipart/alternative of text, then HTML"
        yield PARTS.found("structure", message)
    size = len(mail.html.encode())
    if size >= BUDGET:
        yield HTML_SIZE.found("HTML part", f"{size:,} bytes; it must be less than {BUDGET:,}")
    styles = [style.text or "" for style in mail.page.iter("style")]
    if (length := sum(map(len, styles))) > STYLE_LIMIT:
        yield STYLE_SIZE.found("HTML part, <style>", f"{length:,} characters, of at most {STYLE_LIMIT:,}")
    for style in styles:
        for rule in nested_at_rules(style):
            yield NESTED_AT.found("HTML part, <style>", f"{rule} holds another @ rule")
