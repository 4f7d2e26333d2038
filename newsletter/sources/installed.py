"""Sources that other packages bring: entry points of the group `newsletter.sources`, named by their scheme.

A package is loaded when a list names its scheme, and only then. One that cannot be used is a source that cannot be
read: the list's other sources are read all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from importlib.metadata import EntryPoint, entry_points

from typing_extensions import override

from newsletter.core.errors import SourceError
from newsletter.core.listing import Page
from newsletter.ports import Source
from newsletter.sources.parts import Parts

GROUP = "newsletter.sources"


class UnusableSource(Source):
    """A source that some package brings and that cannot be used, for a reason."""

    dated = False

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason

    @override
    async def read(self, day: date, *, now: datetime) -> Page:
        """Raise SourceError with the reason."""
        raise SourceError(f"{self.name}: {self.reason}")


def schemes() -> list[str]:
    """Return the schemes that installed packages bring."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def packages(scheme: str) -> list[str]:
    """Return the installed packages that bring a scheme, with their versions."""
    return sorted(_package(point) for point in entry_points(group=GROUP, name=scheme))


def source(parts: Parts) -> Source | None:
    """Return the source that a package brings for a scheme; None if there is no such package.

    Raises:
        ValueError: the source is there, and expected something else after its scheme.
    """
    points = list(entry_points(group=GROUP, name=parts.scheme))
    if not points:
        return None
    if len(points) > 1:
        several = " and ".join(packages(parts.scheme))
        return UnusableSource(parts.name, f"{several} both bring the source {parts.scheme!r}: uninstall one")
    [point] = points
    try:
        make: Callable[[Parts], Source] = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (of somebody else's package)
        return _unusable(parts, point, f"cannot be loaded: {_said(error)}: update or reinstall it")
    try:
        made = make(parts)
    except ValueError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return _unusable(parts, point, f"fails: {_said(error)}: update it")
    if lacking := [name for name in ("name", "dated", "read") if not hasattr(made, name)]:
        return _unusable(parts, point, f"makes no source, for want of {', '.join(lacking)}: update it")
    return made


def _unusable(parts: Parts, point: EntryPoint, what: str) -> UnusableSource:
    return UnusableSource(parts.name, f"the source of the package {_package(point)} {what}")


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _said(error: BaseException) -> str:
    """Return an error of code that is not ours in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
