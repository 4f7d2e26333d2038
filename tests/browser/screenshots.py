"""Pictures of the sample mail and of all pages: `python -m tests.browser.screenshots` writes `docs/images`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, Route, ViewportSize, sync_playwright

from newsletter.core.choosing import Chooser
from newsletter.core.diff import select
from newsletter.core.pictures import Figure
from newsletter.core.tokens import Links
from newsletter.lists.files import ListFiles
from newsletter.pipeline.check import for_nobody
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint.mail import Mail
from newsletter.sources import registry
from newsletter.sources.parts import NO_SERVICES, NoHttp
from newsletter.web.studio import sample
from tests.browser import page_screenshots
from tests.chromium import chromium
from tests.render.conftest import TEMPLATES
from tests.render.mails import sample_mail
from tests.rosters import named_by

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
DESK, PHONE = (680, 840), (360, 760)  # the lead and the first cards
WHOLE = (630, 600)  # grows with the mail
SUMMARIES = (630, 1012)  # the lead and some cards

# Stands for the figure of the top paper, so that nothing is fetched.
_FIGURE = (
    '<rect width="1072" height="400" fill="#ffffff"/><path d="M90 40V350H1020" stroke="#8a938f" fill="none"/>'
    '<path d="M90 330C300 320 380 150 540 120S860 80 1020 74" stroke="#1a4a8a" stroke-width="6" fill="none"/>'
    '<path d="M90 338C340 334 470 260 640 230S900 206 1020 200" stroke="#d08a3e" stroke-width="6" fill="none"/>'
    '<g font-family="sans-serif" font-size="24" fill="#5c626a"><text x="960" y="60">ours</text>'
    '<text x="930" y="240">baseline</text><text x="330" y="388">'
    "a placeholder for the figure of the paper</text></g>"
)


def _mail(most: int | None = None) -> str:
    """Return the HTML of the sample issue, with a figure, as the first reader of the sample list gets it.

    `most` is how many papers the list gives a reader; None: as many as its file says.
    """
    file = ListFiles(sample.FOLDER / "subscribers", check_source=registry.check).load()[sample.LIST]
    now = datetime.combine(sample.DAY, time(8), UTC)
    templates = TemplateRenderer(None, TEMPLATES)
    source = registry.build(sample.SPEC, folder=sample.FOLDER, config=NO_SERVICES, http=NoHttp())
    page = asyncio.run(source.read(sample.DAY, now=now))
    list_ = file.list if most is None else replace(file.list, max_listings=most)
    draft = select(sample.candidates(page, listed_on=sample.DAY), list_, sample.DAY, number=0)
    figure = Figure(url="https://example.org/figure.png", width=1072, height=400)
    reader = named_by(file)[0]
    lead = Chooser(draft.listings, draft.terms).of(reader).positions[0]
    listings = tuple(
        replace(item, figure=figure) if position == lead else item for position, item in enumerate(draft.listings)
    )
    issue = replace(draft, listings=listings).closed(0, templates.subject(draft), now)
    mails = MailRenderer(templates, Links("https://papers.example.org", "of no use"))
    choice = Chooser(issue.listings, issue.terms).of(reader)
    subject = templates.subject(issue.part(choice.positions))
    delivery = for_nobody(issue, reader)._replace(choice=choice, subject=subject)
    _, raw = mails.message(issue, mails.render(issue)).for_reader(delivery)
    return Mail(raw).html


def _page(browser: Browser, size: tuple[int, int], scheme: Literal["light", "dark"], scale: float = 1.25) -> Page:
    viewport: ViewportSize = {"width": size[0], "height": size[1]}
    return browser.new_page(viewport=viewport, color_scheme=scheme, device_scale_factor=scale)


def main() -> None:
    """Write the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    html, whole = _mail(), _mail(most=8)
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium())
        painter = _page(browser, (1072, 400), "light")
        painter.set_content(f'<body style="margin:0"><svg width="1072" height="400">{_FIGURE}</svg>')
        picture = painter.screenshot()

        def paint(route: Route) -> None:
            route.fulfill(body=picture, content_type="image/png")

        for scheme in ("light", "dark"):
            for name, size in ((scheme, DESK), (f"phone-{scheme}", PHONE)):
                page = _page(browser, size, scheme)
                page.route("**/*", paint)
                page.set_content(html, wait_until="networkidle")
                path = IMAGES / f"{name}.png"
                page.screenshot(path=path)
                print(f"{path.relative_to(IMAGES.parents[1])}: {path.stat().st_size / 1000:.0f} KB")
        page = _page(browser, WHOLE, "light", scale=1)
        page.route("**/*", paint)
        page.set_content(whole, wait_until="networkidle")
        page.screenshot(path=IMAGES / "mail.png", full_page=True)
        page = _page(browser, SUMMARIES, "light", scale=1)
        page.set_content(Mail(sample_mail("summaries_german", TemplateRenderer(None, TEMPLATES))).html)
        page.screenshot(path=IMAGES / "summaries.png")
        browser.close()
    asyncio.run(page_screenshots.write(IMAGES))


if __name__ == "__main__":
    main()
