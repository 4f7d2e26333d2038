"""Posts over HTTP: what webhooks are told, mails to relays, requests for access tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

from typing_extensions import override

from newsletter.core.errors import UnansweredError
from newsletter.ports.posting import Answer, Poster
from newsletter.sources.http.exchange import Exchange, TryError
from newsletter.sources.http.retry_after import retry_after

_LARGEST = 1024 * 1024  # bytes of an answer that is read at all


class WebPoster(Poster):
    """Posts over HTTP. Opens no connection before the first post.

    Args:
        user_agent: who posts.
        timeout: seconds for one post, from beginning to end.
        public_only: refuse addresses that are not public.
        most: how many bytes of an answer are read.
        connect_timeout: seconds for a connection; None: as `timeout`.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: float,
        public_only: bool,
        most: int = 0,
        connect_timeout: float | None = None,
    ) -> None:
        self._timeout = timeout
        self._public_only = public_only
        self._most = most
        self._exchange = Exchange(
            user_agent=user_agent,
            timeout=timeout,
            max_bytes=_LARGEST,
            private_by="NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE",
            connect_timeout=connect_timeout,
        )

    @override
    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await self._request("POST", url, body, headers)

    @override
    async def get(self, url: str) -> Answer:
        return await self._request("GET", url, None, {})

    async def _request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._exchange.request(
                    method,
                    url,
                    headers=headers,
                    content=body,
                    public_only=self._public_only,
                    most=self._most,
                    redirects=0,
                )
        except TimeoutError as error:
            reason = f"no answer in time (timeout: {self._timeout:g} s)"
            raise UnansweredError(reason, arrived=True) from error
        except TryError as failure:
            raise UnansweredError(str(failure), arrived=failure.arrived) from failure
        wait = retry_after(response.headers, response.status, now=time.time())
        return Answer(response.status, timedelta(seconds=min(wait, 10**6)), response.body, response.headers)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._exchange.aclose()
