"""Pictures of the studio, on the sample list: `tests.browser.screenshots` takes them."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import async_playwright

from newsletter import bootstrap
from newsletter.previewing import CurrentDesk
from newsletter.settings import load
from newsletter.web.studio import sample
from newsletter.web.studio.preview import previewing
from tests.services import need

_READER = "ada@example.org"
_LOOKS = (("studio-light", 1280, "light"), ("studio-dark", 1280, "dark"), ("studio-phone", 360, "light"))


async def studio_pictures(folder: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(sample.FOLDER, Path(work), dirs_exist_ok=True)
        (Path(work) / ".env").write_text("NEWSLETTER_HTTP__PICTURES=false\n", encoding="utf-8")
        here = Path.cwd()
        os.chdir(work)
        try:
            await _take(folder)
        finally:
            os.chdir(here)


async def _take(folder: Path) -> None:
    env_file = Path(".env")
    settings = load(env_file)
    await bootstrap.upgrade_database(settings)
    async with bootstrap.build(settings) as program:
        list_ = program.lists.load()[sample.LIST].list
        morning = datetime.combine(sample.DAY, time(8), ZoneInfo(list_.timezone))
        await program.pipeline.collect(list_, sample.DAY, now=morning)
        desk = CurrentDesk(program, lambda: settings, env_file)
        async with previewing(desk.open, port=0) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=need("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            for name, width, scheme in _LOOKS:
                page = await browser.new_page(
                    viewport={"width": width, "height": 1000},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                await page.goto(f"{url}/?day={sample.DAY}&subscriber={_READER}", wait_until="load")
                await page.locator("#heights").get_by_text("px").wait_for()
                path = folder / f"{name}.png"
                await page.screenshot(path=path)
                print(f"{name}.png: {path.stat().st_size / 1000:.0f} KB")
            await browser.close()
