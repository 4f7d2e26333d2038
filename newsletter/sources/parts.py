"""What a source is built from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Not at run time: the process that reads documents has no use for a client, which takes long to load.
from newsletter.sources.http.client import HttpClient


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """Where the services stand, as bases or with full paths, and whether feeds may be at private addresses."""

    huggingface_url: str = "https://huggingface.co"
    arxiv_url: str = "https://export.arxiv.org/api/query"
    arxiv_rss_url: str = "https://rss.arxiv.org"
    biorxiv_url: str = "https://api.biorxiv.org"
    hackernews_url: str = "https://hn.algolia.com"
    allow_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A spec of a list file, taken apart, and what its source works with."""

    scheme: str
    rest: str  # what stands behind the colon, or nothing
    folder: Path  # where the list file stands
    config: SourceConfig
    http: HttpClient

    @property
    def name(self) -> str:
        """Return the spec in its plain form, which names the source in the store and in messages."""
        return f"{self.scheme}:{self.rest}" if self.rest else self.scheme


def endpoint(url: str, path: str) -> str:
    """Return a service's address with its path, whether the operator wrote the path or not."""
    url = url.rstrip("/")
    return url if url.endswith(path) else url + path
