"""What the fenced blocks of documents are marked as: those of commands are followed by `make wheel`."""

from __future__ import annotations

from pathlib import Path

from tests.documents.markdown import ROOT, Block, blocks
from tests.installing.guides import NEEDS, NO_RUN, guides, steps


def test_each_block_says_what_it_is() -> None:
    unmarked = [
        f"{path.name}:{block.line}"
        for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for block in blocks(path)
        if not block.language or block.language in {"bash", "shell", "console"}
    ]
    assert unmarked == [], "mark commands as sh, and others as what they are: ini, yaml, text …"


def test_a_block_that_is_not_followed_says_what_it_needs() -> None:
    marks = {
        f"{name}.md:{block.line}": block.info[1:]
        for name, all_ in guides().items()
        for block in all_
        if block.info[1:]
    }
    assert {
        place: words
        for place, words in marks.items()
        if words[0] != NO_RUN or words[1:] not in {(n,) for n in NEEDS}
    } == {}


def test_commands_over_several_lines_are_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\none --two \\\n  three\n\nfour    # five\n```\n")
    assert blocks(page) == [Block(("sh",), "one --two \\\n  three\n\nfour    # five\n", 2)]
    assert steps(blocks(page)[0]) == ["one --two three", "four    # five"]
