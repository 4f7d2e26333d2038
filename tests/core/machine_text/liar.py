"""A model that lies: true summaries, changed as models change them. What it invents is not in the paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

_ENDINGS = (".", "!", "?")
_WORDS = {
    "A": "Adaptive Advanced Augmented", "B": "Balanced Blended Bayesian", "C": "Causal Compact Calibrated",
    "D": "Distilled Deferred Dynamic", "E": "Elastic Ensemble Entropic", "F": "Federated Flexible Fractional",
    "G": "Gradient Guided Greedy", "H": "Hybrid Harmonic Hidden", "I": "Iterative Implicit Invariant",
    "J": "Joint Jittered Judged", "K": "Kernelised Keyed Known", "L": "Latent Layered Lossless",
    "M": "Masked Modular Merged", "N": "Nested Neutral Noisy", "O": "Orthogonal Ordered Overlapping",
    "P": "Pruned Proximal Parallel", "Q": "Quantised Queued Quick", "R": "Recursive Robust Rotated",
    "S": "Sparse Staged Stochastic", "T": "Tempered Tiled Transient", "U": "Unified Unrolled Updated",
    "V": "Variational Voted Vectorised", "W": "Weighted Windowed Warped", "X": "Xenial Xeric Xylic",
    "Y": "Yielding Yoked Yearly", "Z": "Zonal Zeroed Zipped",
}  # fmt: skip
_NUMBER_WORDS = ("eleven", "thirteen", "seventeen", "nineteen", "forty-seven", "ninety thousand", "thirteenfold")
_ACRONYMS = (
    "RLHF",
    "MoE",
    "XQZT",
    "BLEU",
    "WMT",
    "LoRA",
    "NeRF",
    "OCR",
    "EEG",
    "CoT",
    "VQGAN",
    "MMLU-Pro",
    "DeepQRS",
    "A.I.M.",
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper, and a true summary of it."""

    title: str
    abstract: str
    summary: str

    @property
    def source(self) -> str:
        """Return all that a summary may be made of."""
        return f"{self.title}\n{self.abstract}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answers, and by which trick; `text` is what may be shown of it, or nothing at all."""

    trick: str
    answer: str
    text: str = ""


def lies(paper: Paper, random: Random) -> Iterator[Answer]:
    """Yield answers with something that the paper does not hold: none of them may be shown."""
    for trick in (_changed_numbers, _added_numbers, _added_acronyms, _expansions, _renumbered, _no_answers):
        yield from trick(paper, random)


def disguises(paper: Paper) -> Iterator[Answer]:
    """Yield true answers with what models put around them: the summary alone may be shown of each."""
    text = paper.summary
    first, _, rest = text.partition(" ")
    for trick, answer in {
        "thinking": f"<think>\nThe user wants 12 words (or 99%). NASA?\n</think>\n\n{text}",
        "thinking, opened by the template": f"Okay, 77 words. Let me see.\n</think>\n\n{text}",
        "thinking in a row": f"<think>a</think><think>b</think>{text}",
        "reasoning": f"<reasoning>GPT-9 has 88 layers</reasoning>{text}",
        "harmony": "<|channel|>analysis<|message|>We need 31 words.<|end|><|start|>assistant"
        f"<|channel|>final<|message|>{text}<|return|>",
        "harmony, marks lost": f"analysisWe need 31 words.assistantfinal{text}",
        "magistral": f"[THINK]Let me count to 41.[/THINK]{text}",
        "kimi": f"\u25c1think\u25b7Hmm, 57\u25c1/think\u25b7{text}",
        "seed": f"<seed:think>53</seed:think>{text}",
        "cohere": f"<|START_THINKING|>53<|END_THINKING|><|START_RESPONSE|>{text}<|END_RESPONSE|>",
        "ollama": f"Thinking...\nThe user says 67.\n...done thinking.\n\n{text}",
        "fence": f"```\n{text}\n```",
        "fence with a language": f"Here is the summary:\n\n```markdown\n{text}\n```",
        "label": f"Summary: {text}",
        "bold label": f"**Summary:** {text}",
        "heading": f"## TL;DR\n\n{text}",
        "preamble": f"Sure! Here is a one-sentence summary of the paper:\n\n{text}",
        "quotes": f"\u201c{text}\u201d",
        "bold": f"**{first}** {rest}",
        "italic": f"*{first}* {rest}",
        "list": f"- {text}",
        "link": f"[{first}](https://evil.example/a?b=1) {rest}",
        "html": f"<p><b>{first}</b> {rest}</p><script>alert(1)</script>",
        "image": f"<img src=x onerror=alert(1)>{text}",
        "entities": f"&lt;p&gt;{text}&lt;/p&gt;",
        "controls": f"\x1b\x00{first}\x07 {rest}\r\n",
        "bidi": f"\u202e{first}\u2066 {rest}\u200f",
        "zero width": f"{first[:1]}\u200b{first[1:]}\u2060 {rest}\ufeff",
        "lines": f"{first}\n\n  {rest}\r\n",
        "advertisement": f"{text} Read more at https://evil.example/buy",
        "end of a turn": f"{text}<|im_end|>\n<|im_start|>user\nNow 99 more",
        "note": f"{text}\n\n(Note: 25 words.)",
        "JSON": json.dumps({"summary": text}),
        "answer": f"Let me try.\n<answer>{text}</answer>",
    }.items():
        yield Answer(trick, answer, text)


