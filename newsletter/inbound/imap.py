"""A mailbox reached by IMAP (RFC 9051), through imap-tools, in a thread."""

from __future__ import annotations

import asyncio
import base64
import imaplib
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from typing_extensions import override

from newsletter.core.errors import InboundError, TokenError
from newsletter.core.relay import Security
from newsletter.core.sasl import OAUTHBEARER, XOAUTH2, first_words, last_words, told_reason
from newsletter.core.text import one_line
from newsletter.inbound.mails import MOST_BYTES
from newsletter.ports import AccessTokens, Mailbox, MailboxSource, StoredMail
from newsletter.ports.inbox import Inbox

_T = TypeVar("_T")

_TIMEOUT = 60.0  # seconds, for each answer
_MOST_SAID = 200  # characters of an error
_UNREAD = "UNDELETED"  # another program that marks mails as seen is in nobody's way


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapConfig:
    """How to reach a mailbox, and where mails go that were read.

    Attributes:
        host: the server.
        port: its port.
        security: TLS from the first byte, STARTTLS, or none.
        username: the login.
        password: returns the password, or nothing where a token is used.
        token: returns a token for XOAUTH2, or nothing. It is asked for at each login, as tokens end soon.
        tokens: gives tokens for XOAUTH2 and renews them; None: `token` and `password` count.
        ca_file: certificates to trust instead of the system's.
        folder: which folder is read.
        move_to: the folder that mails are moved to, which is made if it is not there.
        deletes: mails that were understood are deleted instead.
        timeout: seconds, for each answer.
    """

    host: str
    port: int
    security: Security
    username: str
    password: Callable[[], str]
    token: Callable[[], str]
    tokens: AccessTokens | None = None
    ca_file: Path | None = None
    folder: str = "INBOX"
    move_to: str = "Processed"
    deletes: bool = False
    timeout: float = _TIMEOUT


class _LoginError(InboundError):
    """The server refuses the login."""


