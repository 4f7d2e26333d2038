"""Draws the site's icon and the picture of its pages where they are shared, and writes them beside the templates.

    python .ci/artwork.py

Chromium draws; run it when the drawings below change. An operator's own files of these names come first.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent.parent / "templates" / "web"
SIZES = (16, 32, 48)
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="6" fill="#a33b1d"/>
<rect x="7" y="6" width="18" height="20" rx="2" fill="#fff"/>
<path d="M16 9.5l4.5 5.5h-9z" fill="#a33b1d"/>
<path d="M11 18.5h10M11 22h7" stroke="#1b1d21" stroke-width="2" fill="none"/>
</svg>
"""
LINES = ((560, 54), (640, 54), (420, 54)), ((690, 20), (720, 20), (660, 20), (704, 20), (380, 20))


def card() -> str:
    """Return the picture for sharing, 1200 by 630: a sheet with a title, a text and upvotes, in no language."""
    y, shapes = 150, []
    for width, height in LINES[0]:
        shapes.append(f'<rect x="240" y="{y}" width="{width}" height="{height - 14}" rx="6" fill="#1b1d21"/>')
        y += height
    y += 34
    for width, height in LINES[1]:
        shapes.append(f'<rect x="240" y="{y}" width="{width}" height="{height - 6}" rx="5" fill="#d5d0c5"/>')
        y += height + 14
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 630" width="1200" height="630">
<rect width="1200" height="630" fill="#f4f2ed"/><rect width="1200" height="18" fill="#a33b1d"/>
<rect x="160" y="84" width="880" height="560" rx="16" fill="#fff" stroke="#e4e0d8" stroke-width="3"/>
{"".join(shapes)}
<rect x="240" y="540" width="150" height="54" rx="10" fill="#e9e5db"/>
<path d="M266 578l16-22 16 22z" fill="#a33b1d"/>
<rect x="312" y="560" width="54" height="14" rx="5" fill="#33373d"/>
</svg>"""


def drawn(browser: Browser, svg: str, width: int, height: int) -> bytes:
    """Return an SVG as a PNG of a size."""
    page = browser.new_page(viewport={"width": width, "height": height})
    sized = svg.replace("<svg ", f'<svg style="display:block;width:{width}px;height:{height}px" ', 1)
    page.set_content(f'<body style="margin:0;background:transparent">{sized}')
    content = page.screenshot(omit_background=True)
    page.close()
    return content


def icon(pictures: dict[int, bytes]) -> bytes:
    """Return pictures by their size as an ICO, whose entries are PNG files."""
    head, offset = struct.pack("<HHH", 0, 1, len(pictures)), 6 + 16 * len(pictures)
    for size, content in pictures.items():
        head += struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(content), offset)
        offset += len(content)
    return head + b"".join(pictures.values())


def main() -> None:
    """Write all files."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        (FOLDER / "favicon.ico").write_bytes(icon({size: drawn(browser, ICON, size, size) for size in SIZES}))
        (FOLDER / "card.png").write_bytes(drawn(browser, card(), 1200, 630))
        browser.close()
    (FOLDER / "favicon.svg").write_text(ICON, encoding="utf-8")


if __name__ == "__main__":
    main()
