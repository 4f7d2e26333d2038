"""LaTeX without its dollar signs and backslashes: `mathcal{O}(n^2)`, `1.45times`, `sim!30`.

Each rule has a pattern that prose does not have: a command's name that is no word, a word next to a brace, a digit
or a script, names without spaces between them. Other words stay (`three times`, `similar`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from string import ascii_uppercase, digits
from typing import NamedTuple

from newsletter.render.issue.mathtext.prose import PROTECTED
from newsletter.render.issue.mathtext.symbols import GREEK, names, symbol

Reading = str | Callable[[re.Match[str]], str]


class _Rule(NamedTuple):
    """A pattern, its replacement, and strings of which each match contains one: finding those is much faster."""

    needs: tuple[str, ...]
    shape: re.Pattern[str]
    reading: Reading

    def may_apply(self, text: str) -> bool:
        return any(map(text.__contains__, self.needs))


def _rule(needs: Iterable[str], shape: str, reading: Reading) -> _Rule:
    """Return a rule; `needs` as a single string means its characters."""
    return _Rule(tuple(needs), re.compile(shape), reading)


def _any(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(sorted(names, key=len, reverse=True))})"


_FREE = r"(?<![A-Za-z\\])"  # a name begins here
_GREEK = _any(GREEK)
_ALONE = r"(?<![\w\\])"
_VARIABLE = r"(?<![&'\u2019.@/-])[A-HJ-Zb-z](?![A-Za-z&'\u2019])"  # a letter, but not "I", "a" or those of "R&D"

# Commands that are words of no language.
_SIGNS = names(
    "cdot cdots downarrow emptyset geq geqslant gtrsim hookrightarrow infty ldots leftarrow Leftarrow"
    " leftrightarrow Leftrightarrow leq leqslant lesssim longrightarrow Longrightarrow mapsto nabla neq notin odot"
    " oplus otimes preceq propto rightarrow Rightarrow setminus simeq subseteq succeq supseteq uparrow varepsilon"
    " varnothing varphi"
)
_OPENING = names("langle lceil lfloor lVert")
_CLOSING = names("rangle rceil rfloor rVert")
_SETTINGS = names("scriptsize footnotesize displaystyle textstyle mathord mathbin mathrel")
_ALPHABETS = names("mathcal mathbb mathbf mathrm mathit mathsf mathtt mathscr mathfrak mathds boldsymbol")
# Commands that are words, or ends of words, unless they touch a formula.
_ACCENTS = names("widetilde widehat tilde hat bar vec")
_RELATIONS = names("leq geq neq approx circ cdot times rightarrow Rightarrow leftarrow")
_WITH_ARGUMENT = names(
    "bm text textbf textit texttt textsc textsf textrm textsl textnormal textsuperscript textsubscript textcolor"
    " emph underline uline overline sqrt frac tfrac dfrac binom url href cite citep citet footnote mbox cal bf it"
    " rm tt sf sc em"
)


def _sign(match: re.Match[str]) -> str:
    return symbol(match[1])


def _second(match: re.Match[str]) -> str:
    return match[1] + symbol(match[2])


def _even_space(match: re.Match[str]) -> str:
    """Return the space before a name if there is one after it: names without spaces between them lost it."""
    return " " if match.string[match.end() : match.end() + 1] == " " else ""


def _related(match: re.Match[str]) -> str:
    letter, relation = match.groups()
    return GREEK.get(letter, letter) + _even_space(match) + symbol(relation)


def _with_letter(match: re.Match[str]) -> str:
    return f"\\{match[1]}{{{GREEK.get(match[2], match[2])}}}"


def _fraction(match: re.Match[str]) -> str:
    return f"{match[1]}/{symbol(match[2])}{match[3] or ''}"


_FORMULA_NAMES = re.compile(rf"{_FREE}({_GREEK}|infty|ell|star)(?=circ|times|cdot|[lgn]eq|(?![A-Za-z]))")
_FORMULA_RELATIONS = re.compile(
    r"(?<=[^\W_])(?<![A-Za-z]{2})(?<![olr])(\s?)(circ|times|cdot|sim(?=\s))(?![a-z])"  # not otimes, ltimes, rtimes
)


def _formula(match: re.Match[str]) -> str:
    """Read an exponent, an index or an argument: names in it are letters."""
    content = _FORMULA_NAMES.sub(_sign, match[2])
    return match[1] + _FORMULA_RELATIONS.sub(lambda m: (m[1] or _even_space(m)) + symbol(m[2]), content)


_RULES = (
    # Names that are no words: `sequencesx2013an`, `scriptsizeFLaws`, `Fooxspace`.
    _rule(["x2013"], r"(?<=[a-z)])x2013(?=[a-z])|\\unicode\{x2013\}", "\N{EN DASH}"),
    _rule(["x2014"], r"(?<=[a-z)])x2014(?=[a-z])|\\unicode\{x2014\}", "\N{EM DASH}"),
    _rule(_SETTINGS, rf"{_FREE}{_any(_SETTINGS)}\s?(?![a-z])", ""),
    _rule(["xspace"], r"(?<=[A-Za-z])xspace\b", ""),
    # Names before a brace or a letter: `mathcal{O}`, `sqrt{T}`, `widetilde Theta`, `tilde O(`, `calH`.
    _rule("{", rf"(?<!\\)({_any(_ALPHABETS)}|textbf|textit|texttt|operatorname)(?=\{{)", r"\\\1"),
    _rule("{", rf"{_FREE}({_any(_WITH_ARGUMENT)}|{_any(_ACCENTS)})(?=\{{)", r"\\\1"),
    _rule(
        (*_ALPHABETS, "widetilde", "widehat"),
        rf"{_FREE}({_any(_ALPHABETS)}|widetilde|widehat)\s?({_GREEK}(?![a-z])|[A-Za-z](?![A-Za-z]))",
        _with_letter,
    ),
    _rule(["tilde"], rf"{_FREE}(tilde)\s?(O|Theta|Omega)(?=\()", _with_letter),
    _rule((f"cal{letter}" for letter in ascii_uppercase), rf"{_FREE}(cal)([A-Z])(?![A-Za-z])", _with_letter),
    # Fractions without their command, and delimiters: `left( m{varepsilon^2} right)`.
    _rule("{", rf"{_FREE}([A-Za-z\d])\{{({_GREEK})(\^\d)?\}}", _fraction),
    _rule(
        ("right)", "right]", "right|"),
        r"(?s)(?<![a-z\\])left\s?([(\[|])\s?((?:(?!left|right).){0,300}?[\\^_{}=/\d](?:(?!left|right).){0,300}?)"
        r"\s?right\s?([)\]|])",
        r"\1\2\3",
    ),
    # Exponents and indices: `360^circ`, `L^infty`, `C_Phi`, `T^{1-alpha}`, `tau^2`, `sum_{i}`.
    _rule(("^circ", "^{circ"), r"\^(?:circ|\{circ\})", "\N{DEGREE SIGN}"),
    _rule("^", rf"(?<=\w)(\^)({_GREEK}|infty|star|ast|top|dagger|prime|perp)(?![A-Za-z])", _second),
    _rule(
        "_",
        rf"((?:{_ALONE}(?:{_GREEK}|ell|[A-Za-z])|[)}}])_)({_GREEK}|infty|star|ell)(?![A-Za-z_])",
        _second,
    ),
    _rule(
        "{",
        rf"((?:[_^]|\\(?:sqrt|frac|{_any(_ACCENTS)}|{_any(_ALPHABETS)}))\{{)([^{{}}]{{1,80}})(?=\}})",
        _formula,
    ),
    _rule(
        "^_",
        rf"(?<![A-Za-z_\\])({_GREEK}|ell)(?=\^[\w{{*+-]|_\{{|_\d+(?![a-z\d_])|_[^\W\d_](?![A-Za-z\d_])|_[∞⋆])",
        _sign,
    ),
    _rule("_", rf"{_FREE}(sum|prod|int)(?=_\{{)", _sign),
    # Relations and their neighbours: `deltageq 1`, `kleq 5`, `alpha = 0.5`, `Omega(n)`, `Delta4.1%`.
    _rule(_RELATIONS, rf"{_FREE}({_GREEK})({_any(_RELATIONS)})(?![a-z])", _related),
    _rule(("leq", "geq", "neq"), rf"{_FREE}([A-HJ-TV-Za-hj-tv-z])([lgn]eq)(?![A-Za-z])", _related),
    _rule("=<>≤≥", rf"(?<![A-Za-z\\_-])({_GREEK})(?=\s?[=<>≤≥]\s?[-\d.])", _sign),
    _rule(("Theta(", "Omega("), rf"{_FREE}(Theta|Omega)(?=\()", _sign),
    _rule(["Delta"], rf"{_FREE}(Delta)(?=\d+(?:\.\d+)?\\?%|\d+\.\d)", _sign),
    # Words between numbers or variables: `1.45times`, `n times n`, `m gg n`, `x in mathbb{R}`, `0.9 pm 0.1`.
    _rule(
        ["times"],
        r"times(?=\s\w+\srightarrow)|(?<=[\d°)\]}%])times(?![a-z])|(?<=\d\s)times(?=\s\d)",
        "\N{MULTIPLICATION SIGN}",
    ),
    _rule(["times"], rf"{_FREE}({_VARIABLE}\s)(times)(?=\s{_VARIABLE})", _second),
    _rule(("gg ", " ll ", "circ"), rf"{_FREE}({_VARIABLE}\s)(gg|ll|circ)(?=\s{_VARIABLE})", _second),
    _rule(["\\math"], rf"{_FREE}({_VARIABLE}\s)(in)(?=\s\\math(?:bb|cal)\{{)", _second),
    _rule(["pm"], r"(\.\d+%?\s?)(pm)(?=\s?\d+\.\d)", _second),
    # Words before a number: `sim!30`, `sim700`, `sim 10^3`, `approx5`, `downarrow 5%`.
    _rule(
        ("sim!", "sim ", *(f"sim{digit}" for digit in digits)),
        r"(?<![A-Za-z\\-])sim(?:!+\s?(?=\d)|(?=\d\d|\d\.\d|\d\\?%|\dx\b)|\s(?=\d[\d.,]*(?:\\?%|\^|\u00d7|[KMBx]\b)))",
        "\N{TILDE OPERATOR}",
    ),
    _rule(["approx"], rf"{_FREE}(approx)(?=\d)", _sign),
    _rule(["arrow"], r"(?<![^\s(])((?:up|down)arrow)\s(?=\d)", _sign),
    # Names that are no words, and that no rule above has matched.
    _rule(_OPENING, rf"{_FREE}({_any(_OPENING)})(?![a-z])\s?", _sign),
    _rule(_CLOSING, rf"\s?{_FREE}({_any(_CLOSING)})(?![a-z])", _sign),
    _rule(_SIGNS, rf"{_FREE}({_any(_SIGNS)})(?![a-z])", _sign),
    _rule(("varepsilon", "varphi"), rf"{_FREE}(varepsilon|varphi)(?=[a-z](?![A-Za-z]))", _sign),
)


def _shortest(needs: Collection[str]) -> tuple[str, ...]:
    """Return strings without those that hold another of them: a text with none of the others has none of those."""
    return tuple(need for need in needs if not any(other in need for other in needs if other != need))


# What a text holds if any rule may apply to it.
_ANY_NEED = _shortest({need for rule in _RULES for need in rule.needs})
_PROTECTED = re.compile(f"({PROTECTED})")


def restored(text: str) -> str:
    """Return text in which stripped LaTeX is LaTeX again, or already the character that it means."""
    if not any(map(text.__contains__, _ANY_NEED)):
        return text
    pieces = _PROTECTED.split(text)
    for index in range(0, len(pieces), 2):
        for rule in _RULES:
            if rule.may_apply(pieces[index]):
                pieces[index] = rule.shape.sub(rule.reading, pieces[index])
    return "".join(pieces)
