"""What is fuzzed: a function, how inputs for it are made, and which of its exceptions are documented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

# What parsers of text stumble over, and what is repeated to see how time grows. Each stands for its kind.
UNITS = (
    *("$", "$x", "$x$ ", "$$", r"\(", r"\)", r"\[", r"\(x", r"\[x\]", "{", "}", "{}", "^", "_", "^{", "_{", "x_1"),
    *(r"\text{", r"\begin{", r"\frac", r"\hat", r"\\", "\\", r"\left(", "left(", "right)", "mathcal{", r"\href{"),
    *("`", "``", "''", "'", '"', "~", "--", "---", "(", ")", "((", "[", "]", "<", ">", "<a b", "<!--", "<script"),
    *("&", "&amp;", "&#x41;", "&#", "]]>", "<![CDATA[", "http://", "https://a.b/", "www.", "a@b.c", "a@", "a."),
    *(
        "\u0301",
        "\u0345",
        "\u1161",
        "\u0345\u0301",
        "\u202e",
        "\ufdfa",
        "\U0001d4d0",
        "\udcff",
        "\ud800",
        "\x00",
        "\u0130",
        "字",
    ),
    *(" ", "  ", "\n", "\r\n", "\t", "\u2028", "\u00a0", ",", ", ", ";", ".", ". ", "A. ", "!", ":", "=", "|"),
    *(
        "a",
        "a ",
        "ab",
        "A",
        "aA",
        "1",
        "12 ",
        "1,",
        "0",
        "-",
        "+",
        "%",
        "%41",
        "#",
        "?",
        "@",
        "*",
        "/",
        "//",
        "a/",
    ),
    *("ational", "izations ", "ed", "ing ", "times", "sim!", "alpha", "calH", "x2013", "et al. ", "and ", "user "),
    *(" author", "10.1/", "arXiv:", "·", "가"),
)


def _same(text: str) -> Any:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One function under test.

    `area` groups targets for `--only`. `make` returns an input for `check`, which may raise what is `documented`
    and nothing else. `longer` builds an input around a text of any length, to see how time grows with it.
    """

    name: str
    area: str
    make: Callable[[Random], Any]
    check: Callable[[Any], object]
    documented: tuple[type[Exception], ...] = ()
    longer: Callable[[str], Any] = _same
    longest: int = 200_000  # characters of such a text


def text_target(
    name: str,
    area: str,
    check: Callable[[str], object],
    seeds: tuple[str, ...] = (),
    *,
    documented: tuple[type[Exception], ...] = (),
    longer: Callable[[str], str] = _same,
    longest: int = 200_000,
) -> Target:
    """Return a target that takes one text, made of pieces of `seeds` and of what parsers stumble over."""
    return Target(
        name=name,
        area=area,
        make=lambda random: mutated(random, seeds),
        check=check,
        documented=documented,
        longer=longer,
        longest=longest,
    )


def mutated(random: Random, seeds: tuple[str, ...], *, changes: int = 6) -> str:
    """Return one of the seeds, or nothing, with some changes: pieces cut, doubled, moved, put in, repeated."""
    text = random.choice(("", *seeds))
    for _ in range(random.randint(1, changes)):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 1, 2, 5, 20, 200)))
        text = text[:start] + _piece(random, text[start:end], seeds) + text[end:]
    return text


def _piece(random: Random, old: str, seeds: tuple[str, ...]) -> str:
    match random.randrange(8):
        case 0:
            return ""
        case 1:
            return old * random.choice((2, 3, 50))
        case 2:
            return old + chr(
                random.choice((random.randrange(128), random.randrange(0x3000), random.randrange(0x110000)))
            )
        case 3:
            other = random.choice(seeds) if seeds else ""
            start = random.randint(0, len(other))
            return old + other[start : start + random.randint(1, 40)]
        case 4:
            return hostile(random) * random.choice((1, 2, 10, 300))
        case _:
            return "".join(random.choices(UNITS, k=random.randint(1, 12)))


def hostile(random: Random) -> str:
    """Return up to three of the pieces that parsers stumble over."""
    return "".join(random.choices(UNITS, k=random.choice((1, 1, 2, 3))))


def as_bytes(text: str) -> bytes:
    r"""Return a text as UTF-8; `\udc80` to `\udcff` stand for bytes that are none, other surrogates for `?`."""
    return "".join(
        char if not "\ud800" <= char < "\udc80" and not "\udcff" < char <= "\udfff" else "?" for char in text
    ).encode("utf-8", "surrogateescape")
