"""From an issue's rendering to each reader's bytes."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from newsletter.core.choice import Choice
from newsletter.core.delivery import Delivery, message_id
from newsletter.core.issue import Issue
from newsletter.core.records import maker
from newsletter.core.rendering import Rendering
from newsletter.core.seals import IN_BASE64
from newsletter.core.text import one_line
from newsletter.core.tokens import DELIVERY_HEADER, Links, OwnLinks, tagged
from newsletter.ports import Composed, Message
from newsletter.render.issue import words
from newsletter.render.issue.clauses import cut
from newsletter.render.issue.fit import LONGEST_NAME
from newsletter.render.issue.language import language
from newsletter.render.issue.pages import Pages
from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.link_lines import LinkLines
from newsletter.render.mime.multipart import alternative, boundary_of, multipart_headers, signable
from newsletter.render.mime.pieces import is_plain, line_of
from newsletter.render.mime.readers import reader_lines
from newsletter.render.mime.segments import Body

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer

_LARGEST_KEY = 10**12  # of a subscriber
_CHOICES_KEPT = 64  # choices whose arranged page is kept, some 100 KB each
_CHOICES_SEEN = 20_000  # of which it is known that somebody has them, some 100 bytes each
_SUBJECTS_KEPT = 512
_LINKS = ("unsubscribe_url", "feedback_url", "preferences_url")
_SLOTS = ("email", "name", *_LINKS)  # of what is a reader's own


_composed = maker(Composed)


class IssueMessage(Message):
    """A rendered issue that makes each reader's message. Threads may share it.

    Args:
        issue: the issue.
        rendering: both parts, with their marks.
        links: makes the links to the public pages.
        signer: signs each message with DKIM.
        trial: makes test copies. Their Message-IDs are others, or a provider would take the issue itself for
            a duplicate when it comes.
        pages: those of the same rendering where they are compiled already.

    Raises:
        RenderError: a mark, the sender or a link can't stand where it does; names it.
    """

    def __init__(
        self,
        issue: Issue,
        rendering: Rendering,
        *,
        links: Links,
        signer: Signer | None = None,
        trial: bool = False,
        pages: Pages | None = None,
    ) -> None:
        self._issue, self._links, self._signer, self._trial = issue, links, signer, trial
        self._language = language(issue.masthead.language)
        self._sender = Mailbox.parse(issue.masthead.sender)
        self._reply_to = Mailbox.parse(issue.masthead.reply_to) if issue.masthead.reply_to else None
        self._bounces_to = issue.masthead.bounces_to and wire_address(issue.masthead.bounces_to)
        self._leaving_to = _mailbox(issue.masthead.unsubscribe_mailto)
        # The mailbox for what comes back takes tagged addresses, and is read by the program.
        self._is_tagged = bool(self._bounces_to and not self._leaving_to)
        self._leaving_to = self._leaving_to or self._bounces_to or self._sender.address
        self.pages = pages or Pages(issue, rendering, self._known(), self._lengths())
        self._day = f"{issue.day:%Y%m%d}"
        self._boundary = boundary_of(issue.list, issue.day.isoformat())
        self._seen = set[int]()
        self._kept: dict[tuple[Choice, str], tuple[bytes, Body]] = {}
        # Readers whose choices differ have one of few leads, and so of few subjects.
        self._subject = lru_cache(maxsize=_SUBJECTS_KEPT)(partial(headers.text, "Subject"))
        self._mark, self._around_mark = links.marking(), self._texts_around_mark()
        self._from = headers.mailbox("From", self._sender)
        if self._reply_to:
            self._from += headers.mailbox("Reply-To", self._reply_to)
        own = self._own_links(_LARGEST_KEY)
        # Seals are as long for each reader, of letters, digits, `-` and `_`: one reader's links tell of all.
        self._link_lines = LinkLines(own) if all(map(is_plain, own)) else None
        self._seals_of, self._before_seal = links.sealing_own_links(), own.unsubscribe[:-IN_BASE64].encode()
        masthead = issue.masthead
        self._has_second_way_out = bool(links.public_url and (masthead.unsubscribe_mailto or self._bounces_to))
        headers.raw("List-Unsubscribe", f"<{own.unsubscribe}>")  # raises what `_ways_out` does not look for
        self._tail = self._list_headers() + multipart_headers(self._boundary)

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        """Return the envelope sender and the final bytes for one reader; raises like `composed_for`."""
        sender, pieces, _, sign = self.composed_for(delivery)
        return sender, (sign() if sign else b"") + b"".join(pieces)

    def composed_for(self, delivery: Delivery) -> Composed:
        """Return the envelope sender and the final bytes for one reader, in pieces; costs microseconds.

        The bytes follow from the issue, its rendering and the delivery alone: each attempt sends the same.

        Raises:
            RenderError: the reader's address can't stand in a header.
        """
        reader, mark = delivery.subscriber, self._mark(delivery.key)
        unsubscribe, links = self._links_of(delivery.subscriber_key)
        subject, body = self._body(delivery.choice, delivery.subject)
        to, lines = reader_lines(reader.email, reader.name, _shown)
        head = (
            self._from,
            subject,
            to,
            headers.date("Date", delivery.due_at),
            self._identity(delivery, mark),
            self._ways_out(delivery, unsubscribe),
            self._tail,
        )
        filled, size = body.with_lines(_SLOTS, lines + links)
        sender = tagged(self._bounces_to, mark) if self._bounces_to else self._sender.address
        return _composed((sender, *signable(head, filled, size, self._signer)))

    def _own_links(self, subscriber_key: int) -> OwnLinks:
        return self._links.own_links(subscriber_key, self._leaving_to, tagged=self._is_tagged)

    def _links_of(self, subscriber_key: int) -> tuple[bytes, list[bytes]]:
        """Return the link by which a reader leaves; and all links as lines of a text part and of an HTML part."""
        if self._link_lines:
            seals = self._seals_of(subscriber_key)
            return self._before_seal + seals[:IN_BASE64], self._link_lines.of(seals)
        own = self._own_links(subscriber_key)
        return own.unsubscribe.encode(), [line for link in own for line in line_of(link)]

    def _ways_out(self, delivery: Delivery, unsubscribe: bytes) -> bytes:
        """Return List-Unsubscribe (RFC 2369): a page, and the mail to leave by where a mailbox takes such."""
        if not self._has_second_way_out:
            return b"List-Unsubscribe: <%b>\r\n" % unsubscribe
        written = self._issue.masthead.unsubscribe_mailto
        if "?" in written:  # the operator's own, who reads it
            mail = f"mailto:{written.removeprefix('mailto:')}"
        else:
            mail = self._links.way_out_by_mail(delivery.subscriber_key, self._leaving_to, tagged=self._is_tagged)
        return headers.raw("List-Unsubscribe", f"<{unsubscribe.decode()}>", f"<{mail}>")

    def _body(self, choice: Choice, subject: str) -> tuple[bytes, Body]:
        """Return what `_arrange` does; it is kept from the second time on, for most choices are one reader's."""
        key = (choice, subject)
        if kept := self._kept.get(key):
            return kept
        mark = hash(key)
        made = self._arrange(choice, subject)
        if mark in self._seen:
            self._kept[key] = made
            if len(self._kept) > _CHOICES_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
        elif len(self._seen) >= _CHOICES_SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return made

    def _arrange(self, choice: Choice, subject: str) -> tuple[bytes, Body]:
        """Return the subject field and the body of a choice, ready for each reader who has it."""
        text, html = self.pages.arranged(choice, subject)
        subject = f"{words.test_copy(self._language)} {subject}" if self._trial else subject
        return self._subject(subject), Body(alternative(self._boundary, (text,), (html,)))

    def _lengths(self) -> dict[str, int]:
        """Return the most bytes of a reader's links, by the names of their slots."""
        return dict(zip(_LINKS, map(len, self._own_links(_LARGEST_KEY)), strict=True))

    def _known(self) -> dict[str, str]:
        """Return the values of slots that are the same for all readers."""
        return {} if self._links.public_url else {"feedback_url": "", "preferences_url": ""}

    def _texts_around_mark(self) -> tuple[str, str]:
        """Return what stands before and between the marks of a delivery in the fields of `_identity`."""
        own_id = headers.raw("Message-ID", f"<{self._day}.@{self._sender.domain}>").decode()
        first, at, domain = own_id.partition("@")
        return first, f"{at}{domain}{DELIVERY_HEADER}: "

    def _identity(self, delivery: Delivery, mark: str) -> bytes:
        """Return the Message-ID, and our own header.

        In what comes back, either of them tells which delivery it is. Some relays write a Message-ID of their own.
        """
        if self._trial:
            name = f"{self._issue.list} trial {delivery.due_at.isoformat()}"
            own_id = message_id(name, self._issue.day, delivery.subscriber.email, self._sender.domain)
            return headers.raw("Message-ID", own_id)
        first, between = self._around_mark
        return f"{first}{mark}{between}{mark}\r\n".encode()

    def _list_headers(self) -> bytes:
        """Return what is the same for all readers (RFC 2369, 2919, 3834, 8058; Feedback-ID as Gmail reads it)."""
        masthead, domain = self._issue.masthead, self._sender.domain
        label = re.sub(r"[^a-z0-9]+", "-", masthead.list.lower()).strip("-") or "list"
        sender_id = re.sub(r"[^a-z0-9]+", "", domain.lower())[:15].ljust(5, "0")
        one_click, home = self._page_headers()
        return b"".join(
            (
                one_click,
                headers.mailbox("List-Id", Mailbox(masthead.title, f"{label}.{domain}")),
                home,
                headers.raw("List-Post", "NO"),
                headers.raw("Precedence", "list"),
                headers.raw("Auto-Submitted", "auto-generated"),
                headers.raw("Feedback-ID", f"{self._issue.day:%Y%m%d}:{label}:issue:{sender_id}"),
            )
        )

    def _page_headers(self) -> tuple[bytes, bytes]:
        """Return what needs public pages, if there are any: one-click unsubscribe, and links to the list's own."""
        if not self._links.public_url:
            return b"", b""
        home = f"<{self._links.public_url}/{quote(self._issue.masthead.readers_of)}/>"
        one_click = headers.raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
        return one_click, headers.raw("List-Help", home) + headers.raw("List-Archive", home)


def _shown(name: str) -> str:
    return cut(one_line(name), LONGEST_NAME)


def _mailbox(address: str) -> str:
    """Return the address alone of what a list names for unsubscribing by mail."""
    return address.removeprefix("mailto:").partition("?")[0]
