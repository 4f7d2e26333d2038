"""Keeps answers with their validators, so that a server sends nothing again that did not change (RFC 9110, 13)."""

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
class CachedAnswer:
    """A body with its validators: the names that its server has for this version of it."""

    body: bytes
    etag: str = ""
    last_modified: str = ""
    charset: str = ""  # of Content-Type; a 304 need not repeat it

    @property
    def conditions(self) -> dict[str, str]:
        """Return the request headers that ask for the body only if it has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes, *, charset: str = "") -> CachedAnswer:
        """Return the answer with these response headers (names in small letters) and this body."""
        etag, last_modified = headers.get("etag", ""), headers.get("last-modified", "")
        return cls(body=body, etag=etag, last_modified=last_modified, charset=charset)


class HttpCache:
    """A folder with one file for each address; None keeps nothing. File errors are logged and do no harm."""

    def __init__(self, folder: Path | None, *, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock

    def load(self, url: str) -> CachedAnswer | None:
        """Return the kept answer of an address, or None."""
        if self._folder is None:
            return None
        try:
            head, _, body = self._path(self._folder, url).read_bytes().partition(b"\n")
            known = json.loads(head)
            etag, last_modified = str(known["etag"]), str(known["last_modified"])
            return CachedAnswer(
                body=body, etag=etag, last_modified=last_modified, charset=str(known.get("charset", ""))
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("cached_answer_unreadable", url=url, error=str(error))
            return None

    def save(self, url: str, answer: CachedAnswer) -> None:
        """Keep an answer that has a validator, and delete answers that are older than a month."""
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
        """Delete the kept answer of an address."""
        if self._folder is not None:
            self._path(self._folder, url).unlink(missing_ok=True)

    @staticmethod
    def _path(folder: Path, url: str) -> Path:
        return folder / f"{hashlib.sha256(url.encode()).hexdigest()}.answer"
