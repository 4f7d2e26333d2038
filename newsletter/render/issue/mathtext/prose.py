"""Forms that LaTeX and prose share: links, prices, quotation marks, ties and dashes; decides which it is."""

from __future__ import annotations

import re

from newsletter.render.issue.mathtext.symbols import OPERATION_SIGNS

LINK = r"(?:https?://|www\.)(?:[^\s{}<>$\\]|\\[_%#&~])+"

# Nothing inside these is markup.
PROTECTED = (
    rf"{LINK}"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]+"  # addresses of mail
    r"|(?<![\w.-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,12}/[^\s{}<>$\\]*"  # links without a scheme
    r"|(?<!\w)[A-Z]:\\(?!math|text)\w[^\s{}<>$]*"  # paths of Windows
    r"|(?<![\w\\])\\\\[\w.-]+\\[^\s{}<>$]+"
    r"|(?<!\S)(?:~|\.{1,2})?/[\w.-][^\s{}<>$\\]*"  # paths
    r"|(?<![`\\])`[^`'\s](?:[^`'\n]{0,200}[^`'\s])?`(?!`)"  # code
)

# Group 1 is inside single marks, 2 and 3 inside double ones.
_QUOTATION = re.compile(
    r"(?<!\w)`(?=\w)([^`'\n]+)'(?![\w'])"
    r"|``(?=\S)((?:[^`'\"]|'(?!'))+?)(?:''|(?<=[^\s(])\"(?!\w))"
    r"|(?<![\w'])''(?=\w)((?:[^`']|'(?!'))+?)''(?!\w)"
)
_QUOTATION_WINDOW = 400

_TIE = re.compile(r"(?<=[A-Za-z][A-Za-z.,:)\]}%$])~(?=[\w(\[\\$])|(?<=[\d$)}])~(?=[A-Za-z]{2})")
_RANGE = re.compile(r"(?<=[\w)%\]}$])--(?=[\w(\\$])|(?<= )--(?= )")
_BREAK = re.compile(r"(?<=[^\n<>!|-])(?<!\| )---(?=[^\n<>!|-])")

_COMMAND = re.compile(r"\\[A-Za-z]")
_WORDS_OF_COMMANDS = re.compile(r"\\[A-Za-z]+(?:\{[^{}]*\})?")
_MATHEMATICAL = re.compile(rf"[\\^_{{}}{re.escape(OPERATION_SIGNS)}]")
_CODE = re.compile(r"\"|(?<!\\)\b[A-Za-z]{2,}_[A-Za-z]{2}")
_WORD = re.compile(r"(?:^|\s)(?:[A-Za-z]{3,}|a|an|of|to|or|in)\s")
_LONGEST_NAME = 2  # of a variable: `$k$NN`, but not `$HOME:$PATH`


def is_formula(content: str, after: str) -> bool:
    """Return whether the text between two dollar signs is a formula; `after` is the character after them.

    Prices and variables of programs come in pairs too: `$5 to $10`.
    """
    bare = content.strip()
    if not bare or _CODE.search(content):
        return False
    wordy = bool(_WORD.search(_WORDS_OF_COMMANDS.sub("", content)))
    if _COMMAND.search(content):
        return content == bare or not wordy
    if content != bare or wordy or after.isdigit():
        return False
    return not after.isalnum() or len(content) <= _LONGEST_NAME or bool(_MATHEMATICAL.search(content))


def unescaped(link: str) -> str:
    r"""Return a link without the backslashes that LaTeX needs in it (`\_`)."""
    return re.sub(r"\\([_%#&~])", r"\1", link)


def repeats(link: str, label: str) -> bool:
    """Return whether the label of a link only repeats the link."""
    return label.strip().rstrip("/") == link.rstrip("/")


def may_label(link: str, after: str) -> bool:
    """Return whether a group after a link is a label, and not a part of its path (`/users/{id}/x`).

    `after` is the character after the group.
    """
    return link[-1] not in "/_^=&?#" and after != "/" and not after.isalnum()


def quotation(text: str, start: int, end: int) -> re.Match[str] | None:
    """Return the quotation that begins at `start`: group 1 is inside single marks, 2 or 3 inside double ones."""
    return _QUOTATION.match(text, start, min(end, start + _QUOTATION_WINDOW))


def tie(text: str, position: int) -> str:
    """Return `~` as a space if it ties words (`Table~2`), else unchanged (`~10x`, `12~20%`)."""
    return " " if _TIE.match(text, position) else "~"


def dash(text: str, start: int, end: int) -> str:
    """Return `--` and `---` as dashes if they mean dashes, else unchanged (`--flag`, `<!--`, rules)."""
    run = text[start:end]
    if run == "--" and _RANGE.match(text, start):
        return "\N{EN DASH}"
    return "\N{EM DASH}" if run == "---" and _BREAK.match(text, start) else run
