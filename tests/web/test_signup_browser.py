"""The form in a browser, under our own content policy: with a puzzle that its script solves, and without."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from newsletter.web.server import serving
from tests.web.browser import browser_page
from tests.web.signup_desk import API, SIGN_UP, link, open_desk
from tests.web.site import DAY


async def test_a_reader_signs_up_by_the_form_of_an_issue_and_the_browser_solves_the_puzzle(tmp_path: Path) -> None:
    complaints: list[str] = []
    async with (
        open_desk(tmp_path, altcha=True) as desk,
        serving(desk.app, "127.0.0.1", 0) as url,
        browser_page(url) as page,
    ):
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"/daily/{DAY}")
        await page.get_by_role("textbox").fill("ada@gmail.com")
        await page.get_by_role("button", name="Sign up").click()
        await expect(page.get_by_text("Please press the button once more.")).to_be_visible()
        await page.get_by_role("button", name="Sign up").click()
        await expect(page.get_by_role("heading")).to_have_text("Check your inbox")
        await expect(page.get_by_role("link", name="Open Gmail")).to_be_visible()
        [mail] = await desk.sent()
        await page.goto(link(mail))
        await page.get_by_role("checkbox").check()
        await page.get_by_role("button", name="Yes, send me Daily Papers").click()
        await expect(page.get_by_role("heading")).to_have_text("You are in")
        assert not [text for text in complaints if "Content Security Policy" in text]


def solve(puzzle: dict[str, Any]) -> str:
    """Return the proof that a client sends."""
    tries = range(puzzle["maxnumber"] + 1)
    hashes = (sha256(f"{puzzle['salt']}{number}".encode()).hexdigest() for number in tries)
    number = next(at for at, hashed in enumerate(hashes) if hashed == puzzle["challenge"])
    return b64encode(json.dumps({**puzzle, "number": number}).encode()).decode()


async def test_without_a_solution_or_with_a_used_one_nobody_is_mailed(tmp_path: Path) -> None:
    async with open_desk(tmp_path, altcha=True) as desk:
        answer = await desk.ask()
        assert answer.status_code == 422
        puzzle = (await desk.client.get(f"{API.removesuffix('signup')}puzzle")).json()
        wanted = {"list": "daily", "email": "ada@example.org"}
        assert (await desk.client.post(API, json={**wanted, "altcha": "e30="})).status_code == 422
        solution = solve(puzzle)
        assert (await desk.ask(altcha=solution)).status_code == 200
        assert (await desk.ask("eve@example.org", altcha=solution)).status_code == 422
        assert [mail["To"] for mail in await desk.sent()] == ["ada@example.org"]


async def test_where_no_puzzle_is_asked_for_the_page_runs_no_script(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.client.get(SIGN_UP)
        assert "<script" not in answer.text
        assert (await desk.client.get(f"{API.removesuffix('signup')}puzzle")).status_code == 404
