from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call

PAPER = '{"title": "Sorting by Patience", "arxiv_id": "2603.00001", "abstract": "We sort."}\n'


def test_the_site_is_written_for_the_address_where_it_will_be(folder: Path, call: Call) -> None:
    (folder / "subscribers" / "papers-2026-03-12.jsonl").write_text(PAPER)
    assert call("collect", "--date", "2026-03-12")[0] == 0

    code, out, _ = call("export-site", "site", "--base-url", "https://example.github.io/papers/", "--json")

    done = json.loads(out)
    assert code == 0
    assert done["written"] > 10
    page = (folder / "site" / "p" / "2603.00001" / "index.html").read_text()
    assert '<link rel="canonical" href="https://example.github.io/papers/p/2603.00001/">' in page
    assert "https://example.github.io/papers/p/2603.00001/" in (folder / "site" / "sitemap.xml").read_text()
    for name in ("2026-03-12/index.html", "week/2026-W11/index.html", "feed.atom"):
        assert "Sorting by Patience" in (folder / "site" / "daily" / name).read_text(), name
    code, out, _ = call("export-site", "site", "--base-url", "https://example.github.io/papers")
    assert (code, out) == (0, f"site: 0 files written, {done['written']} unchanged, 0 removed\n")


def test_an_address_that_is_none_is_refused_before_anything_is_written(folder: Path, call: Call) -> None:
    code, _, err = call("export-site", "site", "--base-url", "example.org")
    assert code == 2
    assert "--base-url example.org: " in err
    assert not (folder / "site").exists()
