"""A remote repository on this machine, and clones of it, with a Git that reads no configuration of the user's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
}


def git(folder: Path, *words: str) -> str:
    """Return what a command of Git prints."""
    return printed(folder, *words).decode().strip()


def printed(folder: Path, *words: str) -> bytes:
    """Return the bytes that a command of Git prints."""
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def remote(folder: Path) -> Path:
    """Make an empty remote repository with a branch `main`."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    return folder


def clone(of: Path, folder: Path) -> Path:
    """Make a clone of a remote repository."""
    git(of, "clone", "--quiet", str(of), str(folder))
    return folder


def refuse_pushes(repository: Path, number: int) -> None:
    """Let a remote repository refuse the next pushes; so many."""
    left, hook = repository / "refusals-left", repository / "hooks" / "pre-receive"
    left.write_text("x" * number)
    hook.write_text(f"#!/bin/sh\n[ -s {left} ] || exit 0\ntruncate -s -1 {left}\necho 'try later' >&2\nexit 1\n")
    hook.chmod(0o755)
