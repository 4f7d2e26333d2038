"""Mailboxes, read to their end: files, Maildirs, and what is kept of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import httpx2
import pytest
from starlette.applications import Starlette

from newsletter.core.bounces import Outcome
from newsletter.core.errors import InboundError, StoreError
from newsletter.inbound.files import FileSource
from newsletter.inbound.maildir import MaildirSource
from newsletter.inbound.process import InboundMail
from newsletter.inbound.webhooks.mailgun import Mailgun
from newsletter.inbound.webhooks.services import Webhooks
from newsletter.ports import LedgerKeeper, Store
from newsletter.store import open_store
from newsletter.web.hooks import routes
from tests.inbound import hooks
from tests.inbound.corpus import LINKS, arf, dsn, plain
from tests.inbound.hooks import HOOKS, request
from tests.store.samples import NOW, suppressed
from tests.store.test_inbound import sent


@dataclass
class Desk:
    """A ledger with deliveries to three readers, a Maildir, and what reads it."""

    store: Store
    folder: Path
    deliveries: dict[str, int] = field(default_factory=dict)

    @property
    def mail(self) -> InboundMail:
        return InboundMail(self.store.inbound, self.store.suppressions, LINKS, lambda: NOW)

    def bounce(self, reader: int, status: str = "5.1.1") -> bytes:
        """Return a bounce of the delivery to a reader."""
        verp = LINKS.bounce_address("bounces@example.org", self.deliveries[f"reader{reader}@example.org"])
        return dsn(status, to=verp, returned="").encode()

    def put(self, name: str, raw: bytes, *, folder: str = "new") -> None:
        (self.folder / folder / name).write_bytes(raw)

    @property
    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    store = await open_store(f"sqlite:///{tmp_path}/newsletter.db")
    desk = Desk(store, tmp_path / "box")
    desk.deliveries = await sent(store, 0, 3)
    yield desk
    await store.close()


async def test_a_maildir_is_read_once_and_its_mails_are_marked_as_seen(desk: Desk) -> None:
    desk.put("1.a", desk.bounce(0))
    desk.put("2.b:2,F", desk.bounce(1), folder="cur")  # another program has listed the folder
    desk.put("3.c:2,S", desk.bounce(2), folder="cur")
    box = MaildirSource(desk.folder)

    done = await desk.mail.process([box])

    assert (done.mails, done.outcomes) == (2, {Outcome.DEAD: 2})
    assert await suppressed(desk.store, "daily") == {"reader0@example.org", "reader1@example.org"}
    assert desk.files == ["cur/1.a:2,S", "cur/2.b:2,FS", "cur/3.c:2,S"]
    assert (await desk.mail.process([box])).mails == 0


async def test_a_rehearsal_leaves_all_as_it_is(desk: Desk) -> None:
    desk.put("1.a", desk.bounce(0))
    done = await desk.mail.process([MaildirSource(desk.folder)], rehearse=True)
    assert done.outcomes == {Outcome.DEAD: 1}
    assert await suppressed(desk.store, "daily") == set()
    assert desk.files == ["new/1.a"]
    assert await desk.store.inbound.counts(since=NOW.date()) == []


async def test_mails_whose_events_cannot_be_kept_stay_where_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("1.a", desk.bounce(0))

    async def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store.inbound, "take", full)
        with pytest.raises(StoreError):
            await desk.mail.process([MaildirSource(desk.folder)])
    assert desk.files == ["new/1.a"]


async def test_mails_stay_where_they_are_until_the_ledger_is_kept_elsewhere(desk: Desk) -> None:
    class Full:
        async def keep(self) -> None:
            raise StoreError("the branch cannot be pushed")

    desk.put("1.a", desk.bounce(0))
    mail = replace(desk.mail, keeper=cast("LedgerKeeper", Full()))

    with pytest.raises(StoreError, match="cannot be pushed"):
        await mail.process([MaildirSource(desk.folder)])

    assert desk.files == ["new/1.a"]
    assert await suppressed(desk.store, "daily") == {"reader0@example.org"}


async def test_who_dies_between_keeping_and_marking_has_counted_once(desk: Desk) -> None:
    desk.put("1.a", desk.bounce(0, "4.2.2"))
    (desk.folder / "cur").rmdir()
    (desk.folder / "cur").write_bytes(b"")  # so that nothing can be moved there
    with pytest.raises(InboundError, match="has no folder cur"):
        await desk.mail.process([MaildirSource(desk.folder)])
    (desk.folder / "cur").unlink()
    (desk.folder / "cur").mkdir(mode=0o555)
    file = FileSource(desk.folder / "new" / "1.a")
    assert (await desk.mail.process([file])).outcomes == {Outcome.COUNTED: 1}
    (desk.folder / "cur").chmod(0o755)

    assert (await desk.mail.process([MaildirSource(desk.folder)])).outcomes == {Outcome.KNOWN: 1}
    assert desk.files == ["cur/1.a:2,S"]


async def test_links_and_folders_in_a_maildir_are_no_mails(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(desk.bounce(0))
    (desk.folder / "new" / "link").symlink_to(tmp_path / "secret")
    (desk.folder / "new" / "folder").mkdir()
    desk.put(".hidden", desk.bounce(1))
    assert (await desk.mail.process([MaildirSource(desk.folder)])).mails == 0


async def test_files_and_mboxes_are_read_and_stay(desk: Desk, tmp_path: Path) -> None:
    one, many = tmp_path / "one.eml", tmp_path / "many.mbox"
    one.write_bytes(desk.bounce(0))
    many.write_bytes(
        b"From a Thu Mar 12 09:00:00 2026\n%s\n\nFrom b Thu Mar 12 09:00:00 2026\n%s\n"
        % (desk.bounce(1), arf("abuse").encode())
    )

    done = await desk.mail.process([FileSource(one), FileSource(many)])

    assert (done.mails, one.exists(), many.exists()) == (3, True, True)
    assert done.outcomes == {Outcome.DEAD: 2, Outcome.UNKNOWN: 1}  # nobody has the delivery that it complains of
    assert [place for place, _ in done.shown] == [f"{one}: {one}", f"{many}: mail 1", f"{many}: mail 2"]


async def test_a_mailbox_that_is_not_there_is_named(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(InboundError, match=r"nowhere: is no Maildir: it has no folder new and cur"):
        await desk.mail.process([MaildirSource(tmp_path / "nowhere")])
    with pytest.raises(InboundError, match=r"nowhere: cannot be read: No such file"):
        await desk.mail.process([FileSource(tmp_path / "nowhere")])


async def test_a_large_mailbox_is_read_to_its_end_and_left_when_the_program_stops(desk: Desk) -> None:
    for number in range(120):
        desk.put(
            f"{number:03}", plain("people@example.org", f"Hello {number}", "Hi", to="us@example.org").encode()
        )
    box = MaildirSource(desk.folder)
    assert (await desk.mail.process([box], stopping=lambda: True)).mails == 0
    done = await desk.mail.process([box])
    assert (done.mails, done.outcomes) == (120, {Outcome.UNKNOWN: 120})


async def test_a_webhook_answers_by_what_it_was_sent(desk: Desk) -> None:
    services = Webhooks([Mailgun(LINKS, hooks.MAILGUN_KEY)])
    app = Starlette(routes=routes(services, desk.store.inbound, lambda: hooks.NOW))
    hook = next(hook for hook in HOOKS if hook.service == "mailgun")
    sent_right, transport = request(hook), httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        there = "/-/hooks/mailgun"
        assert (await client.get(there)).status_code == 405
        assert (await client.post("/-/hooks/ses", content=b"{}")).status_code == 404
        assert (await client.post(there, content=b"x" * 600_000)).status_code == 413
        assert (await client.post(there, content=b"{")).status_code == 400
        assert (
            await client.post(there, content=sent_right.body.replace(b"token-1", b"token-2"))
        ).status_code == 403
        for _ in range(2):
            assert (await client.post(there, content=sent_right.body)).status_code == 200
    counts = {one.outcome: one.number for one in await desk.store.inbound.counts(since=hooks.NOW.date())}
    assert counts == {Outcome.FORGED: 1, Outcome.UNKNOWN: 1}  # the delivery is none of this ledger's
