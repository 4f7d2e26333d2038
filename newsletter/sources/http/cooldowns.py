"""Remembers, over runs, which servers answered 429 (Too Many Requests), and for how long they get no request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import structlog

from newsletter.whole_files import write_whole

_log = structlog.get_logger(__name__)
_SHORTEST = 15 * 60.0  # seconds; doubled each time that a server says again that there were too many
_LONGEST = 6 * 3600.0
_LONGEST_ASKED = 24 * 3600.0  # if the server itself named a time


class Cooldowns:
    """A file for each server in a folder, or memory if there is no folder. File errors are only logged."""

    def __init__(self, folder: Path | None, *, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._known: dict[str, tuple[float, int]] = {}  # by server: the end, how often in a row

    def until(self, server: str) -> float:
        """Return until when a server gets no request, in seconds since the epoch, or 0 if it may be asked."""
        until, _ = self._load(server)
        # A clock that was set back must not make the wait longer than it could have been.
        return until if 0 < until - self._clock() <= _LONGEST_ASKED else 0.0

    def begin(self, server: str, asked: float) -> None:
        """Send a server no request for the seconds that it `asked` for, else for longer each time in a row."""
        times = self._load(server)[1] + 1
        own = min(_SHORTEST * 2 ** min(times - 1, 10), _LONGEST)
        wait = min(asked, _LONGEST_ASKED) if asked else own
        self._known[server] = (self._clock() + wait, times)
        _log.warning("server_left_alone", server=server, seconds=round(wait), times=times)
        self._save(server)

    def end(self, server: str) -> None:
        """Allow requests to a server again: it has answered."""
        if self._load(server)[1]:
            self._known[server] = (0.0, 0)
            if self._folder is None:
                return
            try:
                self._path(self._folder, server).unlink(missing_ok=True)
            except OSError as error:
                _log.warning("cooldown_not_ended", server=server, error=str(error))

    def _load(self, server: str) -> tuple[float, int]:
        if self._folder is not None:
            try:
                noted = json.loads(self._path(self._folder, server).read_bytes())
                self._known[server] = (float(noted["until"]), int(noted["times"]))
            except FileNotFoundError:
                self._known.pop(server, None)  # another process may have ended it
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.warning("cooldown_unreadable", server=server, error=str(error))
        return self._known.get(server, (0.0, 0))

    def _save(self, server: str) -> None:
        if self._folder is None:
            return
        until, times = self._known[server]
        noted = json.dumps({"server": server, "until": until, "times": times})
        try:
            write_whole(self._path(self._folder, server), noted.encode())
        except OSError as error:
            _log.warning("cooldown_not_kept", server=server, error=str(error))

    @staticmethod
    def _path(folder: Path, server: str) -> Path:
        return folder / f"{quote(server, safe='')[:200]}.cooldown"
