"""Runs a workflow's own steps on this machine: its scripts as they stand, and little in place of actions.

What is not known here (an action, a word in an expression) is an error, so that nothing in the workflow goes
unrehearsed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.git_remote import ENVIRONMENT, clone

_EXPRESSION = re.compile(r"\$\{\{(.+?)\}\}")
_NAME = re.compile(r"(?<!')\b(secrets|vars|inputs|github|steps|needs)((?:\.[\w-]+)+)")


@dataclass(slots=True)
class Context:
    """What expressions name: `values` by their whole names, such as `secrets.NAME`; others are empty."""

    values: dict[str, str] = field(default_factory=dict)

    def evaluated(self, expression: str) -> Any:
        """Return the value of an expression of GitHub's (names, `&&`, `||`, `==`, `!=`, `always()`)."""
        code = _NAME.sub(lambda name: repr(self.values.get(name[0], "")), expression)
        code = code.replace("&&", " and ").replace("||", " or ").replace("always()", "True")
        return eval(code.strip(), {"__builtins__": {}})  # noqa: S307 (an expression of our own workflow)

    def filled(self, text: str) -> str:
        """Return a text with its expressions replaced by their values."""
        return _EXPRESSION.sub(lambda found: str(self.evaluated(found[1])), str(text))


@dataclass(frozen=True, slots=True)
class Ran:
    """A job that ended: what its steps came to, by name, and what they printed."""

    steps: Mapping[str, str]
    output: str
    pages: frozenset[str]  # the files of the website that is published, by their paths

    @property
    def failed(self) -> bool:
        return "failure" in self.steps.values()


@dataclass(slots=True)
class Machine:
    """A machine of GitHub's for one run.

    Attributes:
        folder: an empty one of its own.
        repository: the remote repository.
        program: a folder whose `make install` puts the program into `~/.local/bin`.
        given: secrets, variables and inputs, by their names in expressions.
        dies_after: the step after which the machine is gone.
    """

    folder: Path
    repository: Path
    program: Path
    given: Mapping[str, str]
    dies_after: str = ""
    _context: Context = field(init=False)
    _said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = Context({"github.event.repository.private": "true", **self.given})

    async def run(self, workflow: str) -> Ran:
        """Run the steps of the first job."""
        whole = yaml.safe_load(workflow)
        steps = whole["jobs"]["newsletter"]["steps"]
        (self.folder / "home").mkdir(parents=True)
        (self.folder / "temp").mkdir()
        results: dict[str, str] = {}
        for number, step in enumerate(steps):
            name = step.get("name") or f"{step['uses'].partition('@')[0]} ({number})"
            results[name] = await self._outcome(step, whole.get("env", {}), failed="failure" in results.values())
            if "id" in step:
                self._context.values[f"steps.{step['id']}.outcome"] = results[name]
            if name == self.dies_after:
                break
        has_pages = self._context.filled(whole["jobs"]["newsletter"]["outputs"]["has-pages"]) == "True"
        site = self.folder / "pages"
        files = [str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()] if has_pages else []
        return Ran(results, "".join(self._said), frozenset(files))

    async def _outcome(self, step: Mapping[str, Any], environment: Mapping[str, str], *, failed: bool) -> str:
        condition = str(step.get("if", "True"))
        if (failed and "always()" not in condition) or not self._context.evaluated(condition):
            return "skipped"
        if "run" in step:
            return await self._script(step, environment)
        self._act(step["uses"].partition("@")[0], step.get("with", {}))
        return "success"

    async def _script(self, step: Mapping[str, Any], environment: Mapping[str, str]) -> str:
        """Run a script as GitHub does: `bash -e`."""
        out, paths = self.folder / "output", self.folder / "paths"
        for file in (out, paths):
            file.touch()
        given = {
            name: self._context.filled(value) for name, value in {**environment, **step.get("env", {})}.items()
        }
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-e",
            "-c",
            step["run"],
            cwd=self.folder / "work" if (self.folder / "work").exists() else self.folder,
            env={
                **ENVIRONMENT,
                "PATH": ":".join([*paths.read_text().split(), os.environ["PATH"]]),
                "HOME": str(self.folder / "home"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                "GITHUB_OUTPUT": str(out),
                "GITHUB_PATH": str(paths),
                **given,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        self._said.append(said.decode())
        for line in out.read_text().splitlines():
            key, _, value = line.partition("=")
            self._context.values[f"steps.{step['id']}.outputs.{key}"] = value
        out.write_text("")
        return "failure" if process.returncode else "success"

    def _act(self, action: str, given: Mapping[str, str]) -> None:
        """Do what an action does, as far as it matters here."""
        match action, given.get("path"):
            case "actions/checkout", None:
                clone(self.repository, self.folder / "work")
            case "actions/checkout", path:
                shutil.copytree(self.program, self.folder / "work" / str(path))
            case "actions/setup-python", _:
                pass
            case "actions/upload-pages-artifact", path:
                shutil.copytree(self.folder / "work" / str(path), self.folder / "pages")
            case _:
                raise NotImplementedError(action)
