"""The DKIM keys that the settings name, read from their files."""

from __future__ import annotations

from pathlib import Path

import structlog

from newsletter.core.errors import ConfigurationError
from newsletter.render.mime.signing import Signer, SigningKey
from newsletter.settings.groups import DkimSettings

log = structlog.get_logger(__name__)


def signer(dkim: DkimSettings) -> Signer | None:
    """Return what signs messages with DKIM; None where no key is set.

    Raises:
        ConfigurationError: a key file cannot be read or holds another kind of key; names setting and file.
    """
    keys = signing_keys(dkim)
    if not keys:
        return None
    if weakness := keys[0].weakness:
        log.warning(
            "dkim_key_is_weak", setting="NEWSLETTER_DKIM__KEY_FILE", file=str(dkim.key_file), reason=weakness
        )
    return Signer(dkim.domain, *keys)


def signing_keys(dkim: DkimSettings) -> list[SigningKey]:
    """Return the keys that sign, the RSA one first; none where signing is left to the relay.

    Raises:
        ConfigurationError: as `signer` does.
    """
    if dkim.key_file is None:
        return []
    keys = [_signing_key(dkim.selector, dkim.key_file, "KEY_FILE")]
    if dkim.ed25519_key_file is not None:
        second = _signing_key(dkim.ed25519_selector, dkim.ed25519_key_file, "ED25519_KEY_FILE")
        if second.algorithm != "ed25519-sha256":
            raise ConfigurationError(
                f"NEWSLETTER_DKIM__ED25519_KEY_FILE: {dkim.ed25519_key_file} is no Ed25519 key: it would sign as "
                f"RSA twice"
            )
        keys.append(second)
    return keys


def _signing_key(selector: str, path: Path, setting: str) -> SigningKey:
    try:
        return SigningKey.load(selector, path)
    except ConfigurationError as error:
        raise ConfigurationError(f"NEWSLETTER_DKIM__{setting}: {error}") from error
