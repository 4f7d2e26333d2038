from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.languages import matching, preferred

KNOWN = ("en", "de", "pt", "zh-Hans")


@pytest.mark.parametrize(
    ("tag", "suits"),
    [
        ("de", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt"),
        ("pt_BR", "pt"),
        ("en-GB-oxendict", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW", None),
        ("zh-Hant", None),
        ("it", None),
        ("d", None),
    ],
)
def test_a_tag_finds_the_language_that_suits_it(tag: str, suits: str | None) -> None:
    assert matching(tag, KNOWN) == suits


def test_traditional_chinese_is_a_language_of_its_own() -> None:
    assert matching("zh-TW", (*KNOWN, "zh-Hant")) == "zh-Hant"


@pytest.mark.parametrize(
    ("wishes", "suits"),
    [
        ("", None),
        ("it, fr;q=0.9", None),
        ("it, de-AT;q=0.4, en;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("de;q=0, pt", "pt"),
        ("de;q=much, *;q=0.1, pt;q=0.1", "pt"),
    ],
)
def test_a_browser_gets_what_it_wishes_most(wishes: str, suits: str | None) -> None:
    assert preferred(wishes, KNOWN) == suits


@given(st.text())
def test_whatever_a_browser_sends_is_read(wishes: str) -> None:
    assert preferred(wishes, KNOWN) in {None, *KNOWN}
