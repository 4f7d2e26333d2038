"""The links of documents lead somewhere, and every document can be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.markdown import ROOT, anchors, links

DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for place in ("*.md", "docs/*.md", "templates/*.md", "tests/**/*.md", "bench/*.md")
    for path in ROOT.glob(place)
    if "node_modules" not in path.parts
)


@pytest.mark.parametrize("name", DOCUMENTS, ids=str)
def test_each_link_leads_to_a_file_and_a_heading_that_are_there(name: Path) -> None:
    path, wrong = ROOT / name, []
    for link in links(path):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.is_relative_to(ROOT) or not target.exists():
            wrong.append(f"{link}: there is no such file")
        elif anchor and anchor not in anchors(target):
            wrong.append(f"{link}: there is no such heading")
    assert wrong == []


def test_the_index_leads_to_every_document() -> None:
    index = ROOT / "docs" / "README.md"
    missing = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} - set(links(index))
    assert missing == set()


def test_the_names_of_headings_are_githubs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b_c`: [d](e) — f!\n## Twice\n## Twice\n```sh\n# no heading\n```\n[x](#twice-1)\n")
    assert anchors(page) == {"a-b_c-d--f", "twice", "twice-1"}
    assert links(page) == ["e", "#twice-1"]
