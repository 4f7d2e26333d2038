from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.http.content_coding import CodingError, DamagedError, Unpacker

TEXT = b"<rss>" + b"Sparse codes. " * 500 + b"</rss>"
MOST = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


PACKED = {
    "": TEXT,
    "identity": TEXT,
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "GZip ": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "deflate,": raw_deflate(TEXT),
    "gzip, gzip": gzip.compress(gzip.compress(TEXT)),
    "deflate, gzip": gzip.compress(zlib.compress(TEXT)),
    "gzip, deflate": zlib.compress(gzip.compress(TEXT)),
}


def unpacked(codings: str, body: bytes, *, most: int = MOST, size: int = 100) -> bytes:
    unpacker = Unpacker(codings, most=most)
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(piece for part in parts for piece in unpacker.unpacked(part))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("codings", PACKED)
def test_codings_are_undone_in_their_order_however_the_body_comes(codings: str, size: int) -> None:
    assert unpacked(codings, PACKED[codings], size=size) == TEXT


def test_members_are_joined_and_junk_behind_them_is_left_out() -> None:
    body = gzip.compress(TEXT) + gzip.compress(TEXT)
    assert unpacked("gzip", body) == 2 * TEXT
    assert unpacked("gzip", body + b"\0" * 100) == 2 * TEXT


def test_a_body_that_is_cut_short_gives_what_there_is() -> None:
    got = unpacked("gzip", gzip.compress(TEXT)[:-12])
    assert got
    assert TEXT.startswith(got)


@pytest.mark.parametrize("codings", ["br", "zstd", "compress", "gzip, br", "nonsense", "gzip; q=1"])
def test_what_was_not_asked_for_is_refused_by_name(codings: str) -> None:
    with pytest.raises(CodingError, match="not asked for"):
        Unpacker(codings, most=MOST)


def test_more_layers_than_a_mistake_makes_are_refused() -> None:
    with pytest.raises(CodingError, match="packed 4 times over"):
        Unpacker("gzip, gzip, gzip, gzip", most=MOST)


@pytest.mark.parametrize("codings", ["gzip", "deflate", "gzip, gzip"])
def test_a_body_that_is_not_what_it_says_is_damaged(codings: str) -> None:
    with pytest.raises(DamagedError, match="not what its Content-Encoding says"):
        unpacked(codings, b"plain words, not packed at all")


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, gzip": lambda zeros: gzip.compress(gzip.compress(zeros)),
    "deflate, gzip": lambda zeros: gzip.compress(zlib.compress(zeros)),
    "gzip, gzip, gzip": lambda zeros: gzip.compress(gzip.compress(gzip.compress(zeros))),
}


@pytest.mark.parametrize("codings", BOMBS)
def test_what_grows_beyond_bounds_is_stopped_in_little_memory(codings: str) -> None:
    body = BOMBS[codings](bytes(100 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(CodingError, match=r"larger than|packed to less"):
            for _ in Unpacker(codings, most=20 * 1024 * 1024).unpacked(body):
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


def test_a_large_body_may_be_as_repetitive_as_feeds_are() -> None:
    text = (b"<item><title>Paper %d</title></item>" * 1000) % tuple(range(1000)) * 60
    assert unpacked("gzip", gzip.compress(text), most=10_000_000, size=65_536) == text


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "gzip, deflate", "deflate, deflate"]))
def test_any_bytes_are_unpacked_or_refused(body: bytes, codings: str) -> None:
    with suppress(CodingError):
        assert len(unpacked(codings, body)) <= MOST
