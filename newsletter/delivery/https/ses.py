"""Amazon SES, API version 2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime

from typing_extensions import override

from newsletter.delivery.https.service import About, MailService, Post, Said, json_object, line
from newsletter.delivery.https.sigv4 import AwsKey, signed
from newsletter.delivery.smtp.session import Letter
from newsletter.ports import Answer

_PATH = "/v2/email/outbound-emails"
_OUR_SETUP = frozenset({"AccountSuspendedException", "MailFromDomainNotVerifiedException"})
_OURS = frozenset({"LimitExceededException", "SendingPausedException"})


class Ses(MailService):
    """Hands mails to Amazon SES, which keeps them but for Message-ID and Date; bounces come to the sender."""

    def __init__(self, address: str, key: AwsKey, setting: Callable[[str], str]) -> None:
        """Take what is needed to ask.

        Args:
            address: of the region, or of an endpoint of one's own.
            key: an access key that may send mail (`ses:SendRawEmail`).
            setting: returns what the operator knows a setting by.
        """
        self._url, self._key = f"{address}{_PATH}", key
        self.advice = (
            f"check {setting('username')} and {setting('password')} (an access key that may ses:SendRawEmail), "
            f"{setting('region')}, and this machine's clock"
        )

    @override
    def post(self, letter: Letter, recipient: str, now: datetime) -> Post:
        content = {
            "Destination": {"ToAddresses": [recipient]},
            "FeedbackForwardingEmailAddress": letter.sender,
            "Content": {"Raw": {"Data": base64.b64encode(b"".join(letter.pieces)).decode()}},
        }
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        return Post(self._url, body, signed(self._key, "POST", self._url, headers, body, now))

    @override
    def said(self, answer: Answer) -> Said:
        content = json_object(answer.body)
        if number := content.get("MessageId"):
            return Said(line(number))
        kind = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
        text = line(f"{kind} {content.get('message') or content.get('Message') or ''}".strip())
        if kind in _OUR_SETUP or "is not verified" in text:  # in the sandbox, of recipients, too
            return Said(text, About.SETUP)
        return Said(text, About.US if kind in _OURS else About.UNKNOWN)
