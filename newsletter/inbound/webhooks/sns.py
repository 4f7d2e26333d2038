"""Messages of Amazon SNS, and whether it has signed them.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Anybody can name an address of a
certificate. So only SNS's own hosts are asked, those of the topic's region, and only for topics of the operator.
"""

from __future__ import annotations

import re
from asyncio import Lock
from base64 import b64decode
from binascii import Error
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from newsletter.core.errors import NewsletterError
from newsletter.inbound.webhooks.message import Fields
from newsletter.ports import ForgedError

log = structlog.get_logger(__name__)

# Returns what stands at an address, as text; raises NewsletterError.
Fetch = Callable[[str], Awaitable[str]]

_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem", re.ASCII)
_MOST_KEPT = 10
_LEFT_ALONE = timedelta(minutes=10)  # an address that gave no certificate
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_OPTIONAL = "Subject"


class Sns:
    """Checks messages of some topics.

    Args:
        topics: those that are the operator's, by their ARNs.
        fetch: fetches a certificate, and visits the address that confirms a subscription.
    """

    def __init__(self, topics: Collection[str], fetch: Fetch) -> None:
        self._topics, self._fetch = topics, fetch
        self._certificates: dict[str, x509.Certificate] = {}
        self._failed: dict[str, datetime] = {}
        self._fetching = Lock()

    async def checked(self, message: Fields, now: datetime) -> None:
        """Make sure that SNS signed a message of one of the topics.

        Raises:
            ForgedError: it did not.
            NewsletterError: the certificate cannot be had now.
        """
        topic, kind = message.raw("TopicArn"), message.raw("Type")
        if topic not in self._topics:
            raise ForgedError("its topic is none of NEWSLETTER_INBOUND__WEBHOOK_SES_TOPICS")
        if kind not in _SIGNED:
            raise ForgedError("its type is none that is signed")
        url = message.raw("SigningCertURL")
        if not _is_own(url, topic) or not _CERTIFICATE.fullmatch(urlsplit(url).path):
            raise ForgedError("its certificate is not at SNS")
        certificate = await self._certificate(url, now)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise ForgedError("its certificate is of another time")
        _check(certificate, message, _SIGNED[kind])

    async def confirm(self, message: Fields) -> None:
        """Confirm a subscription that was checked."""
        url = message.raw("SubscribeURL")
        if not _is_own(url, message.raw("TopicArn")):
            raise ForgedError("the address that confirms the subscription is not at SNS")
        await self._fetch(url)
        log.info("sns_subscription_confirmed", topic=message.raw("TopicArn"))

    async def _certificate(self, url: str, now: datetime) -> x509.Certificate:
        async with self._fetching:
            if url in self._certificates:
                return self._certificates[url]
            if url in self._failed and now - self._failed[url] < _LEFT_ALONE:
                raise NewsletterError(f"{url}: gave no certificate a while ago")
            try:
                certificate = x509.load_pem_x509_certificate((await self._fetch(url)).encode())
            except (NewsletterError, ValueError) as error:
                self._failed = {**dict(list(self._failed.items())[-_MOST_KEPT:]), url: now}
                raise NewsletterError(f"{url}: gives no certificate: {error}") from error
            self._certificates = {**dict(list(self._certificates.items())[-_MOST_KEPT:]), url: certificate}
            return certificate


def _is_own(url: str, topic: str) -> bool:
    """Return whether an address is at SNS, in the region of a topic."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    partition, region = topic.split(":")[1], topic.split(":")[3]
    host = f"sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"
    return parts.scheme == "https" and parts.netloc == host and port is None


def _check(certificate: x509.Certificate, message: Fields, names: Collection[str]) -> None:
    """Raise ForgedError unless a message is signed with the key of a certificate."""
    signed = "".join(f"{name}\n{message.raw(name)}\n" for name in names if name != _OPTIONAL or message.raw(name))
    # Version 1 is what topics have unless the operator changes it.
    version = message.raw("SignatureVersion")
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 (SNS signs so)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ForgedError("its certificate has no RSA key")
    try:
        signature = b64decode(message.raw("Signature"), validate=True)
        key.verify(signature, signed.encode("utf-8", "replace"), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, Error, ValueError):
        raise ForgedError("the signature is not by its certificate") from None
