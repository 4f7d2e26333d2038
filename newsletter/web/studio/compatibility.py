"""What of a mail's HTML and CSS some mail programs do not show, or only in part.

The facts are those of https://www.caniemail.com as of 9 September 2025 (data under the MIT licence): of each
program the newest version that was tested. What the table does not name is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import tinycss2

from newsletter.render.lint.mail import Mail

PROGRAMS = {
    "gmail": "Gmail",
    "gmail-android": "Gmail on Android",
    "gmail-ios": "Gmail on iOS",
    "apple-mail": "Apple Mail",
    "apple-mail-ios": "Apple Mail on iOS",
    "outlook-windows": "Outlook for Windows",
    "outlook-com": "Outlook.com",
    "outlook-macos": "Outlook for macOS",
    "yahoo": "Yahoo! Mail",
    "samsung": "Samsung Email",
    "thunderbird": "Thunderbird",
    "proton": "Proton Mail",
    "fastmail": "Fastmail",
    "gmx": "GMX",
    "web-de": "WEB.DE",
}
USUAL_PROGRAMS = ("gmail", "gmail-ios", "apple-mail", "outlook-windows", "outlook-com", "yahoo")
SOURCE = "caniemail.com, 9 September 2025"

# A letter for each of the programs, in their order: y(es), a(lmost: in part), n(o), u(nknown).
_SUPPORT = {
    "@font-face": "nnnyyannnyynnnn",
    "@media": "aaayynaaaanayyy",
    "@media (prefers-color-scheme)": "nnnyynyynynnynn",
    "!important": "aaayyayyayyaynn",
    ":hover": "yanyynaayyyyynn",
    "[attribute]": "aaayynaaayynynn",
    "animation": "nnnyynnnnyynynn",
    "background": "yyyyyayyayyyyaa",
    "background-color": "yyyyyyyyyyyyyaa",
    "background-image": "yyyyynyyayyyyaa",
    "border": "yyyyyayyyyyyyyy",
    "border-collapse": "yyyyyyyyyyyuuyy",
    "border-radius": "yyyyynyyayyyynn",
    "box-shadow": "naayynyynyyyynn",
    "calc()": "yaayynnnnyyyynn",
    "color-scheme": "nnnyynnnnyyynnn",
    "display": "yaayyayyayyyaaa",
    "display: flex": "yaayynyyyyyyynn",
    "display: grid": "nnnyynyynyyyynn",
    "display: none": "yyyyyayyyyyyyyy",
    "float": "yaayynyyayyyyaa",
    "font-size": "yyyyyayyaayuuaa",
    "font-weight": "yyyyyayyayyyyyy",
    "height": "yyyyyayynyyyyyy",
    "letter-spacing": "yyyyyayyyyyyyyy",
    "line-height": "yyyyyayyyyyyyyy",
    "margin": "aaayyaaaayyyyyy",
    "max-height": "yyyyynyyyyyyyyy",
    "max-width": "yyyyyayyyyyyyyy",
    "min-width": "yyyyynyyyyyyyyy",
    "object-fit": "yaayynyynyyyynn",
    "opacity": "yyyyynyyyyyyynn",
    "overflow": "aaaaanaaaayayaa",
    "padding": "yyyyyayyyyyyyyy",
    "position": "nnnaanaaaayyayy",
    "rem": "yyyyynyynyyyynn",
    "text-align": "yaayyayyayyyyyy",
    "text-decoration": "yaayyayyyyyyyaa",
    "text-transform": "yyyyyayyyyyyyyy",
    "var()": "nnnyynnnnyyynnn",
    "vw": "yyyyynyyyyyynnn",
    "white-space": "yaayynyyynyyyyy",
    "width": "yyyyyayyyyyyyyy",
    "word-break": "yaaaayaanayyynn",
    "<form>": "yyayynaayyynnnn",
    "<style>": "aaayyayyyyyyynn",
    "<svg>": "nnnaynnnnyyynnn",
    "<video>": "nnnyannynaynnnn",
    "aria-label": "yyyyyyyynynyynn",
    "dir": "yyyyyayyyyyyynn",
    "lang": "yyyyyyyyayyyynn",
    "meta color-scheme": "nnnynnnnnnynnnn",
    "role": "yyyyyyyyayyyynn",
    "picture: data:": "nnnyyayyyyyyyaa",
    "picture: SVG": "naayyyyyyyyyyyy",
    "picture: WebP": "aaayynyyyyyyyyy",
}
_UNITS = re.compile(r"\d(rem|vw)\b|\b(calc|var)\(", re.IGNORECASE)
_ATTRIBUTES = ("aria-label", "dir", "lang", "role")
_TAGS = ("form", "style", "svg", "video")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A feature that a mail uses, with the chosen programs that do not have it, or only in part."""

    feature: str
    lacking: tuple[str, ...]
    partial: tuple[str, ...]
    unknown: tuple[str, ...]


