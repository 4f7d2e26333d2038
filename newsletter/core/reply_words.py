"""What a mail server's answer means, in the words of an operator. Pure.

An answer has a code (RFC 5321, 4.2), mostly an enhanced status code (RFC 3463, kept by IANA), and words that
nobody has agreed on. The status tells most; words tell what status codes have no number for, such as greylisting.
"""

from __future__ import annotations

import re

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)
_LATER = 400
_NEVER = 500
_LONGEST = 2000  # characters that are looked at

# Before the status: these words stand beside several of them.
_BY_WORDS = (
    (re.compile(r"gr[ae]y[ -]?list", re.IGNORECASE), "greylisted: the server wants us to come back later"),
    (
        re.compile(r"rate.?limit|too many|try again later.*(?:quota|limit)|throttl|unusual rate", re.IGNORECASE),
        "too many mails for now",
    ),
    (re.compile(r"mailbox (?:is )?full|over.?quota|quota exceeded", re.IGNORECASE), "the mailbox is full"),
    (
        re.compile(r"\bspam|\bjunk|(?:block|black).?list|\brbl\b|\bdnsbl\b|reputation|unsolicited", re.IGNORECASE),
        "refused as spam",
    ),
    (re.compile(r"\bd(?:kim|marc)\b|\bspf\b", re.IGNORECASE), "refused: our domain's SPF, DKIM or DMARC is wrong"),
)
# By the subject and detail of a status code.
_BY_STATUS = {
    (1, 1): "the mailbox does not exist",
    (1, 2): "the domain does not exist, or takes no mail",
    (1, 3): "the address is not valid",
    (1, 6): "the mailbox has moved, and nobody knows where",
    (1, 10): "the domain takes no mail",
    (2, 1): "the mailbox is disabled",
    (2, 2): "the mailbox is full",
    (2, 3): "the mail is too large for this mailbox",
    (3, 1): "the server's disk is full",
    (3, 2): "the server takes no mail just now",
    (3, 4): "the mail is too large for this server",
    (4, 1): "the server does not answer",
    (4, 2): "the connection was lost",
    (4, 4): "nobody knows the way to this domain",
    (4, 5): "the server is too busy",
    (4, 7): "it took too long, and was given up",
    (7, 1): "refused by the server's policy",
    (7, 25): "refused: our machine's address has no name",
    (7, 26): "refused: our domain's SPF, DKIM or DMARC is wrong",
    (7, 515): "refused: our domain's SPF, DKIM or DMARC is wrong",
}
_BY_SUBJECT = {
    1: "trouble with the address",
    2: "trouble with the mailbox",
    3: "trouble with the server",
    4: "trouble on the way",
    5: "the servers do not understand each other",
    6: "trouble with the mail's content",
    7: "refused by the server's policy",
}

_RECORDS = (
    "publish these TXT records in DNS: SPF at {domain}, DKIM at <selector>._domainkey.{domain}, DMARC at "
    "_dmarc.{domain}; newsletter doctor checks them"
)
_SPF = "publish a TXT record in DNS at {domain} with SPF that names this relay; newsletter doctor checks it"
_DKIM = "sign with DKIM for {domain}, with a TXT record in DNS at <selector>._domainkey.{domain}"
_LOGIN = "set NEWSLETTER_SMTP__USERNAME and NEWSLETTER_SMTP__PASSWORD as the provider says"
# What an operator can do, by the detail of a status code X.7.X: RFC 7372, and those of Gmail and Microsoft
# (https://support.google.com/a/answer/3726730, https://learn.microsoft.com/exchange/mail-flow-best-practices).
_ADVICE = {
    8: _LOGIN,
    9: _LOGIN,
    20: _DKIM,
    21: _DKIM,
    22: _DKIM,
    23: _SPF,
    24: _SPF,
    25: "publish a PTR record in DNS for the address of the sending machine, with a name that leads back to it",
    26: _RECORDS,
    27: _SPF,
    28: "send more slowly: set NEWSLETTER_SMTP__RATE",
    30: _DKIM,
    32: _RECORDS,
    40: _RECORDS,
    57: "let an administrator allow Authenticated SMTP for the mailbox, or log in with a token",
    139: "let an administrator allow Authenticated SMTP for the mailbox, or log in with a token",
    509: _RECORDS,
    515: _RECORDS,
}
_POLICY = 7


def advice_on_reply(text: str, domain: str) -> str:
    """Return what an operator can do about an answer, or nothing where no status code says it.

    Args:
        text: the words of the answer, its enhanced status code among them.
        domain: of our sender.
    """
    for found in _STATUS.finditer(text[:_LONGEST]):
        if int(found[2]) == _POLICY and int(found[3]) in _ADVICE:
            return _ADVICE[int(found[3])].format(domain=domain)
    return ""


def reply_in_words(code: int | None, text: str, reason: str = "") -> str:
    """Return what an answer means; what we noted ourselves is returned as it is.

    Args:
        code: the answer's; None: there was none.
        text: its words, the enhanced status code among them.
        reason: why the delivery is where it is, if we know that ourselves.
    """
    said = text[:_LONGEST]
    for words, meaning in _BY_WORDS:
        if words.search(said):
            return meaning
    if found := _STATUS.search(said):
        subject, detail = int(found[2]), int(found[3])
        meaning = _BY_STATUS.get((subject, detail)) or _BY_SUBJECT.get(subject, "")
        if meaning:
            return meaning
    if code is not None and code >= _NEVER:
        return "refused by the server"
    if code is not None and code >= _LATER:
        return "the server asks to try again later"
    return reason or ("no answer" if not said else "trouble on the way")
