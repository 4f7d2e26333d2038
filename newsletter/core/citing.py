"""A paper as programs for references read it: BibTeX and RIS. Pure.

Both are made of what sources say of the paper, and what they don't say is left out: a preprint has no journal.
Texts are taken as they are read, so markup in them must be turned into Unicode before. Titles and names come from
strangers: no text ends a field, an entry or a line early.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from hashlib import blake2b
from urllib.parse import quote, urlsplit

from newsletter.core.listing import Listing
from newsletter.core.normalisation import normalised
from newsletter.core.text import one_line

_MOST_AUTHORS = 1000  # more are "and others"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_PART = 30  # characters of a name or a word in a key
_WIDTH = 13  # of the longest name of a field

# What TeX would take for a command. BibTeX counts braces also behind a backslash, so they are named instead.
_TEX = str.maketrans(
    {
        **{char: f"\\{char}" for char in "&%$#_"},
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)
_WORD = re.compile(r"[^\W_]+")
_CATEGORY = re.compile(r"[a-z-]+(?:\.[A-Za-z-]+)?", re.ASCII)
_URL_SAFE = "@/:=?;#%&,+!~*'()$"

# Names of many, which have no family name.
_CORPORATE = re.compile(
    r"\b(?:(?i:team|collaboration|consortium|group|labs?|laboratory|project|initiative|institute|university|inc"
    r"|foundation|community)|AI)\.?$"  # Ai is a family name
)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h", "ŋ": "ng"}
)
_SAYS_NOTHING = frozenset(
    ("a an and are as at be by can do does for from how in is of on or the to what when with").split()  # noqa: SIM905
)


def citation_key(listing: Listing) -> str:
    """Return the key of a paper's entry, such as `dong2025reinforcement`: ASCII letters and digits.

    It is made of the first author, the year and the first telling word of the title. Where these are in another
    script, the paper's id stands for them. The same paper always has the same key.
    """
    family = _ascii(_family_and_given(listing.authors[0])[0]).lstrip("0123456789") if listing.authors else ""
    words = (_ascii(word) for word in _WORD.findall(one_line(listing.title)))
    word = next((word for word in words if len(word) > 1 and word not in _SAYS_NOTHING), "")
    year = str(_year(listing) or "")
    if family or word:
        return f"{family or 'paper'}{year}{word}"
    number = "".join(char for char in listing.arxiv_id if char.isascii() and char.isalnum())
    return f"paper{number or blake2b(listing.title.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def bibtex(listing: Listing) -> str:
    """Return a paper as an entry of BibTeX, in UTF-8, with a line end behind it.

    It is of the type `misc`, as arXiv writes it. Words with capitals inside are kept from being set in small ones.
    """
    month = _month(listing)
    fields = {
        "title": _braced(_kept_capitals(one_line(listing.title))),
        "author": _braced(" and ".join(_bibtex_names(listing))),
        "year": _braced(str(_year(listing) or "")),
        "month": _MONTHS[month - 1] if month else "",
        "eprint": _braced(_arxiv(listing)),
        "archivePrefix": "{arXiv}" if listing.arxiv_id else "",
        "primaryClass": _braced(_category(listing)),
        "doi": _braced(_doi(listing)),
        "url": _braced(_url(listing)),
    }
    lines = [f"  {name.ljust(_WIDTH)} = {value}" for name, value in fields.items() if value]
    return f"@misc{{{citation_key(listing)},\n" + ",\n".join(lines) + "\n}\n"


def ris(listing: Listing) -> str:
    """Return a paper as a reference in RIS, in UTF-8: a tag a line, with CR LF."""
    names = (_family_and_given(name) for name in _authors(listing))
    published = listing.published_on
    values = [
        ("TY", "GEN"),
        ("ID", citation_key(listing)),
        ("TI", one_line(listing.title)),
        *(("AU", f"{family}, {given}" if given else family) for family, given in names),
        ("PY", str(_year(listing) or "")),
        ("DA", f"{published:%Y/%m/%d}" if published else ""),
        ("PB", "arXiv" if listing.arxiv_id else ""),
        ("AN", f"arXiv:{_arxiv(listing)}" if listing.arxiv_id else ""),
        ("DO", _doi(listing)),
        ("UR", _url(listing)),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in values if value) + "ER  - \r\n"


def _authors(listing: Listing) -> list[str]:
    return [name for author in listing.authors[:_MOST_AUTHORS] if (name := one_line(author))]


def _bibtex_names(listing: Listing) -> Iterable[str]:
    names = _authors(listing)
    yield from map(_bibtex_name, names)
    if names and listing.n_authors > min(len(listing.authors), _MOST_AUTHORS):
        yield "others"


def _bibtex_name(name: str) -> str:
    """Return a name such that BibTeX reads one name: as it is written, or in braces where it would be cut."""
    plain = name.translate(_TEX)
    family, comma, given = name.partition(",")
    is_cut = comma and (not (family.strip() and given.strip()) or "," in given)
    return _braced(plain) if is_cut or _is_of_many(name) or name.lower() == "others" else plain


def _is_of_many(name: str) -> bool:
    """Return whether a name is that of a team, or of two at once: it has no family name."""
    return bool(_CORPORATE.search(name) or re.search(r"(?:^|\s)and(?:\s|$)", name, re.IGNORECASE))


def _family_and_given(name: str) -> tuple[str, str]:
    """Return the family name with its particles (`van der Berg`), and the given names; the latter may be empty."""
    name = one_line(name)
    if "," in name and not _is_of_many(name):
        family, _, given = (part.strip() for part in name.partition(","))
        return (family, given) if family else (given, "")
    words = name.split()
    if len(words) < 2 or _is_of_many(name):  # noqa: PLR2004 -- one word is all there is
        return name, ""
    last = len(words) - 1
    if last > 1 and words[last].lower().rstrip(".") in _SUFFIXES:
        last -= 1
    first = last
    while first > 1 and words[first - 1].islower():
        first -= 1
    return " ".join(words[first:]), " ".join(words[:first])


def _kept_capitals(title: str) -> str:
    """Return a title for BibTeX, with braces around the words in which a capital is part of the spelling."""
    return "".join(_kept(part) for part in re.split(r"([^\W_]+)", title))


def _kept(part: str) -> str:
    capitals = sum(char.isupper() for char in part)
    is_spelling = any(char.isupper() for char in part[1:]) or (capitals and any(char.isdigit() for char in part))
    is_letter = len(part) == 1 and capitals and part not in "AI"
    return _braced(part) if is_spelling or is_letter else part.translate(_TEX)


def _braced(text: str) -> str:
    return f"{{{text}}}" if text else ""


def _year(listing: Listing) -> int | None:
    """Return the year of a paper; an arXiv id tells it, too."""
    if listing.published_on:
        return listing.published_on.year
    submitted = _submitted(listing.arxiv_id)
    return submitted.year if submitted else None


def _month(listing: Listing) -> int | None:
    known = listing.published_on or _submitted(listing.arxiv_id)
    return known.month if known else None


def _submitted(arxiv_id: str) -> date | None:
    """Return the first day of the month that an arXiv id begins with (YYMM), the first year being 1991."""
    digits = arxiv_id.rpartition("/")[2][:4]
    if len(digits) < 4 or not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[2:]) <= 12:  # noqa: PLR2004
        return None
    year = int(digits[:2])
    return date(year + (1900 if year > 90 else 2000), int(digits[2:]), 1)  # noqa: PLR2004


def _category(listing: Listing) -> str:
    """Return the category that an arXiv paper is filed under: the first of its categories."""
    first = next(iter(listing.categories), "")
    return first if listing.arxiv_id and _CATEGORY.fullmatch(first) else ""


def _arxiv(listing: Listing) -> str:
    return _quoted(listing.arxiv_id)


def _doi(listing: Listing) -> str:
    """Return the paper's DOI; arXiv gives one to each of its papers."""
    own = f"10.48550/arXiv.{_arxiv(listing)}" if listing.arxiv_id else ""
    return _quoted(listing.doi) or own


def _url(listing: Listing) -> str:
    if listing.arxiv_id:
        return f"https://arxiv.org/abs/{_arxiv(listing)}"
    try:
        is_web = urlsplit(listing.url.strip()).scheme.lower() in {"http", "https"}
    except ValueError:
        is_web = False
    if is_web:
        return _quoted(listing.url)
    return f"https://doi.org/{_quoted(listing.doi)}" if listing.doi else ""


def _quoted(address: str) -> str:
    """Return an address or DOI in ASCII, without braces, backslashes and spaces."""
    return quote(address.strip(), safe=_URL_SAFE, errors="replace")


def _ascii(text: str) -> str:
    """Return the ASCII letters and digits of a text in small letters; accents are left out."""
    folded = normalised("NFKD", text.casefold().translate(_LETTERS)).casefold()
    return "".join(char for char in folded if char.isascii() and char.isalnum())[:_LONGEST_PART]