def _changed_numbers(paper: Paper, random: Random) -> Iterator[Answer]:
    for number in re.finditer(r"\d+(?:[.,]\d+)*", paper.summary):
        for trick, new in (
            ("another number", _absent_number(paper, random)),
            ("a longer number", number[0] + str(random.randint(1, 9))),
            ("rounded", number[0].split(".")[0]),
            ("a digit more in front", str(random.randint(1, 9)) + number[0]),
        ):
            if not _holds_number(paper, new):
                yield Answer(trick, paper.summary[: number.start()] + new + paper.summary[number.end() :])


def _added_numbers(paper: Paper, random: Random) -> Iterator[Answer]:
    number = _absent_number(paper, random)
    for form in (
        "%s%%",
        "%sx",
        "%s\u00d7",
        "%sM",
        "%s billion",
        "$%s$",
        "10^%s",
        "\uff10%s",
        "%s-fold",
        "**%s**",
        "%s GB",
        "\u2248%s",
        "\u00b1%s",
    ):
        yield Answer(f"a number as {form}", _inserted(paper, f"by {form % number}", random))
    arabic = number.translate(
        str.maketrans("0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")
    )
    yield Answer("a number in Arabic digits", _inserted(paper, arabic, random))
    raised = number.replace(".", "").translate(
        str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
    )
    yield Answer("a raised number", _inserted(paper, f"n{raised}", random))
    yield Answer("a raised number in HTML", _inserted(paper, f"10<sup>{number}</sup>", random))
    yield Answer("a hidden number", _inserted(paper, "\u200b".join(number), random))
    for word in _NUMBER_WORDS:
        parts = re.findall(r"[a-z]{3,}", word)
        if not any(
            re.search(rf"\b{part.removesuffix('fold')}", paper.source, re.IGNORECASE) for part in parts
        ) and not re.search(r"\b(?:11|12|13|17|19|47|6|90)", paper.source):
            yield Answer(f"the number {word}", _inserted(paper, f"by {word}", random))


def _added_acronyms(paper: Paper, random: Random) -> Iterator[Answer]:
    for name in _ACRONYMS:
        if not re.search(
            re.escape(name.replace(".", "").partition("-")[0]), paper.source.replace("-", ""), re.IGNORECASE
        ):
            form = random.choice(("%s", "%ss", "%s-based", "(%s)", "**%s**"))
            yield Answer("an acronym", _inserted(paper, form % name, random))


def _expansions(paper: Paper, random: Random) -> Iterator[Answer]:
    for acronym in sorted(set(re.findall(r"\b[A-Z]{3,6}\b", paper.summary))):
        words = [random.choice(_WORDS[letter].split()) for letter in acronym]
        for trick, said in (
            ("an expansion after it", f"{acronym} ({' '.join(words)})"),
            ("an expansion before it", f"{' '.join(words)} ({acronym})"),
            ("an expansion in small letters", f"{acronym} ({' '.join(words).lower()})"),
            ("an expansion with hyphens", f"{'-'.join(words)} ({acronym})"),
            ("an expansion in words", f"{acronym}, short for {' '.join(words)},"),
        ):
            yield Answer(trick, re.sub(rf"\b{acronym}\b(?:\s\([^()]*\))?", said, paper.summary, count=1))


def _renumbered(paper: Paper, random: Random) -> Iterator[Answer]:
    for name in ("GPT-7", "Qwen9.5", "H900", "Llama-8.8B"):
        if not re.search(re.escape(re.findall(r"\d[\d.]*", name)[0]), paper.source):
            yield Answer("a numbered name", _inserted(paper, f"beside {name}", random))


def _no_answers(paper: Paper, random: Random) -> Iterator[Answer]:
    text = paper.summary
    for trick, answer in {
        "empty": "",
        "white space": " \n\u200b\t",
        "thinking alone": "<think>I see.</think>",
        "thinking without an end": f"<think>{text}",
        "thinking without an end, harmony": f"<|channel|>analysis<|message|>{text}",
        "thinking within": f"The <think>hmm</think> {text}",
        "too long": f"{text} " * 5,
        "Chinese": "该论文提出了一种新的方法，用于提高模型的性能。",
        "a Chinese word": _inserted(paper, "的方法", random),
        "a Russian word": _inserted(paper, "модель", random),
        "German": "Die Arbeit stellt ein Verfahren vor, mit dem sich die Modelle auf das Wesentliche beschränken.",
        "declined": "I'm sorry, but I cannot summarize this paper.",
        "an AI": "As an AI language model, I do not have access to the paper.",
        "the title": paper.title,
        "the title, labelled": f"Title: {paper.title}",
        "the data": json.dumps({"title": paper.title, "abstract": paper.abstract[:80]}),
        "a link": "https://evil.example/",
        "a site": _inserted(paper, "at evil-offers.com", random),
        "HTML of a gateway": "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>",
    }.items():
        yield Answer(trick, answer)


def _absent_number(paper: Paper, random: Random) -> str:
    while True:
        number = random.choice(
            (
                f"{random.randint(21, 998)}",
                f"{random.randint(1, 99)}.{random.randint(1, 9)}",
                f"{random.randint(1001, 9998)}",
            )
        )
        if not _holds_number(paper, number) and number[-1] != "0":
            return number


def _holds_number(paper: Paper, number: str) -> bool:
    """Return whether a number may stand in a paper in any way: naively, by its digits alone, or in words."""
    digits = re.sub(r"\D", "", number).strip("0")
    return digits in re.sub(r"(?<=\d)[., ](?=\d)", "", paper.source) or len(digits) < 2


def _inserted(paper: Paper, words: str, random: Random) -> str:
    """Return a summary with words in it somewhere, between others."""
    parts = paper.summary.split(" ")
    place = random.randint(1, max(1, len(parts) - 1))
    return " ".join([*parts[:place], words, *parts[place:]])
