"""The CI workflow that `newsletter init` writes."""

from __future__ import annotations

import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from newsletter.settings import load, variables

WORKFLOW = (files("newsletter.scaffold") / "files" / "newsletter.yml").read_text(encoding="utf-8")


def test_it_passes_on_settings_that_there_are() -> None:
    passed = re.findall(r"^ +(NEWSLETTER_\w+): \$\{\{ secrets\.(\w+) \}\}$", WORKFLOW, re.MULTILINE)
    assert passed
    assert all(name == secret and name in variables() for name, secret in passed)


def test_it_may_read_the_repository_and_no_more() -> None:
    assert "permissions:\n  contents: read\n" in WORKFLOW
    assert "persist-credentials: false" in WORKFLOW


def test_no_run_is_cut_off_by_the_next() -> None:
    assert "cancel-in-progress: false" in WORKFLOW


def test_what_was_sent_is_kept_even_if_the_run_fails() -> None:
    assert re.search(r"if: always\(\)\n +uses: actions/cache/save@", WORKFLOW)


def test_it_runs_every_hour_so_that_every_timezone_gets_its_mail() -> None:
    assert re.findall(r'cron: "(.+)"', WORKFLOW) == ["23 * * * *"]


def test_what_it_runs_is_pinned() -> None:
    actions = re.findall(r"uses: (\S+)", WORKFLOW)
    assert actions
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", action) for action in actions)
    assert "run: make -C program install" in WORKFLOW  # the program's lock, checked by hash
    assert "pip install" not in WORKFLOW


def test_a_secret_that_is_not_set_leaves_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = load(None)
    for name in re.findall(r"^ +(NEWSLETTER_\w+): ", WORKFLOW, re.MULTILINE):
        monkeypatch.setenv(name, "")
    assert load(None) == before


def test_it_says_which_settings_are_missing_before_it_does_anything() -> None:
    steps = WORKFLOW[WORKFLOW.index("    steps:") :]
    script = re.search(r"run: \|\n((?: {10}.+\n)+)", steps)
    assert script
    assert steps.index(script[0]) < steps.index("uses:")
    wanted = ("PROGRAM", "PROGRAM_COMMIT", "HOST", "SECRET_KEY")
    for missing in wanted:
        env = {name: "" if name == missing else "given" for name in wanted}
        done = subprocess.run(
            ["bash", "-e", "-c", script[1]], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert missing in done.stderr
    given = dict.fromkeys(wanted, "given")
    assert subprocess.run(["bash", "-e", "-c", script[1]], env=given, check=False).returncode == 0
