"""Checks of the header: what providers require of bulk mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses

from newsletter.core.network import unreachable
from newsletter.render.lint.finding import Finding, Level, Rule, Spot
from newsletter.render.lint.mail import Field, Mail

ONE_OF_EACH = Rule("one-of-each", "A field that is missing or doubled is a forger's mark (RFC 5322, 3.6).")
ONE_RECIPIENT = Rule("one-recipient", "Readers must never see each other's addresses.")
UNSUBSCRIBE = Rule(
    "unsubscribe", "Without it in plain form no client shows its unsubscribe button (RFC 8058, 3.1)."
)
UNSUBSCRIBE_POST = Rule(
    "unsubscribe-post", "Gmail and Yahoo ask bulk senders for one-click unsubscribe (RFC 8058)."
)
ALIGNED = Rule(
    "dkim-alignment",
    "A signature of another domain than From's counts nothing to DMARC (RFC 7489, 3.1.1).",
    Level.WARNING,
)
SIGNED = Rule("dkim-coverage", "What the signature leaves out, anybody can change (RFC 6376, 5.4; RFC 8058, 4).")

_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
_MUST_BE_SIGNED = (*_ONCE, "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID")
_OVERSIGNED = ("From", "Subject")
_URI = re.compile(r"<([^<>\s]*)>")
_URI_LIST = re.compile(r"<[^<>\s]+>(?:\s*,\s*<[^<>\s]+>)*")


def ways_out(mail: Mail) -> list[str]:
    """Return the http(s) URIs of List-Unsubscribe, or else its mailto URIs."""
    pages, mails = _uris(mail)
    return pages or mails


def _uris(mail: Mail) -> tuple[list[str], list[str]]:
    """Return the http(s) URIs of List-Unsubscribe, and its mailto URIs."""
    field = mail.first("List-Unsubscribe")
    uris = _URI.findall(field.value) if field else []
    pages = [uri for uri in uris if uri.lower().startswith(("https:", "http:"))]
    return pages, [uri for uri in uris if uri.lower().startswith("mailto:")]


def check(mail: Mail, *, is_local: bool = False) -> Iterator[Finding]:
    """Find fields that are missing, repeated or malformed; an issue must also be easy to unsubscribe from.

    Args:
        mail: the mail.
        is_local: all relays are on this machine; a page that only this machine reaches is then a warning.
    """
    for name in _ONCE:
        if (count := len(mail.all(name))) != 1:
            message = f"stands there {count} times" if count else "is missing"
            yield ONE_OF_EACH.found(f"header {name}", message, spot=Spot(header=name))
    if (count := len(mail.all("Reply-To"))) > 1:
        yield ONE_OF_EACH.found("header Reply-To", f"stands there {count} times", spot=Spot(header="Reply-To"))
    yield from _recipients(mail)
    if mail.issue:
        yield from _unsubscribe(mail, is_local=is_local)
    for signature in mail.all("DKIM-Signature"):
        yield from _coverage(mail, signature)


def _recipients(mail: Mail) -> Iterator[Finding]:
    addresses = getaddresses([field.value for field in mail.all("To")])
    if len(addresses) > 1:
        yield ONE_RECIPIENT.found("header To", f"names {len(addresses)} recipients", spot=Spot(header="To"))
    for name in ("Cc", "Bcc"):
        if mail.all(name):
            yield ONE_RECIPIENT.found(f"header {name}", "names further recipients", spot=Spot(header=name))


def _unsubscribe(mail: Mail, *, is_local: bool) -> Iterator[Finding]:
    where, spot = "header List-Unsubscribe", Spot(header="List-Unsubscribe")
    fields = mail.all("List-Unsubscribe")
    if len(fields) != 1:
        message = f"stands there {len(fields)} times" if fields else "is missing"
        yield UNSUBSCRIBE.found(where, message, spot=spot)
    elif "=?" in fields[0].value:
        yield UNSUBSCRIBE.found(where, "is an encoded word", spot=spot)
    elif not _URI_LIST.fullmatch(fields[0].value):
        yield UNSUBSCRIBE.found(where, "is not a list of <URIs>", spot=spot)
    else:
        pages, mails = _uris(mail)
        if mails and not pages and not mail.all("List-Unsubscribe-Post"):
            return  # without public pages there is no one-click unsubscribe, and readers leave by mail
        yield from _unsubscribe_uri(pages, where, is_local=is_local)
    posts = [field.value for field in mail.all("List-Unsubscribe-Post")]
    if posts != ["List-Unsubscribe=One-Click"]:
        message = "must be List-Unsubscribe=One-Click, once" if posts else "is missing"
        name = "List-Unsubscribe-Post"
        yield UNSUBSCRIBE_POST.found(f"header {name}", message, spot=Spot(header=name))


def _unsubscribe_uri(uris: list[str], where: str, *, is_local: bool) -> Iterator[Finding]:
    spot = Spot(header="List-Unsubscribe")
    if len(uris) != 1:
        yield UNSUBSCRIBE.found(where, f"has {len(uris)} HTTPS URIs, not one", spot=spot)
    elif reason := unreachable(uris[0]):
        advice = "set NEWSLETTER_WEB__PUBLIC_URL to a public https:// address, or leave it empty"
        level = Level.WARNING if is_local else Level.FAILURE
        yield UNSUBSCRIBE.found(where, f"{uris[0]}: {reason}: {advice}", level, spot=spot)


def _coverage(mail: Mail, signature: Field) -> Iterator[Finding]:
    pairs = (tag.partition("=") for tag in "".join(signature.value.split()).split(";"))
    tags = {name: value for name, _, value in pairs}
    selector = tags.get("s", "?")
    where, spot = f"header DKIM-Signature (s={selector})", Spot(header="DKIM-Signature")
    signed = [name.lower() for name in tags.get("h", "").split(":")]
    for name in _MUST_BE_SIGNED:
        if mail.all(name) and name.lower() not in signed:
            yield SIGNED.found(where, f"does not sign {name}", spot=spot)
    for name in _OVERSIGNED:
        if signed.count(name.lower()) == len(mail.all(name)):
            message = f"lets a second {name} be added: oversign it"
            yield SIGNED.found(where, message, Level.WARNING, spot=spot)
    if not _aligned(mail, tags.get("d", "").lower()):
        message = f"signs for {tags.get('d', 'no domain')}, which is not From's"
        yield ALIGNED.found(where, message, spot=spot)
    if "l" in tags:
        yield SIGNED.found(where, "signs a part of the body only (l=)", spot=spot)


def _aligned(mail: Mail, domain: str) -> bool:
    """Return whether a domain is the sender's, or above or below it (DMARC's relaxed alignment)."""
    for _, address in getaddresses([field.value for field in mail.all("From")]):
        own = address.rpartition("@")[2].lower()
        if own == domain or own.endswith(f".{domain}") or domain.endswith(f".{own}"):
            return True
    return False
