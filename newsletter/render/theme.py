"""The look of a list: logo text and colours from `[theme]` of its file, made readable whatever was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.core.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text, level AA

COLUMN = "#ffffff"
COLUMN_DARK = "#191b1f"
_ACCENT = "#a02c1c"
_ACCENT_DARK = "#ff9e8a"
_BACKGROUND = "#f4f2ed"
_BACKGROUND_DARK = "#0f1113"
_MUTED = "#5d626b"
_MUTED_DARK = "#a2a7af"
_KEYS = ("logo", "accent", "accent_dark", "background", "background_dark", "thumbnails")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What templates take from a list's theme. Colours are `#rrggbb`; text in them has a contrast of at least 4.5.

    `quiet` is the colour of small print on the background around the column, `on_accent` that of a button's label.
    """

    logo: str
    thumbnails: bool
    accent: str
    accent_dark: str
    on_accent: str
    on_accent_dark: str
    background: str
    background_dark: str
    quiet: str
    quiet_dark: str


def theme(values: Mapping[str, str], *, title: str) -> Theme:
    """Return the theme of a list.

    Args:
        values: `[theme]` of the list file: `logo` (text, else the title), `accent`, `accent_dark`, `background`,
            `background_dark` (colours), `thumbnails` (`yes` or `no`); each may be missing.
        title: the list's title.

    Raises:
        RenderError: an unknown key, or a value that is no colour.
    """
    if unknown := sorted(set(values) - set(_KEYS)):
        raise RenderError(f"theme of {title!r}: {unknown[0]!r} is unknown; there are {', '.join(_KEYS)}")
    if (thumbnails := values.get("thumbnails", "yes")) not in {"yes", "no"}:
        raise RenderError(f"theme of {title!r}: thumbnails = {thumbnails!r} should be 'yes' or 'no'")

    def colour(key: str, default: str) -> str:
        value = values.get(key) or default
        if not _COLOUR.fullmatch(value):
            raise RenderError(f"theme of {title!r}: {key} = {value!r} is no colour such as '#1a5f7a'")
        return value.lower()

    accent = legible(colour("accent", _ACCENT), COLUMN)
    own_accent = values.get("accent_dark") or values.get("accent") or ""
    accent_dark = legible(colour("accent_dark", own_accent or _ACCENT_DARK), COLUMN_DARK)
    background = colour("background", _BACKGROUND)
    background_dark = colour("background_dark", _BACKGROUND_DARK)
    return Theme(
        logo=values.get("logo") or title,
        thumbnails=thumbnails == "yes",
        accent=accent,
        accent_dark=accent_dark,
        on_accent=legible(COLUMN, accent),
        on_accent_dark=legible(COLUMN_DARK, accent_dark),
        background=background,
        background_dark=background_dark,
        quiet=legible(_MUTED, background),
        quiet_dark=legible(_MUTED_DARK, background_dark),
    )


def legible(colour: str, background: str) -> str:
    """Return a colour, made darker or lighter in small steps until text in it can be read on the background."""
    target = (0, 0, 0) if _luminance(background) > 0.18 else (255, 255, 255)  # noqa: PLR2004 -- where both contrasts are equal
    start = _channels(colour)
    for step in range(21):
        mixed = "#" + "".join(
            f"{round(own + (goal - own) * step / 20):02x}" for own, goal in zip(start, target, strict=True)
        )
        if contrast(mixed, background) >= _READABLE:
            return mixed
    return "#000000" if target == (0, 0, 0) else "#ffffff"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, `contrast ratio`)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    """Return relative luminance (WCAG 2.2)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 -- sRGB's own numbers
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
