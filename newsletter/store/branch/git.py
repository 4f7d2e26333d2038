"""A branch of the working folder's Git repository that holds one file in one commit without history."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.core.errors import BusyElsewhereError, StoreError
from newsletter.core.text import one_line

REMOTE = "origin"
FILE = "ledger.sealed"
_SECONDS = 300.0  # for each call of git
_MOST_SAID = 200  # characters of an error
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "newsletter"), ("EMAIL", "newsletter@localhost"))
}


@dataclass(frozen=True, slots=True)
class Branch:
    """The branch `name` at the remote repository.

    Which commit this folder works on from is kept in references of its own, so that nobody's newer commit is
    overwritten: `git push --force-with-lease`.
    """

    folder: Path
    name: str

    def __str__(self) -> str:
        """Return what it is called in messages."""
        return f"branch {self.name} at {REMOTE}"

    def fetch(self) -> str | None:
        """Fetch the branch's commit and return its name; None where there is no such branch.

        Raises:
            StoreError: the remote repository cannot be asked.
        """
        head = self._remote_head()
        if head is not None:
            self._git("fetch", "--quiet", "--no-tags", "--depth=1", REMOTE, f"+{self._ref}:{self._own('fetched')}")
            head = self._resolved("fetched")
        return head

    def read(self, commit: str) -> bytes:
        """Return the file of a commit.

        Raises:
            StoreError: the commit holds none.
        """
        return self._git("cat-file", "blob", f"{commit}:{FILE}")

    def work_on_from(self, commit: str) -> None:
        """Note which commit this folder goes on from."""
        self._git("update-ref", self._own("known"), commit)

    def put(self, content: bytes, *, waits: Sequence[float]) -> None:
        """Let the branch hold this content and nothing else, unless it is not what this folder goes on from.

        A push whose answer is lost may have arrived: so the branch is asked for before it is tried again.

        Args:
            content: of the file.
            waits: seconds before each further try.

        Raises:
            BusyElsewhereError: somebody else has changed the branch.
            StoreError: it cannot be pushed.
        """
        blob = self._git("hash-object", "-w", "--stdin", given=content).decode().strip()
        tree = self._git("mktree", given=f"100644 blob {blob}\t{FILE}\n".encode()).decode().strip()
        commit = self._git("commit-tree", tree, "-m", "The ledger of the newsletter, sealed").decode().strip()
        expected, tried = self._resolved("known"), self._resolved("tried")
        self._git("update-ref", self._own("tried"), commit)
        for wait in (*waits, None):
            try:
                lease = f"--force-with-lease={self._ref}:{expected or ''}"
                self._git("push", "--quiet", lease, REMOTE, f"{commit}:{self._ref}")
            except StoreError as error:
                expected = self._after_failure(error, commit, expected, tried, wait)
                if expected != commit:
                    continue
            self.work_on_from(commit)
            return

    def _after_failure(
        self, error: StoreError, commit: str, expected: str | None, tried: str | None, wait: float | None
    ) -> str | None:
        """Return what the branch is expected to hold at the next try; the commit, if it has arrived.

        Args:
            error: of the try that failed.
            commit: what was pushed.
            expected: what the branch was expected to hold.
            tried: what this folder had tried to push before; it may have arrived.
            wait: seconds before the next try; None: there is none.

        Raises:
            BusyElsewhereError, StoreError: as `put` does.
        """
        try:
            head = self._remote_head()
        except StoreError:
            head = expected  # nobody knows, so the lease is to find out
        if head == commit:
            return commit
        if head not in {expected, tried}:
            raise BusyElsewhereError(
                f"{self}: somebody else has changed it since it was fetched, so nothing was put there; the next "
                "run goes on from what is there now"
            ) from None
        if wait is None:
            raise error
        time.sleep(wait)
        return head

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.name}"

    def _own(self, what: str) -> str:
        return f"refs/newsletter/{what}/{self.name}"

    def _remote_head(self) -> str | None:
        found = self._git("ls-remote", REMOTE, self._ref).decode().split()
        return found[0] if found else None

    def _resolved(self, what: str) -> str | None:
        """Return the commit of a reference of this folder's, if there is one."""
        refs = self._git("for-each-ref", "--format=%(objectname)", self._own(what)).decode().split()
        return refs[0] if refs else None

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        """Return what a command of Git prints; it asks nobody for a password."""
        environment = {**os.environ, **_AUTHOR, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            done = subprocess.run(  # noqa: S603 - git, by words of ours
                ["git", *words],  # noqa: S607 - wherever it is installed
                cwd=self.folder,
                env=environment,
                input=given,
                capture_output=True,
                timeout=_SECONDS,
                check=True,
            )
        except FileNotFoundError:
            raise StoreError(f"{self}: the program git is not installed") from None
        except subprocess.TimeoutExpired:
            raise StoreError(f"{self}: git {words[0]}: no answer within {_SECONDS:.0f} seconds") from None
        except subprocess.CalledProcessError as error:
            said = one_line(error.stderr.decode("utf-8", "replace"), _MOST_SAID)
            raise StoreError(f"{self}: git {words[0]}: {said or f'ended with {error.returncode}'}") from None
        return done.stdout
