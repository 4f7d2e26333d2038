"""Does what README says, what `newsletter init` says then, and each example of `--help`, to the letter.

    python -m tests.installing.first_mail HOME

It works in an empty environment with an empty home folder, in which the program gets installed. Two things stand
in for the world: a mail server on this machine, and one that answers as Hugging Face does.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from newsletter.cli.examples import EXAMPLES
from newsletter.demo.catch_all import catch_all
from newsletter.sources.huggingface import read_paper
from newsletter.sources.reading.records import Record

CHECKOUT = Path(__file__).resolve().parents[2]
_LASTING = re.compile(r"newsletter (preview|serve|web)\b(?! --help)")
_URL = re.compile(r"http://127\.0\.0\.1:\d+")
# What this machine needs to reach a package index, and nothing else of the caller's environment.
_OF_THE_MACHINE = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class _HuggingFace(BaseHTTPRequestHandler):
    """Answers with two papers for each day."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        [day] = query.get("date", [""])
        papers = [_paper(day, number) for number in (1, 2)] if day and query.get("p") == ["0"] else []
        body = json.dumps(papers).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _paper(day: str, number: int) -> dict[str, Any]:
    name = f"2601.{int(day.replace('-', '')) % 10_000:04}{number}"
    paper = {"id": name, "title": f"Paper {number} of {day}", "summary": "It does so.", "upvotes": number}
    record = {"paper": {**paper, "publishedAt": f"{day}T08:00:00.000Z", "authors": []}, "title": paper["title"]}
    read_paper(Record(record))  # raises if it were no answer of theirs
    return record


@dataclass(slots=True)
class Walk:
    """Commands one after the other, as a person types them into one shell."""

    home: Path
    said: list[str] = field(default_factory=lambda: ["set -e"])  # what a shell remembers: `cd` and `export`
    typed: set[str] = field(default_factory=set)

    def type(self, line: str) -> str:
        """Run a line to its end, or until a server of ours was looked at; return what it printed."""
        print(f"$ {line}", flush=True)
        self.typed.add(line.partition("  #")[0].strip())
        lasts = _LASTING.search(line.partition("#")[0])
        script = "\n".join((*self.said, f"exec {line}" if lasts else line))
        process = subprocess.Popen(
            ["/bin/bash", "-c", script],
            cwd=CHECKOUT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if lasts:
            _look(process)
            process.terminate()
        out, _ = process.communicate(timeout=300)
        if process.returncode:
            raise SystemExit(f"{line}\n{out}\nended with {process.returncode}")
        if line.startswith(("cd ", "export ")):
            self.said.append(line)
        return out

    def _environment(self) -> dict[str, str]:
        python = Path(getattr(sys, "_base_executable", sys.executable)).resolve().parent
        kept = {name: value for name, value in os.environ.items() if name.startswith(_OF_THE_MACHINE)}
        width = {"COLUMNS": "200", "LANG": "C.UTF-8"}
        return kept | width | {"HOME": str(self.home), "PATH": f"{python}:/usr/bin:/bin", "BROWSER": "true"}


def _look(process: subprocess.Popen[str]) -> None:
    """Open the page whose address a server prints; in the preview, collect."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := _URL.search(line):
            break
    else:
        raise SystemExit("it ended without an address")
    page = httpx2.get(f"{found[0]}/", trust_env=False, timeout=60, follow_redirects=True).text
    if 'action="/collect' in page:
        collect = f"{found[0]}/collect?list=daily"
        after = httpx2.post(collect, trust_env=False, timeout=60, follow_redirects=True)
        assert "papers read" in after.text, after.text
        assert "Sample listings" not in after.text, after.text


def blocks(section: str) -> list[list[str]]:
    """Return the lines of each block of code in a section of README."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    [body] = re.findall(rf"^## {section}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in re.findall(r"^```\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)]


def _set(path: Path, values: dict[str, str]) -> None:
    """Change settings where they stand in `.env`, as a person does."""
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        [line] = re.findall(rf"^{name}=.*\n", text, re.MULTILINE)
        text = text.replace(line, f"{name}={value}\n")
    path.write_text(text, encoding="utf-8")


def mails(inbox: Path) -> list[str]:
    """Return the subjects of what has arrived, oldest first."""
    paths = sorted((inbox / "new").iterdir())
    return [str(message_from_bytes(path.read_bytes(), policy=default)["Subject"]) for path in paths]


def walk_through(home: Path, inbox: Path, relay: int, huggingface: str) -> None:
    """Do all of it; ends the program with what went wrong, if anything does."""
    walk = Walk(home)
    for line in (line for block in blocks("Install") for line in block):
        walk.type(line)
    [init], settings, sending = blocks("Your first mail")
    printed = re.findall(r"^  (\S.*)$", walk.type(init), re.MULTILINE)
    assert len(printed) == 4, printed  # cd, check, preview; and send, for later
    file = home / "papers" / ".env"
    _set(file, {"NEWSLETTER_HUGGINGFACE__URL": huggingface, "NEWSLETTER_HTTP__PICTURES": "false"})
    for line in printed[:3]:
        walk.type(line)
    _set(file, dict(line.split("=", 1) for line in settings))
    local = {"HOST": "127.0.0.1", "PORT": str(relay), "SECURITY": "none", "USERNAME": "", "PASSWORD": ""}
    _set(file, {f"NEWSLETTER_SMTP__{name}": value for name, value in local.items()})
    for line in (printed[3], *sending):
        walk.type(line)
    test, again, issue = mails(inbox)
    assert test == again == f"[Test] {issue}", mails(inbox)
    [cron], *daily = blocks("Every day")
    for line in (cron.partition("* * * * ")[2], *(line for block in daily for line in block)):
        walk.type(line)
    for line in (line for examples in EXAMPLES.values() for line in examples):
        if line not in walk.typed:
            walk.type(line)
    subjects = mails(inbox)
    assert subjects.count(issue) == 1, subjects


async def main(home: Path) -> None:
    """Serve what stands in for the world, and walk."""
    began = time.monotonic()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HuggingFace)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with catch_all(home / "inbox") as relay:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        await asyncio.to_thread(walk_through, home, home / "inbox", relay, address)
    print(f"first mail: README, init and the examples were followed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True)
    asyncio.run(main(Path(sys.argv[1]).resolve()))
