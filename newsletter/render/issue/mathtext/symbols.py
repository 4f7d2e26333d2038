# ruff: noqa: RUF001 - this table is full of signs that look like letters
"""The characters of LaTeX's commands, alphabets and scripts."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from string import ascii_uppercase

from pylatexenc.latex2text import get_default_latex_context_db

from newsletter.core.normalisation import normalised


def names(listed: str) -> tuple[str, ...]:
    """Return the names in a list with spaces between them."""
    return tuple(listed.split())


GREEK = {
    name: unicodedata.lookup(f"GREEK {'CAPITAL' if name[0].isupper() else 'SMALL'} LETTER {name.upper()}")
    for name in names(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa mu nu xi pi rho sigma tau upsilon phi chi psi"
        " omega Gamma Delta Theta Xi Pi Sigma Upsilon Phi Psi Omega"
    )
} | {"lambda": "λ", "Lambda": "Λ", "varepsilon": "ε", "varphi": "φ"}  # Unicode names it LAMDA

# For commands without a character in the library, or with one that is rare in the fonts of mail programs.
_PREFERRED = GREEK | {
    "ast": "*", "bullet": "•", "Box": "□", "cdotp": "·", "checkmark": "✓", "colon": ":", "coloneqq": "≔",
    "copyright": "©", "dots": "…", "eps": "ε", "geqslant": "≥", "gets": "←", "hdots": "…", "iff": "⇔", "Im": "ℑ",
    "impliedby": "⇐", "implies": "⇒", "land": "∧", "lbrace": "{", "lbrack": "[", "leadsto": "⇝", "leqslant": "≤",
    "Longleftarrow": "⇐", "longleftarrow": "←", "Longleftrightarrow": "⇔", "longleftrightarrow": "↔",
    "longmapsto": "↦", "Longrightarrow": "⇒", "longrightarrow": "→", "lor": "∨", "lVert": "‖", "lvert": "|",
    "mid": "|", "models": "⊨", "ne": "≠", "neg": "¬", "owns": "∋", "pounds": "£", "prime": "′", "rbrace": "}",
    "rbrack": "]", "Re": "ℜ", "rVert": "‖", "rvert": "|", "slash": "/", "square": "□", "textasciicircum": "^",
    "textasciitilde": "~", "textbackslash": "\\", "textbar": "|", "textdollar": "$", "textgreater": ">",
    "textless": "<", "textquotesingle": "'", "textunderscore": "_", "triangle": "△", "triangleq": "≜",
    "vDash": "⊨", "vert": "|", "Vert": "‖",
}  # fmt: skip

# The library reads these as signs; in an abstract they are names of an author or a program.
_AMBIGUOUS = frozenset(names("S P id Ident image original between estimates recorder cancer because"))
_PLANETS = range(0x263D, 0x2654)  # with the zodiac: `\gemini` is a model

# Letters of other alphabets: white space after these commands belongs to them.
LETTERS = frozenset(names("l L o O i j ae AE oe OE aa AA ss dh DH th TH dj DJ ng NG"))

RELATIONS = "≤≥≠≈≃≅≡∼∝∈∉∋⊂⊃⊆⊇≪≫≺≻⪯⪰≼≽≲≳→←↔⇒⇐⇔↦↪⇝⊢⊨⊥≜≔≐≍"
BINARY = "×·±∓∘∪∩∧∨⊕⊗⊙∖*÷⋆"
OPERATION_SIGNS = "+-−/*=<>±·×≤≥∈→∼≈|"  # signs between the terms of a formula
ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}

OPERATORS = names(
    "arccos arcsin arctan arg argmax argmin cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf"
    " limsup ln log max min mod bmod Pr sec sin sinh sup tan tanh"
)

ABBREVIATIONS = {
    "eg": "e.g.", "ie": "i.e.", "etc": "etc.", "etal": "et al.", "cf": "cf.", "vs": "vs.", "wrt": "w.r.t.",
    "aka": "a.k.a.", "iid": "i.i.d.", "viz": "viz.",
}  # fmt: skip

ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "b": "\u0331",
}  # fmt: skip

MATH_ACCENTS = {
    "grave": "\u0300", "acute": "\u0301", "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303",
    "widetilde": "\u0303", "bar": "\u0304", "overline": "\u0304", "breve": "\u0306", "dot": "\u0307",
    "ddot": "\u0308", "mathring": "\u030a", "check": "\u030c", "vec": "\u20d7",
}  # fmt: skip
_NEGATION = "\u0338"

_SCRIPT = str.maketrans(ascii_uppercase, "𝒜ℬ𝒞𝒟ℰℱ𝒢ℋℐ𝒥𝒦ℒℳ𝒩𝒪𝒫𝒬ℛ𝒮𝒯𝒰𝒱𝒲𝒳𝒴𝒵")
_DOUBLE = str.maketrans(ascii_uppercase + "1", "𝔸𝔹ℂ𝔻𝔼𝔽𝔾ℍ𝕀𝕁𝕂𝕃𝕄ℕ𝕆ℙℚℝ𝕊𝕋𝕌𝕍𝕎𝕏𝕐ℤ𝟙")
_FRAKTUR = str.maketrans(ascii_uppercase, "𝔄𝔅ℭ𝔇𝔈𝔉𝔊ℌℑ𝔍𝔎𝔏𝔐𝔑𝔒𝔓𝔔ℜ𝔖𝔗𝔘𝔙𝔚𝔛𝔜ℨ")
ALPHABETS = {
    "mathcal": _SCRIPT, "mathscr": _SCRIPT, "cal": _SCRIPT, "mathbb": _DOUBLE, "mathds": _DOUBLE, "Bbb": _DOUBLE,
    "mathfrak": _FRAKTUR, "frak": _FRAKTUR,
}  # fmt: skip

_RAISED = dict(zip("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾", strict=True))
_RAISED |= dict(zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True))  # there is no q
_RAISED |= dict(zip("ABDEGHIJKLMNOPRTUVWβγδθφχ−⊤∘", "ᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ⁻ᵀ°", strict=True))
_LOWERED = dict(zip("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True))
_LOWERED |= dict(zip("aehijklmnoprstuvxβγρφχ−", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ₋", strict=True))
_RAISED_ALREADY = frozenset("′″*†‡°'")
_DECIMAL = re.compile(r"\d+\.\d+")
_LONGEST_WORD = 3  # longer ones are hard to read in small letters, and a screen reader spells them

_library = cache(get_default_latex_context_db)


@cache
def symbol(name: str) -> str:
    """Return the character of a command (`alpha`, `leq`, `ss`), or nothing if it has none."""
    if name in _PREFERRED or name in _AMBIGUOUS:
        return _PREFERRED.get(name, "")
    sign = getattr(_library().get_macro_spec(name), "simplify_repl", None)
    if not isinstance(sign, str) or len(sign) != 1 or sign.isascii() or ord(sign) in _PLANETS:
        return ""
    return sign if sign.isprintable() else ""


def accented(letter: str, accent: str) -> str:
    """Return a letter with a combining accent, as a single character if there is one."""
    return unicodedata.normalize("NFC", {"\u0131": "i", "\u0237": "j"}.get(letter, letter) + accent)


def negated(sign: str) -> str:
    """Return a negated sign, as a single character if there is one."""
    return normalised("NFC", sign + _NEGATION) if sign else ""


def scripted(kind: str, content: str, *, glued: bool) -> str:
    """Return `content` raised (`kind` is `^`) or lowered (`_`); `glued` says that a letter or digit follows.

    Content without raised or lowered characters keeps its mark, and its braces if its end would not be visible.
    """
    table, bare = (_RAISED if kind == "^" else _LOWERED), content.replace(" ", "")
    if kind == "^" and bare and set(bare) <= _RAISED_ALREADY:
        return bare
    word = bare.isalpha() and len(bare) > _LONGEST_WORD
    if bare and not word and (all(char in table for char in bare) or _DECIMAL.fullmatch(bare)):
        return "".join(table.get(char, char) for char in bare)
    if not glued and (len(bare) == 1 or (kind == "_" and content.isalpha())):
        return kind + content
    return f"{kind}{{{content}}}" if bare else ""
