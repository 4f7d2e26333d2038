"""Pictures are looked at by the commands, as far as the settings let them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from newsletter.store import open_store
from tests.core.picture_files import png
from tests.e2e.workplace import Workplace
from tests.picture_server import picture_server, served

pytestmark = pytest.mark.without_workers


@pytest.mark.parametrize(
    ("settings", "has_figure"),
    [
        ({"PICTURES": "true", "ALLOW_PRIVATE": "true"}, True),
        ({"PICTURES": "true"}, False),  # the server is at no public address
        ({"PICTURES": "false", "ALLOW_PRIVATE": "true"}, False),
    ],
)
async def test_an_issue_has_the_figures_that_the_settings_let_it_have(
    settings: dict[str, str], has_figure: bool, workplace: Workplace, tmp_path: Path
) -> None:
    with picture_server(tmp_path) as server:
        server.answers = {"/shot": served(png(1200, 600))}
        paper = {"title": "A Paper", "url": "https://example.org/paper", "media_urls": [server.at("/shot")]}
        (workplace.folder / "papers-2026-03-12.jsonl").write_text(json.dumps(paper))
        workplace.list_file(["jsonl:../papers-*.jsonl"])
        workplace.environment |= {f"NEWSLETTER_HTTP__{name}": value for name, value in settings.items()}
        workplace.environment["SSL_CERT_FILE"] = str(server.trusted)
        done = await workplace.run("run", "--date", "2026-03-12")
    assert (done.code, len(workplace.mails())) == (0, 1), done.err
    assert server.asked == ["/shot"] * has_figure
    store = await open_store(f"sqlite:///{workplace.folder}/var/newsletter.db")
    try:
        issue = await store.issues.find("daily", date(2026, 3, 12))
    finally:
        await store.close()
    assert issue is not None
    [listing] = issue.listings
    assert (listing.figure is not None) == has_figure
    assert not has_figure or (listing.figure and listing.figure.url) == server.at("/shot")
