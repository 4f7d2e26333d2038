"""Mails that come back, written by us in the shapes of well-known servers, and what each of them means.

All are about delivery 7 to reader@example.net, in an issue of daily@example.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from newsletter.core.bounces import EventKind, FoundBy
from newsletter.core.tokens import Links

LINKS = Links("https://papers.example.org", "a secret of 32 bytes for tests only")
DELIVERY, READER, SUBSCRIBER = 7, "reader@example.net", 42
MARK = LINKS.delivery_mark(DELIVERY)
VERP = LINKS.bounce_address("bounces@example.org", DELIVERY)
LEAVE_TO, _, LEAVE_SUBJECT = (
    LINKS.way_out_by_mail(SUBSCRIBER, "bounces@example.org", tagged=True)
    .removeprefix("mailto:")
    .replace("%20", " ")
    .partition("?subject=")
)
HEADERS = f"""\
Return-Path: <bounces@example.org>
From: Daily Papers <papers@example.org>
Subject: Hashing by Hand
To: <{READER}>
Message-ID: <20260312.{MARK}@example.org>
X-Newsletter-Delivery: {MARK}
List-Id: Daily Papers <daily.example.org>
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A mail and what it means; `found_by`: how it is seen whose it is."""

    name: str
    raw: str
    kind: EventKind
    found_by: FoundBy = FoundBy.ENVELOPE
    address: str = READER


def dsn(
    status: str = "",
    said: str = "",
    *,
    sender: str = "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
    to: str = VERP,
    text: str = "Your message could not be delivered.",
    message: str = "Reporting-MTA: dns; mx.example.net",
    recipient: str = f"Final-Recipient: rfc822; {READER}",
    action: str = "failed",
    said_by: str = "smtp",
    returned: str = HEADERS,
    returned_as: str = "text/rfc822-headers",
) -> str:
    """Return a delivery status notification (RFC 3464)."""
    fields = (
        recipient,
        f"Action: {action}",
        status and f"Status: {status}",
        said and f"Diagnostic-Code: {said_by}; {said}",
    )
    back = f"--b\nContent-Type: {returned_as}\n\n{returned}\n" if returned else ""
    return (
        f"From: {sender}\nTo: {to}\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain; charset=us-ascii\n\n{text}\n\n"
        f"--b\nContent-Type: message/delivery-status\n\n{message}\n\n"
        + "\n".join(field for field in fields if field)
        + f"\n\n{back}--b--\n"
    )


def plain(sender: str, subject: str, text: str, *, to: str = VERP, more: str = "") -> str:
    """Return a mail of text alone."""
    return f"From: {sender}\nTo: {to}\nSubject: {subject}\n{more}\n{text}\n"


def arf(feedback: str, *, fields: str = "", returned: str = HEADERS) -> str:
    """Return a feedback report (RFC 5965)."""
    return (
        "From: feedback@provider.example.net\nTo: fbl@example.org\nSubject: Abuse report\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an abuse report.\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {feedback}\nUser-Agent: Reporter/1.0\n"
        f"Version: 1\n{fields}\n"
        f"--b\nContent-Type: message/rfc822\n\n{returned}\nHello\n\n--b--\n"
    )


_QMAIL = f"""\
Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{READER}>:
%s

--- Below this line is a copy of the message.

{HEADERS}
Hello
"""
_EXIM = f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {READER}
    %s

------ This is a copy of the message's headers. ------

{HEADERS}
"""
_OUTLOOK_REPORT = f"""\
From: staff@hotmail.com
To: fbl@example.org
Subject: complaint about message from 192.0.2.9
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: message/rfc822

X-HmXmrOriginalRecipient: {READER}
{HEADERS}
Hello

--b--
"""


def qmail(said: str) -> str:
    """Return a bounce of qmail, which is text alone (https://cr.yp.to/proto/qsbmf.txt)."""
    return plain("MAILER-DAEMON@mx.example.net", "failure notice", _QMAIL % said, to="bounces@example.org")


