"""How many true answers of models are refused, as the price of showing no number that a paper does not hold.

A folder holds JSON files with recorded answers, in one of two forms: those of Hugging Face's Daily Papers
(`[{"paper": {"title", "summary", "ai_summary"}}]`, where `summary` is the abstract), or
`[{"title", "abstract", "summaries": {"de": …}, "titles": {"de": …}}]`. Each answer is held to its paper. A text
that several files hold counts once. A ratio is the share that is refused: of all, by language, and by reason.

    python bench/refused_summaries.py [FOLDER ...] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from newsletter.core.machine_summary import MachineTextKind
from newsletter.core.machine_text.check import RefusedTextError, checked

OWN = Path(__file__).resolve().parent.parent / "tests" / "core" / "machine_text" / "answers"


@dataclass(frozen=True)
class Answer:
    """A true answer that was recorded, and the paper that it is about."""

    kind: MachineTextKind
    language: str
    title: str
    abstract: str
    text: str


@dataclass(frozen=True)
class Row:
    """An answer, and why it is refused; `reason` is empty where it is not."""

    kind: str
    language: str
    text: str
    reason: str


def answers(folders: Iterable[Path]) -> Iterator[Answer]:
    """Yield the answers that are recorded in some folders."""
    for path in (path for folder in folders for path in sorted(folder.rglob("*.json"))):
        records = json.loads(path.read_text(encoding="utf-8"))
        for record in records if isinstance(records, list) else []:
            if isinstance(record, dict):
                yield from _of_daily_papers(record.get("paper") or {})
                yield from _of_ours(record)


def _of_daily_papers(paper: dict[str, Any]) -> Iterator[Answer]:
    if paper.get("ai_summary") and paper.get("summary"):
        yield Answer(MachineTextKind.SUMMARY, "en", paper["title"], paper["summary"], paper["ai_summary"])


def _of_ours(record: dict[str, Any]) -> Iterator[Answer]:
    for kind, name in ((MachineTextKind.SUMMARY, "summaries"), (MachineTextKind.TITLE, "titles")):
        for language, text in record.get(name, {}).items():
            yield Answer(kind, language, record["title"], record["abstract"], text)


def measured(folders: Iterable[Path]) -> list[Row]:
    """Hold each answer to its paper."""
    rows = []
    for answer in dict.fromkeys(answers(folders)):
        reason = ""
        try:
            checked(
                answer.text,
                kind=answer.kind,
                title=answer.title,
                abstract=answer.abstract,
                language=answer.language,
            )
        except RefusedTextError as refusal:
            reason = str(refusal)
        rows.append(Row(answer.kind.value, answer.language, answer.text, reason))
    return rows


def ratios(rows: list[Row]) -> dict[str, float]:
    """Return the shares that are refused: of all, of each kind in each language, and for each reason."""
    asked = Counter({"all": len(rows)}) + Counter(f"{row.kind}, {row.language}" for row in rows)
    refused = [row for row in rows if row.reason]
    found = Counter({"all": len(refused)}) + Counter(f"{row.kind}, {row.language}" for row in refused)
    reasons = Counter(row.reason.partition(":")[0] for row in refused)
    return {
        **{name: round(found[name] / number, 4) for name, number in asked.items()},
        **{reason: round(number / len(rows), 4) for reason, number in reasons.most_common()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="*", default=[OWN])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = measured(asked.folders)
    if not rows:
        raise SystemExit(f"no recorded answers in {', '.join(map(str, asked.folders))}")
    if asked.json:
        print(json.dumps({"ratios": ratios(rows), "rows": [asdict(row) for row in rows]}))
        return
    for row in rows:
        if row.reason:
            print(f"{row.kind}, {row.language}: {row.reason}\n    {row.text}")
    for name, ratio in ratios(rows).items():
        print(f"{name:<60} {ratio:7.2%}")


if __name__ == "__main__":
    main()
