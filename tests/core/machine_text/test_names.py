from __future__ import annotations

import pytest

from tests.core.machine_text.papers import refusal, summarised


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "It scales LLMs, an LLM's speed and LLM-based AI."),
        ("en", "It scales with A.I. and with artificial intelligence."),
        ("en", "It works with GPT4o and GPT-4o in 3D on US data."),
        ("en", "A Transformer with RUNS, Rows and SPEEDUP."),
        ("de", "Das Verfahren nutzt KI und LLM-Agenten mit mRNA-Daten."),
        ("es", "El método usa la IA y los LLM con ARNm."),
        ("fr", "La méthode utilise l’IA et les LLM sur de l’ARNm."),
        ("pt-BR", "O método usa IA e LLMs com mRNA dos EUA."),
        ("it", "Il metodo usa l’IA e gli LLM con GPT-4o."),
        ("ru", "Метод использует ИИ и БЯМ вместе с GPT-4o и мРНК."),
        ("zh", "该方法在LLM上使用AI和GPT-4o。"),
        ("ja", "この手法はLLMとGPT-4oを用いる。"),
    ],
)
def test_acronyms_that_the_paper_holds_are_held(language: str, answer: str) -> None:
    assert summarised(answer, language)


@pytest.mark.parametrize(
    ("language", "answer", "name"),
    [
        ("en", "It uses RLHF to scale.", "RLHF"),
        ("en", "It uses RLHFs to scale.", "RLHFs"),
        ("en", "It is a MoE-based method.", "MoE"),
        ("en", "It is an IT method.", "IT"),
        ("en", "It is an A.G.I. method.", "A.G.I."),
        ("en", "It is a FooBar method.", "FooBar"),
        ("en", "It scales to GPT-5.", "5"),
        ("en", "It scales to GPT-4o and GPT 3.", "GPT 3"),
        ("en", "It is tested on MATH-700.", "700"),
        ("en", "It is trained on H100 machines.", "100"),
        ("de", "Das Verfahren nutzt IA und ist schnell.", "IA"),
        ("de", "Das Verfahren nutzt RLHF-Daten.", "RLHF"),
        ("ru", "Метод использует ИИ и ГПТ.", "ГПТ"),
        ("zh", "该方法使用RLHF训练模型。", "RLHF"),
        ("ja", "この手法はRLHFを用いて学習する。", "RLHF"),
        ("ko", "이 방법은 RLHF를 사용하여 학습한다.", "RLHF"),
    ],
)
def test_acronyms_that_the_paper_does_not_hold_are_named(language: str, answer: str, name: str) -> None:
    assert refusal(answer, language).endswith(f" that the paper does not: {name}")


def test_initials_of_the_papers_words_are_no_acronym_that_it_holds() -> None:
    abstract = "We train large language models with retrieval."
    assert "LLM" in refusal("It trains LLMs with retrieval.", abstract=abstract)
    assert summarised("It trains AI with retrieval.", abstract="We train artificial intelligence.")


@pytest.mark.parametrize(
    "answer",
    [
        "Group Relative Policy Optimization (GRPO) scales to GPT-4o.",
        "GRPO (Group Relative Policy Optimisation) scales to GPT-4o.",
        "A new form of group-relative policy optimization (GRPO) scales.",
        "GRPO (as in GPT-4o) scales well.",
        "GRPO (which is a simple and fast method) scales well.",
    ],
)
def test_expansions_that_the_paper_holds_are_held(answer: str) -> None:
    assert summarised(answer)


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "GRPO (Gradient Relative Policy Optimisation) scales to GPT-4o."),
        ("en", "GRPO (gradient relative policy optimisation) scales to GPT-4o."),
        ("en", "Gradient Reward Policy Optimization (GRPO) scales."),
        ("en", "Gradient-Reward-Policy-Optimization (GRPO) scales."),
        ("en", "GRPO, short for Gradient Reward Policy Optimization, scales."),
        ("en", "GRPO stands for greedy reward policy optimisers."),
        ("en", "Large Language Models (LLMs) scale."),
        ("de", "GRPO (Gradient Relative Policy Optimization) skaliert gut mit dem Modell."),
        ("de", "Gradient Reward Policy Optimization (GRPO) skaliert gut mit dem Modell."),
        ("zh", "该方法使用GRPO（Gradient Reward Policy Optimization）扩展模型的能力。"),
    ],
)
def test_expansions_that_the_paper_does_not_hold_are_refused(language: str, answer: str) -> None:
    assert refusal(answer, language).startswith("it explains an acronym as the paper does not: ")
