"""Whether the public pages are there for readers, and one-click unsubscribe answers mail providers (RFC 8058)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.core.errors import NoAnswerError
from newsletter.core.network import unreachable
from newsletter.core.page_names import HEALTH
from newsletter.core.tokens import TEST_COPY, Links
from newsletter.operations.doctor.relays import certificate_in_words
from newsletter.ports.website import WebAnswer, Website

_ONE_CLICK = b"List-Unsubscribe=One-Click"
_OURS = b"This is a test copy."
_PROXY = "let the proxy pass /-/ on to `newsletter serve` as it comes: docs/deployment.md shows how"
_RENEW = "renew it, and see why that does not happen by itself"
_SETTING = "NEWSLETTER_WEB__PUBLIC_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPages:
    """The public pages, looked at from outside.

    Attributes:
        url: their address; nothing where there are none.
        links: makes the links in mails; None before the first run, which makes their key.
        website: asks the pages.
        has_mailbox: whether mails by which readers leave are read.
        trying_out: whether no mail leaves this machine yet.
    """

    url: str
    links: Links | None
    website: Website
    has_mailbox: bool
    trying_out: bool

    async def look(self, now: datetime) -> list[Diagnosis]:
        """Return how they do; nobody is unsubscribed."""
        if not self.url:
            return [self._without_pages()]
        if reason := unreachable(self.url):
            says, do = f"{self.url}: {reason}", f"set {_SETTING} to a public https:// address, or leave it empty"
            return [(warn if self.trying_out else fail)("public-url", says, do)]
        if self.links is None:
            says = f"{self.url}: not looked at, as there is no key for links yet"
            return [warn("public-url", says, "run `newsletter run` or `newsletter serve` once, and then this")]
        try:
            health = await self.website.ask("GET", f"{self.url}/{HEALTH}")
            click = await self.website.ask("POST", self.links.unsubscribe(TEST_COPY), _ONE_CLICK)
        except NoAnswerError as error:
            return [fail("public-url", f"{self.url}: {error}", f"see that it is served to all, or set {_SETTING}")]
        if click.status == health.status == HTTPStatus.NOT_FOUND:
            says = f"{self.url}: another program answers there (404)"
            return [fail("public-url", says, f"{_PROXY}; or set {_SETTING}")]
        return [self._certificate(health, now), _one_click(click), *_health(health, click)]

    def _without_pages(self) -> Diagnosis:
        says = "there are no public pages; readers leave by mail"
        if self.has_mailbox or self.trying_out:
            return ok("public-url", says)
        do = f"set {_SETTING}, or NEWSLETTER_INBOUND__MAILDIR or IMAP_HOST"
        return warn("public-url", f"{says}, and nobody reads that mail", do)

    def _certificate(self, answer: WebAnswer, now: datetime) -> Diagnosis:
        if answer.certificate is None:
            return ok("public-url", f"{self.url} answers")
        says = f"{self.url}: {certificate_in_words(answer.certificate, now)}"
        return warn("public-url", says, _RENEW) if answer.certificate.ends_soon(now) else ok("public-url", says)


def _one_click(answer: WebAnswer) -> Diagnosis:
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        says = f"a POST is redirected ({answer.status}) to {answer.location}, where mail providers do not follow"
        return fail(
            "one-click", says, f"serve the very address that {_SETTING} says, or set it to where this leads"
        )
    if answer.status == HTTPStatus.OK and answer.body.startswith(_OURS):
        return ok("one-click", "a POST is answered, without a redirect")
    if answer.status == HTTPStatus.NOT_FOUND:
        says = "a POST is not understood (404): the pages know another NEWSLETTER_WEB__SECRET_KEY"
        return fail("one-click", says, "use the same key for all processes, and restart `newsletter serve`")
    says = f"a POST is answered by {answer.status}" + (
        " of another program" if answer.status == HTTPStatus.OK else ""
    )
    return fail("one-click", says, _PROXY)


def _health(answer: WebAnswer, click: WebAnswer) -> list[Diagnosis]:
    if answer.status == HTTPStatus.OK:
        return [ok("health", f"/{HEALTH} says that all is well")]
    if answer.status == click.status:
        return []  # it is said already
    return [fail("health", f"/{HEALTH} is answered by {answer.status}", "see the log of `newsletter serve`")]
