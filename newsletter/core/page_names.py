"""The public pages' paths. Lists stand beside the program's own pages, so no list may have such a name."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from newsletter.core.identity import IdKind, ListingId
from newsletter.core.listing import Listing

HEALTH = "healthz"
OWN = "-"  # the program's own pages stand below it, where they are in no list's way
OWN_HEALTH = f"{OWN}/healthz"
READY = f"{OWN}/readyz"
METRICS = f"{OWN}/metrics"
ADMIN = f"{OWN}/admin"  # the operator's pages
API = f"{OWN}/api"
CITE = f"{OWN}/cite"
CONFIRM = f"{OWN}/confirm"
DECIDE = f"{OWN}/decide"
FEEDBACK = f"{OWN}/feedback"
HOOKS = f"{OWN}/hooks"  # where services tell of what comes back
NEW_ADDRESS = f"{OWN}/new-address"
PAPER = "p"
PREFERENCES = f"{OWN}/preferences"
SEARCH = f"{OWN}/search"
SIGN_UP = f"{OWN}/signup"
STATIC = f"{OWN}/static"  # files that pages load
STAY = f"{OWN}/stay"
UNSUBSCRIBE = f"{OWN}/unsubscribe"
FORMER_UNSUBSCRIBE = "unsubscribe"  # where links in old mails lead
RESERVED = frozenset({HEALTH, FORMER_UNSUBSCRIBE, OWN, PAPER})
_LIST_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)

# What of an identity stands in a path as it is. A full stop does so only between two other characters: else a part
# of the path might be `.` or `..`.
_PLAIN = re.compile(r"[A-Za-z0-9-]|(?<=[A-Za-z0-9])\.(?=[A-Za-z0-9])", re.ASCII)
_SHORT = {"/": "_", " ": "+"}
_ESCAPE = "~"  # before two hexadecimal digits, as `%` in URLs: servers and browsers leave it alone
_SAID = re.compile(r"[A-Za-z0-9._~+-]+", re.ASCII)
_LONGEST_PART = 200  # characters: names of files end at 255 bytes


def is_list_name(text: str) -> bool:
    """Return whether a list may be called so: in small letters, digits, `-` and `_`, and not like another page."""
    return bool(_LIST_NAME.fullmatch(text)) and text not in RESERVED


def paper_path(listing: Listing) -> str:
    """Return the path of a paper's page from the root of the site, such as `p/2606.13677/`.

    It holds ASCII letters, digits and `-._~+/` only, so it is the same in a URL and as names of folders.
    `read_paper_path` reads it back.
    """
    return identity_path(listing.id)


def identity_path(identity: ListingId) -> str:
    """Return the path of the page of the paper with this identity, as `paper_path` does."""
    said = in_path(identity.value)
    parts = [said[start : start + _LONGEST_PART] for start in range(0, len(said), _LONGEST_PART)]
    kind = () if identity.kind is IdKind.ARXIV else (identity.kind.value,)
    return "/".join((PAPER, *kind, *parts, ""))


def in_path(text: str) -> str:
    """Return any text, such as a topic's name, as a part of a path: ASCII without slashes, never `.` or `..`."""
    return "".join(_escaped(text, place) for place in range(len(text)))


def read_paper_path(path: str) -> ListingId | None:
    """Return the identity whose path this is, without `p/` in front and with or without the slash behind it.

    An identity in its written form, such as `arxiv:2606.13677` or `doi:10.1000/5`, is read as well, and so is
    `doi/10.1000/5`. None: it is neither.
    """
    path = path.strip("/")
    kind, slash, rest = path.partition("/")
    if ":" in kind:
        kind, _, value = path.partition(":")  # people write `arXiv:` and `DOI:`
        try:
            return ListingId.parse(f"{kind.lower()}:{value}")
        except ValueError:
            return None
    if slash and kind in set(IdKind):
        is_cut = len(rest.partition("/")[0]) == _LONGEST_PART  # into several parts, by no slash of its own
        said = rest.replace("/", "" if is_cut else _SHORT["/"])
    else:  # of arXiv's ids, former ones have a slash themselves: `math/0309136`
        kind, said = IdKind.ARXIV.value, path.replace("/", _SHORT["/"])
    if not _SAID.fullmatch(said):
        return None
    for character, short in _SHORT.items():
        said = said.replace(short, character)
    try:
        return ListingId(IdKind(kind), unquote_to_bytes(said.replace(_ESCAPE, "%")).decode())
    except UnicodeDecodeError:
        return None


def _escaped(text: str, place: int) -> str:
    """Return the character at a place of a text as it stands in a path."""
    if _PLAIN.match(text, place):
        return text[place]
    short = _SHORT.get(text[place])
    # A lone surrogate is no text and is in no identity that is stored; it must not end a page all the same.
    encoded = text[place].encode("utf-8", "replace")
    return short or "".join(f"{_ESCAPE}{byte:02x}" for byte in encoded)
