"""All sources, by the scheme with which list files name them: our own first, then those of other packages."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from newsletter.core.errors import ConfigurationError, SourceError
from newsletter.ports import Source
from newsletter.sources import installed
from newsletter.sources.arxiv_feed import ArxivFeed
from newsletter.sources.arxiv_search import ArxivSearch
from newsletter.sources.biorxiv import Biorxiv
from newsletter.sources.feed import WebFeed
from newsletter.sources.hackernews import HackerNews
from newsletter.sources.huggingface import HuggingFace
from newsletter.sources.jsonl import JsonLines
from newsletter.sources.parts import NO_SERVICES, Http, NoHttp, Parts, SourceConfig
from newsletter.sources.reading.files import Files
from newsletter.sources.saved_page import SavedPages

# Each class takes `Parts`, and raises ValueError with what it expected if they name no source.
SOURCES: dict[str, Callable[[Parts], Source]] = {
    "huggingface": HuggingFace,
    "arxiv": ArxivFeed,
    "arxiv_search": ArxivSearch,
    "biorxiv": Biorxiv,
    "medrxiv": Biorxiv,
    "hackernews": HackerNews,
    "feed": WebFeed,
    "saved_page": SavedPages,
    "jsonl": JsonLines,
}

_OF_FILES = ("saved_page", "jsonl")
_OTHER_NAMES = {"rss": "feed", "atom": "feed", "hf": "huggingface", "hn": "hackernews", "file": "saved_page"}


def build(spec: str, *, folder: Path, config: SourceConfig, http: Http) -> Source:
    """Return the source that a spec of a list file names. Nothing is read yet.

    Args:
        spec: the scheme, then a colon and what to read from the source: `arxiv:cs.CL+cs.LG`.
        folder: of the list file; paths in specs are relative to it.
        config: the addresses of services.
        http: makes the requests.

    Raises:
        ConfigurationError: the spec names no source; the message says what to write.
    """
    scheme, _, rest = spec.strip().partition(":")
    parts = Parts(scheme=scheme, rest=rest.strip(), folder=folder, config=config, http=http)
    try:
        source = SOURCES[scheme](parts) if scheme in SOURCES else installed.source(parts)
    except ValueError as error:
        raise ConfigurationError(f"source {spec!r}: {error}") from error
    if source is None:
        raise ConfigurationError(f"source {spec!r}: unknown{_meant(spec.strip(), scheme)}")
    return source


def _meant(spec: str, scheme: str) -> str:
    """Return the end of a sentence: which source an unknown scheme was probably meant to name."""
    if scheme.lower() in {"http", "https"}:
        return f": did you mean 'feed:{spec}'?"
    schemes = [*SOURCES, *installed.schemes()]
    known = {**dict.fromkeys(schemes), **_OTHER_NAMES}
    if near := get_close_matches(scheme.lower(), known, n=1):
        return f": did you mean {_OTHER_NAMES.get(near[0], near[0])!r}?"
    return f", expected one of {', '.join(schemes)}"


def warning(spec: str, folder: Path) -> str:
    """Return what is no mistake in a spec and yet unlikely to be meant, or an empty string.

    Args:
        spec: a correct spec (`check` returns nothing).
        folder: of the list file.
    """
    scheme, _, rest = spec.strip().partition(":")
    if scheme not in SOURCES:
        source = build(spec, folder=folder, config=NO_SERVICES, http=NoHttp())
        return source.reason if isinstance(source, installed.UnusableSource) else ""
    if others := installed.packages(scheme):
        return f"{scheme!r} is the program's own; that of {' and '.join(others)} is not used"
    if scheme not in _OF_FILES:
        return ""
    files = Files.of(folder, rest.strip())
    try:
        files.matching(spec)
    except SourceError:
        return f"no file matches {files}"  # they may come
    return ""


def check(spec: str) -> str:
    """Return the mistake in a spec, as one sentence, or an empty string."""
    try:
        build(spec, folder=Path(), config=NO_SERVICES, http=NoHttp())
    except ConfigurationError as error:
        return str(error)
    return ""
