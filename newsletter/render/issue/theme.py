"""The look of a list: logo text and colours from `[theme]` of its file, adjusted until text is readable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.core.errors import RenderError
from newsletter.render.colour import BLACK, WHITE, Colour, contrast

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text, level AA
_MIDDLE = 0.18  # the luminance at which black and white text have the same contrast
_STEPS = 20

COLUMN = "#ffffff"
COLUMN_DARK = "#191b1f"
_ACCENT = "#a02c1c"
_ACCENT_DARK = "#ff9e8a"
_BACKGROUND = "#f4f2ed"
_BACKGROUND_DARK = "#0f1113"
_MUTED = "#5d626b"
_MUTED_DARK = "#a2a7af"
_KEYS = ("logo", "accent", "accent_dark", "background", "background_dark", "pictures", "thumbnails")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A list's theme for templates. Colours are `#rrggbb`; text in them has a contrast of at least 4.5.

    `quiet` is the colour of small print on the background around the column, `on_accent` that of a button's label.
    """

    logo: str
    pictures: bool
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
            `background_dark` (colours), `pictures` (`yes` or `no`); each may be missing.
        title: the list's title.

    Raises:
        RenderError: an unknown key, or a value that is no colour.
    """
    if unknown := sorted(set(values) - set(_KEYS)):
        raise RenderError(f"theme of {title!r}: {unknown[0]!r} is unknown; there are {', '.join(_KEYS)}")
    former = values.get("thumbnails", "yes")  # its name in former versions, and in the terms of their issues
    if (pictures := values.get("pictures", former)) not in {"yes", "no"}:
        raise RenderError(f"theme of {title!r}: pictures = {pictures!r} should be 'yes' or 'no'")

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
        pictures=pictures == "yes",
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
    """Return a colour, made darker or lighter in small steps until text in it is readable on the background."""
    start, ground = _rgb(colour), _rgb(background)
    target = BLACK if ground.luminance > _MIDDLE else WHITE
    for step in range(_STEPS + 1):
        mixed = start.towards(target, step / _STEPS)
        if contrast(_rgb(str(mixed)), ground) >= _READABLE:
            return str(mixed)
    return str(target)


def _rgb(colour: str) -> Colour:
    return Colour(*bytes.fromhex(colour[1:]))
