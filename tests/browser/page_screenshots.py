"""Pictures of all pages of a site, of the operator's and of the studio, for `docs/images`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.async_api import Page

from tests.browser.palette import reduced
from tests.browser.reading import Reading, reading
from tests.browser.sample_site import LINKS, LIST_FILE, TOKEN, sample_site
from tests.e2e.workplace import NEWSLETTER

DESK, PHONE = (1280, 800), (360, 720)  # what is seen first
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PAGES = {
    "day": "daily/2026-08-21/",
    "paper": "p/2608.19880/",
    "week": "daily/week/2026-W34/",
    "archive": "daily/archive/",
    "topic": "daily/topics/agents/",
    "search": "-/search/?q=agent",
    "signup": "-/signup/daily",
}
ADMIN = {"admin": "-/admin/", "admin-issue": "-/admin/issues/daily/2026-08-21/"}
READER = 7  # of the site, whose preferences are shown


async def write(folder: Path) -> None:
    """Write the pictures."""
    with TemporaryDirectory() as name:
        async with sample_site(Path(name)) as site, reading(site.url) as reader:
            preferences = LINKS.preferences(READER).removeprefix(f"{LINKS.public_url}/")
            await _write_each(reader, folder, {**PAGES, "preferences": preferences})
            await reader.page.goto("/-/admin/")
            await reader.page.locator("input[name=token]").fill(TOKEN)
            async with reader.page.expect_navigation():
                await reader.page.keyboard.press("Enter")
            await _write_each(reader, folder, ADMIN)
    async with _studio() as url, reading(url) as reader:
        await _write_each(reader, folder, {"studio": "?subscriber=ada@example.org"})


async def _write_each(reader: Reading, folder: Path, pages: dict[str, str]) -> None:
    empty = await reader.context.new_page()
    for name, address in pages.items():
        for scheme in SCHEMES:
            for size, device in ((DESK, ""), (PHONE, "phone-")):
                picture = await _picture(reader.page, f"/{address}", size, scheme)
                path = folder / f"{name}-{device}{scheme}.png"
                path.write_bytes(await reduced(empty, picture))
                print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")
    await empty.close()


async def _picture(page: Page, address: str, size: tuple[int, int], scheme: Literal["light", "dark"]) -> bytes:
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.emulate_media(color_scheme=scheme)
    await page.goto(address, wait_until="load")
    return await page.screenshot()


@asynccontextmanager
async def _studio() -> AsyncIterator[str]:
    """Run `newsletter preview` in a folder with a list of which nothing is known; gives its URL."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "subscribers").mkdir()
        reader = '\n[[subscribers]]\nemail = "ada@example.org"\nname = "Ada"\ntopics = ["agents"]\n'
        (folder / "subscribers" / "daily.toml").write_text(LIST_FILE + reader, encoding="utf-8")
        environment = {one: value for one, value in os.environ.items() if not one.startswith("NEWSLETTER_")}
        process = await asyncio.create_subprocess_exec(
            *(NEWSLETTER, "preview", "--port", "0"), cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        try:
            yield (await process.stdout.readline()).decode().strip().rstrip("/")
        finally:
            process.terminate()
            await process.wait()
