"""Style sheets, for the checks: nested @ rules, and the declarations of each element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cssselect2
import tinycss2

# The order of precedence: importance, then style attributes, then specificity, then order (CSS Cascade 4, 6).
_Weight = tuple[bool, bool, tuple[int, int, int], int]


@dataclass(frozen=True, slots=True)
class Declared:
    """The value of a property, in lower case, and whether it is `!important`."""

    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class StyleRule:
    """The declarations of a rule; `dark` if they apply in dark mode only."""

    selectors: tuple[Any, ...]
    declarations: Mapping[str, Declared]
    dark: bool


def nested_at_rules(css: str) -> Iterator[str]:
    """Yield the start of each @ rule that contains other @ rules, such as `@media print`."""
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "at-rule" and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content)
            if any(item.type == "at-rule" for item in inner):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}".strip()


def style_rules(css: str) -> Iterator[StyleRule]:
    """Yield the rules that always apply, and those of dark mode; others apply to some screens only."""
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            yield _style_rule(rule, dark=False)
        elif rule.type == "at-rule" and rule.content is not None and _is_dark(rule):
            for inner in tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True):
                if inner.type == "qualified-rule":
                    yield _style_rule(inner, dark=True)


def _is_dark(rule: Any) -> bool:
    query = "".join(tinycss2.serialize(rule.prelude).lower().split())
    return rule.lower_at_keyword == "media" and "prefers-color-scheme:dark" in query


def _style_rule(rule: Any, *, dark: bool) -> StyleRule:
    try:
        selectors = tuple(cssselect2.compile_selector_list(rule.prelude))
    except cssselect2.SelectorError:
        selectors = ()
    return StyleRule(selectors, _declarations(rule.content), dark)


def _declarations(content: Any) -> dict[str, Declared]:
    """Return properties and values of a rule's content or a `style` attribute.

    `background` counts as `background-color`: only its colour matters here.
    """
    return {
        "background-color" if item.lower_name == "background" else item.lower_name: Declared(
            tinycss2.serialize(item.value).strip().lower(), item.important
        )
        for item in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
        if item.type == "declaration"
    }


@lru_cache(maxsize=1024)  # a page has some fifty, each of them many times
def _of_attribute(style: str) -> Mapping[str, Declared]:
    return _declarations(style)


class Cascade:
    """The declarations of each element of a page, from `style` attributes and rules."""

    def __init__(self, page: Any, rules: Iterable[StyleRule]) -> None:
        self._values: dict[Any, dict[str, tuple[_Weight, str]]] = {}
        matcher = cssselect2.Matcher()
        for rule in rules:
            for selector in rule.selectors:
                matcher.add_selector(selector, rule.declarations)
        for element in cssselect2.ElementWrapper.from_html_root(page).iter_subtree():
            for specificity, order, pseudo, declared in matcher.match(element):
                if pseudo is None:
                    self._add(element.etree_element, declared, specificity=specificity, order=order)
            if style := element.etree_element.get("style"):
                self._add(element.etree_element, _of_attribute(style), inline=True)

    def of(self, element: Any) -> dict[str, str]:
        """Return an element's own declarations, without inherited ones."""
        return {name: value for name, (_, value) in self._values.get(element, {}).items()}

    def _add(
        self,
        element: Any,
        added: Mapping[str, Declared],
        *,
        inline: bool = False,
        specificity: tuple[int, int, int] = (0, 0, 0),
        order: int = 0,
    ) -> None:
        own = self._values.setdefault(element, {})
        for name, declared in added.items():
            weight = (declared.important, inline, specificity, order)
            if name not in own or weight >= own[name][0]:
                own[name] = (weight, declared.value)
