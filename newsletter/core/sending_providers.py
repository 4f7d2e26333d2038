"""What is known of providers of relays, by the names of their servers: what SPF has to include for them."""

from __future__ import annotations

# By the ends of the names of their servers. Those with nothing write an envelope sender of their own domain.
_INCLUDES = {
    "gmail.com": "_spf.google.com",
    "googlemail.com": "_spf.google.com",
    "smtp-relay.google.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
    "postmarkapp.com": "",
    "amazonaws.com": "",
    "resend.com": "",
    "brevo.com": "",
    "sendinblue.com": "",
    "mailgun.org": "mailgun.org",
    "mailgun.net": "mailgun.org",
    "sendgrid.net": "",
    "fastmail.com": "spf.messagingengine.com",
}


def included_for(host: str) -> str | None:
    """Return what the SPF record of a sender has to include for a relay.

    Returns:
        A domain; nothing, if the provider sends with its own domain in the envelope; None for a relay that is not
        known here.
    """
    name = host.lower().rstrip(".")
    return next((domain for end, domain in _INCLUDES.items() if f".{name}".endswith(f".{end}")), None)
