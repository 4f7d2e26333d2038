"""What the first bytes of picture files say."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.core.pictures import Picture, PictureError, PictureKind, read_picture
from tests.core.picture_files import (
    AVIF,
    GIF,
    MOVES,
    MP4,
    QUICKTIME,
    WEBP,
    chunk,
    exif,
    jpeg,
    png,
    segment,
)
from tests.timing import takes_time_in_proportion

SIZES = st.integers(1, 65535)
PNG_SIZES = st.integers(1, 2**31 - 1)
BODIES = st.binary(max_size=60)
PNG_HEADER = 33  # bytes: signature and first chunk


@given(PNG_SIZES, PNG_SIZES, st.lists(BODIES, max_size=5))
def test_a_png_says_its_size_whatever_stands_before_its_pixels(
    width: int, height: int, texts: list[bytes]
) -> None:
    file = png(width, height, *(chunk(b"tEXt", text) for text in texts), pixels=False)
    assert read_picture(file) == Picture(kind=PictureKind.PNG, width=width, height=height)


@given(SIZES, SIZES, st.lists(BODIES, max_size=5), st.sampled_from([0xC0, 0xC1, 0xC2]), st.sampled_from([1, 3]))
def test_a_jpeg_says_its_size_whatever_stands_before_its_frame(
    width: int, height: int, texts: list[bytes], frame: int, components: int
) -> None:
    before = [segment(0xFE, text) for text in texts]
    file = jpeg(width, height, *before, frame=frame, components=components)
    assert read_picture(file) == Picture(kind=PictureKind.JPEG, width=width, height=height)


def test_pictures_of_real_programs_are_read() -> None:
    images = sorted((Path(__file__).parents[2] / "docs" / "images").glob("*.png"))
    assert images
    assert all(read_picture(image.read_bytes()[:4096]).width >= 300 for image in images)


@pytest.mark.parametrize("orientation", [0, 1])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photograph_that_stands_upright_is_read(orientation: int, order: str) -> None:
    photograph = jpeg(800, 600, segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), exif(orientation, order=order))
    assert read_picture(photograph).width == 800


@pytest.mark.parametrize("orientation", [2, 6, 8])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photograph_that_is_to_be_turned_is_refused(orientation: int, order: str) -> None:
    with pytest.raises(PictureError, match="is to be turned"):
        read_picture(jpeg(800, 600, exif(orientation, order=order)))


def test_fill_bytes_and_markers_without_a_length_are_passed_over() -> None:
    assert read_picture(jpeg(800, 600, b"\xff\xff\xff", b"\xff\x01", segment(0xE0, b"JFIF\0"))).height == 600


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (GIF, "a GIF, which may move"),
        (WEBP, "a WebP picture"),
        (AVIF, "an AVIF or HEIC picture"),
        (MP4, "a video"),
        (QUICKTIME, "a video"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81", "a video"),
        (b"%PDF-1.7", "a PDF"),
        (b"\n <!DOCTYPE html><title>Down</title>", "a page in HTML"),
        (b"<?xml version='1.0'?><svg/>", "a page in HTML or XML"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a page in HTML or XML"),
        (b"BM" + b"\0" * 40, "no known kind"),
        (b"", "no known kind"),
        (png(800, 400, MOVES, pixels=False), "a PNG that moves"),
        (png(800, 400, chunk(b"gAMA", b"\0" * 4), MOVES, pixels=False), "a PNG that moves"),
        (jpeg(800, 400, components=4), "a JPEG for printing"),
        (jpeg(800, 400, frame=0xC3), "a JPEG of a rare kind"),
        (jpeg(800, 400, frame=0xC9), "a JPEG of a rare kind"),
    ],
)
def test_what_not_all_mail_programs_show_is_refused_by_its_name(start: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        read_picture(start)


@pytest.mark.parametrize(
    "start",
    [
        png(0, 400, pixels=False),
        png(800, 0, pixels=False),
        png(2**31, 400, pixels=False),
        png(800, 400, depth=3, pixels=False),
        png(800, 400, colour=5, pixels=False),
        png(800, 400, pixels=False).replace(b"IHDR", b"CgBI"),
        jpeg(0, 400),
        jpeg(800, 0),
        jpeg(800, 400, components=0),
        jpeg(800, 400, precision=12),
    ],
)
def test_damaged_headers_are_refused(start: bytes) -> None:
    with pytest.raises(PictureError, match="damaged header"):
        read_picture(start)


def test_a_size_that_stands_too_far_back_is_not_guessed() -> None:
    profile = [segment(0xE2, b"\0" * 60_000)] * 2
    with pytest.raises(PictureError, match="size does not stand within its first bytes"):
        read_picture(jpeg(800, 400, *profile)[:65536])
    with pytest.raises(PictureError, match="pixels do not begin within its first bytes"):
        read_picture(png(800, 400, chunk(b"iCCP", b"\0" * 70_000), pixels=False)[:65536])


@given(st.data())
def test_a_file_that_is_cut_short_says_the_same_or_nothing(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from(
            [png(640, 480, chunk(b"tEXt", b"x" * 90)), jpeg(640, 480, exif(1), segment(0xE0, b"J" * 50))]
        )
    )
    start = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        picture = read_picture(start)
    except PictureError:
        return
    assert (picture.width, picture.height) == (640, 480)


@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", png(9, 9)[:PNG_HEADER], b"\xff\xd8\xff"]), st.binary(max_size=400)
)
@example(b"\xff\xd8\xff", b"\xe1\x00\x00")
@example(b"\xff\xd8\xff", b"\xe1\x00\x10Exif\0\0II*\0\xff\xff\xff\xff")
def test_any_bytes_are_a_picture_with_a_size_or_refused(known: bytes, rest: bytes) -> None:
    try:
        picture = read_picture(known + rest)
    except PictureError:
        return
    assert 0 < picture.width < 2**31
    assert 0 < picture.height < 2**31


@pytest.mark.parametrize(
    "unit",
    [
        "\xff",
        "\xff\x01",
        "\xff\xe0\x00\x02",
        "\xff\xe1\x00\x12Exif\x00\x00II*\x00\x00\x00\x00\x00\xff\xff",
        " ",
    ],
    ids=["fill", "markers", "segments", "directories", "space"],
)
def test_long_hostile_files_take_time_in_proportion(unit: str) -> None:
    def read(text: str) -> object:
        try:
            return read_picture((b"" if unit == " " else b"\xff\xd8") + text.encode("latin-1"))
        except PictureError:
            return None

    assert takes_time_in_proportion(read, unit * (400_000 // len(unit)), seconds=0.5)


def test_many_small_chunks_are_not_looked_at_for_ever() -> None:
    with pytest.raises(PictureError, match="do not begin within"):
        read_picture(png(800, 400, *[chunk(b"tEXt")] * 3000))


def test_the_size_is_that_of_the_first_frame_alone() -> None:
    thumbnail = struct.pack(">H", 8) + jpeg(160, 120)  # as cameras put one into a segment
    assert read_picture(jpeg(1600, 1200, segment(0xE1, b"http\0" + thumbnail))).width == 1600
