"""Pictures of the sample mail for README and docs: `python -m tests.browser.screenshots` writes `docs/images`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import cycle
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, sync_playwright

from newsletter.core.tokens import Links
from newsletter.lists.files import ListFiles
from newsletter.pipeline.check import for_nobody
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint.mail import Mail
from newsletter.sources import registry
from newsletter.sources.parts import NO_SERVICES, NoHttp
from newsletter.web.studio import sample
from tests.render.conftest import TEMPLATES
from tests.rosters import named_by
from tests.services import need

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
DESK, PHONE = (680, 824), (320, 728)  # up to the end of a listing

# Stand for the pictures of papers, so that nothing is fetched.
_FIGURES = (
    (
        '<rect width="320" height="168" fill="#eef1ee"/><path d="M36 18V140H296" stroke="#8a938f" fill="none"/>'
        '<path d="M36 132C90 128 110 60 160 48S250 34 296 30" stroke="#2f6f66" stroke-width="5" fill="none"/>'
        '<path d="M36 136C100 134 140 104 190 92S260 80 296 78" stroke="#d08a3e" stroke-width="5" fill="none"/>'
    ),
    (
        '<rect width="320" height="168" fill="#f3efe6"/><g fill="#c9d6df" stroke="#54728a" stroke-width="2">'
        '<rect x="24" y="56" width="72" height="56" rx="6"/><rect x="224" y="24" width="72" height="48" rx="6"/>'
        '<rect x="224" y="96" width="72" height="48" rx="6"/></g><circle cx="160" cy="84" r="30" fill="#e0a458"/>'
        '<path d="M96 84H130M190 76 224 52M190 92 224 116" stroke="#54728a" stroke-width="3"/>'
    ),
    (
        '<rect width="320" height="168" fill="#22303a"/><circle cx="236" cy="52" r="24" fill="#f2c879"/>'
        '<path d="M0 140 84 62 150 124 206 84 320 150V168H0Z" fill="#4f7f86"/>'
        '<path d="M0 156 96 104 190 150 320 132V168H0Z" fill="#2f5a5f"/>'
    ),
)


def _mail() -> str:
    """Return the HTML of a short sample issue, with pictures, as the first reader of the sample list gets it."""
    file = ListFiles(sample.FOLDER / "subscribers", check_source=registry.check).load()[sample.LIST]
    now = datetime.combine(sample.DAY, time(8), UTC)
    templates = TemplateRenderer(None, TEMPLATES)
    source = registry.build(sample.SPEC, folder=sample.FOLDER, config=NO_SERVICES, http=NoHttp())
    page = asyncio.run(source.read(sample.DAY, now=now))
    draft = sample.sample_draft(page, file.list.masthead, sample.DAY)
    listings = tuple(
        replace(item, listing=replace(item.listing, thumbnail_url=f"https://example.org/{number}.png"))
        for number, item in zip(cycle(range(len(_FIGURES))), draft.listings[:10], strict=False)
    )
    issue = replace(draft, listings=listings).closed(0, templates.subject(draft), now)
    mails = MailRenderer(templates, Links("https://papers.example.org", "of no use"))
    _, raw = mails.message(issue, mails.render(issue)).for_reader(for_nobody(issue, named_by(file)[0]))
    return Mail(raw).html


def _page(browser: Browser, size: tuple[int, int], scheme: Literal["light", "dark"]) -> Page:
    return browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, device_scale_factor=1.25
    )


def main() -> None:
    """Write the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    html = _mail()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=need("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        painter = _page(browser, (320, 168), "light")
        pictures = []
        for figure in _FIGURES:
            painter.set_content(f'<body style="margin:0"><svg width="320" height="168">{figure}</svg>')
            pictures.append(painter.screenshot())

        def paint(route: Route) -> None:
            number = int(Path(urlsplit(route.request.url).path).stem)
            route.fulfill(body=pictures[number], content_type="image/png")

        for scheme in ("light", "dark"):
            for name, size in ((scheme, DESK), (f"phone-{scheme}", PHONE)):
                page = _page(browser, size, scheme)
                page.route("**/*", paint)
                page.set_content(html, wait_until="networkidle")
                path = IMAGES / f"{name}.png"
                page.screenshot(path=path)
                print(f"{path.relative_to(IMAGES.parents[1])}: {path.stat().st_size / 1000:.0f} KB")
        browser.close()


if __name__ == "__main__":
    main()
