"""Acronyms that other languages have for what is in English in a paper. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_AI = ("ai", "artificial intelligence")
_NLP = ("nlp", "natural language processing")
_LLM = ("llm", "large language model", "large language models")
_US = ("us", "usa", "united states")
_WHO = ("who", "world health organization")
_ROMANCE = {"IA": _AI, "ADN": ("dna",), "ARN": ("rna",), "ARNm": ("mrna",), "VIH": ("hiv",), "OMS": _WHO}
# By language, what in a paper holds each: an acronym, or words.
_TRANSLATED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "de": {"KI": _AI, "MRT": ("mri",), "EKG": ("ecg",), "USA": _US},
    "nl": {"KI": _AI, "VS": _US},
    "es": {**_ROMANCE, "PLN": _NLP, "RM": ("mri",), "EE": _US, "UU": _US},
    "fr": {**_ROMANCE, "TAL": _NLP, "TALN": _NLP, "IRM": ("mri",), "USA": _US},
    "pt": {**_ROMANCE, "PLN": _NLP, "RM": ("mri",), "EUA": _US},
    "it": {"IA": _AI, "USA": _US, "RM": ("mri",)},
    "ca": _ROMANCE,
    "ro": _ROMANCE,
    "pl": {"SI": _AI, "USA": _US},
    "tr": {"YZ": _AI, "ABD": _US},
    "ru": {
        "ИИ": _AI,
        "БЯМ": _LLM,
        "ОЕЯ": _NLP,
        "США": _US,
        "ДНК": ("dna",),
        "РНК": ("rna",),  # noqa: RUF001
        "мРНК": ("mrna",),
        "МРТ": ("mri",),  # noqa: RUF001
        "ЭЭГ": ("eeg",),
        "ЭКГ": ("ecg",),
    },
    "uk": {"ШІ": _AI, "ВММ": _LLM, "США": _US, "ДНК": ("dna",)},  # noqa: RUF001
    "el": {"ΤΝ": _AI},  # noqa: RUF001
}


def translated_acronyms(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return a language's own acronyms, each with what stands for it in an English paper, in small letters.

    Args:
        language: its tag, such as `pt-BR`.
    """
    return _TRANSLATED.get(language.lower().split("-")[0], {})
