"""Follows the Dockerfile without Docker: COPY and RUN in a folder, then its command and its health check.

    python -m tests.deploying.image

What it cannot show: the base image, the user of the image, and what Docker itself does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.documents.markdown import ROOT

INSTALLED = "/opt/newsletter"  # where the image has the program
_PORT = "18080"
_HEALTHY_WITHIN, _ENDS_WITHIN = 60, 10  # seconds


def lines(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with their words, each on one line."""
    joined = re.sub(r"\\\n\s*", "", dockerfile)
    return [(name, words) for name, words in re.findall(r"^([A-Z]+) (.+)$", joined, re.MULTILINE)]


def build(steps: list[tuple[str, str]], source: Path, installed: Path) -> dict[str, str]:
    """Follow COPY and RUN, and return what ENV sets."""
    environment: dict[str, str] = {}
    python = str(Path(getattr(sys, "_base_executable", sys.executable)).parent)
    for name, words in steps:
        if name == "ENV":
            environment |= dict(part.split("=", 1) for part in shlex.split(words))
        elif name == "COPY" and not words.startswith("--from"):
            *names, target = words.split()
            for one in names:
                _copy(ROOT / one, source / target / ("" if one.endswith("/") else Path(one).name))
        elif name == "RUN" and "useradd" not in words:
            print(f"$ {words}", flush=True)
            script = words.replace(INSTALLED, str(installed))
            path = f"{python}:{os.environ['PATH']}"
            subprocess.run(["/bin/sh", "-c", script], cwd=source, env=os.environ | {"PATH": path}, check=True)
    return environment


def _copy(original: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if original.is_dir():
        shutil.copytree(original, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(original, target)


def run(steps: dict[str, str], environment: dict[str, str], papers: Path, installed: Path) -> None:
    """Start the program as the image does, wait until it is healthy, and end it as Docker does."""
    path = f"{installed}/bin:/usr/bin:/bin"
    env = environment | {"PATH": path, "HOME": str(papers), "NEWSLETTER_WEB__PORT": _PORT}
    [entry], command = json.loads(steps["ENTRYPOINT"]), json.loads(steps["CMD"])
    program = str(installed / "bin" / entry)
    subprocess.run([program, "init", "--yes"], cwd=papers, env=env, check=True)
    started = time.monotonic()
    with subprocess.Popen([program, *command], cwd=papers, env=env) as process:
        check = json.loads(steps["HEALTHCHECK"].partition(" CMD ")[2])
        while subprocess.run(check, env=env, stderr=subprocess.DEVNULL, check=False).returncode:
            if process.poll() is not None or time.monotonic() - started > _HEALTHY_WITHIN:
                process.kill()
                raise SystemExit("it did not become healthy")
            time.sleep(0.5)
        print(f"healthy after {time.monotonic() - started:.0f} s", flush=True)
        process.send_signal(signal.Signals[steps["STOPSIGNAL"]])
        if process.wait(timeout=_ENDS_WITHIN):
            raise SystemExit(f"it ended with {process.returncode}")


def main() -> None:
    """Follow it from the beginning to the end."""
    steps = lines((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        source, installed, papers = (Path(folder, name) for name in ("source", "installed", "papers"))
        source.mkdir()
        papers.mkdir()
        environment = build(steps, source, installed)
        run(dict(steps), environment, papers, installed)
    print("the Dockerfile was followed; left out: the base image, the user, and Docker itself")


if __name__ == "__main__":
    main()
