"""The signature that AWS asks of requests: Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. For requests without a
query, to a path of plain letters, as those to SES are.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class AwsKey(NamedTuple):
    """An access key, and where and for which service it is used."""

    id: str
    secret: str
    region: str
    service: str


def signed(
    key: AwsKey, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers of a request, with those that sign it.

    Args:
        key: who asks.
        method: such as `POST`.
        url: with host and path, and without a query.
        headers: of the request, all of which are signed.
        body: what is sent.
        now: the present moment, aware; AWS refuses signatures that are five minutes off.
    """
    parts = urlsplit(url)
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    to_sign = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    to_sign |= {"host": parts.netloc, "x-amz-date": moment}
    names = ";".join(sorted(to_sign))
    lines = "".join(f"{name}:{to_sign[name]}\n" for name in sorted(to_sign))
    request = f"{method}\n{parts.path or '/'}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{key.region}/{key.service}/aws4_request"
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = f"AWS4{key.secret}".encode()
    for step in scope.split("/"):
        secret = hmac.digest(secret, step.encode(), "sha256")
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    authorization = f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "X-Amz-Date": moment, "Authorization": authorization}
