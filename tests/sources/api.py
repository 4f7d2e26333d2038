"""Invented records in the shapes of the APIs that sources read."""

from __future__ import annotations

from typing import Any


def daily_paper(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a record of Hugging Face's daily papers as they are today; `paper__x` sets a field of its paper."""
    person = {
        "_id": "1",
        "avatarUrl": "/avatars/1.svg",
        "fullname": "Sam Submitter",
        "name": "sam",
        "followerCount": 3,
    }
    paper = {
        "id": f"2603.{number:05d}",
        "authors": [{"_id": "1", "name": "Ada Example", "hidden": False}, {"_id": "2", "name": "Bo Beispiel"}],
        "publishedAt": "2026-03-10T18:00:00.000Z",
        "submittedOnDailyAt": "2026-03-12T00:00:00.000Z",
        "title": f"Paper {number}: Hard\n  Wrapped",
        "summary": "We wrap\nlines hard.",
        "upvotes": 100 - number,
        "ai_summary": "Lines are wrapped.",
        "ai_keywords": ["wrapping", "lines"],
        "githubRepo": " https://github.com/example/wrap ",
        "githubStars": 42,
        "projectPage": "https://example.org/wrap",
    }
    record = {
        "paper": paper,
        "title": f"Paper {number}: Hard Wrapped",
        "summary": "We wrap lines hard.",
        "thumbnail": f"https://cdn.example.org/papers/2603.{number:05d}.png",
        "mediaUrls": ["https://cdn.example.org/clip.mp4", "https://cdn.example.org/shot.jpeg"],
        "numComments": 3,
        "submittedBy": person,
        "organization": {
            "_id": "1",
            "name": "example",
            "fullname": "Example Lab",
            "avatar": "https://e.org/a.png",
        },
        "isAuthorParticipating": True,
        "publishedAt": "2026-03-11T20:00:00.000Z",
    }
    for name, value in fields.items():
        record_or_paper, key = (
            (paper, name.removeprefix("paper__")) if name.startswith("paper__") else (record, name)
        )
        record_or_paper[key] = value
    return record


def daily_paper_of_2024(number: int = 1) -> dict[str, Any]:
    """Return a record as it was before thumbnails, submitters, summaries and repositories came."""
    return {
        "paper": {
            "id": f"2405.{number:05d}",
            "authors": [{"_id": "1", "name": "Ada Example", "status": "admin_assigned", "user": {"user": "ada"}}],
            "publishedAt": "2024-05-24T17:34:15.000Z",
            "title": f"Old\n  Paper {number}",
            "summary": "An old\nsummary.",
            "upvotes": 5,
        },
        "publishedAt": "2024-05-27T03:50:58.348Z",
        "title": f"Old Paper {number}",
        "mediaUrl": "https://cdn.example.org/social/2405.png",
        "numComments": 0,
    }


def preprint(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a record of bioRxiv's details."""
    return {
        "title": f"Cells of <i>Example</i> {number}",
        "authors": "Example, A. B.; Beispiel, B.; Consortium",
        "author_corresponding": "Ada B. Example",
        "author_corresponding_institution": "Example Institute",
        "doi": f"10.1101/2026.03.12.{number:06d}",
        "date": "2026-3-12",
        "version": "1",
        "type": "new results",
        "license": "cc_by",
        "category": "cell biology",
        "jatsxml": "https://www.biorxiv.org/content/x.source.xml",
        "abstract": "Cells &amp; more <b>cells</b>.",
        "published": "NA",
        "server": "bioRxiv",
    } | fields


def preprints(*records: dict[str, Any], total: int | str | None = None) -> dict[str, Any]:
    """Return an answer of bioRxiv's details with these records."""
    count = len(records) if total is None else total
    return {
        "messages": [{"status": "ok", "cursor": 0, "count": len(records), "total": count}],
        "collection": records,
    }


def story(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a hit of the search for Hacker News stories."""
    return {
        "_tags": ["story", "author_ada", f"story_{number}"],
        "author": "ada",
        "created_at": "2026-03-12T08:00:00Z",
        "created_at_i": 1773302400,
        "num_comments": 12,
        "objectID": str(number),
        "points": 80,
        "title": f"A Paper on Stories {number} (2026) [pdf]",
        "url": f"https://arxiv.org/pdf/2603.{number:05d}v2",
    } | fields


def json_feed_item(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an item of a JSON Feed."""
    return {
        "id": f"https://example.org/posts/{number}",
        "url": f"https://example.org/posts/{number}",
        "title": f"Post {number}",
        "content_html": "<p>Some <em>words</em> &amp; more.</p>",
        "date_published": "2026-03-12T08:00:00Z",
        "authors": [{"name": "Ada Example", "url": "https://example.org/ada"}],
        "tags": ["words"],
        "image": "https://example.org/a.png",
    } | fields
