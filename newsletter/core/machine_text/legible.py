"""A text as its numbers and names are looked for: without LaTeX, in plain digits and letters. Pure."""

from __future__ import annotations

import re
import unicodedata

from newsletter.core.machine_text.cjk_numbers import with_digits
from newsletter.core.normalisation import normalised

_RAISED = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u207b]+")
_PLAIN = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b", "0123456789+-")
_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2212\ufe63\uff0d", "-")
    | {"\u066b": ".", "\u066c": ",", "\u2044": "/", "\u2215": "/"}
)
_PER_CENT = re.compile(
    r"\b(?:percent|per cent|prozent|pour ?cents?|por ?cien(?:to)?|por ?cento|per ?cento|procent"
    r"|процент\w{0,4})\b|퍼센트|パーセント",
    re.IGNORECASE,
)
_CJK = "\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af"
# Chinese, Japanese and Korean set no spaces around names and numbers.
_BESIDE_CJK = re.compile(f"(?<=[{_CJK}])(?=[a-zA-Z0-9])|(?<=[a-zA-Z0-9%])(?=[{_CJK}])")
_AND_A_HALF = re.compile("(?<=\\d)(?=[\u00bc-\u00be\u2150-\u215e])")
_GROWTH = 4  # times as long, at most
_FRACTION = re.compile(r"\\[dt]?frac\s?\{(\d{1,9})\}\s?\{(\d{1,9})\}")
_COMMANDS = (
    (re.compile(r"\{,\}|\\,(?=\d{3})"), ","),
    (re.compile(r"\\(?:times|cdot)(?![a-zA-Z])"), "\u00d7"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\(?:text|textbf|textit|textsc|texttt|textsubscript|emph|math[a-z]{2,4})\s?\{"), ""),
    (re.compile(r"\\textsuperscript\s?\{"), "^"),
    (re.compile(r"\\[a-zA-Z]{1,20}|\\[,;:! ]"), " "),
    (re.compile(r"[{}$]"), ""),
    (re.compile("~"), " "),
)


def legible(text: str) -> str:
    """Return a text in composed letters and ASCII digits, with `%` for per cent and `^` for what is raised."""
    if "\\" in text or "$" in text or "{" in text or "~" in text:
        text = _FRACTION.sub(r" \1/\2 ", text)
        for command, plain in _COMMANDS:
            text = command.sub(plain, text)
    if not text.isascii():
        text = _RAISED.sub(lambda raised: "^" + raised[0].translate(_PLAIN), text)
        text = _AND_A_HALF.sub(" ", text)
        decomposed = normalised("NFKD", text)[: _GROWTH * len(text)]  # some characters are whole phrases
        text = normalised("NFC", decomposed).translate(_DASHES)
        text = "".join(map(_digit, text))
        text = _BESIDE_CJK.sub(" ", with_digits(text))
    return _PER_CENT.sub("%", text)


def _digit(char: str) -> str:
    if char.isascii() or not char.isdecimal():
        return char
    return str(unicodedata.decimal(char))
