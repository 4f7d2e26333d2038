from __future__ import annotations

import quopri

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.render.mime import quoted

TRICKY = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \t\r\n.=F–é𝒪")), max_size=400
) | st.lists(st.sampled_from([".", "From ", "\n", " ", "=", "x" * 74, "é" * 13, "a" * 75, "\r\n"])).map("".join)


def normalised(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.lists(TRICKY, max_size=5))
def test_pieces_joined_in_any_order_read_back_as_their_texts(texts: list[str]) -> None:
    joined = b"".join(quoted.encode(text) for text in texts)
    decoded = quopri.decodestring(joined).decode().replace("\r\n", "\n")
    assert decoded == "".join(normalised(text) for text in texts)


@given(TRICKY)
@example("x" * 74 + " \n")
def test_each_line_is_short_plain_and_safe_on_the_way(text: str) -> None:
    *lines, rest = quoted.encode(text).split(b"\r\n")
    assert rest == b""
    for line in lines:
        assert len(line) <= 76
        assert line.isascii()
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


def test_a_line_without_an_end_gets_a_soft_one() -> None:
    assert quoted.encode("one\ntwo") == b"one\r\ntwo=\r\n"
    assert quoted.encode("") == b""
    assert quoted.encode("\n") == b"\r\n"


def test_a_dot_and_a_from_at_the_start_of_any_line_are_escaped() -> None:
    assert quoted.encode(".\nFrom here\nFromage\n") == b"=2E\r\n=46rom here\r\nFromage\r\n"
    assert quoted.encode("x" * 75 + ".y\n") == b"x" * 75 + b"=\r\n=2Ey\r\n"


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert quoted.encode("a\ud83d\n") == b"a?\r\n"
