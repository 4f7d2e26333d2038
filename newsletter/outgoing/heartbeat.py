"""The heartbeat: an address is asked for as long as all is well, and somebody else notices when that ends.

As https://healthchecks.io/docs/http_api/ and others take it.
"""

from __future__ import annotations

import structlog

from newsletter.core.errors import SourceError
from newsletter.ports import Poster

log = structlog.get_logger(__name__)


class Heartbeat:
    """Asks for one address, which is a secret. What goes wrong is logged, and costs nothing else."""

    def __init__(self, url: str, poster: Poster) -> None:
        """Take the address, and what asks."""
        self._url, self._poster = url, poster

    async def beat(self) -> None:
        """Ask once; never raises."""
        try:
            answer = await self._poster.get(self._url)
        except SourceError as error:
            log.warning("heartbeat_failed", reason=str(error))
            return
        if answer.status // 100 == 2:  # noqa: PLR2004 (success, RFC 9110, 15.3)
            log.debug("heartbeat")
        else:
            log.warning("heartbeat_failed", reason=f"answered {answer.status}")
