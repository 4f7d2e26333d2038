"""Posts what webhooks are told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

from typing_extensions import override

from newsletter.ports.posting import Answer, Poster
from newsletter.sources.http.exchange import Exchange, TryError
from newsletter.sources.http.retry_after import retry_after
from newsletter.sources.reading.document import HttpError


class WebPoster(Poster):
    """Posts over HTTP. Opens no connection before the first post, and reads nothing of what is answered.

    Args:
        user_agent: who posts.
        timeout: seconds for one post, from beginning to end.
        public_only: refuse addresses that are not public.
    """

    def __init__(self, *, user_agent: str, timeout: float, public_only: bool) -> None:
        self._timeout = timeout
        self._public_only = public_only
        self._exchange = Exchange(
            user_agent=user_agent, timeout=timeout, max_bytes=0, private_by="NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE"
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
                    most=0,
                    redirects=0,
                )
        except TimeoutError as error:
            raise HttpError(f"no answer in time (timeout: {self._timeout:g} s)") from error
        except TryError as failure:
            raise HttpError(str(failure)) from failure
        wait = retry_after(response.headers, response.status, now=time.time())
        return Answer(response.status, timedelta(seconds=min(wait, 10**6)))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._exchange.aclose()
