"""Colours of CSS, and the contrast between two of them (WCAG 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2
from tinycss2.color4 import parse_color

_LINEAR_UP_TO = 0.04045  # sRGB (IEC 61966-2-1)


@dataclass(frozen=True, slots=True)
class Colour:
    """Red, green and blue of sRGB from 0 to 255, opacity from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def __str__(self) -> str:
        """Return `#rrggbb`."""
        return "#" + "".join(f"{round(channel):02x}" for channel in (self.red, self.green, self.blue))

    def over(self, ground: Colour) -> Colour:
        """Return the visible colour where this colour covers an opaque ground."""
        return ground.towards(self, self.alpha)

    def towards(self, other: Colour, share: float) -> Colour:
        """Return the opaque mixture with another colour: at 0 this colour, at 1 the other."""
        return Colour(
            self.red + (other.red - self.red) * share,
            self.green + (other.green - self.green) * share,
            self.blue + (other.blue - self.blue) * share,
        )

    @property
    def luminance(self) -> float:
        """Return the relative luminance, from 0 for black to 1 for white."""
        return 0.2126 * _linear(self.red) + 0.7152 * _linear(self.green) + 0.0722 * _linear(self.blue)


BLACK = Colour(0, 0, 0)
WHITE = Colour(255, 255, 255)
TRANSPARENT = Colour(0, 0, 0, 0)


def _linear(channel: float) -> float:
    share = channel / 255
    return share / 12.92 if share <= _LINEAR_UP_TO else ((share + 0.055) / 1.055) ** 2.4


def contrast(first: Colour, second: Colour) -> float:
    """Return the contrast ratio of two opaque colours, from 1 to 21."""
    dark, light = sorted((first.luminance, second.luminance))
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=256)  # a page has few, each of them many times
def parse(value: str) -> Colour | None:
    """Return the first colour in a CSS value or attribute; None if it names no known colour.

    A value with an image has no colour: the image may have any.
    """
    tokens = tinycss2.parse_component_value_list(value, skip_comments=True)
    if any(token.type == "url" or (token.type == "function" and _is_image(token)) for token in tokens):
        return None
    for token in tokens:
        if token.type == "ident" and token.lower_value == "none":
            return TRANSPARENT
        colour = parse_color(token)
        if colour is not None and colour != "currentcolor":
            red, green, blue = (
                255 * min(max(channel or 0.0, 0.0), 1.0) for channel in colour.to("srgb").coordinates
            )
            return Colour(red, green, blue, colour.alpha)
    return None


def _is_image(token: Any) -> bool:
    name: str = token.lower_name
    return name == "url" or name.endswith("gradient")
