"""What makes two records the same paper: canonical identities, from the strongest to the weakest.

A listing is known by its arXiv id without version, else its DOI, else its normalised URL, else its normalised
title. All functions are pure and total: any text goes in, nothing is raised.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from newsletter.core.normalisation import normalised


class IdKind(StrEnum):
    """The kinds of identity, strongest first."""

    ARXIV = "arxiv"
    DOI = "doi"
    URL = "url"
    TITLE = "title"

    @property
    def strength(self) -> int:
        """Return 0 for the strongest kind, growing as identities get weaker."""
        return list(IdKind).index(self)


@dataclass(frozen=True, slots=True)
class ListingId:
    """A canonical identity, written `kind:value`, such as `arxiv:2606.13677`."""

    kind: IdKind
    value: str

    def __str__(self) -> str:
        """Return the written form, which `parse` reads back."""
        return f"{self.kind}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> ListingId:
        """Read the written form.

        Raises:
            ValueError: the text is not `kind:value` with a known kind.
        """
        kind, colon, value = text.partition(":")
        if not colon or not value:
            raise ValueError(f"{text!r} is not a listing id: expected kind:value")
        return cls(IdKind(kind), value)


# https://info.arxiv.org/help/arxiv_identifier.html: YYMM.number since April 2007 (four digits, five from 2015),
# before that archive.subject/YYMMnumber, where the subject class is not part of the identity.
_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]+(?:\.[A-Za-z-]{2,})?/\d{7}"
_ARXIV = rf"(?P<id>{_NEW_STYLE}|{_OLD_STYLE})(?:v\d+)?"
_BARE_ARXIV = re.compile(rf"(?:oai:)?(?:arxiv(?:\.org)?:)?\s*{_ARXIV}(?:\.pdf)?", re.IGNORECASE)
_ARXIV_PATH = re.compile(
    rf"/(?:abs|pdf|html|format|src|ps|e-print|papers|overview|forum)/(?:arxiv:)?{_ARXIV}(?:\.(?:pdf|md|ps))?/?",
    re.IGNORECASE,
)
_ARXIV_HOSTS = ("arxiv.org", "huggingface.co", "hf.co", "alphaxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org")
_ARXIV_DOI = re.compile(rf"10\.48550/arxiv\.{_ARXIV}", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|ref|ref_src|source|mc_[ce]id)", re.IGNORECASE)


def arxiv_id(text: str) -> str:
    """Return the arXiv id without version that a text *is* (bare id, link, DOI), or an empty string.

    The text has to be an id as a whole: an id inside a sentence is a citation, not an identity.
    """
    text = text.strip()
    match = _BARE_ARXIV.fullmatch(text)
    if match is None:
        lowered = _doi_text(text)
        match = _ARXIV_DOI.fullmatch(lowered)
    if match is None and "/" in text:
        host, path = _host_and_path(text)
        if any(host == known or host.endswith("." + known) for known in _ARXIV_HOSTS):
            match = _ARXIV_PATH.fullmatch(path)
    return _fold_old_style(match["id"]) if match else ""


def _fold_old_style(identifier: str) -> str:
    """Drop the subject class of an old id: `math.GT/0309136` and `math/0309136` are one paper."""
    archive, slash, number = identifier.lower().partition("/")
    return f"{archive.partition('.')[0]}/{number}" if slash else archive


def _host_and_path(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url if "://" in url else "https://" + url)
        return (parts.hostname or "").lower(), unquote(parts.path)
    except ValueError:
        return "", ""


def _doi_text(text: str) -> str:
    text = unquote(text.strip())
    return re.sub(r"^(?:https?://(?:dx\.|www\.)?doi\.org/|doi:\s*)", "", text, flags=re.IGNORECASE).lower()


def doi(text: str) -> str:
    """Return the DOI in lower case that a text is (bare, `doi:`, resolver link), or an empty string.

    An arXiv DOI is an arXiv id in disguise and gives an empty string here. DOIs ignore case (DOI handbook, 2.4).
    """
    candidate = _doi_text(text).rstrip(".,;)")
    if _ARXIV_DOI.fullmatch(candidate) or not _DOI.fullmatch(candidate) or not candidate.isprintable():
        return ""
    # bioRxiv and medRxiv write a version behind the DOI of the paper; the paper is the identity.
    return re.sub(r"^(10\.(?:1101|64898)/.+?)v\d+(?:\.full(?:\.pdf)?|\.abstract)?$", r"\1", candidate)


def normalised_url(text: str) -> str:
    """Return a URL without scheme, `www.`, fragment, tracking parameters and last slash, or an empty string.

    The form identifies and is not meant to be opened. Host names lose their case, paths keep it.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return ""
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k)]
    netloc = host if port in {None, 80, 443} else f"{host}:{port}"
    return urlunsplit(
        ("", netloc, parts.path.rstrip("/"), urlencode(sorted(query), errors="replace"), "")
    ).removeprefix("//")


_LATEX_WORD = re.compile(r"\\(?:textbf|textit|texttt|textsc|textrm|emph|mathcal|mathbb|mathbf|mathrm|text)\b")
_NOT_WORD = re.compile(r"[^\w]+|_", re.UNICODE)


def normalised_title(text: str) -> str:
    """Return a title as bare lower-case words: no accents, punctuation, LaTeX commands or doubled spaces.

    Titles without a letter or digit give an empty string, which identifies nothing.
    """
    text = _LATEX_WORD.sub("", text)
    # Compatibility caseless matching (Unicode standard, 3.13, D146): folding and decomposing, twice.
    for _ in range(2):
        text = normalised("NFKD", text).casefold()
    plain = "".join(char for char in normalised("NFKD", text) if not unicodedata.combining(char))
    return " ".join(_NOT_WORD.sub(" ", plain).split())


def identities(
    *, arxiv: str = "", doi_: str = "", urls: tuple[str, ...] = (), title: str = ""
) -> tuple[ListingId, ...]:
    """Return all identities of a record, strongest first, each once.

    Args:
        arxiv: an arXiv id, link or nothing.
        doi_: a DOI, link or nothing.
        urls: links of the record; one to arXiv or a DOI resolver yields that identity instead of a URL.
        title: the title as shown.
    """
    found: dict[ListingId, None] = {}
    for text in (arxiv, doi_, *urls):
        if value := arxiv_id(text):
            found[ListingId(IdKind.ARXIV, value)] = None
        elif value := doi(text):
            found[ListingId(IdKind.DOI, value)] = None
        elif value := normalised_url(text):
            found[ListingId(IdKind.URL, value)] = None
    if value := normalised_title(title):
        found[ListingId(IdKind.TITLE, value)] = None
    return tuple(sorted(found, key=lambda identity: identity.kind.strength))


def same_paper(one: tuple[ListingId, ...], other: tuple[ListingId, ...]) -> bool:
    """Tell whether two records name one paper.

    They do if they share an identity, and no stronger kind of identity tells them apart: two papers of one
    title with different arXiv ids are two papers.
    """
    for kind in IdKind:
        mine = {identity.value for identity in one if identity.kind is kind}
        theirs = {identity.value for identity in other if identity.kind is kind}
        if mine & theirs:
            return True
        if mine and theirs and kind in {IdKind.ARXIV, IdKind.DOI}:
            return False
    return False
