from __future__ import annotations

import unicodedata
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.titles import is_telling, normalised_title, read_alike, title_key


def same(one: str, other: str) -> bool:
    return title_key(one) == title_key(other) and read_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The  No-Free-Lunch Theorem", "the no free lunch theorem."),
        ("Fréchet Étude", "Frechet Etude"),
        (r"\textbf{Dual}-Head", "Dual-head"),
        ("snake_case matters", "Snake case matters"),
        ("\ufb01ne-tuning", "Fine Tuning"),
        ("“Quoted” – and more…", '"Quoted" - and more...'),
        ("Let's <think> first", "Let’s think first"),
        ("H₂O at x²", "H2O at x2"),
        ("$x^2$ wins", "x^2 wins"),
        ("ＦＵＬＬ width", "full width"),
        ("soft\u00adhyphen\u200b and joiner", "softhyphen and joiner"),
        ("\u200fمقدمة في التعلم", "مقدمة في التعلم"),
        (unicodedata.normalize("NFD", "कला का नया अध्ययन"), "कला का नया अध्ययन"),
        ("STRASSE", "Straße"),
    ],
)
def test_titles_that_read_the_same_are_one(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    "titles",
    [
        ("Why we teach C", "Why we teach C++", "Why we teach C#"),
        ("x² and more", "x³ and more", "x and more"),
        ("α decay", "β decay"),
        ("A Theory, Part I", "A Theory, Part II"),
        ("Search", "A* Search", "D* Search"),
        ("n < 5", "n > 5", "n = 5", "n ≠ 5"),
        ("-1 and 1", "1 and 1", "1 and -1"),
        ("50 %", "50"),
        ("कला का नया अध्ययन", "कली का नया अध्ययन"),
        ("การเรียนรู", "การเรียนรู้", "การเรยนร"),
        ("كَتَبَ", "كُتُب"),
        ("かき", "がぎ"),
        ("мой", "мои"),
        ("???", "!!!", "🙂", "🙃"),
        ("Ma", "Mã và", "Má và"),
        ("C♯ minor", "C♭ minor"),
    ],
)
def test_titles_that_read_otherwise_are_others(titles: tuple[str, ...]) -> None:
    assert not any(same(one, other) for one, other in combinations(titles, 2))


def test_an_accent_may_be_left_out_but_not_changed() -> None:
    assert same("Fréchet et Poincaré", "Frechet et Poincaré")
    assert not read_alike("Má", "Mã")
    assert title_key("Má") == title_key("Mã")


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\x00\n"])
def test_a_title_of_nothing_has_no_form(text: str) -> None:
    assert not title_key(text)


@given(st.text())
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert title_key(title_key(text)) == title_key(text)
    assert normalised_title(normalised_title(text)) == normalised_title(text)
    assert read_alike(text, text)
    assert title_key(text) or not any(char.isalnum() for char in text)


@given(st.text(), st.text())
def test_reading_alike_has_no_direction(one: str, other: str) -> None:
    assert read_alike(one, other) == read_alike(other, one)


@pytest.mark.parametrize(
    ("title", "is_one"),
    [
        ("Editorial", False),
        ("Guest Editorial", False),
        ("Attention Is All You Need", True),
        ("Learning sparse codes with a very small teacher network", True),
        ("小さな教師によるスパース符号の学習", True),
        ("卷首语", False),
        ("", False),
    ],
)
def test_a_title_tells_by_its_length(title: str, is_one: bool) -> None:
    assert is_telling(title_key(title), words=5, letters=20) == is_one
