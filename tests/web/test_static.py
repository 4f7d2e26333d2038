from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from newsletter.core.page_names import STATIC
from newsletter.render.issue.theme import theme
from newsletter.render.page_files import TemplateFiles, colours_file
from newsletter.web.static import routes
from tests.web.site import Site
from tests.web.studio import TEMPLATES


def files_in(folder: Path, **files: str) -> Path:
    (folder / "web").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / "web" / name.replace("_", ".")).write_text(content)
    return folder


async def get(files: TemplateFiles, name: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(files)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.get(f"/{STATIC}/{name}")


async def test_a_file_is_kept_for_ever_under_a_name_of_its_content(tmp_path: Path) -> None:
    files = TemplateFiles([files_in(tmp_path, site_css="a { color: red }")])
    name = files.name("site.css")
    assert re.fullmatch(r"site-[0-9a-f]{12}\.css", name)
    answer = await get(files, name)
    assert answer.text == "a { color: red }"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_page_made_before_a_change_gets_the_file_as_it_is_now_for_a_minute(tmp_path: Path) -> None:
    files = TemplateFiles([files_in(tmp_path, site_css="old")])
    former = files.name("site.css")
    files_in(tmp_path, site_css="newer")
    assert files.name("site.css") != former
    answer = await get(files, former)
    assert (answer.text, answer.headers["cache-control"]) == ("newer", "public, max-age=60")


def test_the_operators_own_file_takes_precedence(tmp_path: Path) -> None:
    own, packaged = files_in(tmp_path / "own", a_css="own"), files_in(tmp_path / "ours", a_css="ours", b_js="ours")
    files = TemplateFiles([own, packaged])
    found = [files.find(files.name(name)) for name in ("a.css", "b.js")]
    assert [file and file.content for file in found] == [b"own", b"ours"]


@pytest.mark.parametrize(
    "name", ["page.html", "../page.css", "/etc/passwd", ".css", "page", "", "a/b.css", "page.css\n"]
)
def test_no_template_and_nothing_outside_is_a_file_of_pages(name: str) -> None:
    with pytest.raises(LookupError, match="is no file that pages can load"):
        TemplateFiles([TEMPLATES]).name(name)


@pytest.mark.parametrize(
    "path",
    [
        "page.css",
        "page-0123456789ab.html",
        "..%2fpage-0123456789ab.css",
        "%2e%2e/%2e%2e/pyproject-0123456789ab.toml",
        "page-0123456789ab.css%00.png",
        "page-0123456789ab.css%0d%0aX-Own: 1",
        "colours-000000.css",
        "a-0123456789ab.css",
    ],
)
async def test_nothing_else_is_served(site: Site, path: str) -> None:
    assert (await site.client.get(f"/{STATIC}/{path}")).status_code == 404


def test_a_folder_with_the_name_of_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "web" / "page.css").mkdir(parents=True)
    files = TemplateFiles([tmp_path, TEMPLATES])
    assert files.name("page.css") == TemplateFiles([TEMPLATES]).name("page.css")


def test_the_colours_of_a_list_are_a_file_made_of_its_name() -> None:
    look = theme({"accent": "#00468b", "background": "#eeeeff"}, title="Papers")
    found = TemplateFiles([]).find(colours_file(look))
    assert found is not None
    assert (
        f"--page: #eeeeff; --small: {look.quiet}; --accent: #00468b; --on-accent: #ffffff;"
        in found.content.decode()
    )
    assert f"--accent: {look.accent_dark};" in found.content.decode()


async def test_every_file_that_a_page_names_is_there(site: Site) -> None:
    for path in (
        "/",
        "/daily/2026-03-12/",
        "/-/signup/daily",
        site.path,
        f"/unsubscribe/{site.path[-20:]}",
        "/a/b/c/d",
    ):
        answer = await site.client.get(path)
        assert "<style" not in answer.text
        links = re.findall(r'(?:href|src)="([^"]*static/[^"]+)"', answer.text)
        assert links, path
        for link in links:
            assert (await site.client.get(str(answer.url.join(link)))).status_code == 200, (path, link)
