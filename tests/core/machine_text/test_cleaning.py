from __future__ import annotations

import pytest

from tests.core.machine_text.liar import Paper, disguises
from tests.core.machine_text.papers import own, refusal, summarised, titled

SAID = "The method scales LLMs to 1,000 tasks, and is fast."


@pytest.mark.parametrize("paper", own(), ids=lambda paper: paper.title[:20])
def test_what_models_put_around_an_answer_goes(paper: Paper) -> None:
    for answer in disguises(paper):
        assert summarised(answer.answer, title=paper.title, abstract=paper.abstract) == answer.text, answer.trick


@pytest.mark.parametrize(
    "answer",
    [
        *(
            f"<{tag}>Hmm, 99.</{tag}>{SAID}"
            for tag in ("think", "Thinking", "thought", "analysis", "scratchpad", "a:think")
        ),
        f"<|begin_of_thought|>99<|end_of_thought|>{SAID}",
        f"Here is my thought process: 99 words.\nHere is my response: {SAID}",
        f"<think>a<think>b</think>c</think>\n{SAID}",
        f"{SAID} <think>Was that 99 words?</think>",
        f"&lt;think&gt;99&lt;/think&gt; {SAID}",
        f"<|im_start|>assistant\n{SAID}<|im_end|>",
        f"{SAID}</s>[INST] 99 [/INST]",
        f"<start_of_turn>model\n{SAID}<end_of_turn>",
        f"{SAID}<\uff5cend\u2581of\u2581sentence\uff5c>",
        f"**TL;DR**: {SAID}",
        f"TL;DR — {SAID}",
        f"Abstract (short): {SAID}",
        f"[Summary] {SAID}",
        f"Certainly! Here's the summary: {SAID}",
        f"1. {SAID}",
        f"> {SAID}",
        f"***{SAID}***",
        f"__{SAID}__",
        f"~~~\n{SAID}\n~~~",
        f"\u300c{SAID}\u300d",
        f"\u00ab\u00a0{SAID}\u00a0\u00bb",
        f'"{SAID}"',
        f"{SAID}[^1]",
        f"{SAID} (https://evil.example/a)",
        f"{SAID} Code: github.com/a/b.",
        f"{SAID} Write to me@evil.example.",
        f"<!-- 99 -->{SAID}<style>a{{}}</style>",
        f"<a href='https://evil.example'>{SAID}</a>",
        SAID.replace(" ", "\u00a0"),
        SAID.replace(" ", " \u2066"),
        SAID.replace("t", "t\u00ad"),
        SAID.replace("t", "t\U000e0041"),
        SAID.replace(" ", "\u2028"),
    ],
)
def test_the_words_of_an_answer_stay(answer: str) -> None:
    assert summarised(answer) == SAID


@pytest.mark.parametrize(
    ("language", "answer", "text"),
    [
        ("de", "Zusammenfassung: Es ist die schnelle Methode.", "Es ist die schnelle Methode."),
        ("de", "Gerne! Hier ist eine Zusammenfassung in einem Satz:\n\nEs ist schnell.", "Es ist schnell."),
        ("fr", "Résumé : La méthode est rapide.", "La méthode est rapide."),
        ("fr", "Voici le résumé en une phrase :\nLa méthode est rapide.", "La méthode est rapide."),
        ("es", "**Resumen:** El método es rápido.", "El método es rápido."),
        ("pt", "Resumo: O método é rápido.", "O método é rápido."),
        ("zh", "摘要：该方法很快。", "该方法很快。"),
        ("zh", "好的，以下是一句话总结：\n该方法很快。", "该方法很快。"),
        ("ja", "要約：この手法は速い。", "この手法は速い。"),
        ("ru", "Краткое содержание: Метод работает быстро.", "Метод работает быстро."),
        ("ko", "요약: 이 방법은 빠르다.", "이 방법은 빠르다."),
    ],
)
def test_labels_go_in_other_languages(language: str, answer: str, text: str) -> None:
    assert summarised(answer, language) == text


