"""What DNS is asked of the domains that mail comes from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from newsletter.composition.examining.parts import Parts
from newsletter.core.diagnosis import Diagnosis, fail, warn
from newsletter.core.errors import NoAnswerError
from newsletter.core.network import on_loopback
from newsletter.operations.doctor.examination import Check, examined
from newsletter.operations.doctor.origins import MailOrigin, each_once, is_example


@dataclass(frozen=True)
class DomainChecks:
    """Makes these checks.

    Args:
        parts: what they are made of.
        within: seconds, for all of them.
    """

    parts: Parts
    within: float

    def check(self) -> Check:
        """Return one check for all of them: where DNS answers nothing at all, that is all there is to say."""
        return Check("dns", self._all)

    async def _all(self) -> list[Diagnosis]:
        origins = [one for one in self.parts.origins if not is_example(one.author)]
        if not self.parts.origins:
            return [warn("dns", "not asked, as no list file could be read", "mend the list files first")]
        if not origins:
            names = ", ".join(each_once(one.author for one in self.parts.origins))
            do = "write a sender of your own domain into the list file"
            return [warn("dns", f"not asked: {names} is an example", do)]
        try:
            await self.parts.dns.mail_servers(origins[0].author)
        except NoAnswerError as error:
            do = "see the name servers of this machine (/etc/resolv.conf), or set NEWSLETTER_DOCTOR__RESOLVER"
            return [fail("dns", str(error), do)]
        return await examined(list(self._each(origins)), within=self.within)

    def _each(self, origins: list[MailOrigin]) -> Iterator[Check]:
        from newsletter.operations.doctor.names import mx

        for domain in each_once(domain for one in origins for domain in one.answers):
            yield Check("mx", partial(_alone, partial(mx, self.parts.dns, domain)))
        for domain in each_once(one.bounces for one in origins):
            yield Check("spf", partial(self._spf, domain))
        yield Check("dkim", self._dkim)
        for author, envelope in dict.fromkeys((one.author, one.bounces) for one in origins):
            yield Check("dmarc", partial(self._dmarc, author, envelope))
        if any(host.is_own for host in self.parts.hosts):
            yield Check("ptr", self._ptr)

    async def _spf(self, domain: str) -> list[Diagnosis]:
        from newsletter.operations.doctor.spf import spf

        return await spf(self.parts.dns, domain, self.parts.hosts, await self._machine())

    async def _dkim(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.dkim import dkim, left_to_relays

        if self.parts.keys:
            return await dkim(self.parts.dns, self.parts.settings.dkim.domain, self.parts.keys)
        return [left_to_relays(self.parts.hosts)]

    async def _dmarc(self, author: str, envelope: str) -> list[Diagnosis]:
        from newsletter.operations.doctor.dmarc import dmarc

        signing = self.parts.settings.dkim.domain or None
        return await dmarc(self.parts.dns, author, signing=signing, envelope=envelope)

    async def _ptr(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.names import ptr

        return await ptr(self.parts.dns, await self._machine())

    async def _machine(self) -> str:
        """Return the full name of this machine, as relays are greeted with it."""
        from newsletter.delivery.smtp.opening import full_machine_name, full_name

        named = [one.ehlo_name for one in self.parts.relays if one.ehlo_name and on_loopback(one.host)]
        return full_name(named[0]) if named else await full_machine_name()


async def _alone(check: Callable[[], Awaitable[Diagnosis]]) -> list[Diagnosis]:
    return [await check()]
