"""Keeps answers with their validators, so that a server need not send again what did not change (RFC 9110, 13)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from newsletter.whole_files import write_whole

_log = structlog.get_logger(__name__)
_KEPT = 30 * 24 * 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A body and what its server calls this version of it."""

    body: bytes
    etag: str = ""
    last_modified: str = ""
    charset: str = ""  # as the server named it; it need not say so again

    @property
    def conditions(self) -> dict[str, str]:
        """Return the request headers that ask for the body only if it is another one by now."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes, *, charset: str = "") -> Answer:
        """Return the answer that these response headers (any case) and this body make."""
        etag, last_modified = headers.get("etag", ""), headers.get("last-modified", "")
        return cls(body=body, etag=etag, last_modified=last_modified, charset=charset)


class HttpCache:
    """One file an address in a folder; without a folder nothing is kept. Trouble with files is logged, no more."""

    def __init__(self, folder: Path | None, *, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock

    def load(self, url: str) -> Answer | None:
        """Return the answer that was kept for an address, or None."""
        if self._folder is None:
            return None
        try:
            head, _, body = self._path(self._folder, url).read_bytes().partition(b"\n")
            known = json.loads(head)
            etag, last_modified = str(known["etag"]), str(known["last_modified"])
            return Answer(body=body, etag=etag, last_modified=last_modified, charset=str(known.get("charset", "")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("cached_answer_unreadable", url=url, error=str(error))
            return None

    def save(self, url: str, answer: Answer) -> None:
        """Keep an answer that has a validator, and let go of those that are older than a month."""
        if self._folder is None or not answer.conditions:
            return
        path = self._path(self._folder, url)
        head = {"url": url, "etag": answer.etag, "last_modified": answer.last_modified, "charset": answer.charset}
        try:
            write_whole(path, json.dumps(head).encode() + b"\n" + answer.body)
            for old in self._folder.glob("*.answer"):
                if old.stat().st_mtime < self._clock() - _KEPT:
                    old.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("answer_not_cached", url=url, error=str(error))

    def drop(self, url: str) -> None:
        """Forget what was kept for an address."""
        if self._folder is not None:
            self._path(self._folder, url).unlink(missing_ok=True)

    @staticmethod
    def _path(folder: Path, url: str) -> Path:
        return folder / f"{hashlib.sha256(url.encode()).hexdigest()}.answer"
