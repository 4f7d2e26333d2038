"""Commands one after the other, as a person types them into one shell, and what stands in for the world."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from newsletter.sources.huggingface import read_paper
from newsletter.sources.reading.records import Record
from tests.forking_server import command

CHECKOUT = Path(__file__).resolve().parents[2]
_LASTING = re.compile(r"newsletter (preview|scheduler|serve|web)\b(?! --help)")
_ON_POSTGRESQL = re.compile(r"newsletter worker\b(?! --help)")  # the walk has none, and is told so
_URL = re.compile(r"http://127\.0\.0\.1:\d+")
# What this machine needs to reach a package index, which pip `make install` shall use, and nothing else.
_OF_THE_MACHINE = ("PIP", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


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


@contextmanager
def hugging_face() -> Iterator[str]:
    """Serve two papers a day for as long as the context lasts; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HuggingFace)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


@dataclass(slots=True)
class Walk:
    """A shell with a home folder of its own."""

    home: Path
    start: Path = CHECKOUT
    path: str = ""
    said: list[str] = field(default_factory=lambda: ["set -e"])  # what a shell remembers: `cd` and `export`
    typed: set[str] = field(default_factory=set)
    quick: Path | None = None  # a folder with a `newsletter` that starts more quickly, for commands that end

    def type(self, line: str) -> str:
        """Run a line to its end, or until a server of ours was looked at; return what it printed."""
        print(f"$ {line}", flush=True)
        self.typed.add(line.partition("  #")[0].strip())
        lasts = _LASTING.search(line.partition("#")[0])
        quick = [f'PATH="{self.quick}:$PATH"'] if self.quick and not lasts else []
        script = "\n".join((*self.said, *quick, f"exec {line}" if lasts else line))
        process = subprocess.Popen(
            ["/bin/bash", "-c", script],
            cwd=self.start,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if lasts and lasts[1] == "scheduler":
            _wait_for(process, re.compile(r"\bscheduling\b"))
        elif lasts:
            _look(process)
        if lasts:
            process.terminate()
        out, _ = process.communicate(timeout=300)
        if _ON_POSTGRESQL.search(line):
            assert process.returncode == 78, out
            assert "NEWSLETTER_DATABASE__URL=postgresql://" in out, out
        elif process.returncode:
            raise SystemExit(f"{line}\n{out}\nended with {process.returncode}")
        if line.startswith(("cd ", "export ")):
            self.said.append(line)
        return out

    def _environment(self) -> dict[str, str]:
        python = Path(getattr(sys, "_base_executable", sys.executable)).resolve().parent
        kept = {name: value for name, value in os.environ.items() if name.startswith(_OF_THE_MACHINE)}
        width = {"COLUMNS": "200", "LANG": "C.UTF-8", "BROWSER": "true"}
        return kept | width | {"HOME": str(self.home), "PATH": f"{self.path}{python}:/usr/bin:/bin"}


@contextmanager
def loaded(home: Path) -> Iterator[Path]:
    """Give a folder with a `newsletter` that forks from a process, which has loaded what a home has installed."""
    folder, place = home / "quick", home / "quick.socket"
    folder.mkdir()
    script = folder / "newsletter"
    script.write_text(command(place))
    script.chmod(0o755)
    python = home / ".local" / "share" / "newsletter" / "bin" / "python"
    words = [str(one) for one in (python, "-P", CHECKOUT / "tests" / "forking_server.py", place)]
    environment = {"HOME": str(home), "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
    with subprocess.Popen(words, cwd=home, env=environment, stdin=subprocess.DEVNULL) as serving:
        try:
            while not place.exists():
                if serving.poll() is not None:
                    raise SystemExit("the installed program cannot be loaded")
                time.sleep(0.05)
            yield folder
        finally:
            serving.kill()


def _wait_for(process: subprocess.Popen[str], what: re.Pattern[str]) -> str:
    """Return what a server of ours prints when it is at work."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := what.search(line):
            return found[0]
    raise SystemExit(f"it ended without {what.pattern}")


def _look(process: subprocess.Popen[str]) -> None:
    """Open the page whose address a server prints; in the preview, collect."""
    found = _wait_for(process, _URL)
    page = httpx2.get(f"{found}/", trust_env=False, timeout=60, follow_redirects=True).text
    if 'action="/collect' in page:
        collect = f"{found}/collect?list=daily"
        after = httpx2.post(collect, trust_env=False, timeout=60, follow_redirects=True)
        assert "papers read" in after.text, after.text
        assert "Sample listings" not in after.text, after.text


def fill_in(path: Path, values: dict[str, str]) -> None:
    """Change settings where they stand in `.env`, as a person does."""
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        [line] = re.findall(rf"^{name}=.*\n", text, re.MULTILINE)
        text = text.replace(line, f"{name}={value}\n")
    path.write_text(text, encoding="utf-8")


def of_this_machine(relay: int, huggingface: str) -> dict[str, str]:
    """Return the settings by which a working folder speaks with what stands in for the world."""
    local = {"HOST": "127.0.0.1", "PORT": str(relay), "SECURITY": "none", "USERNAME": "", "PASSWORD": ""}
    return {
        "NEWSLETTER_HUGGINGFACE__URL": huggingface,
        "NEWSLETTER_HTTP__PICTURES": "false",
        **{f"NEWSLETTER_SMTP__{name}": value for name, value in local.items()},
    }
