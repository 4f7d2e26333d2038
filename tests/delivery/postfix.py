"""A Postfix of the test's own: config, queue and data in a temporary folder, on a port of loopback.

It delivers what it accepts for example.org into one Maildir, offers STARTTLS and AUTH, and knows some readers whom
it turns away. Postfix must be started by root.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import socket
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.services import missing, need
from tests.smtp_server import Certificates

USER, PASSWORD = "papers", "opensesame"
TURNED_AWAY = {
    "gone@example.org": "550 5.1.1 no such user",
    "full@example.org": "452 4.2.2 mailbox full",
    "grey@example.org": "451 4.7.1 greylisted, come back later",
}
# By a list of its own it refuses these as a matter of policy.
STOP_LIST = tuple(f"stopped{number}@example.org" for number in range(20))

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/server.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/turned-away,
  permit_sasl_authenticated, reject
smtpd_peername_lookup = no
"""

_LONGEST_END = 20.0  # seconds
_STARTS = 3

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    port: int
    maildir: Path

    async def mails(self, count: int, box: str = "box") -> list[bytes]:
        """Return what was delivered as soon as it is so many mails, in the order of their recipients' names."""
        async with asyncio.timeout(60):
            while len(files := list((self.maildir.with_name(box) / "new").glob("*"))) < count:  # noqa: ASYNC110 (Postfix sets no event)
                await asyncio.sleep(0.05)
        return sorted(file.read_bytes() for file in files)


@asynccontextmanager
async def postfix(
    certificates: Certificates, *, more: str = "", mailboxes: Mapping[str, str] | None = None
) -> AsyncIterator[Postfix]:
    """Run a Postfix for as long as the context lasts.

    Args:
        certificates: its own comes from these.
        more: lines of its configuration that take the place of others.
        mailboxes: the addresses that it knows, and into which folder their mail goes; None: it knows all.
    """
    # Not in pytest's own folder: its daemons aren't root, and another pytest run may close that to all but root.
    with tempfile.TemporaryDirectory(prefix="postfix-") as folder:
        if mailboxes is not None:
            known = "".join(f"{one} {box}/\n" for one, box in mailboxes.items())
            (Path(folder) / "mailboxes").write_text(known)
            more += f"virtual_mailbox_maps = texthash:{folder}/mailboxes\n"
        async with _postfix(Path(folder), certificates, more) as running:
            yield running


@asynccontextmanager
async def _postfix(folder: Path, certificates: Certificates, more: str) -> AsyncIterator[Postfix]:
    program = need("postfix", "/usr/sbin/postfix")
    if os.geteuid() != 0:
        missing("the right to start Postfix, which only root has,")
    logins = _Logins()
    auth = await asyncio.start_server(logins.serve, "127.0.0.1", 0)
    port = free_port()
    _configure(folder, certificates, more, port, auth.sockets[0].getsockname()[1])
    command = program, "-c", str(folder / "etc")
    run = await _start(command, port)
    try:
        yield Postfix(port, folder / "mail" / "box")
    finally:
        end = await asyncio.create_subprocess_exec(*command, "abort", start_new_session=True)
        for one in (end, run):
            await _end(one, within=_LONGEST_END)
        auth.close()
        await asyncio.gather(*logins.serving)


async def _start(command: Sequence[str], port: int) -> Process:
    """Start Postfix, and return it once it greets; begin again if it does not, as seen on busy machines."""
    for _ in range(_STARTS):
        run = await asyncio.create_subprocess_exec(*command, "start-fg", start_new_session=True)
        with suppress(TimeoutError):
            await answers(port)
            await _greets(port)
            return run
        await _end(run, within=0)
    raise TimeoutError(f"Postfix did not greet at {port}")


async def _greets(port: int) -> None:
    """Wait until the server at a port greets whoever connects to it."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while not (await reader.readline()).startswith(b"220 "):
                if reader.at_eof():
                    raise TimeoutError
            writer.write(b"QUIT\r\n")
            await reader.read()
        finally:
            writer.close()


async def _end(process: Process, *, within: float) -> None:
    """Wait until a process has ended; after so many seconds, kill it and all that it began."""
    try:
        async with asyncio.timeout(within):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _configure(folder: Path, certificates: Certificates, more: str, port: int, auth_port: int) -> None:
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "mail", "log"):
        (folder / name).mkdir()
    certificates.write_server(folder / "server.pem")
    turned_away = TURNED_AWAY | dict.fromkeys(STOP_LIST, "550 5.7.1 we may not send to this address")
    (folder / "turned-away").write_text("".join(f"{one} {reply}\n" for one, reply in turned_away.items()))
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", "nobody", "nogroup")
    mail = (folder / "mail").stat()
    daemons = "/usr/lib/postfix/sbin" if Path("/usr/lib/postfix/sbin").exists() else "/usr/libexec/postfix"
    main = _MAIN.format(folder=folder, daemons=daemons, uid=mail.st_uid, gid=mail.st_gid, auth_port=auth_port)
    (folder / "etc" / "main.cf").write_text(main + more)
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port).lstrip())


class _Logins:
    """Checks logins for Postfix as Dovecot does (https://doc.dovecot.org, authentication protocol 1.1)."""

    def __init__(self) -> None:
        self.serving: set[asyncio.Task[object]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one of Postfix's processes until it ends."""
        if task := asyncio.current_task():
            self.serving.add(task)
        writer.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n")
        async for line in reader:
            command, *fields = line.decode().rstrip("\n").split("\t")
            if command == "AUTH":
                given = base64.b64decode(fields[-1].removeprefix("resp=")).split(b"\0")[1:]
                ok = given == [USER.encode(), PASSWORD.encode()]
                writer.write(f"{'OK' if ok else 'FAIL'}\t{fields[0]}\tuser={USER}\n".encode())
        writer.close()


async def answers(port: int) -> None:
    """Wait until something listens on a port of loopback."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