@pytest.mark.parametrize(
    "text",
    [
        "If a < b and c > d, the A* search and D* Lite are fast.",
        "With $x_1 \\le 2$ and $A^*$, the rate is $\\mathcal{O}(n)$ for ``tasks''.",
        "The method -- fast, as in C# and R&D -- scales the snake_case names.",
        "It is fast, i.e. quick, e.g. on U.S. data, as Group et al. say.",
        "Are the models fast? They are.",
    ],
)
def test_what_looks_like_markup_and_is_none_stays(text: str) -> None:
    assert summarised(text, abstract=f"We have {text}") == text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "it is empty"),
        ("...", "it is empty"),
        ("<think></think>", "it is empty"),
        ("<think>The method scales.", "its thinking has no end"),
        ("The method scales. <think>Or not", "its thinking has no end"),
        ("[THINK]The method scales.", "its thinking has no end"),
        ("Thinking...\nThe method scales.", "its thinking has no end"),
        ("analysisWe need to write a summary of it.", "its thinking has no end"),
        ("<|channel|>analysis<|message|>The method scales.", "it thinks, and does not answer"),
        ("It <think>hmm</think> scales.", "its thinking does not stand apart from the answer"),
        ("The method drops </think> tokens.", "its thinking does not stand apart from the answer"),
        ("The <b and c> method scales.", "it holds markup"),
        ("https://evil.example/", "it is a link"),
        ("Buy at evil-offers.com now.", "it names a site: evil-offers.com"),
        ("Buy at evil\uff0ecom now, or never.", "it names a site: evil.com"),
        ("Buy at evil\u3002com now, or never.", "it names a site: evil.com"),
        ("N/A", "it is too short"),
        ("None.", "it is too short"),
        ("The method scales. " * 30, "it is too long"),
        ("x" * 20_001, "it is too long"),
        ("It scales. It is fast. It is good. It is new.", "it has more than 3 sentences"),
        ("I'm sorry, but I can't summarise this.", "the model declines to answer"),
        ("As an AI language model, I have no access to it.", "the model declines to answer"),
        ("No summary available.", "the model declines to answer"),
        ("The abstract is missing.", "the model declines to answer"),
        ("Not enough information to summarise the paper.", "the model declines to answer"),
        ('{"title": "GRPO", "abstract": "We use AI"}', "it repeats the data"),
        ("You are a careful writer of summaries.", "it repeats the instructions"),
        ("You write one-sentence summaries of research papers.", "it repeats the instructions"),
        ("It scales. Give the summary alone.", "it repeats the instructions"),
        ("Write one sentence that says what the paper does.", "it repeats the instructions"),
        ("We need to write a summary of the paper.", "it repeats the instructions"),
        ("GRPO-Zero: Scaling Group Relative Policy Optimization to GPT-4o.", "it is the title"),
        ("*GRPO-Zero*: scaling group relative policy optimization to GPT-4o", "it is the title"),
    ],
)
def test_a_refusal_says_why(answer: str, reason: str) -> None:
    assert refusal(answer) == reason


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("de", "Es tut mir leid, ich kann das nicht."),
        ("de", "Keine Zusammenfassung verfügbar."),
        ("fr", "Je suis désolé, je ne peux pas résumer cela."),
        ("es", "Lo siento, no puedo resumir el artículo."),
        ("pt", "Desculpe, não posso resumir o artigo."),
        ("zh", "抱歉，我无法总结这篇论文。"),
        ("ja", "申し訳ありませんが、要約できません。"),
        ("ru", "Извините, я не могу это сделать."),
    ],
)
def test_a_model_declines_in_any_language(language: str, answer: str) -> None:
    assert refusal(answer, language) == "the model declines to answer"


def test_a_translated_title_has_no_full_stop_unless_the_title_has_one() -> None:
    assert titled("GRPO-Zero skaliert.") == "GRPO-Zero skaliert"
    assert titled("Es skaliert.", title="It scales.") == "Es skaliert."
    assert titled("它能扩展。", "zh", title="It scales") == "它能扩展"


def test_a_title_keeps_the_label_that_it_has() -> None:
    assert titled("TL;DR: Lernen mit Bildern", title="TL;DR: Learning with Images") == "TL;DR: Lernen mit Bildern"
    assert titled("Titel: Lernen mit Bildern", title="Learning with Images") == "Lernen mit Bildern"


def test_a_translated_title_is_of_like_length() -> None:
    with pytest.raises(ValueError, match="too long"):
        titled("Das ist ein Titel, der von sehr vielen Dingen handelt, und von noch mehr", title="A Title of It")
    with pytest.raises(ValueError, match="too long"):
        titled("Wort " * 61, title="word " * 60)
    with pytest.raises(ValueError, match="it is the title"):
        titled("A Title of It", title="A title of it")
    assert titled("A New Method for Fast Image Recognition", "en", title="一种快速图像识别的新方法", abstract="")
