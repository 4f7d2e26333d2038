"""Checks of links: each has a target, and whatever is linked in one part can be reached from the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.render.lint.finding import Finding, Level, Rule, Spot
from newsletter.render.lint.mail import Mail

TARGET = Rule("link-target", "A mail has no page that a relative link could start from, and runs no scripts.")
PLAIN_HTTP = Rule("link-https", "What comes over plain HTTP can be read and changed on its way.", Level.WARNING)
IMAGE = Rule("image-source", "Gmail and Outlook show no image that is data or not on the web.")
SAME_LINKS = Rule("same-links", "Whoever reads the text part must get to every paper that the HTML part leads to.")

# A page that was shortened to its size limit lacks some links of the text part.
_CUT_DOWN = 80_000
_TEXT_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_LISTED = 3


def check(mail: Mail, *, https: bool) -> Iterator[Finding]:
    """Find links without a target or in a single part only; with `https`, plain HTTP links too."""
    for link in mail.links:
        where = f"HTML part, link {link[:80]!r}"
        if problem := _problem(link):
            yield TARGET.found(where, problem, spot=spot_of_link(mail, link))
        elif https and link.lower().startswith("http:"):
            yield PLAIN_HTTP.found(where, "is plain HTTP", spot=spot_of_link(mail, link))
    for image in mail.page.iter("img"):
        source = (image.get("src") or "").strip()
        if not source.lower().startswith(("https://", "http://")):
            where = f"HTML part, <img src={source[:60]!r}>"
            yield IMAGE.found(where, "is not a picture on the web", spot=mail.spot_of(image))
    yield from _differences(mail)


def spot_of_link(mail: Mail, link: str) -> Spot | None:
    """Return the first link or picture of the HTML part that leads to a target, if there is one."""
    for element in mail.page.iter("a", "area", "img"):
        if link in {element.get("href"), (element.get("href") or element.get("src") or "").strip()}:
            return mail.spot_of(element)
    return None


def targets(mail: Mail) -> list[str]:
    """Return the web addresses of a mail, without repeats: the links of both parts, and the pictures."""
    pictures = (image.get("src") or "" for image in mail.page.iter("img"))
    in_text = (line for line in mail.text.splitlines() if _TEXT_LINK.fullmatch(line.strip()))
    found = dict.fromkeys(link.strip() for link in (*mail.links, *pictures, *in_text))
    return [link for link in found if not _problem(link) and link.lower().startswith(("http:", "https:"))]


def _problem(link: str) -> str:
    """Return the mistake in a link's target, or nothing."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return "is not a URL"
    match parts.scheme:
        case "http" | "https":
            return ""
        case "mailto":
            return "" if "@" in parts.path else "names no address"
        case "":
            within = parts.fragment and not (parts.netloc or parts.path or parts.query)
            return "" if within else "is relative" if link.strip("# ") else "is empty"
        case scheme:
            return f"is a {scheme}: link"


def _differences(mail: Mail) -> Iterator[Finding]:
    on_page = {link.strip() for link in mail.links if link.strip().lower().startswith(("http://", "https://"))}
    # Of an issue, what a paper's title leads to; the actions beside it start from there too.
    wanted = on_page & set(mail.links_of_titles) if mail.issue else on_page
    in_text = {form for found in _TEXT_LINK.findall(mail.text) for form in (found, _bare(found))}
    if missing := sorted(wanted - in_text):
        yield SAME_LINKS.found("text part", f"has not {_named(missing)}")
    if len(mail.html.encode()) >= _CUT_DOWN:
        return
    alone = {_bare(line) for line in mail.text.splitlines() if _TEXT_LINK.fullmatch(line.strip())}
    known = f"{mail.shown_text} {mail.written}"  # a URL inside an abstract is not a link of the mail
    if missing := sorted(link for link in alone - {_bare(link) for link in on_page} if link not in known):
        yield SAME_LINKS.found("HTML part", f"has not {_named(missing)}")


def _bare(link: str) -> str:
    return link.strip().rstrip(".,;:)")


def _named(links: list[str]) -> str:
    more = len(links) - _LISTED
    return ", ".join(links[:_LISTED]) + (f" and {more} more" if more > 0 else "")
