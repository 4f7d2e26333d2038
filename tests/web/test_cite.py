"""Where mails lead to how a paper is cited."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from newsletter.core.listing import Listing
from tests.store.samples import DAY as STORE_DAY
from tests.store.samples import record
from tests.web.site import DAY, LINKS, NOW, Site


async def path(site: Site, listing: int = 1, *, day: date = DAY, of: str = "daily") -> str:
    return LINKS.cite(of, day, listing).removeprefix(LINKS.public_url)


@pytest.mark.parametrize(
    ("ending", "kind", "begins"),
    [
        ("", "text/html", "<!DOCTYPE html>"),
        (".bib", "application/x-bibtex", "@misc{paper2026sparse,\n"),
        (".ris", "application/x-research-info-systems", "TY  - GEN\r\n"),
    ],
)
async def test_a_mail_leads_to_the_page_of_the_paper_and_to_its_files(
    site: Site, ending: str, kind: str, begins: str
) -> None:
    link = await path(site) + ending
    answer = await site.client.get(link)
    assert answer.status_code == 302
    landed = await site.client.get(link, follow_redirects=True)
    assert landed.status_code == 200
    assert str(landed.url).endswith(f"/p/2603.00001/{f'cite{ending}' if ending else '#cite'}")
    assert landed.headers["content-type"] == f"{kind}; charset=utf-8"
    assert landed.content.decode().startswith(begins)
    assert "set-cookie" not in landed.headers


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


async def test_the_link_goes_on_to_where_the_paper_is_now(site: Site) -> None:
    one = Listing(title="A paper with a link", url="https://example.org/one")
    await record(site.store, one, at=NOW)
    known = await site.store.papers.find(one.id)
    assert known is not None
    await record(site.store, replace(one, arxiv_id="2603.00009"), at=NOW)
    assert (await site.client.get("/p/url/example.org_one/")).headers["location"].endswith("p/2603.00009/")


async def test_nothing_can_be_sent_there(site: Site) -> None:
    assert (await site.client.post(await path(site))).status_code == 405
