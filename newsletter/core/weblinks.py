"""The form in which two links to one place on the web are equal."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

import idna

# Campaign, click and session marks, whatever their value.
_MARK = re.compile(
    r"utm_\w+|(?:fb|g|d|msclk|y|tt)clid|msclkid|igshid|mc_[ce]id|_hs(?:enc|mi)|ref_(?:src|url)|mkt_tok|vero_id|wt\.mc_id"
    r"|at_(?:medium|campaign|custom\d)|phpsessid|jsessionid",
    re.IGNORECASE,
)
# Names that also tell pages apart (`?source=12`), and the values by which they only say where a reader came from.
_ORIGIN = re.compile(r"ref|referrer|source|src|via|from|cmp|campaign|medium|feed|rss", re.IGNORECASE)
_FROM = re.compile(
    r"(?:rss|atom|feeds?)(?:[-_.\d].*)?|true|yes|e?mail|newsletter|twitter|x|facebook|linkedin|mastodon|bluesky|reddit"
    r"|hackernews|hn|hnrss|home(?:page)?|share|google|(?:[a-z0-9-]+\.)+[a-z]{2,}",
    re.IGNORECASE,
)
# Places on a page that stand for the whole page.
_WHOLE_PAGE = re.compile(
    r"|abs|abstract|full(?:text)?|top|main|content|comments|community|respond|discussion|:~:.*|utm_.*|xtor=.*|rss.*",
    re.IGNORECASE | re.DOTALL,
)
_INDEX = re.compile(r"/(?:index|default)\.(?:x?html?|php\d?|aspx?|jsp)$", re.IGNORECASE)
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")
_FOREIGN = re.compile(r"[^\x21-\x7e]+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3

_FORMER_MARK = re.compile(r"(?:utm_\w+|fbclid|gclid|ref|ref_src|source|mc_[ce]id)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def normalised_url(text: str) -> str:
    """Return a link without what does not tell pages apart, or an empty string where it is no web link.

    That is scheme, `www.`, usual ports, tracking parameters, a last slash or `index.html`, and how characters are
    encoded (RFC 3986, 6.2). A fragment stays: on a list of publications it is all that differs. The form
    identifies and is not meant to be opened. Host names lose their case, paths keep it.
    """
    parts = _split(text)
    if parts is None:
        return ""
    path = _INDEX.sub("", _SESSION.sub("", _encoded(parts.path))).rstrip("/")
    query = [(name, value) for name, value in _query(parts) if not _is_tracking(name, value)]
    fragment = "" if _WHOLE_PAGE.fullmatch(parts.fragment) else _encoded(parts.fragment)
    return urlunsplit(("", _host(parts), path, urlencode(sorted(query), errors="replace"), fragment)).removeprefix(
        "//"
    )


def former_url(text: str) -> str:
    """Return the form that databases made before revision 0003 hold: without fragment, `ref` and `source`."""
    parts = _split(text)
    if parts is None:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    netloc = host if parts.port in {None, 80, 443} else f"{host}:{parts.port}"
    query = [(name, value) for name, value in _query(parts) if not _FORMER_MARK.fullmatch(name)]
    return urlunsplit(
        ("", netloc, parts.path.rstrip("/"), urlencode(sorted(query), errors="replace"), "")
    ).removeprefix("//")


def _split(text: str) -> SplitResult | None:
    """Return the parts of an http(s) link, or None."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme.lower() in {"http", "https"} and _bare_host(parts) else None


def _bare_host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".").removeprefix("www.")


def _host(parts: SplitResult) -> str:
    host = _bare_host(parts)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            host = quote(host, errors="replace")
    return host if parts.port in {None, 80, 443} else f"{host}:{parts.port}"


def _query(parts: SplitResult) -> list[tuple[str, str]]:
    return parse_qsl(parts.query, keep_blank_values=True, errors="replace")


def _is_tracking(name: str, value: str) -> bool:
    if _MARK.fullmatch(name):
        return True
    is_flag = name.lower() == "rss" and value in {"", "1"}
    return is_flag or bool(_ORIGIN.fullmatch(name) and _FROM.fullmatch(value))


def _encoded(text: str) -> str:
    """Return a path or fragment in which only what must be is percent-encoded, and in one way."""
    return _ENCODED.sub(_plain, _FOREIGN.sub(lambda match: quote(match[0], errors="replace"), text))


def _plain(encoded: re.Match[str]) -> str:
    char = chr(int(encoded[1], 16))
    return char if char in _UNRESERVED else encoded[0].upper()
