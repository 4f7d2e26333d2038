"""What a source is made from: its spec, the addresses of services, and HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from newsletter.core.errors import SourceError
from newsletter.sources.http.pace import Pace
from newsletter.sources.reading.document import Document

_T = TypeVar("_T")


class Http(Protocol):
    """Makes requests for sources."""

    async def get(
        self,
        url: str,
        parse: Callable[[Document], _T],
        params: Mapping[str, str] | None = None,
        *,
        source: str,
        pace: Pace | None = None,
        public_only: bool = False,
    ) -> _T:
        """Return the result of `parse` for the body at an address.

        Args:
            url: an http(s) address.
            parse: a pure function at the top of a module, or a `partial` of one: it runs in another process. Its
                signature names the type of the result. It raises ValueError for a document of another kind.
            params: the query; None leaves the query of `url`.
            source: named in errors and logs.
            pace: the time between two requests to this service, over all processes. After an answer 429 such a
                service gets no request for a while, in later runs too.
            public_only: refuse addresses that are not public, redirects included. For URLs that others chose.

        Raises:
            HttpError: no usable answer came; one line with source, host, reason and number of tries.
        """
        ...


class NoHttp(Http):
    """Makes no requests: for specs that are only checked, and for sources that read files."""

    async def get(
        self,
        url: str,
        parse: Callable[[Document], _T],  # noqa: ARG002
        params: Mapping[str, str] | None = None,  # noqa: ARG002
        *,
        source: str,
        pace: Pace | None = None,  # noqa: ARG002
        public_only: bool = False,  # noqa: ARG002
    ) -> _T:
        """Raise SourceError."""
        raise SourceError(f"{source}: {url}: no requests can be made here")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """The addresses of services, with or without their paths, and whether feeds may be at private addresses."""

    huggingface_url: str
    arxiv_url: str
    arxiv_rss_url: str
    biorxiv_url: str
    hackernews_url: str
    allow_private: bool


# For sources that make no request: those that are only checked, and those of files.
NO_SERVICES = SourceConfig(
    huggingface_url="",
    arxiv_url="",
    arxiv_rss_url="",
    biorxiv_url="",
    hackernews_url="",
    allow_private=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a source's spec in a list file, and what the source needs to work."""

    scheme: str
    rest: str  # after the colon, or nothing
    folder: Path  # of the list file
    config: SourceConfig
    http: Http

    @property
    def name(self) -> str:
        """Return the spec without spaces around its parts: the source's name in the store and in messages."""
        return f"{self.scheme}:{self.rest}" if self.rest else self.scheme


def endpoint(url: str, path: str) -> str:
    """Return a service's address with its path, which the operator may have written or not."""
    url = url.rstrip("/")
    return url if url.endswith(path) else url + path
