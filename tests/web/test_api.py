"""The API over the wire: what it answers is what its OpenAPI document says, and nothing of a reader."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from newsletter.core.identity import ListingId
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.page_names import paper_path
from tests.web.site import DAY, NOW, READER, Site

API = "/-/api/"
KNOWN = {"$ref", "type", "properties", "additionalProperties", "required", "items", "anyOf", "format", "title"}
KNOWN |= {"description", "default", "const"}
TYPES: dict[str, Any] = {"string": str, "integer": int, "array": list, "object": dict, "null": type(None)}
FORMATS = {"date": r"\d{4}-\d\d-\d\d", "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"}


def wrong(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "") -> list[str]:
    """Return where a value breaks a schema, by those words of JSON Schema that ours uses for answers."""
    assert not schema.keys() - KNOWN, "a word that this check does not know"
    if "$ref" in schema:
        return wrong(value, whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]], whole, at)
    if "anyOf" in schema:
        parts = [wrong(value, part, whole, at) for part in schema["anyOf"]]
        return [] if [] in parts else parts[0]
    if not isinstance(value, TYPES[schema["type"]]) or not re.fullmatch(
        FORMATS.get(schema.get("format", ""), "(?s:.*)"), str(value)
    ):
        return [f"{at}: {value!r} is no {schema.get('format', schema['type'])}"]
    if schema["type"] == "array":
        return [
            one
            for place, each in enumerate(value)
            for one in wrong(each, schema["items"], whole, f"{at}[{place}]")
        ]
    if schema["type"] == "object":
        properties = schema["properties"]
        found = [f"{at}.{name}: is missing" for name in schema.get("required", ()) if name not in value]
        found += [f"{at}.{name}: is not described" for name in value if name not in properties]
        return found + [
            one
            for name in value.keys() & properties.keys()
            for one in wrong(value[name], properties[name], whole, f"{at}.{name}")
        ]
    return []


async def record(site: Site, number: int, *, day: Any = DAY) -> None:
    entry = Entry(
        listing=Listing(
            title=f"Paper {number}",
            arxiv_id=f"2603.1{number:04}",
            abstract="Worlds & <models>",
            authors=("Ada Lovelace",),
            published_on=DAY,
        ),
        sighting=Sighting(source="huggingface", listed_on=day, seen_at=NOW, upvotes=number),
    )
    await site.store.library.record("huggingface", day, [entry], now=NOW + timedelta(seconds=number))


async def get(site: Site, path: str, **headers: str) -> httpx2.Response:
    return await site.client.get(API + path, headers=headers)


async def test_each_address_of_the_document_answers_as_it_says(site: Site) -> None:
    await record(site, 1)
    whole = (await get(site, "openapi.json")).json()
    assert whole["openapi"].startswith("3.1")
    asked = {
        "/lists": "lists",
        "/lists/{list}": "lists/daily",
        "/lists/{list}/issues": "lists/daily/issues?limit=1",
        "/lists/{list}/issues/{day}": f"lists/daily/issues/{DAY}",
        "/lists/{list}/papers": f"lists/daily/papers?day={DAY}",
        "/papers/{paper}": "papers/2603.00001",
        "/search": 'search?q="sparse+teachers"&list=daily',
    }
    assert asked.keys() == {path for path, methods in whole["paths"].items() if "get" in methods}
    for path, address in asked.items():
        described = whole["paths"][path]["get"]["responses"]
        answer = await get(site, address)
        assert answer.status_code == 200, address
        assert wrong(answer.json(), described["200"]["content"]["application/json"]["schema"], whole) == []
        assert READER.email not in answer.text
        assert "Sparse teachers" in answer.text or path.startswith("/lists")
        refused = await get(site, f"{address}{'&' if '?' in address else '?'}colour=red")
        assert refused.status_code == 400
        assert wrong(refused.json(), described["400"]["content"]["application/json"]["schema"], whole) == []
    operations = [one["operationId"] for methods in whole["paths"].values() for one in methods.values()]
    assert len(set(operations)) == len(operations)


async def test_a_list_whose_file_has_mistakes_is_shown_as_wrong_without_a_word_of_them(site: Site) -> None:
    file = site.lists.folder / "daily.toml"
    file.write_text(f"{file.read_text()}\nsecret = 1\n", encoding="utf-8")
    (site.lists.folder / "No list.toml").write_text("x", encoding="utf-8")
    whole = (await get(site, "openapi.json")).json()
    answer = (await get(site, "lists")).json()
    assert answer == {"lists": [], "wrong": [{"name": "daily", "url": "https://papers.example.org/daily/"}]}
    schema = whole["paths"]["/lists"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert wrong(answer, schema, whole) == []
    for path in ("lists/daily", "lists/daily/papers", "search?q=teachers&list=daily"):
        answered = await get(site, path)
        said = {"error": "the list's file has mistakes: its operator knows them"}
        assert (answered.status_code, answered.json()) == (503, said)
    assert [one["day"] for one in (await get(site, "lists/daily/issues")).json()["issues"]] == [str(DAY)]
    assert (await get(site, "lists/nowhere")).status_code == 404


async def test_the_sign_up_answers_as_the_document_says(site: Site) -> None:
    whole = (await get(site, "openapi.json")).json()
    described = whole["paths"]["/signup"]["post"]["responses"]

    for body, status in [
        ({"list": "daily", "email": "new@example.org"}, 202),
        ({"list": "no", "email": "a@b.org"}, 404),
    ]:
        answer = await site.client.post(f"{API}signup", json=body)
        assert answer.status_code == status
        assert wrong(answer.json(), described[str(status)]["content"]["application/json"]["schema"], whole) == []


async def test_an_issue_says_what_it_holds(site: Site) -> None:
    issue = (await get(site, f"lists/daily/issues/{DAY}")).json()

    assert (issue["list"], issue["number"], issue["listings"]) == ("daily", 1, 1)
    assert issue["closed_at"] == "2026-03-12T08:00:00+00:00"
    assert issue["url"] == "https://papers.example.org/daily/2026-03-12/"
    [paper] = issue["papers"]
    assert (paper["id"], paper["rank"]) == ("arxiv:2603.00001", 1)
    assert paper["page"] == "https://papers.example.org/p/2603.00001/"


async def walk(site: Site, path: str, field: str) -> list[list[str]]:
    """Return what the pages of an answer hold, by following `next`."""
    pages, address = [], path
    while True:
        answer = (await get(site, address)).json()
        pages.append([one.get("title") or one["day"] for one in answer[field]])
        if answer["next"] is None:
            return pages
        address = answer["next"].removeprefix(f"https://papers.example.org{API}")


async def test_papers_and_what_a_search_finds_come_in_pages(site: Site) -> None:
    for number in range(1, 5):
        await record(site, number)

    newest = await walk(site, "lists/daily/papers?limit=2", "papers")
    found = await walk(site, "search?q=worlds&limit=3", "papers")

    assert newest == [["Paper 4", "Paper 3"], ["Paper 2", "Paper 1"], ["Sparse teachers"]]
    assert [len(page) for page in found] == [3, 1]
    assert sorted(title for page in found for title in page) == ["Paper 1", "Paper 2", "Paper 3", "Paper 4"]


async def test_a_paper_is_found_by_any_of_its_names(site: Site) -> None:
    listing = Listing(title="Deep seas", doi="10.1000/sea(5)<1>", url="https://example.org/sea?a=1")
    entry = Entry(listing=listing, sighting=Sighting(source="huggingface", listed_on=DAY, seen_at=NOW))
    await site.store.library.record("huggingface", DAY, [entry], now=NOW)

    for name in [paper_path(listing).removeprefix("p/"), "doi:10.1000%2Fsea(5)%3C1%3E"]:
        answer = await get(site, f"papers/{name}")
        assert ListingId.parse(answer.json()["id"]) == listing.id, name


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("nothing", 404, "there is nothing at this address"),
        ("lists/none", 404, "there is no list of this name"),
        ("lists/none/issues", 404, "there is no list of this name"),
        ("lists/daily/issues/2020-01-01", 404, "there is no issue of this list and day"),
        ("lists/daily/issues/yesterday", 404, "yesterday"),
        ("lists/..%2f..%2fetc/papers", 404, "nothing"),
        ("papers/doi:10.1000%00", 404, "holds a character that cannot be printed"),
        ("lists/daily%00/issues", 404, "holds a character that cannot be printed"),
        ("search?q=a%00", 400, "q: holds a character that cannot be printed"),
        ("papers/2603.99999", 404, "no paper is known by this"),
        ("lists/daily/papers?limit=0", 400, "limit: write a whole number from 1 to 100"),
        ("lists/daily/papers?limit=101", 400, "limit: write a whole number from 1 to 100"),
        ("lists/daily/papers?limit=1&limit=2", 400, "limit: is said twice"),
        ("lists/daily/papers?before=x", 400, "before: write a whole number"),
        ("lists/daily/papers?day=2026-13-01", 400, "day: "),
        ("search", 400, "q: is missing"),
        (f"search?q={'a' * 201}", 400, "q: write 200 characters at most"),
        ("search?q=a&offset=10001", 400, "offset: write a whole number from 0 to 10000"),
        ("search?q=a&list=none", 404, "there is no list of this name"),
    ],
)
async def test_what_is_wrong_is_said_in_one_line_of_json(site: Site, path: str, status: int, said: str) -> None:
    answer = await get(site, path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert said in answer.json()["error"]
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_any_site_may_read_and_a_copy_that_is_right_is_not_sent_again(site: Site) -> None:
    first = await get(site, "lists")
    tag = first.headers["etag"]

    again = await get(site, "lists", **{"If-None-Match": f'"other", W/{tag}'})
    other = await get(site, "lists", **{"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    for one in (first, again):
        assert (one.headers["access-control-allow-origin"], one.headers["etag"]) == ("*", tag)
    asked = await site.client.options(f"{API}lists", headers={"Origin": "https://elsewhere.example"})
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD")
    refused = await site.client.post(f"{API}lists", json={})
    assert refused.status_code == 405


async def test_the_page_documents_every_address_and_object(site: Site) -> None:
    whole, page = (await get(site, "openapi.json")).json(), await get(site, "")

    assert page.headers["content-type"].startswith("text/html")
    for path in whole["paths"]:
        assert f" {path[1:]}</code>" in page.text
    for name in whole["components"]["schemas"]:
        assert f'id="{name}"' in page.text
        assert page.text.count(f'href="#{name}"') > 0
