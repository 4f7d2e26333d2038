from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.listing import Listing
from newsletter.core.paper_language import language_beside, language_of
from tests import factories


@pytest.mark.parametrize("paper", factories.PAPERS)
def test_the_papers_of_the_samples_are_english(paper: Listing) -> None:
    assert language_of(paper) == "en"


@pytest.mark.parametrize(
    ("title", "tag"),
    [
        ("Learning to Read with Few Words", "en"),
        ("Lernen mit wenigen Wörtern und vielen Bildern", ""),
        ("Apprendre à lire avec peu de mots", ""),
        ("Aprender a leer con pocas palabras", ""),
        ("面向 Transformer 的语音识别", "zh"),
        ("Transformer による音声認識の高速化", "ja"),
        ("트랜스포머 음성 인식", "ko"),
        ("למידה עמוקה לזיהוי כתב יד", ""),
        ("Обучение с подкреплением", ""),
        ("2048", ""),
        ("Denoising Diffusion Probabilistic Models", ""),
    ],
)
def test_a_language_is_named_where_it_is_clear(title: str, tag: str) -> None:
    assert language_of(Listing(title=title)) == tag


def test_what_arxiv_has_is_english_unless_its_script_says_otherwise() -> None:
    assert language_of(Listing(title="Denoising Diffusion Models", arxiv_id="2006.11239")) == "en"
    assert language_of(Listing(title="深度学习", arxiv_id="2006.11239")) == "zh"


def test_nothing_is_said_of_papers_in_the_language_of_the_list() -> None:
    paper = Listing(title="Learning to Read with the Web")
    assert [language_beside(paper, tag, tag) for tag in ("en", "en-GB", "de")] == ["", "", "en"]


def test_among_words_of_another_language_what_is_not_clear_is_in_that_of_the_list() -> None:
    english, hebrew = Listing(title="Learning to Read with the Web"), Listing(title="למידה עמוקה לזיהוי כתב יד")
    assert language_beside(english, "he", "en") == "en"
    assert language_beside(hebrew, "he", "en") == "he"
    assert language_beside(hebrew, "he", "he") == ""
    assert language_beside(Listing(title="深度学习"), "he", "en") == "zh"


@given(st.builds(Listing, title=st.text(), abstract=st.text()))
def test_any_text_has_one_of_few_languages_or_none(listing: Listing) -> None:
    assert language_of(listing) in {"", "en", "ja", "ko", "zh"}
