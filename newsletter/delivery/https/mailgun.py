"""Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from typing_extensions import override

from newsletter.delivery.https.service import MailService, Post, Said, json_object, line
from newsletter.delivery.smtp.session import Letter
from newsletter.ports import Answer


class Mailgun(MailService):
    """Hands mails to Mailgun: it is asked to rewrite no links and to count nobody."""

    def __init__(self, address: str, domain: str, key: str, setting: Callable[[str], str]) -> None:
        """Take what is needed to ask.

        Args:
            address: of the region.
            domain: the sending domain.
            key: an API key.
            setting: returns what the operator knows a setting by.
        """
        self._url = f"{address}/v3/{quote(domain, safe='')}/messages.mime"
        self._login = base64.b64encode(f"api:{key}".encode()).decode()
        self.advice = (
            f"check {setting('username')} (your sending domain), {setting('password')} (an API key of Mailgun) "
            f"and {setting('region')} (us or eu)"
        )

    @override
    def post(self, letter: Letter, recipient: str, now: datetime) -> Post:
        message = b"".join(letter.pieces)
        boundary = secrets.token_hex(16)
        fields = {"to": recipient, "o:tracking": "no"}
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        file = 'Content-Disposition: form-data; name="message"; filename="message.eml"'
        parts += [
            f"--{boundary}\r\n{file}\r\nContent-Type: message/rfc822\r\n\r\n".encode(),
            message,
            f"\r\n--{boundary}--\r\n".encode(),
        ]
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Authorization": f"Basic {self._login}",
        }
        return Post(self._url, b"".join(parts), headers)

    @override
    def said(self, answer: Answer) -> Said:
        content = json_object(answer.body)
        number, words = line(content.get("id")), line(content.get("message"))
        return Said(f"{number} {words}".strip() or line(answer.body.decode("utf-8", "replace")))
