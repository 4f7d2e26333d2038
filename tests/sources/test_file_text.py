from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.reading.file_text import UNREADABLE, NotTextError, decoded

WESTERN = "Daily Papers\nNaïve codes – a “smart” résumé, by José Müller & Zoë Ångström\nWe study them at length.\n"
OTHERS = {
    "iso8859-2": "Daily Papers\nZażółć gęślą jaźń: źródła wiedzy\n",
    "koi8-r": "Daily Papers\nОбучение разреженных кодов\n",
    "cp1251": "Daily Papers\nОбучение разреженных кодов\n",
    "shift_jis": "Daily Papers\n小さな教師による符号の学習\n",
    "gb18030": "Daily Papers\n小型教师网络的稀疏编码\n",
    "mac_roman": "Daily Papers\nNaïve codes for a résumé\n",
    "iso8859-9": "Daily Papers\nÖğrenme için seyrek şifreler ışığında\n",
    "cp437": "Daily Papers\nRésumé of naïve codes\n",
}


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_in_the_encodings_that_editors_write(codec: str, end: str) -> None:
    found = decoded(WESTERN.replace("\n", end).encode(codec))
    assert found.text == WESTERN
    assert not found.unreadable


@pytest.mark.parametrize("codec", OTHERS)
def test_text_in_another_encoding_is_left_out_by_the_line_and_never_garbled(codec: str) -> None:
    found = decoded(OTHERS[codec].encode(codec))
    assert found.text == f"Daily Papers\n{UNREADABLE}\n"
    ((line, reason),) = found.unreadable
    assert line == 2
    assert "not UTF-8" in reason


def test_a_line_in_another_encoding_within_utf8_is_read_or_left_out() -> None:
    assert decoded("Zoë\n".encode() + "Zoë\n".encode("cp1252")).text == "Zoë\nZoë\n"
    assert decoded("Zoë\n".encode() + "учение\n".encode("koi8-r")).text == f"Zoë\n{UNREADABLE}\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7 \n", "PDF"),
        (b"PK\x03\x04abc", "ZIP or office"),
        (b"\x1f\x8b\x08abc", "gzip"),
        (b"{\\rtf1\\ansi Sparse codes}", "RTF"),
        (b"From: <Saved by x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n", "MHTML"),
        ("Sparse".encode("utf-16") + b"\x00", "UTF-16"),
        (b"\xff\xfe\x00\xd8\x00\x41", "UTF-16"),
        (b"a\0\0b\0c\0\0", "UTF-16"),
    ],
)
def test_what_is_no_text_is_refused_by_name(data: bytes, what: str) -> None:
    with pytest.raises(NotTextError, match=what):
        decoded(data)


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = decoded(data)
    except NotTextError:
        return
    assert found.text.count(UNREADABLE) >= len(found.unreadable)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_text_in_unicode_comes_back(text: str, codec: str) -> None:
    assert decoded(text.encode(codec)).text == text.removeprefix("\ufeff")
