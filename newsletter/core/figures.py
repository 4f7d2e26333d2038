"""Which of a paper's pictures a mail shows as its figure. Pure.

A figure is a still PNG or JPEG over https. It is wide enough to be sharp in a mail on a phone, its sides are in
proportion, and it is small enough to be loaded by all readers. The title cards that sites make for links are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from urllib.parse import urlsplit

from newsletter.core.issue import Draft, IssueListing
from newsletter.core.listing import Listing
from newsletter.core.pictures import Figure, Picture

LEAST_WIDTH = 600  # pixels: a mail is as wide
MOST_BYTES = 1024 * 1024
_MOST_PIXELS = 25_000_000  # unpacked, these take 100 MB in a mail program
_WIDEST, _TALLEST = 4.0, 1.5  # times the height; times the width
_MOST_LISTINGS = 60  # of an issue: those that may be a reader's first
_MOST_EACH = 3  # pictures of one paper
_LONGEST_URL = 2000  # characters: what is longer, some mail programs cut

_CARD_HOSTS = {"cdn-thumbnails.huggingface.co"}
_CARD_PATHS = ("/social-thumbnails/", "/opengraph/", "/og-image")
# Names of files that are no PNG or JPEG; a file without such a name is looked at.
_OTHER_FILES = (
    *(".gif", ".webp", ".avif", ".svg", ".heic", ".bmp", ".tif", ".tiff", ".ico", ".pdf"),
    *(".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".mp3", ".wav"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCheck:
    """What was found at the URL of a picture: a figure, if nothing is said against it.

    `picture` and `size` (in bytes) are None where they are not known.
    """

    url: str
    picture: Picture | None = None
    size: int | None = None
    refusal: str = ""  # why it is no figure

    @property
    def figure(self) -> Figure | None:
        """Return the figure that a mail may show, or None."""
        if self.picture is None or self.refusal:
            return None
        return Figure(url=self.url, width=self.picture.width, height=self.picture.height)


def checked(url: str, picture: Picture, size: int | None) -> PictureCheck:
    """Return whether a picture is a figure, and why not.

    Args:
        url: where it is.
        picture: what its first bytes say.
        size: of the whole file, in bytes; None: the server does not say.
    """
    return PictureCheck(url=url, picture=picture, size=size, refusal=_refusal(picture, size))


def _refusal(picture: Picture, size: int | None) -> str:
    width, height = picture.width, picture.height
    measures = f"{width:,} by {height:,} pixels"
    if width < LEAST_WIDTH:
        return f"too narrow: {measures}"
    if width > _WIDEST * height:
        return f"a banner: {measures}"
    if height > _TALLEST * width:
        return f"too tall: {measures}"
    if width * height > _MOST_PIXELS:
        return f"too large: {measures}"
    if size is None:
        return "its server does not say how many bytes it has"
    return f"too large: {size:,} bytes" if size > MOST_BYTES else ""


def possible_figures(listing: Listing) -> tuple[str, ...]:
    """Return the URLs of a paper's media that may be figures, as far as the URLs say; a few at most."""
    possible = (url for url in dict.fromkeys(listing.media_urls) if _may_be_figure(url))
    return tuple(islice(possible, _MOST_EACH))


def _may_be_figure(url: str) -> bool:
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    path = parts.path.lower()
    is_card = host in _CARD_HOSTS or any(part in path for part in _CARD_PATHS)
    return parts.scheme.lower() == "https" and bool(host) and not is_card and not path.endswith(_OTHER_FILES)


def to_be_checked(draft: Draft) -> tuple[str, ...]:
    """Return the URLs of pictures that the first papers of an issue may have as figures, best papers first."""
    return figure_urls(draft.listings[:_MOST_LISTINGS])


def figure_urls(listings: Iterable[IssueListing]) -> tuple[str, ...]:
    """Return the URLs of pictures that papers may have as figures, each once."""
    return tuple(dict.fromkeys(chain.from_iterable(possible_figures(one.listing) for one in listings)))


def with_figures(draft: Draft, checks: Mapping[str, PictureCheck]) -> Draft:
    """Return a draft whose papers have their figures: of each the first of its pictures that is one.

    Args:
        draft: the issue.
        checks: what is known of pictures, by their URLs.
    """
    placed = []
    for one in draft.listings:
        found = (checks[url].figure for url in possible_figures(one.listing) if url in checks)
        placed.append(replace(one, figure=next(filter(None, found), None)))
    return replace(draft, listings=tuple(placed))
