"""The composition of `newsletter doctor`: its checks, made of the settings, whatever state all else is in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import AsyncExitStack
from datetime import date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from typing_extensions import override

from newsletter import bootstrap
from newsletter.bootstrap import utc_now
from newsletter.core.alarms import Cause
from newsletter.core.diagnosis import Diagnosis, fail, ok, told_apart, warn
from newsletter.core.errors import ConfigurationError, ListFileError, NewsletterError, NoAnswerError
from newsletter.core.network import on_loopback
from newsletter.core.relay import Security
from newsletter.operations.doctor.examination import Check, examined, failed
from newsletter.operations.doctor.machine import clock_against, disk, has_timezones, space_of, timezones
from newsletter.operations.doctor.origins import Origin, each_once, is_example
from newsletter.ports import OperatorAlarm

if TYPE_CHECKING:
    from newsletter.core.newsletter_list import NewsletterList
    from newsletter.delivery.dns import DnsResolver
    from newsletter.operations.doctor.spf import SendingHost
    from newsletter.ports.ledger_state import LedgerState
    from newsletter.relaying import Relaying
    from newsletter.render.mime.signing import SigningKey
    from newsletter.settings import Settings
    from newsletter.settings.relays import RelaySettings
    from newsletter.sources.http.website import PlainWebsite

_WITHIN = 30.0  # seconds, for all checks
_WITHIN_TRIAL = 90.0  # seconds, for a mail there and back
_RELAY_PATIENCE = 8.0  # seconds, for each answer of a relay
_NOT_LOOKED_AT = "not looked at, as no list file is right"
_MEND_FIRST = "mend the list files first"


async def examine(settings: Settings, *, send_to: str = "") -> list[Diagnosis]:
    """Return how everything does that mail depends on.

    Args:
        settings: the settings.
        send_to: an address that gets a mail, which is read back; empty: none is sent.
    """
    async with AsyncExitStack() as closing:
        examiner = _Examiner(settings, send_to, closing)
        found = [ok("settings", "no mistake in .env and the environment"), *examiner.list_files()]
        found += await examined(list(examiner.checks()), within=_WITHIN)
        if send_to:
            found += await examined([Check("test-mail", examiner.trial)], within=_WITHIN_TRIAL)
        return found


def unreadable_settings(error: ConfigurationError) -> list[Diagnosis]:
    """Return what is wrong with settings; nothing else can be looked at."""
    return [told_apart(fail, "settings", line) for line in str(error).splitlines()]


def keep(settings: Settings, found: list[Diagnosis]) -> None:
    """Keep what was found for the operator's pages, where there is a state folder."""
    from newsletter.operations.doctor.kept import FILE, Examination, content_of
    from newsletter.whole_files import write_whole

    folder = settings.paths.state
    if folder.is_dir():
        write_whole(folder / FILE, content_of(Examination(utc_now(), tuple(found))), mode=0o600)


