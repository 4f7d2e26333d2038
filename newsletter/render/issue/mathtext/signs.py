r"""Commands whose name is a single sign, and accents: `\%`, `\,`, `\"u`, `\c{c}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from newsletter.render.issue.mathtext import symbols
from newsletter.render.issue.mathtext.call import Call, Mode, Read
from newsletter.render.issue.mathtext.prose import is_formula

# Group 1: a letter in braces, 2: a letter after the accent.
_IN_BRACES = r"\{\s*\\?([^\W\d_])\s*\}"
_UNDER_SIGN = re.compile(rf"{_IN_BRACES}|(?:\\(?=[ij](?![A-Za-z])))?([^\W\d_])")
_UNDER_NAME = re.compile(rf"\s*{_IN_BRACES}|(?<=\\[cuvH])\s+([^\W\d_])")

_PAIR = re.compile(r"\\.", re.DOTALL)

# Escapes of programs, not accents: `don\'t`, `\"so\"`, `example\.com`.
_ESCAPED = re.compile(
    r"(?<=[A-Za-z])\\'(?:[stmd]|re|ll|ve)\b"
    r"|(?<!\w)\\\"[^\"\\]{1,80}\\\"(?!\w)"
    r"|\\\.[^zZI{]"
)


def accent(call: Call) -> Read | None:
    r"""Read an accent and its letter (`\"u`, `\c{c}`, `\"{\i}`), or nothing if there is no such letter."""
    if _ESCAPED.match(call.text, call.start, call.end):
        return None
    match = (_UNDER_NAME if call.name.isalpha() else _UNDER_SIGN).match(call.text, call.after, call.end)
    if match is None:
        return None
    letter = symbols.accented(match[1] or match[2], symbols.ACCENTS[call.name])
    return (letter, match.end()) if len(letter) == 1 or match[1] else None


def sign(call: Call) -> Read:
    """Read a command whose name is a sign; a command without a meaning here stays unchanged."""
    reading = _SIGNS.get(call.name)
    return (reading and reading(call)) or (call.raw, call.after)


def _accent_sign(call: Call) -> Read | None:
    if not call.in_text:
        return None
    if read := accent(call):
        return read
    if call.text.startswith("{}", call.after):
        return call.name, call.after + 2
    return (call.name, call.after) if call.name in {"'", '"'} else None


def _literal(call: Call) -> Read:
    return call.name, call.after


def _space(call: Call) -> Read:
    return " ", call.after


def _space_of_formula(call: Call) -> Read | None:
    return None if call.in_text else (" ", call.after)


def _nothing_of_formula(call: Call) -> Read | None:
    return None if call.in_text else ("", call.after)


def _hyphen(call: Call) -> Read | None:
    """Read a place where a word may be hyphenated."""
    return ("", call.after) if call.before.isalpha() and call.following.isalpha() else None


def _norm(call: Call) -> Read | None:
    return None if call.in_text else ("‖", call.after)


def _line_break(call: Call) -> Read | None:
    return (" ", call.after) if not call.in_text or not call.following.strip() else None


def _price(call: Call) -> Read | None:
    r"""Read `\1`: the search for formulas has consumed the dollar sign of `\$1`."""
    return None if call.before.strip(" (") else (f"${call.name}", call.after)


def _delimited(call: Call) -> Read | None:
    r"""Read a formula in `\(…\)` or `\[…\]`; brackets that are only escaped stay unchanged.

    Such formulas are not nested: the search ends where the next one begins. Otherwise a text of nothing but
    opening brackets would take quadratic time.
    """
    closing = ")" if call.name == "(" else "]"
    for mark in _PAIR.finditer(call.text, call.after, call.end):
        if mark[0][1] == closing:
            content = call.text[call.after : mark.start()]
            return (
                (call.reader.render(call.after, mark.start(), Mode.MATH), mark.end())
                if is_formula(content, "")
                else None
            )
        if mark[0][1] == call.name:
            break
    return None


_SIGNS: Mapping[str, Callable[[Call], Read | None]] = {
    **dict.fromkeys((name for name in symbols.ACCENTS if not name.isalpha()), _accent_sign),
    **dict.fromkeys("%&#_${}", _literal),
    **dict.fromkeys(" \n,", _space),
    **dict.fromkeys(";:>", _space_of_formula),
    **dict.fromkeys("([", _delimited),
    **dict.fromkeys("123456789", _price),
    "!": _nothing_of_formula,
    "-": _hyphen,
    "|": _norm,
    "\\": _line_break,
}
