"""Colours as mails write them, and how well one can be read on another (WCAG 2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEX = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})(?![0-9a-z])")
_NUMBER = r"(\d*\.?\d+)"
_RGB = re.compile(rf"rgba?\(\s*{_NUMBER}[\s,]+{_NUMBER}[\s,]+{_NUMBER}\s*(?:[,/]\s*{_NUMBER}(%?)\s*)?\)")
_IMAGE = re.compile(r"url\(|gradient\(")
_LINEAR_UP_TO = 0.04045  # sRGB (IEC 61966-2-1)
_NAMED = {
    "aqua": "00ffff",
    "black": "000000",
    "blue": "0000ff",
    "fuchsia": "ff00ff",
    "gray": "808080",
    "green": "008000",
    "grey": "808080",
    "lime": "00ff00",
    "maroon": "800000",
    "navy": "000080",
    "olive": "808000",
    "orange": "ffa500",
    "purple": "800080",
    "red": "ff0000",
    "silver": "c0c0c0",
    "teal": "008080",
    "white": "ffffff",
    "yellow": "ffff00",
}


@dataclass(frozen=True, slots=True)
class Colour:
    """Red, green and blue from 0 to 255, opacity from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def __str__(self) -> str:
        """Return `#rrggbb`."""
        return "#" + "".join(f"{round(channel):02x}" for channel in (self.red, self.green, self.blue))

    def over(self, ground: Colour) -> Colour:
        """Return the colour that is seen where this one lies on an opaque ground."""
        mixed = (
            own * self.alpha + below * (1 - self.alpha)
            for own, below in (
                (self.red, ground.red),
                (self.green, ground.green),
                (self.blue, ground.blue),
            )
        )
        return Colour(*mixed)

    @property
    def luminance(self) -> float:
        """Return the relative luminance, 0 for black to 1 for white."""
        return 0.2126 * _linear(self.red) + 0.7152 * _linear(self.green) + 0.0722 * _linear(self.blue)


TRANSPARENT = Colour(0, 0, 0, 0)


def _linear(channel: float) -> float:
    share = channel / 255
    return share / 12.92 if share <= _LINEAR_UP_TO else ((share + 0.055) / 1.055) ** 2.4


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two opaque colours, from 1 to 21."""
    dark, light = sorted((one.luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)


def parse(value: str) -> Colour | None:
    """Return the colour in a lower-case CSS value or attribute; None where it names none that is known.

    An image may have any colour, and so may a name that mails don't use.
    """
    if _IMAGE.search(value):
        return None
    if match := _HEX.search(value):
        return _hex(match[1])
    if match := _RGB.search(value):
        red, green, blue, alpha, percent = match.groups()
        return Colour(float(red), float(green), float(blue), float(alpha or 1) / (100 if percent else 1))
    for word in value.split():
        if word in _NAMED:
            return _hex(_NAMED[word])
        if word in {"transparent", "none"}:
            return TRANSPARENT
    return None


def _hex(digits: str) -> Colour:
    if len(digits) < len("rrggbb"):
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue, alpha = bytes.fromhex(f"{digits}ff"[:8])
    return Colour(red, green, blue, alpha / 255)
