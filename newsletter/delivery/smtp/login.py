"""The login of a session: with a password, or with an access token."""

from __future__ import annotations

import base64

from aiosmtplib import SMTP, SMTPAuthenticationError

from newsletter.core.errors import RelayError, RelaySetupError, TokenError
from newsletter.core.sasl import OAUTHBEARER, XOAUTH2, first_words, last_words, told_reason
from newsletter.delivery.smtp import advice
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.replies import Kind, Reply
from newsletter.ports import AccessTokens

_CHALLENGE = 334


async def log_in(client: SMTP, config: RelayConfig, tokens: AccessTokens | None) -> None:
    """Log in, with a password unless there are `tokens`.

    Raises:
        RelaySetupError: the login is refused; names the setting.
        RelayError: it is refused for now, or there is no token for now.
        SMTPException: the connection was lost.
    """
    if tokens:
        await _by_token(client, config, tokens)
        return
    if not client.supported_auth_methods:
        raise advice.no_login(config, " ".join(client.server_auth_methods))
    try:
        await client.login(config.username, config.password)
    except SMTPAuthenticationError as error:
        raise advice.login_refused(config, Reply(error.code, error.message)) from error


async def _by_token(client: SMTP, config: RelayConfig, tokens: AccessTokens) -> None:
    """Log in with a token; one that is refused for good is renewed once."""
    offered = [mechanism for mechanism in (XOAUTH2, OAUTHBEARER) if mechanism in client.server_auth_methods]
    if not offered:
        raise advice.no_token_login(config, " ".join(client.server_auth_methods))
    token = await _token(config, tokens, refused="")
    refusal, said = await _try(client, config, offered[0], token)
    if refusal and refusal.kind == Kind.NEVER:
        renewed = await _token(config, tokens, refused=token)
        if renewed != token:
            refusal, said = await _try(client, config, offered[0], renewed)
    if refusal:
        raise advice.token_refused(config, refusal, said)


async def _token(config: RelayConfig, tokens: AccessTokens, *, refused: str) -> str:
    try:
        return await (tokens.renewed(refused) if refused else tokens.token())
    except TokenError as error:
        kind = RelaySetupError if error.is_final else RelayError
        raise kind(f"cannot log in to {config.name}: {error}") from error


async def _try(client: SMTP, config: RelayConfig, mechanism: str, token: str) -> tuple[Reply | None, str]:
    """Try to log in; return the refusal, None if there is none, and the reason that was told before it."""
    words = first_words(mechanism, username=config.username, token=token, host=config.host, port=config.port)
    response = await client.execute_command(b"AUTH", mechanism.upper().encode(), base64.b64encode(words))
    said = ""
    if response.code == _CHALLENGE:
        said = told_reason(response.message)
        response = await client.execute_command(base64.b64encode(last_words(mechanism)))
    reply = Reply(response.code, response.message)
    return (None if reply.kind == Kind.DONE else reply), said
