"""Access tokens for logins."""

from __future__ import annotations

from typing import Protocol


class AccessTokens(Protocol):
    """Gives the access token of one account. It may be asked by many at once."""

    async def token(self) -> str:
        """Return a token that may be used now.

        Raises:
            TokenError: there is none; one line, without any secret.
        """
        ...

    async def renewed(self, refused: str) -> str:
        """Return another token than the one that a server refused, though it seemed good.

        Raises:
            TokenError: see `token`.
        """
        ...
