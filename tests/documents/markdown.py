"""The fenced blocks of Markdown documents, as they stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
_FENCED = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its info words, such as `sh no-run docker`, its text, and the line where the text begins."""

    info: tuple[str, ...]
    text: str
    line: int

    @property
    def language(self) -> str:
        """Return the first info word, or nothing."""
        return self.info[0] if self.info else ""


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(tuple(found[2].split()), dedent(found[3]), text.count("\n", 0, found.start(3)) + 1)
        for found in _FENCED.finditer(text)
    ]


def only(path: Path, language: str) -> str:
    """Return the text of the one block in a language."""
    [block] = [block for block in blocks(path) if block.language == language]
    return block.text


def links(path: Path) -> list[str]:
    """Return where the links and pictures of a document lead."""
    text = _FENCED.sub("", path.read_text(encoding="utf-8"))
    return re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", text)


def anchors(path: Path) -> set[str]:
    """Return the names of a document's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", _FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        number = 0
        while (once := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(once)
    return found