def gaps(raw: bytes, programs: Collection[str]) -> list[Gap]:
    """Return what of a message (RFC 5322 bytes) some programs lack: first what most of them lack."""
    chosen = [(place, name) for place, (key, name) in enumerate(PROGRAMS.items()) if key in programs]
    found = []
    for feature in sorted(set(_features(Mail(raw)))):
        by_letter: dict[str, list[str]] = {"y": [], "a": [], "n": [], "u": []}
        for place, name in chosen:
            by_letter[_SUPPORT[feature][place]].append(name)
        found.append(
            Gap(
                feature=feature,
                lacking=tuple(by_letter["n"]),
                partial=tuple(by_letter["a"]),
                unknown=tuple(by_letter["u"]),
            )
        )
    return sorted((gap for gap in found if gap.lacking or gap.partial), key=lambda gap: -len(gap.lacking))


def _features(mail: Mail) -> Iterator[str]:
    """Yield the features of the table that a mail uses, some of them again and again."""
    for element in mail.page.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in _TAGS:
            yield f"<{element.tag}>"
        yield from (name for name in _ATTRIBUTES if element.get(name))
        yield from _of_declarations(element.get("style", ""))
        if element.tag == "style":
            yield from _of_sheet(tinycss2.parse_stylesheet(element.text or "", skip_comments=True))
        if element.tag == "meta" and element.get("name") == "color-scheme":
            yield "meta color-scheme"
        if element.tag == "img":
            yield from _of_picture((element.get("src") or "").strip().lower())


def _of_picture(source: str) -> Iterator[str]:
    path = source.partition("?")[0].partition("#")[0]
    if source.startswith("data:"):
        yield "picture: data:"
    if path.endswith(".svg"):
        yield "picture: SVG"
    if path.endswith(".webp"):
        yield "picture: WebP"


def _of_sheet(rules: Any) -> Iterator[str]:
    for rule in rules:
        if rule.type == "at-rule" and rule.content is not None:
            if rule.lower_at_keyword == "media":
                yield "@media"
                query = tinycss2.serialize(rule.prelude).lower()
                if "prefers-color-scheme" in query:
                    yield "@media (prefers-color-scheme)"
            if rule.lower_at_keyword == "font-face":
                yield "@font-face"
            yield from _of_sheet(tinycss2.parse_rule_list(rule.content, skip_comments=True))
        elif rule.type == "qualified-rule":
            selector = tinycss2.serialize(rule.prelude).lower()
            if ":hover" in selector:
                yield ":hover"
            if "[" in selector:
                yield "[attribute]"
            yield from _of_declarations(tinycss2.serialize(rule.content))


@cache
def _of_declarations(css: str) -> frozenset[str]:
    found = set()
    for item in tinycss2.parse_blocks_contents(css, skip_comments=True, skip_whitespace=True):
        if item.type != "declaration":
            continue
        value = tinycss2.serialize(item.value).strip().lower()
        names = {item.lower_name, f"{item.lower_name}: {value}", item.lower_name.partition("-")[0]}
        names |= {f"{function}()" if function else unit for unit, function in _UNITS.findall(value)}
        if item.important:
            names.add("!important")
        found |= names & _SUPPORT.keys()
    return frozenset(found)