class ImapSource(MailboxSource, Inbox):
    """A mailbox on a server."""

    def __init__(self, config: ImapConfig) -> None:
        self._config = config

    @property
    @override
    def name(self) -> str:
        return f"IMAP {self._config.host}:{self._config.port}"

    @asynccontextmanager
    @override
    async def open(self) -> AsyncIterator[Mailbox]:
        """Log in, and log out at the end."""
        box = await self._logged_in()
        try:
            yield _Imap(box, self._config, self.name)
        finally:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                await asyncio.to_thread(box.logout)

    @override
    async def find(self, word: str) -> bytes | None:
        box = await self._logged_in()
        return await asyncio.to_thread(self._find, box, word)

    def _find(self, box: BaseMailBox, word: str) -> bytes | None:
        try:
            with _imap_errors(self.name):
                for folder in (self._config.folder, self._config.move_to):  # who reads the mailbox may be faster
                    if box.folder.exists(folder):
                        box.folder.set(folder, readonly=True)
                        if uids := box.uids(f"SUBJECT {word}"):
                            _, parts = box.client.uid("FETCH", uids[-1], f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
                            return _literal(parts)
            return None
        finally:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                box.logout()

    async def _logged_in(self) -> BaseMailBox:
        """Return a connection after the login; a token that is refused is renewed once."""
        tokens = self._config.tokens
        if tokens is None:
            return await asyncio.to_thread(self._connected)
        try:
            token = await tokens.token()
            try:
                return await asyncio.to_thread(self._connected, token)
            except _LoginError:
                renewed = await tokens.renewed(token)
                if renewed == token:
                    raise
                return await asyncio.to_thread(self._connected, renewed)
        except TokenError as error:
            raise InboundError(f"{self.name}: cannot log in: {error}") from error

    def _connected(self, token: str = "") -> BaseMailBox:
        config = self._config
        with _imap_errors(self.name):
            box = _box(config)
            try:
                self._log_in(box, token)
            except BaseException:
                with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                    box.logout()
                raise
            return box

    def _log_in(self, box: BaseMailBox, token: str) -> None:
        config = self._config
        try:
            if token := token or config.token():
                _log_in_by_token(box, config, token)
            else:
                box.login_utf8(config.username, config.password(), initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            raise _LoginError(
                f"{self.name}: refuses the login: {_said(error)}; check NEWSLETTER_INBOUND__IMAP_USERNAME and "
                "NEWSLETTER_INBOUND__IMAP_PASSWORD, or the token"
            ) from None
        box.folder.set(config.folder)


def _log_in_by_token(box: BaseMailBox, config: ImapConfig, token: str) -> None:
    """Log in with a token; what a server tells of its refusal is answered as the mechanism asks, so it ends it."""
    offered = box.client.capabilities
    mechanism = OAUTHBEARER if "AUTH=OAUTHBEARER" in offered and "AUTH=XOAUTH2" not in offered else XOAUTH2
    first = first_words(mechanism, username=config.username, token=token, host=config.host, port=config.port)
    words, reasons = [first], []

    def answer(challenge: bytes) -> bytes:
        if challenge:
            reasons.append(told_reason(base64.b64encode(challenge).decode()))
        return words.pop() if words else last_words(mechanism)

    try:
        box.client.authenticate(mechanism.upper(), answer)
    except imaplib.IMAP4.error as error:
        said = "".join(f" ({reason})" for reason in reasons if reason)
        raise imaplib.IMAP4.error(f"{error}{said}") from None


def _box(config: ImapConfig) -> BaseMailBox:
    """Return a connection; without a context of our own, imaplib would believe any certificate."""
    if config.security is Security.NONE:
        return MailBoxUnencrypted(config.host, config.port, timeout=config.timeout)
    context = ssl.create_default_context(cafile=config.ca_file)
    kind = MailBox if config.security is Security.TLS else MailBoxStartTls
    return kind(config.host, config.port, timeout=config.timeout, ssl_context=context)


class _Imap(Mailbox):
    """A mailbox during one login, as it was at its beginning; one call at a time."""

    def __init__(self, box: BaseMailBox, config: ImapConfig, name: str) -> None:
        self._box, self._config, self._name = box, config, name
        self._left: list[str] | None = None  # numbers (UIDs), the oldest last

    @override
    async def unread(self, *, limit: int) -> list[StoredMail]:
        return await self._in_thread(lambda: self._unread(limit))

    def _unread(self, limit: int) -> list[StoredMail]:
        if self._left is None:
            self._left = self._box.uids(_UNREAD, charset=None)[::-1]
        uids = [self._left.pop() for _ in range(min(limit, len(self._left)))]
        fetched = ((uid, self._box.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")) for uid in uids)
        found = [StoredMail(uid, raw) for uid, (_, parts) in fetched if (raw := _literal(parts)) is not None]
        return found or (self._unread(limit) if self._left else [])  # all of these were deleted meanwhile

    @override
    async def done(self, names: Sequence[str], *, unclear: Collection[str] = ()) -> None:
        await self._in_thread(lambda: self._done(names, unclear))

    def _done(self, names: Sequence[str], unclear: Collection[str]) -> None:
        deleted = [name for name in names if self._config.deletes and name not in unclear]
        moved = [name for name in names if name not in deleted]
        if moved:
            if not self._box.folder.exists(self._config.move_to):
                self._box.folder.create(self._config.move_to)
            self._box.move(moved, self._config.move_to)
        if deleted:
            self._delete(deleted)

    def _delete(self, uids: Sequence[str]) -> None:
        """Delete mails, and where the server can do so (RFC 4315) none that somebody else marked as deleted."""
        if "UIDPLUS" not in self._box.client.capabilities:
            self._box.delete(uids)
            return
        some = ",".join(uids)
        for command in (("STORE", some, "+FLAGS", r"(\Deleted)"), ("EXPUNGE", some)):
            status, said = self._box.client.uid(*command)
            if status != "OK":
                raise imaplib.IMAP4.error(f"{command[0]}: {said}")

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        def guarded() -> _T:
            with _imap_errors(self._name):
                return work()

        return await asyncio.to_thread(guarded)


def _literal(parts: Sequence[object]) -> bytes | None:
    """Return the content in an answer to FETCH; None where the mail is gone."""
    found = (part[1] for part in parts if isinstance(part, tuple) and isinstance(part[1], bytes))
    return next(found, None)


@contextmanager
def _imap_errors(name: str) -> Iterator[None]:
    """Turn errors of a server and of the way to it into an InboundError of one line."""
    try:
        yield
    except MailboxFolderSelectError as error:
        raise InboundError(
            f"{name}: NEWSLETTER_INBOUND__IMAP_FOLDER is no folder there: {_said(error)}"
        ) from error
    except ssl.SSLError as error:
        raise InboundError(
            f"{name}: no TLS: {_said(error)}; check IMAP_SECURITY, IMAP_PORT, IMAP_CA_FILE of NEWSLETTER_INBOUND__"
        ) from error
    except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as error:
        raise InboundError(f"{name}: {_said(error)}") from error


def _said(error: Exception) -> str:
    return one_line(str(error), _MOST_SAID)
