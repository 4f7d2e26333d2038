from __future__ import annotations

import json
import re
from datetime import date

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing
from tests.sources.api import preprint, preprints
from tests.sources.conftest import DAY, NOW, Build

PATH = "/details/biorxiv/2026-03-12/2026-03-12/0/json"


async def test_a_preprint_is_read_whole(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json(preprints(preprint()))
    (entry,) = (await source("biorxiv:").read(DAY, now=NOW)).entries
    assert entry.listing == Listing(
        title="Cells of Example 1",
        abstract="Cells & more cells.",
        authors=("A. B. Example", "B. Beispiel", "Consortium"),
        published_on=date(2026, 3, 12),
        organization="Example Institute",
        categories=("cell biology",),
        doi="10.1101/2026.03.12.000001",
        url="https://www.biorxiv.org/content/10.1101/2026.03.12.000001v1",
        pdf_url="https://www.biorxiv.org/content/10.1101/2026.03.12.000001v1.full.pdf",
    )
    assert (entry.sighting.source, entry.sighting.listed_on) == ("biorxiv", DAY)


async def test_medrxiv_has_its_own_place(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH.replace("bio", "med")).respond_with_json(preprints(preprint()))
    (entry,) = (await source("medrxiv:").read(DAY, now=NOW)).entries
    assert entry.listing.url.startswith("https://www.medrxiv.org/content/10.1101/")


async def test_all_pages_of_a_day_are_read_with_numbers_as_text(source: Build, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        cursor = int(request.path.split("/")[5])
        return Response(json.dumps(preprints(*map(preprint, range(cursor, min(cursor + 30, 70))), total="70")))

    httpserver.expect_request(re.compile("/details/.*")).respond_with_handler(answer)
    assert len((await source("biorxiv:").read(DAY, now=NOW)).entries) == 70
    assert len(httpserver.log) == 3


async def test_a_total_that_is_never_reached_ends_with_an_empty_page(
    source: Build, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_json(preprints(preprint(), total=500))
    httpserver.expect_request(PATH.replace("/0/", "/1/")).respond_with_json(preprints(total=500))
    assert len((await source("biorxiv:").read(DAY, now=NOW)).entries) == 1


async def test_subjects_choose_and_new_versions_are_left_out(source: Build, httpserver: HTTPServer) -> None:
    records = [preprint(1), preprint(2, category="Genomics"), preprint(3, category=""), preprint(4, version="2")]
    httpserver.expect_request(PATH).respond_with_json(preprints(*records))
    for spec, kept in (("biorxiv:", 3), ("biorxiv:cell_biology", 1), ("biorxiv:genomics+Cell Biology", 2)):
        page = await source(spec).read(DAY, now=NOW)
        assert (len(page.entries), page.skipped) == (kept, ())


async def test_a_preprint_without_a_doi_costs_itself(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json(preprints(preprint(1, doi=None), preprint(2)))
    page = await source("biorxiv:").read(DAY, now=NOW)
    assert len(page.entries) == 1
    assert [entry.reason for entry in page.skipped] == ["no DOI: 'Cells of Example 1'"]


async def test_a_day_without_posts_is_an_empty_page(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json(
        {"messages": [{"status": "no posts found"}], "collection": []}
    )
    assert not (await source("biorxiv:").read(DAY, now=NOW)).entries


async def test_an_answer_without_a_collection_is_an_error(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({"messages": "down"})
    with pytest.raises(SourceError, match=r"no list of collection in it \(tried 5 times\)\Z"):
        await source("biorxiv:").read(DAY, now=NOW)
