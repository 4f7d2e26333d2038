"""The page by which a paper of an issue is cited, and its files."""

from __future__ import annotations

from datetime import date

import pytest

from newsletter.core.listing import Listing
from tests.store.samples import DAY as STORE_DAY
from tests.store.samples import record
from tests.web.site import DAY, LINKS, NOW, Site


async def path(site: Site, listing: int = 1, *, day: date = DAY, of: str = "daily") -> str:
    return LINKS.cite(of, day, listing).removeprefix(LINKS.public_url)


async def test_the_page_has_both_references_and_leads_to_the_paper_and_its_issue(site: Site) -> None:
    answer = await site.client.get(await path(site))
    assert answer.status_code == 200
    assert "@misc{paper2026sparse," in answer.text
    assert "TY  - GEN" in answer.text
    assert 'href="https://arxiv.org/abs/2603.00001"' in answer.text
    assert f'href="{LINKS.issue("daily", DAY)}"' in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["cache-control"].startswith("public")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("ending", "kind", "begins"),
    [(".bib", "x-bibtex", "@misc{paper2026sparse,\n"), (".ris", "x-research-info-systems", "TY  - GEN\r\n")],
)
async def test_the_files_can_be_downloaded(site: Site, ending: str, kind: str, begins: str) -> None:
    answer = await site.client.get(await path(site) + ending)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"application/{kind}; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="paper2026sparse{ending}"'
    assert answer.content.decode().startswith(begins)


async def test_only_papers_of_closed_issues_are_shown(site: Site) -> None:
    recorded = await record(site.store, Listing(title="Not in any issue", arxiv_id="2603.00002"), at=NOW)
    assert recorded.new == 1
    for link in (
        await path(site, 2),
        await path(site, day=STORE_DAY),
        await path(site, of="weekly"),
        f"{await path(site)}.pdf",
        f"{await path(site)}/",
        (await path(site)).replace("2026-03-12", "20260312"),
        (await path(site)).replace("2026-03-12", "9999-99-99"),
        await path(site, 10**30),
    ):
        answer = await site.client.get(link)
        assert answer.status_code == 404, link
        assert "Nothing here" in answer.text


async def test_nothing_can_be_sent_there(site: Site) -> None:
    assert (await site.client.post(await path(site))).status_code == 405