def exim(said: str) -> str:
    """Return a bounce of an older Exim, which names the recipients in a header."""
    return plain(
        "Mail Delivery System <Mailer-Daemon@mx.example.net>",
        "Mail delivery failed: returning message to sender",
        _EXIM % said,
        to="bounces@example.org",
        more=f"X-Failed-Recipients: {READER}\nAuto-Submitted: auto-replied\n",
    )


_postfix = dsn
_gmail = partial(
    dsn, sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>", returned_as="message/rfc822"
)
_exchange = partial(
    dsn,
    sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.net>",
    message="Reporting-MTA: dns;AM0PR01MB0001.eurprd01.prod.exchangelabs.com",
    recipient=f"Final-Recipient: rfc822;{READER}",
)
_sendmail = partial(
    dsn,
    sender="Mail Delivery Subsystem <MAILER-DAEMON@mail.example.net>",
    recipient=f"Final-Recipient: RFC822; {READER}",
    said_by="SMTP",
)
_forwarded = partial(dsn, to="postmaster@forwarder.example.net")
_by_itself = partial(_postfix, said_by="X-Postfix")
_from_reader = partial(plain, "Reader <reader@example.net>")
_K, _F = EventKind, FoundBy

REPORTS: tuple[Case, ...] = (
    Case(
        "Postfix, no such user",
        _postfix(
            "5.1.1",
            "550 5.1.1 User unknown",
            text=f"<{READER}>: host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown",
            message="Reporting-MTA: dns; mail.example.org\nX-Postfix-Queue-ID: 4FakeQueue",
            recipient=f"Final-Recipient: rfc822; {READER}\nOriginal-Recipient: rfc822;{READER}",
        ),
        _K.HARD,
    ),
    Case(
        "Postfix, no such domain",
        _by_itself("5.4.4", "Host or domain name not found. Name service error"),
        _K.HARD,
    ),
    Case("Postfix, over quota", _postfix("5.2.2", f"552 5.2.2 <{READER}>: user is over quota"), _K.SOFT),
    Case("Postfix, given up", _by_itself("4.4.1", "connect to mx.example.net[192.0.2.1]:25: timed out"), _K.SOFT),
    Case("Postfix, a warning that it goes on trying", _postfix("4.4.1", action="delayed"), _K.NOTHING),
    Case("Postfix, the message is too big", _by_itself("5.3.4", "message size 40000 exceeds size limit"), _K.OURS),
    Case("Postfix, delivered", _postfix("2.0.0", action="delivered"), _K.NOTHING),
    Case("the envelope was rewritten, our header tells", _forwarded("5.1.1", "550 no"), _K.HARD, _F.HEADER),
    Case(
        "our header is gone, the Message-ID tells",
        _forwarded("5.1.1", returned=f"Message-ID: <20260312.{MARK}@example.org>\nSubject: Hello"),
        _K.HARD,
        _F.MESSAGE_ID,
    ),
    Case("nothing but an address tells", dsn("5.1.1", to="bounces@example.org", returned=""), _K.HARD, _F.NOTHING),
    Case(
        "Gmail, no such account",
        _gmail(
            "5.1.1",
            "550-5.1.1 The email account that you tried to reach does not exist. Please\n 550-5.1.1 try",
            text="** Address not found **\n\nYour message wasn't delivered.",
            message="Reporting-MTA: dns; googlemail.com\nArrival-Date: Thu, 12 Mar 2026 01:00:00 -0700 (PDT)",
        ),
        _K.HARD,
    ),
    Case("Gmail, no storage", _gmail("5.2.2", "552-5.2.2 The recipient's inbox is out of storage space"), _K.SOFT),
    Case("Gmail, disabled", _gmail("5.2.1", "550-5.2.1 The email account that you tried is inactive"), _K.HARD),
    Case("Gmail, too much mail", _gmail("5.2.1", "550-5.2.1 The user is receiving mail at a rate that"), _K.SOFT),
    Case("Gmail, unsolicited", _gmail("5.7.1", "550-5.7.1 This message is likely unsolicited mail"), _K.OURS),
    Case("Gmail, unauthenticated", _gmail("5.7.26", "550-5.7.26 blocked: sender is unauthenticated"), _K.OURS),
    Case(
        "Exchange Online, no such recipient",
        _exchange(
            "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
        ),
        _K.HARD,
    ),
    Case(
        "Exchange Online, the tenant knows no such address",
        _exchange("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"),
        _K.HARD,
    ),
    Case(
        "Exchange Online, given up", _exchange("5.4.300", "550 5.4.300 Message expired -> 451 4.4.0"), _K.EXPIRED
    ),
    Case("Exchange, expired", _exchange("4.4.7", "550 4.4.7 QUEUE.Expired; message expired"), _K.EXPIRED),
    Case("Exchange, too large", _exchange("5.2.3", "550 5.2.3 RESOLVER.RST.RecipSizeLimit; too large"), _K.OURS),
    Case(
        "Outlook.com, no such mailbox, in words alone",
        dsn("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)."),
        _K.HARD,
    ),
    Case(
        "Outlook.com, our server is on its block list",
        dsn("5.7.1", "550 5.7.1 messages from [192.0.2.9] weren't sent. They are on our block list (S3150)."),
        _K.OURS,
    ),
    Case("Sendmail, user unknown", _sendmail("5.1.1", f"550 <{READER}>... User unknown"), _K.HARD),
    Case("Sendmail, not available for days", _sendmail("4.4.7"), _K.EXPIRED),
    Case("OpenSMTPD calls a failure an error", dsn("5.1.1", action="error"), _K.HARD),
    Case("Exim, unrouteable", exim("Unrouteable address"), _K.HARD, _F.HEADER),
    Case("Exim, mailbox full", exim("mailbox is full: retry timeout exceeded"), _K.SOFT, _F.HEADER),
    Case("Exim, spam", exim("550 This message was classified as SPAM"), _K.OURS, _F.HEADER),
    Case("qmail, no mailbox", qmail("Sorry, no mailbox here by that name. (#5.1.1)"), _K.HARD, _F.HEADER),
    Case("qmail, over quota", qmail("Mailbox quota exceeded (#5.2.2)"), _K.SOFT, _F.HEADER),
    Case(
        "out of office",
        _from_reader("Automatic reply: Hashing by Hand", "I am away.", more="Auto-Submitted: auto-replied\n"),
        _K.NOTHING,
        address="",
    ),
    Case(
        "out of office, in German and without its header",
        _from_reader("Abwesenheitsnotiz: Hashing by Hand", "Ich bin nicht im Haus."),
        _K.NOTHING,
        address="",
    ),
    Case("a complaint", arf("abuse", fields=f"Original-Rcpt-To: <{READER}>\n"), _K.COMPLAINT, _F.HEADER),
    Case(
        "a complaint that names no reader, only our envelope sender",
        arf("abuse", fields=f"Original-Mail-From: <{VERP}>\n", returned="Subject: Hashing by Hand\n"),
        _K.COMPLAINT,
        address="",
    ),
    Case("a reader takes it back", arf("not-spam", fields=f"Original-Rcpt-To: {READER}\n"), _K.NOTHING, _F.HEADER),
    Case("Outlook.com, a junk mail report", _OUTLOOK_REPORT, _K.COMPLAINT, _F.HEADER),
    Case(
        "a reader leaves by mail",
        _from_reader(f"Re: {LEAVE_SUBJECT}", "", to="papers@example.org"),
        _K.UNSUBSCRIBE,
        _F.TOKEN,
        "",
    ),
    Case(
        "a reader leaves by a mail without a subject",
        _from_reader("", "", to=LEAVE_TO),
        _K.UNSUBSCRIBE,
        _F.TOKEN,
        "",
    ),
    Case(
        "a reader writes to us",
        _from_reader("Hello", "I like it.", to="bounces@example.org"),
        _K.NOTHING,
        _F.NOTHING,
        "",
    ),
)
