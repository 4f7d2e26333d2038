"""Whether mail can come back to our domains, and whether the address of this machine has its name."""

from __future__ import annotations

from ipaddress import ip_address

from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.ports.dns import Dns


async def mx(dns: Dns, domain: str) -> Diagnosis:
    """Return whether a domain takes mail (RFC 5321, 5.1): bounces, answers and wishes to leave come to it."""
    servers = await dns.mail_servers(domain)
    if servers == ("",):
        return fail("mx", f"{domain}: takes no mail at all (null MX)", _WHERE_MAIL_COMES)
    if servers:
        return ok("mx", f"{domain}: {servers[0]} takes its mail")
    if await dns.addresses(domain):
        says = f"{domain}: has no MX record, so its mail goes to its own address"
        return warn(
            "mx", says, f"publish an MX record of {domain}, as some providers refuse mail from domains without"
        )
    return fail("mx", f"{domain}: has no MX record and no address, so nothing can come back", _WHERE_MAIL_COMES)


_WHERE_MAIL_COMES = "publish an MX record that names a server which takes its mail, or send from another domain"


async def ptr(dns: Dns, machine: str) -> list[Diagnosis]:
    """Return whether the addresses of this machine lead back to its name: receivers of mail ask that.

    Args:
        dns: DNS.
        machine: the full name by which this machine greets; nothing where it has none.
    """
    if not machine:
        says = "this machine has no full name"
        return [warn("ptr", says, "set NEWSLETTER_SMTP__EHLO_NAME to the name that your mail server greets with")]
    addresses = [one for one in await dns.addresses(machine) if not ip_address(one).is_loopback]
    if not addresses:
        says = f"{machine}: DNS has no address of this machine"
        return [warn("ptr", says, f"publish an A record of {machine}, or set NEWSLETTER_SMTP__EHLO_NAME")]
    return [await _ptr_of(dns, machine, address) for address in addresses]


async def _ptr_of(dns: Dns, machine: str, address: str) -> Diagnosis:
    names = await dns.names(address)
    advice = f"let your provider set the PTR record of {address} to {machine}"
    if not names:
        return fail("ptr", f"{address}: has no PTR record", advice)
    for name in names:
        if address in await dns.addresses(name):
            return ok("ptr", f"{address}: is {name}, and back")
    return fail("ptr", f"{address}: its PTR record names {names[0]}, which is not at that address", advice)
