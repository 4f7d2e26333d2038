"""What records are known by: identities, from the strongest to the weakest.

A listing is known by its arXiv id without version, its DOI, what its feed calls it, its link, and its title.
Whether two records are one paper is weighed in `newsletter.core.evidence`. All functions are pure and total: any
text goes in, nothing is raised.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.core.titles import normalised_title, title_key
from newsletter.core.weblinks import former_url, normalised_url


class IdKind(StrEnum):
    """The kinds of identity, strongest first. The last two are what databases held before revision 0003."""

    ARXIV = "arxiv"
    DOI = "doi"
    GUID = "guid"
    URL = "url"
    FORMER_URL = "former-url"
    TITLE = "title"
    FORMER_TITLE = "former-title"

    @property
    def strength(self) -> int:
        """Return 0 for the strongest kind, growing as identities get weaker."""
        return _STRENGTH[self]


_STRENGTH = {kind: strength for strength, kind in enumerate(IdKind)}


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
_BARE_ARXIV = re.compile(rf"(?P<says>(?:oai:)?arxiv(?:\.org)?:)?\s*{_ARXIV}(?:\.pdf)?", re.IGNORECASE | re.ASCII)
_ARXIV_PATH = re.compile(
    rf"/(?:abs|pdf|html|format|src|ps|e-print|papers|overview|forum)/(?:arxiv:)?{_ARXIV}(?:\.(?:pdf|md|ps))?/?",
    re.IGNORECASE | re.ASCII,
)
_ARXIV_HOSTS = ("arxiv.org", "huggingface.co", "hf.co", "alphaxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org")
_ARXIV_DOI = re.compile(rf"10\.48550/arxiv\.{_ARXIV}", re.IGNORECASE | re.ASCII)
_NEW_FROM, _FIVE_DIGITS_FROM, _OLD_UNTIL = "0704", "1501", "0703"
_OLD_FROM, _NEVER_FROM = "91", "91"  # the first year of old ids, and one that new ids won't reach for decades
_MONTHS = {f"{month:02}" for month in range(1, 13)}
_FIVE = 5


def arxiv_id(text: str) -> str:
    """Return the arXiv id without version that a text *is* (bare id, link, DOI), or an empty string.

    The text has to be an id as a whole: an id inside a sentence is a citation, not an identity. Bare numbers are
    for fields that hold nothing but arXiv ids; elsewhere take `stated_arxiv_id`.
    """
    match = _BARE_ARXIV.fullmatch(text.strip())
    return _possible(match["id"]) if match else stated_arxiv_id(text)


def stated_arxiv_id(text: str) -> str:
    """Return the arXiv id that a text says to be one, by a link, a DOI or `arXiv:`, or an empty string.

    A journal's article number may look like one.
    """
    text = text.strip()
    match = _BARE_ARXIV.fullmatch(text)
    if match is not None and not match["says"]:
        return ""
    if match is None:
        match = _ARXIV_DOI.fullmatch(_doi_text(text))
    if match is None and "/" in text:
        host, path = _host_and_path(text)
        if any(host == known or host.endswith("." + known) for known in _ARXIV_HOSTS):
            match = _ARXIV_PATH.fullmatch(path)
    return _possible(match["id"]) if match else ""


def _possible(identifier: str) -> str:
    """Return an id in its usual form, or nothing where arXiv cannot have given it: `2413.00001` has no month.

    Subject classes of old ids are dropped: `math.GT/0309136` and `math/0309136` are one paper.
    """
    archive, slash, number = identifier.lower().partition("/")
    digits = number or archive
    year_month, year = digits[:4], digits[:2]
    if digits[2:4] not in _MONTHS:
        return ""
    if slash:
        return f"{archive.partition('.')[0]}/{number}" if year >= _OLD_FROM or year_month <= _OLD_UNTIL else ""
    has_five = len(digits.partition(".")[2]) == _FIVE
    is_possible = year_month >= _NEW_FROM and year < _NEVER_FROM and has_five == (year_month >= _FIVE_DIGITS_FROM)
    return archive if is_possible else ""


def _host_and_path(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url if "://" in url else "https://" + url)
        return (parts.hostname or "").lower(), unquote(parts.path)
    except ValueError:
        return "", ""


_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+", re.ASCII)
_RESOLVER = re.compile(r"(?:https?://)?(?:dx\.|www\.)?doi\.org/(?:doi:)?", re.IGNORECASE)
_DOI_PREFIX = re.compile(r"(?:info:doi/|urn:doi:|doi[:\s]\s*)", re.IGNORECASE)
# What publishers write after a DOI for a view of the paper.
_TAIL = re.compile(
    r"(?:/(?:abstract|abs|summary|full(?:-?text)?(?:/html)?|e?pdf(?:/full)?|html|xml|meta|references|figures|tables"
    r"|metrics|citations|cited-?by|related|comments|supplementary-material|powerpoint|asset/\S*)"
    r"|\.(?:e?pdf|abstract|short|full(?:-text)?(?:\.pdf)?(?:\+html)?|article-info|supplementary-material))$"
)
# Preprint servers and journals that give each version a DOI of its own; the paper is the identity.
_VERSION = re.compile(
    r"^(10\.(?:1101|64898)/.+?)v\d+$"  # bioRxiv, medRxiv
    r"|^(10\.21203/rs\..+?)/v\d+$"  # Research Square
    r"|^(10\.20944/preprints.+?)\.v\d+$"
    r"|^(10\.26434/chemrxiv-.+?)[-/]v\d+$"
    r"|^(10\.312\d\d/osf\.io/.+?)_v\d+$"
    r"|^(10\.12688/\w+\.\d+)\.\d+$"  # F1000 Research and its sisters
    r"|^(10\.7554/elife\.\d+)\.\d+$"
)
# Where publishers write the DOI of a paper into its address, such as /content/10.1101/… or /doi/abs/10.1145/….
_DOI_IN_PATH = re.compile(
    r"/(?P<where>content|articles?|fullarticle|article-\w+|doi|abs|abstract|full(?:text)?|e?pdf|pdf(?:direct|plus)"
    r"|chapter|book|reader)/(?P<doi>10\.\d{4,9}(?:\.\d+)*/.+)",
    re.ASCII,
)
# Silverchair's journals (Oxford, AIP …) write the number of the article after the DOI, and perhaps its title.
_NUMBERED = re.compile(r"article(?:-\w+)?/doi/(?P<doi>10\.\d{4,9}/.+?)/\d{5,}(?:/[^/]*)?$", re.ASCII)
_IN_QUERY = ("doi", "id")


def _doi_text(text: str) -> str:
    text = text.strip()
    if resolver := _RESOLVER.match(text):
        text = re.split(r"[?#]", text[resolver.end() :], maxsplit=1)[0]
    return unquote(_DOI_PREFIX.sub("", text, count=1)).lower()


def doi(text: str) -> str:
    """Return the DOI in lower case that a text is (bare, `doi:`, resolver link), or an empty string.

    An arXiv DOI is an arXiv id in disguise and gives an empty string here. DOIs ignore case (DOI handbook, 2.4).
    """
    candidate = _doi_text(text).rstrip(".,;/")
    if candidate.endswith(")") and candidate.count("(") < candidate.count(")"):
        candidate = candidate.rstrip(".,;)")
    while tail := _TAIL.search(candidate):
        candidate = candidate[: tail.start()]
    if not _DOI.fullmatch(candidate) or _ARXIV_DOI.fullmatch(candidate) or not candidate.isprintable():
        return ""
    version = _VERSION.match(candidate)
    return next(filter(None, version.groups()), "") if version else candidate


def doi_in(text: str) -> str:
    """Return the DOI that a link or a feed's id gives away, or an empty string.

    Where nothing says that it is one, `10.2024/5` may as well be an issue of a journal: it has to be longer.
    """
    text = text.strip()
    if _RESOLVER.match(text) or _DOI_PREFIX.match(text):
        return doi(text)
    if "://" not in text:
        return _long_enough(doi(text))
    host, path = _host_and_path(text)
    if numbered := _NUMBERED.search(path):
        return doi(numbered["doi"])
    if match := _DOI_IN_PATH.search(path):
        return doi(match["doi"]) if match["where"] == "doi" else _long_enough(doi(match["doi"]))
    if host == "link.springer.com":
        return doi(path.removeprefix("/"))
    return next(filter(None, (doi(value) for value in _queried(text))), "")


def _queried(url: str) -> list[str]:
    try:
        return [value for name, value in parse_qsl(urlsplit(url).query) if name.lower() in _IN_QUERY]
    except ValueError:
        return []


def _long_enough(identifier: str) -> str:
    suffix = identifier.partition("/")[2]
    return identifier if len(suffix) > (6 if suffix.isdecimal() else 4) else ""


# PostgreSQL indexes no text beyond 2,704 bytes; this many characters always fit.
_LONGEST = 500


def bounded(identity: ListingId) -> ListingId:
    """Return an identity in a form short enough for an index."""
    if len(identity.value) <= _LONGEST:
        return identity
    digest = hashlib.sha256(identity.value.encode()).hexdigest()
    return ListingId(identity.kind, f"{identity.value[: _LONGEST - 80]}…{digest}")


def guid_id(source: str, guid: str) -> ListingId:
    """Return what a source calls one of its entries; it holds within that source alone."""
    return bounded(ListingId(IdKind.GUID, f"{hashlib.sha256(source.encode()).hexdigest()[:12]}/{guid}"))


def scope_of(guid: str) -> str:
    """Return the source, by its number, that the value of a `guid_id` holds for."""
    return guid.partition("/")[0]


def identities(
    *, arxiv: str = "", doi_: str = "", urls: tuple[str, ...] = (), title: str = ""
) -> tuple[ListingId, ...]:
    """Return all identities of a record, strongest first, each once.

    Args:
        arxiv: an arXiv id, link or nothing.
        doi_: a DOI, link or nothing.
        urls: links of the record; one to arXiv or with a DOI yields that identity instead of a URL.
        title: the title as shown.
    """
    found: dict[ListingId, None] = {}
    if value := arxiv_id(arxiv):
        found[ListingId(IdKind.ARXIV, value)] = None
    for text in (arxiv, doi_, *urls):
        if value := stated_arxiv_id(text):
            found[ListingId(IdKind.ARXIV, value)] = None
        elif value := doi(text) or doi_in(text):
            found[ListingId(IdKind.DOI, value)] = None
        elif value := normalised_url(text):
            found[bounded(ListingId(IdKind.URL, value))] = None
    if value := title_key(title):
        found[bounded(ListingId(IdKind.TITLE, value))] = None
    return tuple(sorted(found, key=lambda identity: identity.kind.strength))


def usual_form(identity: ListingId) -> ListingId:
    """Return an identity as records have it: without the version, and an arXiv DOI as the arXiv id that it is."""
    value = identity.value
    if identity.kind is IdKind.ARXIV:
        return ListingId(IdKind.ARXIV, arxiv_id(value) or value)
    if identity.kind is IdKind.DOI:
        arxiv = stated_arxiv_id(f"doi:{value}")
        return ListingId(IdKind.ARXIV, arxiv) if arxiv else ListingId(IdKind.DOI, doi(value) or value)
    return identity


def former_identities(url: str, title: str) -> tuple[ListingId, ...]:
    """Return what databases made before revision 0003 know a link and a title by.

    A link is also given in its whole form, which such a row gets once its listing's record tells it.
    """
    links = dict.fromkeys((former_url(url), normalised_url(url)))
    kinds = (*((IdKind.FORMER_URL, link) for link in links), (IdKind.FORMER_TITLE, normalised_title(title)))
    return tuple(bounded(ListingId(kind, value)) for kind, value in kinds if value)


def former_of(identity: ListingId) -> ListingId:
    """Return what such databases know the link or title of an identity by."""
    if identity.kind is IdKind.URL:
        return bounded(ListingId(IdKind.FORMER_URL, former_url(f"https://{identity.value}")))
    return bounded(ListingId(IdKind.FORMER_TITLE, normalised_title(identity.value)))
