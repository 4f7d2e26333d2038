"""Pictures of papers: the beginnings of their files, and their addresses."""

from __future__ import annotations

from newsletter.core.figures import possible_figures
from newsletter.core.listing import Listing
from newsletter.core.pictures import PictureError, read_picture
from tests.core.picture_files import GIF, MOVES, MP4, WEBP, chunk, exif, jpeg, png, segment
from tests.fuzz.target import as_bytes, text_target

_FILES = (
    *(png(800, 400), png(800, 400, chunk(b"gAMA", b"\0\0\xb1\x8f"), MOVES, pixels=False)),
    *(jpeg(800, 400, segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), exif(1)), jpeg(800, 400, exif(6, order=">"))),
    *(GIF, WEBP, MP4, b"\n<!DOCTYPE html><svg>"),
)
_PNG, _JPEG = (start.decode("utf-8", "surrogateescape") for start in (png(9, 9)[:33], b"\xff\xd8\xff"))
_ADDRESSES = (
    "https://example.org/shot.png?a=1#b",
    "https://[2001:db8::1]:8443/a%20b",
    "https://user@bücher.example/",
)


def _read(text: str) -> None:
    picture = read_picture(as_bytes(text))
    assert picture.width > 0
    assert picture.height > 0


def _addressed(text: str) -> None:
    for url in possible_figures(Listing(title="A paper", media_urls=(text, "https://" + text))):
        assert url.lower().startswith("https://")
        assert url.isascii()
        assert url.isprintable()


TARGETS = (
    text_target(
        "pictures",
        "pictures",
        _read,
        tuple(file.decode("utf-8", "surrogateescape") for file in _FILES),
        documented=(PictureError,),
    ),
    text_target("PNGs", "pictures", lambda text: _read(_PNG + text), documented=(PictureError,)),
    text_target("JPEGs", "pictures", lambda text: _read(_JPEG + text), documented=(PictureError,)),
    text_target("addresses of pictures", "pictures", _addressed, _ADDRESSES),
)
