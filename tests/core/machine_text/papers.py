"""The paper that the examples are about, and the recorded ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from newsletter.core.machine_summary import MachineTextKind
from newsletter.core.machine_text.check import RefusedTextError, checked
from tests.core.machine_text.liar import Paper

ANSWERS = Path(__file__).parent / "answers"

TITLE = "GRPO-Zero: Scaling Group Relative Policy Optimization to GPT-4o"
ABSTRACT = (
    "We use AI and LLMs (8B) on 1,000 tasks, with a gain of 3.5%, 71.3 on MATH-500, between 2 and 5 million"
    " images, ten seeds, pass@1, a two-fold speedup, and three layers. It works in 3D, and on US data. See the"
    " results of 2025 with $10^5$ runs, half of them cached, a third of them short, and n=12,345 rows of mRNA."
)


def summarised(answer: str, language: str = "en", *, title: str = TITLE, abstract: str = ABSTRACT) -> str:
    """Return what may be shown of a summary."""
    return checked(answer, kind=MachineTextKind.SUMMARY, title=title, abstract=abstract, language=language)


def titled(answer: str, language: str = "de", *, title: str = TITLE, abstract: str = ABSTRACT) -> str:
    """Return what may be shown of a translated title."""
    return checked(answer, kind=MachineTextKind.TITLE, title=title, abstract=abstract, language=language)


def refusal(answer: str, language: str = "en", *, title: str = TITLE, abstract: str = ABSTRACT) -> str:
    """Return why a summary is refused."""
    with pytest.raises(RefusedTextError) as raised:
        summarised(answer, language, title=title, abstract=abstract)
    return str(raised.value)


@cache
def recorded(folder: Path) -> tuple[Paper, ...]:
    """Return the papers with summaries in recorded answers of Hugging Face, each once."""
    found: dict[str, Paper] = {}
    for path in sorted(folder.rglob("*.json")):
        for record in json.loads(path.read_text(encoding="utf-8")):
            paper = record["paper"]
            if paper.get("ai_summary"):
                found[paper["id"]] = Paper(paper["title"], paper["summary"], paper["ai_summary"])
    return tuple(found.values())


def own() -> tuple[Paper, ...]:
    """Return the papers of these tests, with their English summaries."""
    records = json.loads((ANSWERS / "translated.json").read_text(encoding="utf-8"))
    return tuple(Paper(one["title"], one["abstract"], one["summaries"]["en"]) for one in records)
