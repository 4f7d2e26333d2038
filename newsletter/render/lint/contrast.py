"""Checks of contrast: text must be readable in light and in dark mode (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from newsletter.render.colour import BLACK, WHITE, Colour, contrast, parse
from newsletter.render.lint.css import Cascade, style_rules
from newsletter.render.lint.finding import Finding, Level, Rule
from newsletter.render.lint.mail import Mail

CONTRAST = Rule("contrast", "Text must stand out from its ground by 4.5 to 1, large text by 3 (WCAG 2.2 AA).")

_ENOUGH = 4.5
_ENOUGH_IF_LARGE = 3.0
_UNREADABLE = 3.0
_LARGE = 24.0
_LARGE_IF_BOLD = 18.66
_HIDDEN = {"display": ("none",), "visibility": ("hidden",), "opacity": ("0",), "font-size": ("0", "0px")}
_BOLD = ("bold", "bolder", "600", "700", "800", "900")
_BOLD_TAGS = ("b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(px|pt)")
_POINTS = 4 / 3  # pixels
_SNIPPET = 40


@dataclass(frozen=True, slots=True)
class _Look:
    """The properties that elements inherit. An unknown colour is None, and is not checked."""

    colour: Colour | None
    ground: Colour | None
    size: float
    bold: bool

    @property
    def enough(self) -> float:
        large = self.size >= (_LARGE_IF_BOLD if self.bold else _LARGE)
        return _ENOUGH_IF_LARGE if large else _ENOUGH


@dataclass(frozen=True, slots=True)
class _Scheme:
    """The colours of a mail program where a mail names none."""

    name: str
    text: Colour
    canvas: Colour
    link: Colour


_LIGHT = _Scheme("light", BLACK, WHITE, Colour(0, 0, 238))
_DARK = _Scheme("dark", WHITE, Colour(18, 18, 18), Colour(158, 158, 255))


def check(mail: Mail) -> Iterator[Finding]:
    """Find text with too little contrast, in light and in dark mode; each pair of colours once."""
    rules = list(style_rules("\n".join(style.text or "" for style in mail.page.iter("style"))))
    always = [rule for rule in rules if not rule.dark]
    yield from _judged(mail, _LIGHT, Cascade(mail.page, always))
    schemes = [meta.get("content") or "" for meta in mail.page.iter("meta") if meta.get("name") == "color-scheme"]
    adapts = any("dark" in scheme for scheme in schemes)
    if adapts or len(rules) > len(always):
        scheme = _DARK if adapts else replace(_LIGHT, name="dark")
        yield from _judged(mail, scheme, Cascade(mail.page, rules))


def _judged(mail: Mail, scheme: _Scheme, cascade: Cascade) -> Iterator[Finding]:
    body = mail.page.find("body")
    if body is None:
        return
    bad: dict[tuple[Colour, Colour], list[tuple[str, Any]]] = {}
    for text, element, look in _texts(body, _Look(scheme.text, scheme.canvas, 16, bold=False), scheme, cascade):
        if look.colour and look.ground:
            pair = (look.colour.over(look.ground), look.ground)
            if contrast(*pair) < look.enough:
                bad.setdefault(pair, []).append((text, element))
    for (colour, ground), texts in bad.items():
        first, element = texts[0]
        ratio = contrast(colour, ground)
        yield CONTRAST.found(
            f"HTML part, {scheme.name} mode, {first[:_SNIPPET]!r}"
            + (f" and {len(texts) - 1} more" * (len(texts) > 1)),
            f"{colour} on {ground}: {ratio:.1f} to 1",
            Level.FAILURE if ratio < _UNREADABLE else Level.WARNING,
            spot=mail.spot_of(element),
        )


def _texts(element: Any, outer: _Look, scheme: _Scheme, cascade: Cascade) -> Iterator[tuple[str, Any, _Look]]:
    """Yield the visible pieces of text inside an element, each with the element that it stands in and its look."""
    styles = cascade.of(element)
    if any(styles.get(name) in values for name, values in _HIDDEN.items()):
        return
    look = _look(element, styles, outer, scheme)
    for text in (element.text, *(child.tail for child in element)):
        if text and text.strip():
            yield text.strip(), element, look
    for child in element:
        if isinstance(child.tag, str) and child.tag not in {"style", "script"}:
            yield from _texts(child, look, scheme, cascade)


def _look(element: Any, styles: Mapping[str, str], outer: _Look, scheme: _Scheme) -> _Look:
    bold = _BOLD_TAGS.count(element.tag) > 0 or outer.bold
    weight = styles.get("font-weight")
    return _Look(
        colour=_colour(element, styles, outer, scheme),
        ground=_ground(element, styles, outer),
        size=_size(styles.get("font-size", ""), outer.size),
        bold=weight in _BOLD if weight else bold,
    )


def _colour(element: Any, styles: Mapping[str, str], outer: _Look, scheme: _Scheme) -> Colour | None:
    value = styles.get("color") or (element.get("color") or element.get("text") or "").lower()
    if value in {"inherit", "unset", "currentcolor"}:
        return outer.colour
    if value:
        return parse(value)
    return scheme.link if element.tag == "a" and element.get("href") else outer.colour


def _ground(element: Any, styles: Mapping[str, str], outer: _Look) -> Colour | None:
    if styles.get("background-image", "none") != "none":
        return None
    value = styles.get("background-color") or (element.get("bgcolor") or "").lower()
    if not value or value in {"inherit", "initial", "unset"}:
        return outer.ground
    colour = parse(value)
    if colour is None or colour.alpha == 1:
        return colour
    return colour.over(outer.ground) if outer.ground else None


def _size(value: str, outer: float) -> float:
    """Return a font size in pixels; a size in other units than px and pt counts as the outer size."""
    match = _LENGTH.match(value)
    return float(match[1]) * (_POINTS if match[2] == "pt" else 1) if match else outer
