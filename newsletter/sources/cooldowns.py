"""Remembers over runs which servers had too many requests, and leaves them alone for a while."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_log = structlog.get_logger(__name__)
_SHORTEST = 15 * 60.0  # seconds; twice as long each time that a server had too many again
_LONGEST = 6 * 3600.0
_LONGEST_ASKED = 24 * 3600.0  # where the server itself named a time


class Cooldowns:
    """One file a host in a folder; without a folder this process remembers. Trouble with files is only logged."""

    def __init__(self, folder: Path | None, *, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._known: dict[str, tuple[float, int]] = {}  # by host: until when, and how often in a row

    def until(self, host: str) -> float:
        """Return until when a host is left alone, in seconds since the epoch, or 0 if it may be asked."""
        until, _ = self._load(host)
        # A clock that was set back must not make the wait longer than it could have been.
        return until if 0 < until - self._clock() <= _LONGEST_ASKED else 0.0

    def begin(self, host: str, asked: float) -> None:
        """Leave a host alone for the seconds that it asked for, else longer each time in a row."""
        times = self._load(host)[1] + 1
        own = min(_SHORTEST * 2 ** min(times - 1, 10), _LONGEST)
        wait = min(asked, _LONGEST_ASKED) if asked else own
        self._known[host] = (self._clock() + wait, times)
        _log.warning("server_left_alone", host=host, seconds=round(wait), times=times)
        self._save(host)

    def end(self, host: str) -> None:
        """Forget it: the host answers again."""
        if self._load(host)[1]:
            self._known[host] = (0.0, 0)
            if self._folder is not None:
                self._path(self._folder, host).unlink(missing_ok=True)

    def _load(self, host: str) -> tuple[float, int]:
        if self._folder is not None:
            try:
                noted = json.loads(self._path(self._folder, host).read_bytes())
                self._known[host] = (float(noted["until"]), int(noted["times"]))
            except FileNotFoundError:
                self._known.pop(host, None)  # another process may have ended it
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.warning("cooldown_unreadable", host=host, error=str(error))
        return self._known.get(host, (0.0, 0))

    def _save(self, host: str) -> None:
        if self._folder is None:
            return
        until, times = self._known[host]
        path = self._path(self._folder, host)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps({"host": host, "until": until, "times": times}))
            partial.replace(path)
        except OSError as error:
            _log.warning("cooldown_not_kept", host=host, error=str(error))

    @staticmethod
    def _path(folder: Path, host: str) -> Path:
        return folder / f"{quote(host, safe='')[:200]}.cooldown"
