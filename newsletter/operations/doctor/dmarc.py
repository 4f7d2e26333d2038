"""Whether a domain has a DMARC policy (RFC 9989), and whether our mail meets it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from newsletter.core.diagnosis import Diagnosis, fail, ok
from newsletter.core.dmarc import (
    DmarcRecord,
    governing,
    is_aligned,
    is_dmarc,
    organizational_domain,
    read_dmarc,
    tree_walk,
)
from newsletter.core.text import one_line
from newsletter.ports.dns import Dns


async def dmarc(dns: Dns, author: str, *, signing: str | None, envelope: str) -> list[Diagnosis]:
    """Return whether mail from a domain meets the domain's policy.

    Args:
        dns: DNS.
        author: the domain in From.
        signing: the domain that we sign for; None where signing is left to relays.
        envelope: the domain of the envelope sender.
    """
    records, wrong = await _records(dns, (author, envelope, *([signing] if signing else [])))
    found = governing(author, records)
    if author in wrong or (found is None and wrong):
        name = author if author in wrong else next(iter(wrong))
        return [
            fail("dmarc", f"_dmarc.{name}: {wrong[name]}", "mend it: to receivers, it is as if it were not there")
        ]
    if found is None:
        says = f"{author}: there is no DMARC record"
        record_to_begin_with = f"v=DMARC1; p=none; rua=mailto:postmaster@{author}"
        return [fail("dmarc", says, f"publish a TXT record at _dmarc.{author}: {record_to_begin_with}")]
    domain, record = found

    def aligned(other: str, *, strict: bool) -> bool:
        one, two = organizational_domain(author, records), organizational_domain(other, records)
        return is_aligned(author, other, organization=one, of_other=two, strict=strict)

    by_dkim = signing is not None and aligned(signing, strict=record.strict_dkim)
    by_spf = aligned(envelope, strict=record.strict_spf)
    policy = record.policy if domain == author else record.of_subdomains
    if signing is not None and not by_dkim:
        rest = (
            "mail passes by SPF alone, and fails where it is forwarded"
            if by_spf
            else f"nor the envelope of {envelope}"
        )
        says = f"{author}: not aligned: a signature of {signing} does not stand for it, {rest}"
        return [fail("dmarc", says, f"set NEWSLETTER_DKIM__DOMAIN to {author}, with a key that it publishes")]
    by = " and ".join([*(["signature"] if by_dkim else []), *(["envelope"] if by_spf else [])])
    aligns = f"{by} aligned" if by else "whether the relay signs for it is not known here"
    return [ok("dmarc", f"{author}: {policy}, by _dmarc.{domain}; {aligns}")]


async def _records(dns: Dns, domains: Iterable[str]) -> tuple[dict[str, DmarcRecord], dict[str, str]]:
    """Return the records on the walks of domains, and what is wrong with those that do not count."""
    names = list(dict.fromkeys(name for domain in domains for name in tree_walk(domain)))
    texts = await asyncio.gather(*(dns.texts(f"_dmarc.{name}") for name in names))
    found, wrong = {}, {}
    for name, some in zip(names, texts, strict=True):
        if (number := sum(map(is_dmarc, some))) > 1:
            wrong[name] = f"there are {number} DMARC records, and receivers take none of them"
        try:
            if record := read_dmarc(some):
                found[name] = record
        except ValueError as error:
            wrong[name] = f"the DMARC record is wrong: {one_line(str(error), 100)}"
    return found, wrong
