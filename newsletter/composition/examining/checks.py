"""The checks of all but DNS."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from newsletter import bootstrap
from newsletter.bootstrap import utc_now
from newsletter.composition.examining.parts import Parts
from newsletter.core.diagnosis import Diagnosis, fail, ok, told_apart, warn
from newsletter.core.errors import ConfigurationError, ListFileError, NewsletterError
from newsletter.core.network import on_loopback
from newsletter.core.relay import RelayKind, Security
from newsletter.operations.doctor.examination import Check, failed
from newsletter.operations.doctor.machine import clock_against, disk, has_timezones, space_of, timezones
from newsletter.operations.doctor.origins import each_once
from newsletter.ports.relay_probe import RelayProbe


@dataclass(frozen=True)
class Checks:
    """Makes the checks.

    Args:
        parts: what they are made of.
        send_to: an address that relays are to take mail for; empty: the operator's own.
    """

    parts: Parts
    send_to: str

    def before_dns(self) -> Iterator[Check]:
        """Yield the checks that are told before those of DNS, in their order."""
        yield Check("list-files", self._list_files)
        yield Check("templates", self._templates)
        yield Check("timezones", self._timezones)
        yield Check("database", self._database)
        if bootstrap.ledger_file(self.parts.settings) is None:  # others may work with it, on other machines
            yield Check("workers", self._workers)
        yield Check("backup", self._backup)
        yield Check("clock", self._clock)
        yield Check("disk", self._disk)
        for number in range(len(self.parts.relays)):
            yield Check("relay", partial(self._relay, number))

    def after_dns(self) -> Iterator[Check]:
        """Yield the others, in their order."""
        inbound = self.parts.settings.inbound
        yield Check("public-url", self._site)
        if inbound.imap_host or inbound.maildir:
            yield Check("inbound", self._inbound)
        yield Check("alarm", self._alarm)
        yield Check("summaries", self._summaries)

    async def _list_files(self) -> list[Diagnosis]:
        return await asyncio.to_thread(self._of_list_files)

    def _of_list_files(self) -> list[Diagnosis]:
        from newsletter.composition.telling import channel_mistakes

        if not has_timezones():
            return [warn("list-files", "not looked at, as their timezones are not known here", "see timezones")]
        files = bootstrap.list_files(self.parts.settings)
        try:
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

    async def _templates(self) -> list[Diagnosis]:
        """Return which of the operator's templates may not be what they are meant to be; nothing if all are."""
        from newsletter.composition.own_templates import doubtful_templates

        try:
            doubtful = await asyncio.to_thread(lambda: list(doubtful_templates(self.parts.settings)))
        except NewsletterError as error:
            return [told_apart(fail, "templates", str(error))]
        return [told_apart(warn, "templates", one) for one in doubtful]

    async def _timezones(self) -> list[Diagnosis]:
        try:
            of_readers = (await self.parts.ledger()).timezones
        except (NewsletterError, ConfigurationError):
            of_readers = ()  # the check of the database says it
        of_lists = (one.timezone for one in self.parts.lists)
        return list(await asyncio.to_thread(timezones, [*of_lists, *of_readers]))

    async def _database(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.database import database

        try:
            return list(database(await self.parts.ledger()))
        except NewsletterError as error:
            return [failed("database", str(error), "see NEWSLETTER_DATABASE__URL, and that the database is there")]

    async def _workers(self) -> list[Diagnosis]:
        """Return how workers do; the check of the database says where there is no ledger to look at."""
        from importlib.util import find_spec

        from newsletter import __version__
        from newsletter.composition.clustering import cluster_of
        from newsletter.operations.doctor.workers import workers
        from newsletter.parts.dispatching import jobs_for_workers
        from newsletter.store import open_if_up_to_date

        jobs = jobs_for_workers(self.parts.settings)
        store = await open_if_up_to_date(self.parts.settings.database.url.get_secret_value())
        if store is None:
            return []
        try:
            found = await cluster_of(self.parts.settings, store, jobs).read(utc_now())
        finally:
            await store.close()
            if jobs is not None:
                await jobs.close()
        has_extra = find_spec("procrastinate") is not None
        return list(workers(found, version=__version__, has_extra=has_extra, now=utc_now()))

    async def _backup(self) -> list[Diagnosis]:
        """Return whether there is a backup; the check of the database says where there is no ledger to look at."""
        from newsletter.operations.doctor.backups import backups
        from newsletter.store import open_if_up_to_date

        try:
            store = await open_if_up_to_date(self.parts.settings.database.url.get_secret_value())
        except (ConfigurationError, NewsletterError):
            return []
        if store is None:
            return []
        try:
            has_issues = await store.issues.count() > 0
            return [backups(await store.backups.newest(), has_issues=has_issues, now=utc_now())]
        finally:
            await store.close()

    async def _disk(self) -> list[Diagnosis]:
        ledger = bootstrap.ledger_file(self.parts.settings)
        folders = [self.parts.settings.paths.state, *([ledger.parent] if ledger else [])]
        return list(await asyncio.to_thread(disk, folders, space_of))

    async def _clock(self) -> list[Diagnosis]:
        """Compare with the first clock that tells its time: that of a source, or of the database."""
        why = ""
        for url in self._clocks():
            try:
                found = await clock_against(_server(url), partial(self._date_of, url), utc_now)
            except NewsletterError as error:
                why = str(error)
                continue
            if found:
                return [found]
        try:
            ledger = await clock_against("the database", self._date_of_ledger, utc_now)
        except (NewsletterError, ConfigurationError):
            ledger = None
        if ledger:
            return [ledger]
        if why:
            return [
                warn("clock", f"not compared, as no source told its time: {why}", "see that it can be reached")
            ]
        return [ok("clock", "no source and no database tells its time, so there is nothing to compare with")]

    def _clocks(self) -> list[str]:
        """Return addresses of servers that lists read."""
        of = self.parts.settings
        known = {
            "huggingface": of.huggingface.url,
            "arxiv": of.arxiv.rss_url,
            "biorxiv": of.biorxiv.url,
            "medrxiv": of.biorxiv.url,
            "hackernews": of.hackernews.url,
        }
        specs = [spec for one in self.parts.lists for spec in one.sources]
        feeds = [spec.partition(":")[2] for spec in specs if spec.startswith(("feed:http://", "feed:https://"))]
        return each_once([*(known[one] for spec in specs if (one := spec.partition(":")[0]) in known), *feeds])[:3]

    async def _date_of(self, url: str) -> datetime | None:
        return (await self.parts.website.ask("HEAD", url)).date

    async def _date_of_ledger(self) -> datetime | None:
        return (await self.parts.ledger()).now

    async def _relay(self, number: int) -> list[Diagnosis]:
        from newsletter.operations.doctor.relays import relay, web_service

        of, probe = self.parts.relays[number], self.parts.relaying.relays[number]
        if of.kind is not RelayKind.SMTP or not isinstance(probe, RelayProbe):
            return [await web_service(probe.name, of.address, self.parts.website, utc_now())]
        recipient = self.send_to or self.parts.settings.alarm.to
        envelopes = list(dict.fromkeys((one.envelope, recipient or one.sender) for one in self.parts.origins))
        in_the_clear = of.security is Security.NONE and not on_loopback(of.host)
        return await relay(probe, envelopes, utc_now(), is_in_the_clear=in_the_clear)

    async def _site(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.site import PublicPages

        inbound = self.parts.settings.inbound
        pages = PublicPages(
            url=self.parts.settings.web.public_url,
            links=self.parts.links(),
            website=self.parts.website,
            has_mailbox=bool(inbound.imap_host or inbound.maildir),
            trying_out=self.parts.trying_out,
        )
        return await pages.look(utc_now())

    async def _inbound(self) -> list[Diagnosis]:
        from newsletter.parts.receiving import maildir

        folder, imap = self.parts.settings.inbound.maildir, self.parts.imap()
        found = []
        for source in (*([maildir(folder)] if folder else []), *([imap] if imap else [])):
            async with source.open():
                found.append(ok("inbound", f"{source.name} can be read"))
        return found

    async def _alarm(self) -> list[Diagnosis]:
        if told := self.parts.settings.alarm.receivers:
            return [ok("alarm", f"you are told by {' and '.join(told)} when something fails")]
        do = "set NEWSLETTER_ALARM__TO to your address, or NEWSLETTER_ALARM__WEBHOOK"
        return [warn("alarm", "nobody is told when something fails", do)]

    async def _summaries(self) -> list[Diagnosis]:
        from newsletter.operations.doctor.summaries import summaries, without_model

        made = self.parts.model()
        if made is None:
            folder = self.parts.settings.paths.subscribers
            return list(without_model(self.parts.lists, lambda name: str(folder / f"{name}.toml")))
        return [await summaries(made.summarizer, made.prompts, time.monotonic, self.parts.lists)]


def _server(url: str) -> str:
    """Return the server that an address names: what stands before it may be a password."""
    return urlsplit(url).netloc.rpartition("@")[2]
