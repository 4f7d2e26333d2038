"""The LaTeX commands, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from newsletter.render.issue.mathtext import symbols
from newsletter.render.issue.mathtext.call import Call, Mode, Read, Reader
from newsletter.render.issue.mathtext.prose import repeats, unescaped
from newsletter.render.issue.mathtext.signs import accent, sign

_COMMAND = re.compile(r"\\(?:([A-Za-z]+)\*?|.?)", re.DOTALL)
_LONE_LETTER = re.compile(r"\s?[^\W\d_](?![A-Za-z])")
_ONE_TERM = re.compile(rf"[^\s,{re.escape(symbols.OPERATION_SIGNS)}]*")

_IGNORED = symbols.names(
    "em it bf sc tt rm sf sl itshape bfseries scshape ttfamily rmfamily sffamily mdseries upshape normalfont tiny"
    " scriptsize footnotesize small normalsize large Large LARGE huge Huge displaystyle textstyle scriptstyle"
    " boldmath unboldmath limits nolimits xspace protect noindent centering mathord relax allowbreak strut"
)
_SIZES = symbols.names("left right middle big Big bigg Bigg bigl bigr bigm Bigl Bigr biggl biggr Biggl Biggr")
_SPACES = symbols.names("quad qquad par newline linebreak smallskip medskip bigskip enspace thinspace hfill")
_TEXT = symbols.names("emph mbox hbox")
_FORMULAS = symbols.names("operatorname boldsymbol bm pmb ensuremath")


def read_command(reader: Reader, start: int, end: int, mode: Mode) -> Read:
    """Read the command at a backslash, with its arguments; an unknown command loses its backslash at most."""
    match = _COMMAND.match(reader.text, start, end)
    after = match.end() if match else start + 1
    name = match[1] if match else None
    if not name:
        return sign(Call(reader, reader.text[start + 1 : after], start, after, end, mode))
    call = Call(reader, name, start, after, end, mode)
    if name in _WORDS:
        return _WORDS[name](call)
    if name in _STRUCTURES and (read := _STRUCTURES[name](call))[1] > after:
        return read
    return (accent(call) if name in symbols.ACCENTS else None) or _symbol(call) or _unknown(call)


def _symbol(call: Call) -> Read | None:
    """Read a command for a single character, with the spaces that its kind has."""
    character = symbols.symbol(call.name)
    if not character:
        return None
    if call.name in symbols.LETTERS:
        return character, call.past_braces(call.past_space())
    relation = character in symbols.RELATIONS or call.name == "mid"
    if call.in_text:
        uneven = relation and call.before.isalnum() and call.following == " "
        return (" " if uneven else "") + character, call.past_braces(call.after)
    joins = relation or character in symbols.BINARY
    if call.mode is Mode.SCRIPT:
        return character, call.past_space() if joins and not call.before.isspace() else call.after
    if relation:
        return f" {character} ", call.past_space()
    return character + (" " if joins and call.before.isspace() else ""), call.past_space()


def _unknown(call: Call) -> Read:
    """Read a command of the author's own, or for typesetting: its argument, or its name if it has none."""
    mode = call.mode
    if call.name.startswith("text") or call.name in _TEXT:
        mode = Mode.TEXT
    elif call.name.startswith("math") or call.name in _FORMULAS:
        mode = call.formula
    elif call.in_text and (len(call.name) == 1 or call.before.isalnum() or call.before in {"\\", ":", "/"}):
        return call.raw, call.after  # code, a pattern, a path
    content, after = call.argument(mode) if call.following == "{" else ("", call.after)
    return content or call.name, after


# Commands without arguments.


def _ignored(call: Call) -> Read:
    return call.argument(call.mode) if call.following == "{" else ("", call.past_space())


def _size(call: Call) -> Read:
    r"""Read the size of a delimiter as nothing, with the dot of `\left.`."""
    return "", call.after + (call.following == ".")


def _space(call: Call) -> Read:
    return " ", call.past_braces(call.after)


def _item(call: Call) -> Read:
    return "•", call.after


def _abbreviation(call: Call) -> Read:
    after = call.past_braces(call.after)
    dot = "." if call.text.startswith(".", after) else ""
    return symbols.ABBREVIATIONS[call.name].removesuffix(dot), after


def _operator(call: Call) -> Read:
    """Read the name of a function as a separate word."""
    name = "mod" if call.name == "bmod" else call.name
    if call.in_text:
        return name, call.past_braces(call.after)
    after = call.past_space()
    following = call.text[after : after + 1]
    lead = " " if call.before.isalnum() or call.before in {")", "}"} else ""
    return lead + name + (" " if following.isalnum() or following == "\\" else ""), after


# Commands with arguments.


