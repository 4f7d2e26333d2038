from __future__ import annotations

import pytest

from newsletter.core.machine_text.languages import is_english
from tests.core.machine_text.papers import refusal, summarised, titled

SENTENCES = {
    "en": "The method is faster than the others and works with all of the data.",
    "de": "Das Verfahren ist schneller als die anderen und kommt mit den Daten aus.",
    "fr": "La méthode est plus rapide que les autres et utilise toutes les données.",
    "es": "El método es más rápido que los otros y funciona con todos los datos.",
    "pt": "O método é mais rápido do que os outros e funciona com todos os dados.",
    "it": "Il metodo è più veloce degli altri e funziona con tutti i dati della rete.",
    "nl": "De methode is sneller dan de andere en werkt met al het materiaal van de test.",
    "ru": "Метод быстрее других и работает со всеми данными модели GPT-4o.",
    "uk": "Метод швидший за інші й працює з усіма даними.",
    "el": "Η μέθοδος είναι ταχύτερη από τις άλλες με το GPT-4o.",
    "ar": "هذه الطريقة أسرع من غيرها وتعمل مع جميع البيانات.",
    "he": "השיטה מהירה מהאחרות ועובדת עם כל הנתונים.",
    "hi": "यह विधि दूसरों से तेज है और सभी डेटा के साथ काम करती है।",
    "zh": "该方法比其他方法更快，适用于GPT-4o的所有数据。",
    "ja": "この手法は他よりも速く、GPT-4oのすべてのデータに使える。",
    "ko": "이 방법은 다른 방법보다 빠르며 GPT-4o의 모든 데이터에 쓸 수 있다.",
}


@pytest.mark.parametrize("asked", SENTENCES)
@pytest.mark.parametrize("answered", SENTENCES)
def test_an_answer_in_another_language_is_refused(asked: str, answered: str) -> None:
    if asked == answered:
        assert summarised(SENTENCES[answered], asked)
    elif {asked, answered} != {"ru", "uk"}:  # one script, and no words to tell them apart
        assert "language" in refusal(SENTENCES[answered], asked) or "script" in refusal(SENTENCES[answered], asked)


@pytest.mark.parametrize("tag", ["zh-Hans", "zh-TW", "zh-Hant-HK"])
def test_a_tag_may_have_more_parts(tag: str) -> None:
    assert summarised(SENTENCES["zh"], tag)


def test_english_is_told_from_languages_whose_words_are_not_known() -> None:
    assert summarised("Metoda jest szybsza od innych i korzysta ze wszystkich danych.", "pl")
    assert "another language (en)" in refusal(SENTENCES["en"], "pl")


@pytest.mark.parametrize(
    "answer",
    [
        "The method scales 的方法 to tasks.",
        "The method scales модель to tasks.",
        "The m\u0435thod scales to tasks.",  # a Cyrillic letter in a Latin word
        "The method scales モデル to tasks.",
    ],
)
def test_words_in_another_script_are_refused(answer: str) -> None:
    assert refusal(answer).startswith("it holds words in another script: ")


def test_words_in_another_script_may_stand_if_the_paper_has_them() -> None:
    assert summarised("The method reads the word 漢字 with α and β.", abstract="We read 漢字.")


def test_a_title_may_do_without_small_words() -> None:
    assert titled("大規模言語モデル", "ja", title="Large Language Models", abstract="")
    with pytest.raises(ValueError, match="another language"):
        titled("A Survey of the Methods", "de", title="Un panorama des méthodes", abstract="")
    assert titled("Deep Learning mit Transformern", "de", title="Deep Learning with Transformers", abstract="")


@pytest.mark.parametrize(("tag", "text"), SENTENCES.items())
def test_english_is_told(tag: str, text: str) -> None:
    assert is_english(text) == (tag == "en")
