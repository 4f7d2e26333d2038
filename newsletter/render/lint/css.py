"""As much of CSS as the checks of colours need: blocks, rules, declarations, and which of them an element has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cssselect import HTMLTranslator, SelectorError
from cssselect import parse as parse_selectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark")

# What wins over what: importance, then style attributes, then specificity, then order.
_Weight = tuple[bool, bool, tuple[int, int, int], int]


@dataclass(frozen=True, slots=True)
class StyleRule:
    """The declarations of one rule; `dark` if they hold in dark mode only."""

    selectors: str
    declarations: Mapping[str, str]
    dark: bool


def without_comments(css: str) -> str:
    """Return a style sheet without its comments."""
    return _COMMENT.sub("", css)


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """Return each outermost `prelude { body }`; what stands after an unclosed brace is its body."""
    start = depth = opened = 0
    for match in re.finditer(r"[{};]", css):
        char, here = match[0], match.start()
        if char == "{":
            opened = here if depth == 0 else opened
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                yield css[start:opened].strip(), css[opened + 1 : here]
                start = here + 1
        elif depth == 0:  # the end of a statement such as @import
            start = here + 1
    if depth:
        yield css[start:opened].strip(), css[opened + 1 :]


def declarations(css: str) -> dict[str, str]:
    """Return properties and values, in lower case; `!important` stays with the value.

    `background` counts as `background-color`: the one thing about it that matters here.
    """
    pairs = (declaration.partition(":") for declaration in css.lower().split(";"))
    return {
        "background-color" if name.strip() == "background" else name.strip(): value.strip()
        for name, colon, value in pairs
        if colon
    }


def style_rules(css: str) -> Iterator[StyleRule]:
    """Return the rules that hold always and those of dark mode; the others hold on some screens only."""
    for prelude, body in blocks(without_comments(css)):
        if _DARK.match(prelude.lower()):
            for selectors, inner in blocks(body):
                yield StyleRule(selectors, declarations(inner), dark=True)
        elif not prelude.startswith("@"):
            yield StyleRule(prelude, declarations(body), dark=False)


class Cascade:
    """Which declarations each element of a page has, of `style` attributes and rules (CSS Cascade 4, 6)."""

    def __init__(self, page: Any, rules: Iterable[StyleRule]) -> None:
        self._values: dict[Any, dict[str, tuple[_Weight, str]]] = {}
        for order, rule in enumerate(rules):
            for element, specificity in _matches(page, rule.selectors):
                self._add(element, rule.declarations, inline=False, specificity=specificity, order=order)
        for element in page.iter():
            if isinstance(element.tag, str) and (style := element.get("style")):
                self._add(element, declarations(style), inline=True)

    def of(self, element: Any) -> dict[str, str]:
        """Return an element's own declarations, not what it inherits."""
        return {name: value for name, (_, value) in self._values.get(element, {}).items()}

    def _add(
        self,
        element: Any,
        added: Mapping[str, str],
        *,
        inline: bool,
        specificity: tuple[int, int, int] = (0, 0, 0),
        order: int = 0,
    ) -> None:
        own = self._values.setdefault(element, {})
        for name, value in added.items():
            plain = value.removesuffix("!important").strip()
            weight = (plain != value, inline, specificity, order)
            if name not in own or weight >= own[name][0]:
                own[name] = (weight, plain)


def _matches(page: Any, selectors: str) -> Iterator[tuple[Any, tuple[int, int, int]]]:
    """Return the elements that a group of selectors matches; none for `:hover` and what can't be read."""
    try:
        for selector in parse_selectors(selectors):
            path = HTMLTranslator().selector_to_xpath(selector)
            for element in page.xpath(path):
                yield element, selector.specificity()
    except SelectorError:
        return
