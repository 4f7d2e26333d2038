"""How mail is handed to a relay, as the operator wishes it."""

from __future__ import annotations

from enum import StrEnum


class RelayKind(StrEnum):
    """What a relay is."""

    SMTP = "smtp"
    SES = "ses"  # Amazon SES, over HTTPS
    MAILGUN = "mailgun"  # over HTTPS


class Security(StrEnum):
    """How the connection to a relay is protected; there is no way from one down to another."""

    STARTTLS = "starttls"  # begins in the clear, then TLS before anything is said; without TLS nothing is sent
    TLS = "tls"  # TLS from the first byte
    NONE = "none"  # in the clear, because the operator said so


class Pipelining(StrEnum):
    """How many commands are written before an answer is awaited (RFC 2920), where the relay offers it."""

    MESSAGES = "messages"  # the commands of the next message stand in the write that ends a message, too
    ENVELOPES = "envelopes"  # MAIL, RCPT and DATA of one message stand in one write
    OFF = "off"  # one command at a time
