"""What most Python programs do: `python usual.py aiosmtplib|smtplib PORT READERS CONNECTIONS PAGES DATABASE`.

For each reader Jinja2 fills the pages, an `EmailMessage` is built, sent, and committed to SQLite as sent. Prints
the seconds and CPU seconds that it took.
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import aiosmtplib
from jinja2 import Environment

SENDER = "papers@example.org"


class Ledger:
    """Keeps who was sent to, one transaction each."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("CREATE TABLE sent (email TEXT PRIMARY KEY, at REAL)")
        self._one_at_a_time = threading.Lock()

    def sent(self, email: str) -> None:
        """Commit one more."""
        with self._one_at_a_time, self._connection:
            self._connection.execute("INSERT INTO sent VALUES (?, ?)", (email, time.time()))


class Composer:
    """Makes a reader's mail."""

    def __init__(self, pages: str) -> None:
        content = json.loads(Path(pages).read_text())
        environment = Environment(autoescape=True)
        self._subject = content["subject"]
        self._html = environment.from_string(content["html"])
        self._text = environment.from_string(content["text"])

    def mail(self, number: int) -> tuple[str, bytes]:
        """Return address and bytes."""
        email = f"reader{number}@example.org"
        unsubscribe = f"https://papers.example.org/unsubscribe/{number}"
        values = {"name": f"Reader {number}", "email": email, "unsubscribe_url": unsubscribe}
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = f"Daily Papers <{SENDER}>", email, self._subject
        mail["Message-ID"], mail["List-Unsubscribe"] = f"<{number}@example.org>", f"<{unsubscribe}>"
        mail.set_content(self._text.render(values))
        mail.add_alternative(self._html.render(values), subtype="html")
        return email, mail.as_bytes()


async def with_aiosmtplib(port: int, readers: int, connections: int, composer: Composer, ledger: Ledger) -> None:
    """Send over so many connections in one thread."""
    numbers = iter(range(readers))

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="x") as smtp:
            for number in numbers:
                email, content = composer.mail(number)
                await smtp.sendmail(SENDER, [email], content)
                ledger.sent(email)

    await asyncio.gather(*(work() for _ in range(connections)))


def with_smtplib(port: int, readers: int, connections: int, composer: Composer, ledger: Ledger) -> None:
    """Send over so many connections, each in a thread."""
    numbers, taking = iter(range(readers)), threading.Lock()

    def work(_: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="x") as smtp:
            while True:
                with taking:
                    number = next(numbers, None)
                if number is None:
                    return
                email, content = composer.mail(number)
                smtp.sendmail(SENDER, [email], content)
                ledger.sent(email)

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, range(connections)))


def main() -> None:
    library, port, readers, connections, pages, database = sys.argv[1:]
    work = (int(port), int(readers), int(connections), Composer(pages), Ledger(database))
    start, cpu = time.perf_counter(), time.process_time()
    if library == "aiosmtplib":
        asyncio.run(with_aiosmtplib(*work))
    else:
        with_smtplib(*work)
    print(time.perf_counter() - start, time.process_time() - cpu)


if __name__ == "__main__":
    main()
