from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.stemming import stem

FAMILIES = [
    "agent agents",
    "quantize quantized quantizing quantization quantizations quantizer quantizers quantisation",
    "generate generates generated generating generation generations generator",
    "train training trained trains",
    "plan planning planned plans",
    "tune tuning tuned tunes",
    "model models modeling modelling modelled",
    "embed embeds embedding embeddings embedded",
    "diffuse diffusion diffusing",
    "policy policies",
    "bias biases biased",
    "box boxes",
    "class classes",
    "tokenizer tokenizers tokenization tokenize tokenised",
    "code codes coding coded",
    "use using used uses",
    "align alignment aligning aligned",
    "distill distillation distilling distilled",
    "segment segmentation segmenting",
    "compute computation computing",
    "supervise supervision supervised",
    "robust robustness",
    "agree agreed agreeing",
    "size sizes sized sizing",
    "search searches searching",
    "image images imaging",
    "enable enabling enabled",
]
STRANGERS = [
    ("general", "generate"),
    ("organ", "organize"),
    ("token", "tokenize"),
    ("mission", "missing"),
    ("reagent", "agent"),
    ("vision", "visual"),
    ("seed", "see"),
    ("bus", "buy"),
    ("gas", "ga"),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_words_of_one_family_are_one(family: str) -> None:
    assert len({stem(word) for word in family.split()}) == 1


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_words_that_mean_different_things_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    "word", ["llm", "ai", "gas", "corpus", "analysis", "process", "größe", "обучение", "学习"]
)
def test_what_has_no_ending_stays_as_it_is(word: str) -> None:
    assert stem(word) == word


@given(st.text(max_size=30))
def test_every_text_has_a_stem_that_is_not_longer(text: str) -> None:
    assert len(stem(text)) <= len(text)
    assert bool(stem(text)) == bool(text)