def _letters(call: Call) -> Read:
    """Read an argument of letters; in text without braces it is a single letter."""
    lone = not call.in_text or _LONE_LETTER.match(call.text, call.after, call.end)
    return call.argument(call.formula, token=bool(lone))


def _alphabet(call: Call) -> Read:
    """Read letters of another alphabet; the first letter of a word stays plain."""
    content, after = _letters(call)
    begins_word = call.text[after : after + 1].islower()
    return (content if begins_word else content.translate(symbols.ALPHABETS[call.name])), after


def _math_accent(call: Call) -> Read:
    """Read a letter with a mathematical accent; longer terms lose it."""
    content, after = _letters(call)
    if not content or (content[1:2].isascii() and content[1:2].isalpha()):
        return content, after
    return symbols.accented(content[0], symbols.MATH_ACCENTS[call.name]) + content[1:], after


def _term(text: str) -> str:
    """Return an operand, in parentheses if it has several terms."""
    return text if _ONE_TERM.fullmatch(text) else f"({text})"


def _fraction(call: Call) -> Read:
    over, under, after = call.two_formulas()
    tail = " " if call.text[after : after + 1].isalnum() else ""
    return f"{_term(over)}/{_term(under)}{tail}", after


def _binomial(call: Call) -> Read:
    over, under, after = call.two_formulas()
    return f"({over} choose {under})", after


def _root(call: Call) -> Read:
    degree, after = call.option()
    content, after = call.argument(call.formula, after, token=True)
    root = symbols.ROOTS.get(degree) or symbols.scripted("^", degree, glued=True) + symbols.ROOTS[""]
    return root + _term(content), after


def _stacked(call: Call) -> Read:
    """Read a term above or below a sign as its exponent or its index."""
    mark, base, after = call.two_formulas()
    return base + symbols.scripted("_" if call.name == "underset" else "^", mark, glued=True), after


def _text_script(call: Call) -> Read:
    content, after = call.argument(Mode.SCRIPT)
    return symbols.scripted("^" if call.name == "textsuperscript" else "_", content, glued=False), after


def _negated(call: Call) -> Read:
    content, after = call.argument(call.formula, token=True)
    negation = symbols.negated(content.strip())
    return (negation if call.mode is Mode.SCRIPT else f" {negation} "), after


def _modulo(call: Call) -> Read:
    content, after = call.argument(call.formula, token=True)
    return f" (mod {content})", after


def _link(call: Call) -> Read:
    """Read a link and its optional label."""
    address, after = call.verbatim(call.after)
    link = unescaped(address)
    if call.name != "href":
        return link, after
    label, after = call.argument(Mode.TEXT, after)
    return (link if not label or repeats(link, label) else f"{label} ({link})"), after


def _citation(call: Call) -> Read:
    _, after = call.option()
    keys, after = call.verbatim(after)
    return (f"[{keys}]" if keys else ""), after


def _footnote(call: Call) -> Read:
    content, after = call.argument(Mode.TEXT)
    lead = "" if call.before.isspace() else " "
    return (f"{lead}({content})" if content else ""), after


def _coloured(call: Call) -> Read:
    _, after = call.verbatim(call.after)
    return call.argument(call.mode, after)


def _dropped(call: Call) -> Read:
    return "", call.verbatim(call.after)[1]


_WORDS: Mapping[str, Callable[[Call], Read]] = {
    **dict.fromkeys(symbols.ABBREVIATIONS, _abbreviation),
    **dict.fromkeys(symbols.OPERATORS, _operator),
    **dict.fromkeys(_IGNORED, _ignored),
    **dict.fromkeys(_SIZES, _size),
    **dict.fromkeys(_SPACES, _space),
    "item": _item,
}

# Without an argument these are not LaTeX, and are read as plain names.
_STRUCTURES: Mapping[str, Callable[[Call], Read]] = {
    **dict.fromkeys(symbols.ALPHABETS, _alphabet),
    **dict.fromkeys(symbols.MATH_ACCENTS, _math_accent),
    **dict.fromkeys(symbols.names("frac tfrac dfrac cfrac nicefrac sfrac"), _fraction),
    **dict.fromkeys(symbols.names("binom tbinom dbinom"), _binomial),
    **dict.fromkeys(symbols.names("overset stackrel underset"), _stacked),
    **dict.fromkeys(symbols.names("textsuperscript textsubscript"), _text_script),
    **dict.fromkeys(symbols.names("href url path nolinkurl"), _link),
    **dict.fromkeys(symbols.names("cite citep citet citealp citeauthor parencite textcite"), _citation),
    **dict.fromkeys(symbols.names("textcolor colorbox"), _coloured),
    **dict.fromkeys(symbols.names("label vspace hspace color phantom vphantom hphantom begin end"), _dropped),
    "sqrt": _root,
    "not": _negated,
    "pmod": _modulo,
    "footnote": _footnote,
}
