from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from newsletter.core.listing import Listing
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.parts import NO_SERVICES
from newsletter.sources.registry import SOURCES, build, check
from tests.sources.conftest import DAY, NOW

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-source.md"


def code() -> str:
    _, source, registry_line = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert registry_line.strip() == '"semantic_scholar": SemanticScholar,'
    return str(source)


@pytest.fixture
def semantic_scholar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> None:
    """Add the source of the page, as the page says."""
    path = tmp_path / "semantic_scholar.py"
    path.write_text(code(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("semantic_scholar", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "semantic_scholar", module)
    monkeypatch.syspath_prepend(tmp_path)  # for the process that reads documents, too
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.SemanticScholar, "url", httpserver.url_for("/search"))
    monkeypatch.setitem(SOURCES, "semantic_scholar", module.SemanticScholar)


def test_the_source_of_the_page_has_under_40_lines_of_code() -> None:
    assert len([line for line in code().splitlines() if line.strip()]) < 40


@pytest.mark.usefixtures("semantic_scholar")
def test_the_source_of_the_page_is_checked_like_all_others() -> None:
    assert check("semantic_scholar:protein folding") == ""
    assert "expected semantic_scholar:QUERY" in check("semantic_scholar:")


@pytest.mark.usefixtures("semantic_scholar")
async def test_the_source_of_the_page_works(httpserver: HTTPServer) -> None:
    paper = {
        "paperId": "c8b2",
        "externalIds": {"ArXiv": "2603.00001", "DOI": "10.1000/xyz", "CorpusId": 1},
        "url": "https://www.semanticscholar.org/paper/c8b2",
        "title": "Folding  Paper",
        "abstract": None,
        "publicationDate": "2026-03-12",
        "authors": [{"authorId": "1", "name": "Ada Example"}, {"authorId": "2"}],
    }
    httpserver.expect_ordered_request("/search").respond_with_data(status=429)
    httpserver.expect_ordered_request(
        "/search", query_string={"query": "folding", "publicationDateOrYear": "2026-03-12:2026-03-12"} | REST
    ).respond_with_json({"total": 2, "offset": 0, "data": [paper, {"title": None}]})
    http = HttpClient(HttpConfig(user_agent="tests", timeout=5, retries=4), sleep=lambda _: asyncio.sleep(0))
    source = build("semantic_scholar:folding", folder=Path(), config=NO_SERVICES, http=http)
    try:
        page = await source.read(DAY, now=NOW)
    finally:
        await http.aclose()
    (entry,) = page.entries
    assert entry.listing == Listing(
        title="Folding Paper",
        authors=("Ada Example",),
        published_on=date(2026, 3, 12),
        arxiv_id="2603.00001",
        doi="10.1000/xyz",
        url="https://www.semanticscholar.org/paper/c8b2",
    )
    assert [entry.reason for entry in page.skipped] == ["no title"]


REST = {"fields": "title,abstract,authors,externalIds,url,publicationDate", "limit": "100"}
