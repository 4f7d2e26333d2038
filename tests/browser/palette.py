"""PNG with a palette: pictures of pages have few colours, and take a third of the space then."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable

from playwright.async_api import Page

# Finds the 256 colours that a picture has most of, and for each of its pixels the number of the nearest one.
_REDUCE = """async png => {
    const picture = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const counts = new Map();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
    const colours = [...counts.entries()].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => colour);
    const parts = colour => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
    const palette = colours.map(parts), numbers = new Map(colours.map((colour, number) => [colour, number]));
    const nearest = colour => {
        const [red, green, blue] = parts(colour);
        let best = 0, least = Infinity;
        palette.forEach(([r, g, b], number) => {
            const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
            if (distance < least) { least = distance; best = number; }
        });
        return best;
    };
    let text = "";
    for (const pixel of pixels) {
        if (!numbers.has(pixel)) numbers.set(pixel, nearest(pixel));
        text += String.fromCharCode(numbers.get(pixel));
    }
    return {width: canvas.width, height: canvas.height, palette: palette.flat(), numbers: btoa(text)};
}"""


async def reduced(page: Page, png: bytes) -> bytes:
    """Return a picture as a PNG of 256 colours (PNG specification, 11.2.2: colour type 3).

    Args:
        page: an empty page of a browser, which counts the colours.
        png: the picture.
    """
    found = await page.evaluate(_REDUCE, b64encode(png).decode())
    width, height, numbers = found["width"], found["height"], b64decode(found["numbers"])
    lines = b"".join(b"\0" + numbers[start : start + width] for start in range(0, len(numbers), width))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunks(
            (
                (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
                (b"PLTE", bytes(found["palette"])),
                (b"IDAT", zlib.compress(lines, 9)),
                (b"IEND", b""),
            )
        )
    )


def _chunks(parts: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for kind, content in parts:
        checked = kind + content
        yield struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
