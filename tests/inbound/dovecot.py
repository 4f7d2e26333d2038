"""A Dovecot of the test's own: IMAP with TLS on a port of loopback, with mail in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.delivery.postfix import answers, free_port
from tests.services import missing, need
from tests.smtp_server import Certificates

USER, PASSWORD = "bounces@example.org", "opensesame"

_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
auth_mechanisms = plain xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    port: int
    mail: Path

    def put(self, name: str, raw: bytes) -> None:
        """Deliver a mail to the inbox."""
        path = self.mail / "new" / name
        path.write_bytes(raw)
        shutil.chown(path, "nobody", "nogroup")

    def files(self, folder: str = "") -> int:
        """Return how many mails a folder holds; the inbox has no name."""
        place = self.mail / f".{folder}" if folder else self.mail
        return sum(1 for part in ("new", "cur") for _ in (place / part).glob("*"))


@asynccontextmanager
async def dovecot(certificates: Certificates, tokens: str) -> AsyncIterator[Dovecot]:
    """Run a Dovecot for as long as the context lasts.

    Args:
        certificates: its own comes from these.
        tokens: where it asks whose a token is: the address that stands before the token.
    """
    program = need("dovecot", "/usr/sbin/dovecot")
    if os.geteuid() != 0:
        missing("the right to start Dovecot, which only root has,")
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name:
        folder, port = Path(name), free_port()
        config = _configured(folder, certificates, port, tokens)
        run = await asyncio.create_subprocess_exec(program, "-F", "-c", str(config))
        try:
            await answers(port)
            yield Dovecot(port, folder / "mail")
        finally:
            run.terminate()
            await run.wait()


def _configured(folder: Path, certificates: Certificates, port: int, tokens: str) -> Path:
    """Make the folders and the configuration; return its file."""
    folder.chmod(0o755)
    for part in ("home", "mail", "mail/new", "mail/cur", "mail/tmp"):
        (folder / part).mkdir()
        shutil.chown(folder / part, "nobody", "nogroup")
    certificates.write_server(folder / "server.pem")
    asks = (
        f"tokeninfo_url = {tokens}\nintrospection_mode = auth\nintrospection_url =\nusername_attribute = email\n"
    )
    (folder / "oauth2.conf").write_text(asks)
    owner, config = (folder / "mail").stat(), folder / "dovecot.conf"
    config.write_text(
        _CONFIG.format(folder=folder, port=port, password=PASSWORD, uid=owner.st_uid, gid=owner.st_gid)
    )
    return config
