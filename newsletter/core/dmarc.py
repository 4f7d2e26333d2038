"""DMARC (RFC 9989): records, where they are looked for, and whether a domain stands for another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from newsletter.core.tags import read_tags

_MOST_LABELS = 8  # of a name from which each one above is asked for; of a longer one the last seven labels follow
_POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """What a domain asks of those who get mail in its name.

    Attributes:
        policy: what to do with mail that is not shown to be its own: none, quarantine or reject.
        of_subdomains: the same for names below it that have no record.
        strict_dkim: only a signature of the very domain counts.
        strict_spf: only an envelope of the very domain counts.
        psd: `y` where others register names below it, `n` where an organisation begins here, `u` where that is not
            said.
        reports: whether it asks for reports.
    """

    policy: str
    of_subdomains: str
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"
    reports: bool = False


def is_dmarc(text: str) -> bool:
    """Return whether a TXT record is meant for DMARC."""
    return text.partition(";")[0].replace(" ", "").lower() == "v=dmarc1"


def read_dmarc(texts: Iterable[str]) -> DmarcRecord | None:
    """Return the record of a domain; None if it has none, and also if it has several, as receivers do.

    Raises:
        ValueError: it says something that receivers do not understand, so that it does not count.
    """
    records = [text for text in texts if is_dmarc(text)]
    if len(records) != 1:
        return None
    tags = read_tags(records[0])
    policy = tags.get("p", "none" if "rua" in tags else "").lower()  # RFC 9989, 4.10.1
    if policy not in _POLICIES:
        raise ValueError(f"p= is {tags['p'][:40]!r}" if "p" in tags else "it has no p=")
    below = tags.get("sp", policy).lower()
    return DmarcRecord(
        policy=policy,
        of_subdomains=below if below in _POLICIES else policy,
        strict_dkim=tags.get("adkim", "r").lower() == "s",
        strict_spf=tags.get("aspf", "r").lower() == "s",
        psd=tags.get("psd", "u").lower(),
        reports="rua" in tags,
    )


def tree_walk(domain: str) -> list[str]:
    """Return the domains whose records say what holds for a domain, in the order of asking (4.10)."""
    labels = domain.lower().rstrip(".").split(".")
    above = labels[1:] if len(labels) < _MOST_LABELS else labels[1 - _MOST_LABELS :]
    return [".".join(labels), *(".".join(above[start:]) for start in range(len(above)))]


def organizational_domain(domain: str, records: Mapping[str, DmarcRecord]) -> str:
    """Return the domain of the organisation that a domain belongs to (4.10.2).

    Args:
        domain: the domain.
        records: those that were found on its walk, by their domains.
    """
    walk = tree_walk(domain)
    found = [name for name in walk if name in records]
    for name in found:
        if records[name].psd == "n":
            return name
        if records[name].psd == "y" and name != walk[0]:
            return walk[walk.index(name) - 1]
    return found[-1] if found else walk[0]


def governing(domain: str, records: Mapping[str, DmarcRecord]) -> tuple[str, DmarcRecord] | None:
    """Return whose record holds for mail from a domain, and the record (4.10.1); None if there is none."""
    walk = tree_walk(domain)
    of_suffix = [name for name in walk if name in records and records[name].psd == "y"]
    for name in (walk[0], organizational_domain(domain, records), *of_suffix):
        if name in records:
            return name, records[name]
    return None


def is_aligned(author: str, authenticated: str, *, organization: str, of_other: str, strict: bool) -> bool:
    """Return whether a domain that was authenticated stands for the one in From (4.4).

    Args:
        author: the domain in From.
        authenticated: that of the signature or of the envelope.
        organization: the author's organizational domain.
        of_other: that of the other domain.
        strict: whether they must be the same.
    """
    if author.lower().rstrip(".") == authenticated.lower().rstrip("."):
        return True
    return not strict and organization == of_other
