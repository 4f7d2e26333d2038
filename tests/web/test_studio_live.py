"""`newsletter preview` as it is put together, in Chromium: what is edited shows, whatever was wrong before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from newsletter import bootstrap
from newsletter.composition.previewing import CurrentDesk
from newsletter.settings import load
from newsletter.web.studio.preview import previewing
from newsletter.web.studio.watching import Changes, watching
from tests.browser.node import NODE_MODULES
from tests.browser.test_accessibility import RUN
from tests.services import missing
from tests.web.browser import browser_page

LIST = """
title = "Daily Papers"
sender = "Daily Papers <papers@lab.test>"
postal_address = "Station Road 5, Cambridge"
sources = ["huggingface"]

[topics.agents]
keywords = ["agent"]

[[subscribers]]
email = "ann@lab.test"
name = "Ann"
topics = ["agents"]
"""
ENV = "NEWSLETTER_SMTP__HOST=localhost\nNEWSLETTER_WEB__PUBLIC_URL=https://papers.lab.test\n"
BODY = (bootstrap.packaged_templates() / "daily" / "body.html").read_text(encoding="utf-8")
ANN = "/?subscriber=ann%40lab.test"


@asynccontextmanager
async def studio() -> AsyncIterator[Page]:
    """Open the studio of the working folder, for Ann."""
    env_file = Path(".env")
    async with bootstrap.build(load(env_file)) as program:
        desk, changes = CurrentDesk(program, lambda: load(env_file), env_file), Changes()
        async with (
            aclosing(desk),
            watching(lambda: desk.watched, changes, desk.renew),
            previewing(desk.open, port=0, changes=changes) as url,
            browser_page(url) as page,
        ):
            await page.goto(ANN)
            await expect(page.locator("#heights")).to_contain_text("px")
            yield page


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Give the studio time on a busy machine: it renders a mail anew for each change."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a working folder, and work in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST, encoding="utf-8")
    (tmp_path / ".env").write_text(ENV, encoding="utf-8")
    (tmp_path / "var").mkdir()
    return tmp_path


async def test_templates_lists_and_settings_show_as_soon_as_they_change_and_mistakes_until_they_are_mended(
    folder: Path,
) -> None:
    await asyncio.to_thread(_upgrade)
    async with studio() as page:
        mail, trouble = page.frame_locator("[data-theme=light] iframe").locator("body"), page.get_by_role("alert")
        own = folder / "templates" / "daily" / "body.html"
        own.parent.mkdir(parents=True)
        own.write_text(BODY.replace("{% block head %}", "{% block head %}<p>First words</p>"), encoding="utf-8")
        await expect(mail).to_contain_text("First words")
        own.write_text(BODY.replace("{% block head %}", "{% block head %}<p>Other words</p>"), encoding="utf-8")
        await expect(mail).to_contain_text("Other words")

        own.write_text(BODY.replace("{% block head %}", "{% block head %}{{ nothing.there }}"), encoding="utf-8")
        await expect(trouble).to_contain_text("'nothing' is undefined")
        await expect(trouble.locator("tr.wrong")).to_contain_text("{% block head %}{{ nothing.there }}")
        own.write_text(BODY, encoding="utf-8")
        await expect(mail).to_contain_text("Daily Papers")

        file = folder / "subscribers" / "daily.toml"
        file.write_text(LIST.replace("Daily Papers", "Nightly Papers"), encoding="utf-8")
        await expect(mail).to_contain_text("Nightly Papers")
        file.write_text(f"{LIST}colour = 1\n", encoding="utf-8")
        await expect(trouble).to_contain_text("daily.toml")
        file.write_text(LIST, encoding="utf-8")
        await expect(mail).to_contain_text("Daily Papers")

        env = folder / ".env"
        env.write_text(f"{ENV}NEWSLETTER_WEB__PORTS=1\nSECRET=swordfish\n", encoding="utf-8")
        await expect(trouble).to_contain_text("NEWSLETTER_WEB__PORTS: unknown setting")
        assert "swordfish" not in await page.content()
        env.write_text(ENV.replace("papers.lab.test", "other.lab.test"), encoding="utf-8")
        await expect(page.locator(".of-source")).to_contain_text("https://other.lab.test/")


async def test_a_weight_that_is_moved_orders_the_papers_at_once_and_then_the_mail(folder: Path) -> None:
    await asyncio.to_thread(_upgrade)
    async with studio() as page:
        rows = page.locator("#considered tbody tr:not(.line)")
        first = await rows.all_inner_texts()
        await page.get_by_text("Weights", exact=True).click()
        votes = page.locator('[name="ranking.votes"]')
        await votes.focus()
        for _ in range(3):
            await votes.press("ArrowLeft")
        await expect(page.locator(".keep pre")).to_have_text("[ranking]\nvotes = 0.85")
        await page.wait_for_url("**ranking.votes=0.85**")
        await expect(rows.first).not_to_have_text(first[0])
        await expect(votes).to_be_focused()
        assert page.url.count("=") == 3  # list, reader and the weight: what is usual is left out
        await page.reload()
        assert await page.locator('[name="ranking.votes"]').input_value() == "0.85"


async def test_findings_are_pinned_at_their_spot_and_lead_there_by_keyboard_too(folder: Path) -> None:
    await asyncio.to_thread(_upgrade)
    own = folder / "templates" / "daily" / "body.html"
    own.parent.mkdir(parents=True)
    foot = '{% block foot %}<img id="pale" src="https://example.org/x.png" width="9">'
    own.write_text(BODY.replace("{% block foot %}", foot), encoding="utf-8")
    async with studio() as page:
        finding = page.locator(".findings li").filter(has_text="has no alt")
        line = BODY[: BODY.index("{% block foot %}")].count("\n") + 1
        await expect(finding).to_contain_text(f"Written by templates/daily/body.html:{line}")
        pin, picture = page.locator("a.pin"), page.frame_locator("[data-theme=light] iframe").locator("#pale")
        await expect(pin).to_have_text("1")
        await finding.focus()
        await page.keyboard.press("Enter")
        await expect(picture).to_have_css("outline-style", "solid")
        await expect(pin).to_be_in_viewport()
        at, spot = await pin.bounding_box(), await picture.bounding_box()
        assert at is not None
        assert spot is not None
        assert abs(at["y"] - spot["y"]) < 3


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
async def test_the_studio_is_accessible_and_needs_no_sideways_scroll(width: int, scheme: str) -> None:
    path = NODE_MODULES / "axe-core" / "axe.min.js"
    if not path.exists():
        missing("axe-core (npm ci in tests/node)")
    await asyncio.to_thread(_upgrade)
    async with studio() as page:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 900})
        await page.get_by_text("Weights", exact=True).click()
        await page.get_by_text("Send a test").click()
        for query in (ANN, f"{ANN}&view=source", "/?list=none"):
            if query != ANN:
                await page.goto(query)
            # The page's policy lets no script in but its own; axe is none of them.
            session = await page.context.new_cdp_session(page)
            await session.send("Page.setBypassCSP", {"enabled": True})
            await page.evaluate(path.read_text(encoding="utf-8"))
            found = await page.evaluate(RUN, {"frame-tested": {"enabled": False}})
            violations = [
                f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
                for one in found["violations"]
                for node in one["nodes"]
            ]
            assert not violations, "\n".join(violations)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


def _upgrade() -> None:
    """Make the ledger's tables."""
    asyncio.run(bootstrap.upgrade_database(load(Path(".env"))))
