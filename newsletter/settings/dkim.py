"""The DKIM keys that the settings name, read from their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic

import structlog
from typing_extensions import override

from newsletter.core.errors import ConfigurationError
from newsletter.render.mime.signing import Signer, SigningKey
from newsletter.settings.groups import DkimSettings

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 1.0  # seconds


def signer(dkim: DkimSettings) -> Signer | None:
    """Return what signs messages with DKIM, by the keys that the files hold at the time; None where no key is set.

    Raises:
        ConfigurationError: a key file cannot be read or holds another kind of key; names setting and file.
    """
    return None if dkim.key_file is None else _SignerByFiles(dkim, [dkim.key_file, dkim.ed25519_key_file])


class _SignerByFiles(Signer):
    """Signs with the keys in files, and reads these again when they have changed.

    While what they hold is no key, the former keys go on signing, and the log says so once.
    """

    def __init__(self, dkim: DkimSettings, files: Sequence[Path | None]) -> None:
        self._dkim, self._files = dkim, [file for file in files if file is not None]
        self._seen = self._states()
        super().__init__(dkim.domain, *signing_keys(dkim))
        self._looked_at = monotonic()

    @override
    def prepare(self, head: Iterable[bytes], body: bytes) -> Callable[[], bytes]:
        if monotonic() - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = monotonic()
            self._look()
        return super().prepare(head, body)

    def _look(self) -> None:
        states = self._states()
        if states == self._seen:
            return
        self._seen = states
        try:
            keys = signing_keys(self._dkim)
        except ConfigurationError as error:
            log.error("dkim_key_held_back", reason=str(error), hint="the former key signs until it is right")  # noqa: TRY400 (one line)
        else:
            super().__init__(self._dkim.domain, *keys)
            log.info("dkim_key_read_again")

    def _states(self) -> list[tuple[int, int, int] | None]:
        """Return of each file what changes with its content; None: it cannot be looked at."""
        return [_state(file) for file in self._files]


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def signing_keys(dkim: DkimSettings) -> list[SigningKey]:
    """Return the keys that sign, the RSA one first; none where signing is left to the relay.

    Raises:
        ConfigurationError: as `signer` does.
    """
    if dkim.key_file is None:
        return []
    keys = [_signing_key(dkim.selector, dkim.key_file, "KEY_FILE")]
    if weakness := keys[0].weakness:
        log.warning(
            "dkim_key_is_weak", setting="NEWSLETTER_DKIM__KEY_FILE", file=str(dkim.key_file), reason=weakness
        )
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
