"""Whether the keys that we sign with stand in DNS (RFC 6376, 3.6; RFC 8463)."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.core.tags import read_tags
from newsletter.core.text import one_line
from newsletter.operations.doctor.spf import SendingHost
from newsletter.ports.dns import Dns
from newsletter.render.mime.signing import SigningKey


async def dkim(dns: Dns, domain: str, keys: Sequence[SigningKey]) -> list[Diagnosis]:
    """Return for each key whether DNS has it."""
    weak = keys[0].weakness
    found = [await _published(dns, domain, key) for key in keys]
    return (
        [*found, warn("dkim", weak, "make a longer key, and publish it under another selector")] if weak else found
    )


def left_to_relays(hosts: Sequence[SendingHost]) -> Diagnosis:
    """Return what there is to say where we don't sign ourselves."""
    own = [host.host for host in hosts if host.is_own]
    if own:
        says = f"newsletter signs nothing; whether {own[0]} signs is not known"
        return warn(
            "dkim", says, "set NEWSLETTER_DKIM__KEY_FILE, or see by `newsletter doctor --send-to` that it signs"
        )
    return ok("dkim", f"left to {', '.join(host.host for host in hosts)}")


async def _published(dns: Dns, domain: str, key: SigningKey) -> Diagnosis:
    name = f"{key.selector}._domainkey.{domain}"
    publish = f"publish this TXT record at {name}: v=DKIM1; k={key.kind}; p={key.published[0]}"
    records = [text for text in await dns.texts(name) if "p=" in text.replace(" ", "")]
    if not records:
        return fail("dkim", f"{name}: there is no DKIM key", publish)
    if len(records) > 1:
        return fail("dkim", f"{name}: there are {len(records)} keys", "leave one of them, ours")
    try:
        tags = read_tags(records[0])
    except ValueError as error:
        return fail("dkim", f"{name}: cannot be read: {one_line(str(error), 100)}", publish)
    if why := _unusable(tags, key):
        return fail("dkim", f"{name}: {why}", publish)
    if "y" in tags.get("t", "").split(":"):
        says = f"{name}: the key is ours, and marked as a test (t=y)"
        return warn("dkim", says, "remove t=y: until then, receivers may treat mail as unsigned")
    return ok("dkim", f"{name}: the key is ours ({key.algorithm})")


def _unusable(tags: dict[str, str], key: SigningKey) -> str:
    """Return why receivers cannot check our signatures with a key in DNS, or nothing."""
    public = "".join(tags.get("p", "").split())
    if not public:
        return "the key is revoked (p= is empty)"
    if tags.get("v", "DKIM1") != "DKIM1":
        return "the record is of another version than DKIM1"
    if tags.get("k", "rsa").lower() != key.kind or public not in key.published:
        return "another key than the one that signs"
    if "sha256" not in tags.get("h", "sha256").split(":"):
        return "the key is not for SHA-256 (h=)"
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return "the key is not for mail (s=)"
    return ""
