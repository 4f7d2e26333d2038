"""The public pages as files: complete, safe to repeat, and careful with files of others."""

from __future__ import annotations

import json
import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html
from typing_extensions import override

from newsletter.core.errors import UsageError
from newsletter.core.listing import Listing
from newsletter.render.page_files import TemplateFiles
from newsletter.store import open_store
from newsletter.web import exporting
from newsletter.web.exporting import JOURNAL, MANIFEST, Exported, SiteExport
from newsletter.web.pages.site_pages import PageGroup, SitePage, Wanted
from newsletter.whole_files import write_whole
from tests.store.samples import paper
from tests.web.papers import DAY, NOW, Pages, pages_of
from tests.web.studio import RENDERER

ODD = Listing(title="An odd? #paper / with 100% signs", url="https://example.org/a/../b?c=d&e=%2F#f")


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    store = await open_store("sqlite://")
    (tmp_path / "lists").mkdir()
    pages = pages_of(store, tmp_path / "lists")
    await pages.listed(*(paper(number) for number in range(1, 4)), day=DAY - timedelta(days=1), at=NOW)
    await pages.listed(ODD, upvotes=3)
    await pages.issue()
    yield pages
    await store.close()


async def export(pages: Pages, folder: Path) -> Exported:
    return await SiteExport(pages.groups, RENDERER.files, folder).write()


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_all_pages_feeds_and_what_they_load_are_there(pages: Pages, tmp_path: Path) -> None:
    done = await export(pages, tmp_path / "site")
    files = files_in(tmp_path / "site")
    assert done == Exported(written=len(files) - 1, unchanged=0, removed=0)
    assert files.keys() >= {
        *(".nojekyll", "index.html", "robots.txt", "favicon.ico", "sitemap.xml", "daily/index.html"),
        *("daily/feed.atom", "daily/issues.json", "daily/2026-03-12/index.html", "daily/archive/index.html"),
        *("p/2603.00001/index.html", "p/2603.00001/cite.bib", "p/2603.00001/cite.ris"),
    }
    page = files["daily/2026-03-12/index.html"].decode()
    assert "<form" not in page
    assert "https://papers.example.org/-/signup/daily" in page


@dataclass
class OnePage(PageGroup):
    """A front page with this content."""

    content: bytes

    @override
    async def addresses(self) -> AsyncIterator[str]:
        yield ""

    @override
    async def version(self, address: str, wanted: Wanted) -> str:
        return "1"

    @override
    async def page(self, address: str, wanted: Wanted) -> SitePage:
        return SitePage(content=self.content)


async def test_what_pages_and_their_styles_load_goes_along_and_nothing_else(tmp_path: Path) -> None:
    web = tmp_path / "templates" / "web"
    web.mkdir(parents=True)
    web.joinpath("site.css").write_text('body { background: url("paper-000000000000.svg") }')
    for name in ("paper.svg", "admin.css"):
        web.joinpath(name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    files = TemplateFiles([web.parent])
    page = OnePage(f'<link rel="stylesheet" href="./-/static/{files.name("site.css")}">'.encode())
    await SiteExport([page], files, tmp_path / "site").write()
    names = {path.name for path in (tmp_path / "site" / "-" / "static").iterdir()}
    assert names == {files.name("site.css"), "paper-000000000000.svg"}


async def test_no_link_leads_nowhere(pages: Pages, tmp_path: Path) -> None:
    await export(pages, tmp_path / "site")
    files = files_in(tmp_path / "site")
    checked = 0
    for name, content in files.items():
        if not name.endswith(".html"):
            continue
        page = html.document_fromstring(content.decode())
        ids = {one.get("id") for one in page.cssselect("[id]")}
        for one in page.cssselect("[href], [src]"):
            link = urlsplit(one.get("href") or one.get("src"))
            if link.scheme or link.netloc:
                continue
            if not link.path:
                assert link.fragment in ids, (name, link.geturl())
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(link.path)))
            file = posixpath.join(target, "index.html") if link.path.endswith(("/", ".")) else target
            assert posixpath.normpath(file) in files, (name, link.geturl())
            checked += 1
    assert checked > 100


async def test_a_second_export_writes_only_what_has_changed_and_removes_what_is_gone(
    pages: Pages, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    await export(pages, site)
    before = files_in(site)
    again = await export(pages, site)
    assert (again.written, again.removed, files_in(site)) == (0, 0, before)

    # The listing turns out to have an arXiv id, so its page stands elsewhere.
    (site / "CNAME").write_text("papers.example.org")
    await pages.listed(Listing(title=ODD.title, url=ODD.url, arxiv_id="2603.00009"), at=NOW + timedelta(hours=1))
    done = await export(pages, site)

    after = files_in(site)
    assert done.removed == 3
    assert after["CNAME"] == b"papers.example.org"
    assert "p/2603.00009/index.html" in after
    assert [name for name in before.keys() - after.keys() if not name.startswith("p/url/")] == []
    assert not (site / "p" / "url").exists()


async def test_files_of_others_are_neither_overwritten_nor_removed(pages: Pages, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "robots.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"robots.txt: is there already, and no export of this program wrote it"):
        await export(pages, site)
    assert (site / "robots.txt").read_text() == "mine"

    (site / "robots.txt").unlink()
    await export(pages, site)
    known = json.loads((site / MANIFEST).read_text())["files"]
    (site / "mine.html").write_text("mine")
    (site / "old.html").write_text("changed since")
    (tmp_path / "outside").write_text("mine")
    known |= {"../outside": "0", "/etc/hostname": "0", "old.html": "0"}
    (site / MANIFEST).write_text(json.dumps({"files": known}))
    done = await export(pages, site)
    assert done.removed == 0
    assert (site / "mine.html").exists()
    assert (site / "old.html").exists()
    assert (tmp_path / "outside").exists()


async def test_an_export_that_was_killed_leaves_nothing_that_the_next_one_does_not_know(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    left = iter(range(25))

    def write(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_whole(path, content)

    with monkeypatch.context() as killed:
        killed.setattr(exporting, "write_whole", write)
        with pytest.raises(KeyboardInterrupt):
            await export(pages, site)
    assert not (site / MANIFEST).exists()

    # Pages that were written have changed by now, and one has another address.
    await pages.listed(Listing(title=ODD.title, url=ODD.url, arxiv_id="2603.00009"), at=NOW + timedelta(hours=1))
    await export(pages, site)
    clean = tmp_path / "clean"
    await export(pages, clean)
    assert files_in(site) == files_in(clean)
    assert not (site / JOURNAL).exists()


async def test_a_broken_manifest_is_named(pages: Pages, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / MANIFEST).write_text("[")
    with pytest.raises(UsageError, match="is no list of exported files"):
        await export(pages, tmp_path / "site")