class _Examiner:
    """Makes the checks. What several of them need is made once, when it is first needed."""

    def __init__(self, settings: Settings, send_to: str, closing: AsyncExitStack) -> None:
        self._settings = settings
        self._closing = closing
        self._send_to = send_to
        self._lists: list[NewsletterList] = []

    def list_files(self) -> list[Diagnosis]:
        """Return what is wrong with list files; lists that are right are remembered for the checks."""
        from newsletter.telling import channel_mistakes

        if not has_timezones():
            return [warn("list-files", "not looked at, as their timezones are not known here", "see timezones")]
        files = bootstrap.list_files(self._settings)
        try:
            self._lists = [file.list for file in files.read().right.values()]
            checked = files.check()
            mistakes = [str(one) for one in channel_mistakes(files)]
        except ListFileError as error:
            checked, mistakes = {}, [str(one) for one in error.mistakes]
        except ConfigurationError as error:
            return [told_apart(fail, "list-files", str(error))]
        if mistakes:
            return [told_apart(fail, "list-files", one) for one in mistakes]
        if not checked:
            return [fail("list-files", "there is no list", "begin one with `newsletter init`")]
        found = [told_apart(warn, "list-files", one) for one in files.warnings(checked)]
        return found or [
            ok("list-files", f"{name}: {known.members:,} readers named") for name, known in checked.items()
        ]

    def checks(self) -> Iterator[Check]:
        """Yield the checks in the order in which they are told."""
        yield Check("timezones", self._timezones)
        yield Check("database", self._database)
        yield Check("backup", self._backup)
        yield Check("clock", self._clock)
        yield Check("disk", self._disk)
        for number, of in enumerate(self._relays):
            yield Check("relay", partial(self._relay, number, of))
        yield from self._of_domains()
        yield Check("public-url", self._site)
        if self._settings.inbound.imap_host or self._settings.inbound.maildir:
            yield Check("inbound", self._inbound)
        yield Check("alarm", self._alarm)

    @cached_property
    def _origins(self) -> list[Origin]:
        return list(dict.fromkeys(Origin.of(one.masthead) for one in self._lists))

    @property
    def _trying_out(self) -> bool:
        """Return whether all senders are examples: no mail leaves this machine."""
        return all(is_example(one.author) for one in self._origins)

    @cached_property
    def _dns(self) -> DnsResolver:
        from newsletter.delivery.dns import DnsResolver

        return DnsResolver(self._settings.doctor.resolver)

    @cached_property
    def _website(self) -> PlainWebsite:
        from newsletter.sources.http.website import PlainWebsite

        return PlainWebsite(self._settings.http.user_agent, self._dns.addresses)

    @property
    def _relays(self) -> list[RelaySettings]:
        return [self._settings.smtp, *self._settings.smtp.relays]

    @cached_property
    def _relaying(self) -> Relaying:
        """The relays, with less patience than mail has."""
        from newsletter.relaying import Relaying

        first, *further = (_impatient(one) for one in self._relays)
        smtp = first.model_copy(update={"relays": tuple(further)})
        settings = self._settings.model_copy(update={"smtp": smtp})
        return Relaying(settings, None, utc_now, self._at_end, _NoAlarm())

    def _at_end(self, close: Callable[[], Awaitable[object]]) -> None:
        self._closing.push_async_callback(close)

    @cached_property
    def _keys(self) -> list[SigningKey]:
        from newsletter.settings.dkim import signing_keys

        return signing_keys(self._settings.dkim)

    @cached_property
    def _hosts(self) -> list[SendingHost]:
        from newsletter.operations.doctor.spf import SendingHost

        return [SendingHost(one.host, on_loopback(one.host)) for one in self._relays]

    async def _ledger(self) -> LedgerState:
        from newsletter.store.looking import look_at

        return await look_at(self._settings.database.url.get_secret_value())

    async def _timezones(self) -> list[Diagnosis]:
        try:
            of_readers = (await self._ledger()).timezones
        except (NewsletterError, ConfigurationError):
            of_readers = ()  # the check of the database says it
        of_lists = (one.timezone for one in self._lists)
        return list(await asyncio.to_thread(timezones, [*of_lists, *of_readers]))

    async def _database(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.database import database

        try:
            return list(database(await self._ledger()))
        except NewsletterError as error:
            return [failed("database", str(error), "see NEWSLETTER_DATABASE__URL, and that the database is there")]

    async def _backup(self) -> list[Diagnosis]:
        """Return whether there is a backup; the check of the database says where there is no ledger to look at."""
        from newsletter.operations.doctor.backups import backups
        from newsletter.store import open_if_up_to_date

        try:
            store = await open_if_up_to_date(self._settings.database.url.get_secret_value())
        except NewsletterError:
            return []
        if store is None:
            return []
        try:
            has_issues = await store.issues.count() > 0
            return [backups(await store.backups.newest(), has_issues=has_issues, now=utc_now())]
        finally:
            await store.close()

    async def _disk(self) -> list[Diagnosis]:
        ledger = bootstrap.ledger_file(self._settings)
        folders = [self._settings.paths.state, *([ledger.parent] if ledger else [])]
        return list(await asyncio.to_thread(disk, folders, space_of))

    async def _clock(self) -> list[Diagnosis]:
        """Compare with the first clock that tells its time: that of a source, or of the database."""
        for url in self._clocks():
            try:
                found = await clock_against(url, partial(self._date_of, url), utc_now)
            except NewsletterError:
                continue
            if found:
                return [found]
        try:
            ledger = await clock_against("the database", self._date_of_ledger, utc_now)
        except (NewsletterError, ConfigurationError):
            ledger = None
        return [
            ledger or ok("clock", "no source and no database tells its time, so there is nothing to compare with")
        ]

    def _clocks(self) -> list[str]:
        """Return addresses of servers that lists read."""
        of = self._settings
        known = {
            "huggingface": of.huggingface.url,
            "arxiv": of.arxiv.rss_url,
            "biorxiv": of.biorxiv.url,
            "medrxiv": of.biorxiv.url,
            "hackernews": of.hackernews.url,
        }
        specs = [spec for one in self._lists for spec in one.sources]
        feeds = [spec.partition(":")[2] for spec in specs if spec.startswith(("feed:http://", "feed:https://"))]
        return each_once([*(known[one] for spec in specs if (one := spec.partition(":")[0]) in known), *feeds])[:3]

    async def _date_of(self, url: str) -> datetime | None:
        return (await self._website.ask("HEAD", url)).date

    async def _date_of_ledger(self) -> datetime | None:
        return (await self._ledger()).now

    async def _relay(self, number: int, of: RelaySettings) -> list[Diagnosis]:
        from newsletter.delivery.smtp.relay import SmtpRelay
        from newsletter.operations.doctor.relays import relay

        recipient = self._send_to or self._settings.alarm.to
        envelopes = list(dict.fromkeys((one.envelope, recipient or one.sender) for one in self._origins))
        in_the_clear = of.security is Security.NONE and not on_loopback(of.host)
        probe = self._relaying.relays[number]
        if not isinstance(probe, SmtpRelay):
            says = f"{probe.name}: not asked, as it takes mails over HTTPS"
            return [warn("relay", says, "see by `newsletter doctor --send-to ADDRESS` whether it takes yours")]
        return await relay(probe, envelopes, utc_now(), is_in_the_clear=in_the_clear)

    def _of_domains(self) -> Iterator[Check]:
        """Yield what DNS is asked of the domains that mail comes from."""
        if self._origins and not self._trying_out:
            yield Check("dns", self._domains)
        else:
            yield Check("dns", self._no_domains)

    async def _no_domains(self) -> list[Diagnosis]:
        if not self._origins:
            return [warn("dns", _NOT_LOOKED_AT, _MEND_FIRST)]
        names = ", ".join(each_once(one.author for one in self._origins))
        return [
            warn(
                "dns", f"not asked: {names} is an example", "write a sender of your own domain into the list file"
            )
        ]

    async def _domains(self) -> list[Diagnosis]:
        """Ask DNS of all domains; where it answers nothing at all, that is all there is to say."""
        origins = [one for one in self._origins if not is_example(one.author)]
        try:
            await self._dns.mail_servers(origins[0].author)
        except NoAnswerError as error:
            do = "see the name servers of this machine (/etc/resolv.conf), or set NEWSLETTER_DOCTOR__RESOLVER"
            return [fail("dns", str(error), do)]
        return await examined(list(self._domain_checks(origins)), within=_WITHIN)

    def _domain_checks(self, origins: list[Origin]) -> Iterator[Check]:
        from newsletter.operations.doctor.names import mx

        for domain in each_once(domain for one in origins for domain in one.answers):
            yield Check("mx", partial(_alone, partial(mx, self._dns, domain)))
        for domain in each_once(one.bounces for one in origins):
            yield Check("spf", partial(self._spf, domain))
        yield Check("dkim", self._dkim)
        for author, envelope in dict.fromkeys((one.author, one.bounces) for one in origins):
            yield Check("dmarc", partial(self._dmarc, author, envelope))
        if any(host.is_own for host in self._hosts):
            yield Check("ptr", self._ptr)

    async def _spf(self, domain: str) -> list[Diagnosis]:
        from newsletter.operations.doctor.spf import spf

        return await spf(self._dns, domain, self._hosts, await self._machine())

    async def _dkim(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.dkim import dkim, left_to_relays

        if self._keys:
            return await dkim(self._dns, self._settings.dkim.domain, self._keys)
        return [left_to_relays(self._hosts)]

    async def _dmarc(self, author: str, envelope: str) -> list[Diagnosis]:
        from newsletter.operations.doctor.dmarc import dmarc

        signing = self._settings.dkim.domain or None
        return await dmarc(self._dns, author, signing=signing, envelope=envelope)

    async def _ptr(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.names import ptr

        return await ptr(self._dns, await self._machine())

    async def _machine(self) -> str:
        """Return the full name of this machine, as relays are greeted with it."""
        from newsletter.delivery.smtp.opening import full_machine_name, full_name

        named = [one.ehlo_name for one in self._relays if one.ehlo_name and on_loopback(one.host)]
        return full_name(named[0]) if named else await full_machine_name()

    async def _site(self) -> list[Diagnosis]:
        from newsletter.core.tokens import Links
        from newsletter.operations.doctor.site import PublicPages
        from newsletter.settings.secret_key import FILE

        of, inbound = self._settings, self._settings.inbound
        has_key = of.web.secret_key.get_secret_value() or (of.paths.state / FILE).exists()
        pages = PublicPages(
            url=of.web.public_url,
            links=Links(of.web.public_url, bootstrap.secret_key(of)) if has_key else None,
            website=self._website,
            has_mailbox=bool(inbound.imap_host or inbound.maildir),
            trying_out=self._trying_out,
        )
        return await pages.look(utc_now())

    async def _inbound(self) -> list[Diagnosis]:
        from newsletter.receiving import mailboxes

        found = []
        for source in mailboxes(self._settings.inbound, self._relaying.mailbox_tokens):
            async with source.open():
                found.append(ok("inbound", f"{source.name} can be read"))
        return found

    async def _alarm(self) -> list[Diagnosis]:
        if told := self._settings.alarm.receivers:
            return [ok("alarm", f"you are told by {' and '.join(told)} when something fails")]
        do = "set NEWSLETTER_ALARM__TO to your address, or NEWSLETTER_ALARM__WEBHOOK"
        return [warn("alarm", "nobody is told when something fails", do)]

    async def trial(self) -> list[Diagnosis]:
        """Send a mail in the name of the first list, and read it back."""
        from newsletter.core.tokens import Links
        from newsletter.operations.doctor.trial import Trial
        from newsletter.operations.doctor.trial_mail import TrialMails
        from newsletter.receiving import imap
        from newsletter.render.issue.renderer import TemplateRenderer
        from newsletter.render.mime.signing import Signer

        of = self._settings
        if not self._lists:
            return [warn("test-mail", f"not sent: {_NOT_LOOKED_AT}", _MEND_FIRST)]
        mails = TrialMails(
            masthead=self._lists[0].masthead,
            links=Links(of.web.public_url, bootstrap.secret_key(of)),
            templates=TemplateRenderer(bootstrap.own_templates(of), bootstrap.packaged_templates()),
            signer=Signer(of.dkim.domain, *self._keys) if self._keys else None,
        )
        mail = mails.mail(self._send_to, word=f"t{secrets.token_hex(6)}", now=utc_now())
        trial = Trial(
            mailer=self._relaying.mailer,
            inbox=imap(of.inbound, self._relaying.mailbox_tokens) if of.inbound.imap_host else None,
            domain=of.dkim.domain,
            keys=self._keys,
        )
        return await trial.made(mail)


class _NoAlarm(OperatorAlarm):
    """Rings for nobody: who calls the doctor reads the answer."""

    @override
    async def ring(self, cause: Cause, subject: str, reason: str, *, day: date | None = None) -> None: ...

    @override
    async def over(self, causes: Collection[Cause], subject: str) -> None: ...


def _impatient(relay: RelaySettings) -> RelaySettings:
    """Return a relay that is waited for no longer than a person waits."""
    update = {name: min(getattr(relay, name), _RELAY_PATIENCE) for name in ("timeout", "greeting_timeout")}
    return relay.model_copy(update=update)


async def _alone(check: Callable[[], Awaitable[Diagnosis]]) -> list[Diagnosis]:
    return [await check()]
