"""The workflow that `newsletter init` writes. `tests/rehearsal` runs its steps."""

from __future__ import annotations

import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from newsletter.scaffold import scaffold
from newsletter.settings import load
from tests.scaffold.test_scaffold import EXAMPLES
from tests.scaffold.workflow_settings import with_settings

WORKFLOW = (files("newsletter.scaffold") / "files" / "newsletter.yml").read_text(encoding="utf-8")
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW)["jobs"]
STEPS: list[dict[str, Any]] = JOBS["newsletter"]["steps"]


def step(name: str) -> dict[str, Any]:
    return next(one for one in STEPS if one.get("name") == name)


def test_a_run_is_given_every_setting_there_is() -> None:
    assert with_settings(WORKFLOW) == WORKFLOW  # if not: `make settings`
    assert len([name for name in step("Run")["env"] if name.startswith("NEWSLETTER_")]) > 100


def test_what_nobody_knows_waits_for_the_operator_unless_a_setting_says_otherwise() -> None:
    assert step("Run")["env"]["NEWSLETTER_DELIVERY__UNCERTAIN"].endswith("|| 'hold' }}")


def test_only_the_job_that_keeps_the_ledger_may_write_to_the_repository() -> None:
    assert yaml.safe_load(WORKFLOW)["permissions"] == {}
    assert JOBS["newsletter"]["permissions"] == {"contents": "write"}
    assert JOBS["pages"]["permissions"] == {"pages": "write", "id-token": "write"}


def test_the_token_is_written_into_no_file() -> None:
    checkouts = [one["with"] for one in STEPS if one.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(given["persist-credentials"] is False for given in checkouts)


def test_no_run_is_cut_off_by_the_next() -> None:
    assert yaml.safe_load(WORKFLOW)["concurrency"] == {"group": "newsletter", "cancel-in-progress": False}


def test_the_ledger_is_kept_even_if_the_run_fails_but_not_if_it_was_not_fetched() -> None:
    assert step("Keep the ledger")["if"] == "always() && steps.ledger.outputs.fetched == 'true'"


def test_it_runs_every_hour_so_that_every_timezone_gets_its_mail_and_not_when_all_others_do(
    tmp_path: Path,
) -> None:
    minutes = set()
    for number in range(12):
        scaffold(tmp_path / str(number), EXAMPLES, github_actions=True)
        written = (tmp_path / str(number) / ".github/workflows/newsletter.yml").read_text()
        found = re.search(r'^    - cron: "(\d+) \* \* \* \*"$', written, re.MULTILINE)
        assert found
        minutes.add(int(found[1]))
        assert written.replace(found[0], "") == re.sub(r'    - cron: "23 \* \* \* \*"', "", WORKFLOW)

    assert all(2 < minute < 57 and minute % 5 for minute in minutes)
    assert len(minutes) > 1


def test_what_it_runs_is_pinned() -> None:
    actions = re.findall(r"uses: (\S+) # v[\d.]+", WORKFLOW)
    assert len(actions) == WORKFLOW.count("uses:")
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", action) for action in actions)
    assert "make -C program install\n" in WORKFLOW  # the program's lock, checked by hash
    assert "pip install" not in WORKFLOW


def test_nothing_that_others_write_is_part_of_a_script() -> None:
    assert not [one for one in STEPS if "${{" in one.get("run", "")]


def test_a_secret_that_is_not_set_leaves_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = load(None)
    for name in step("Run")["env"]:
        monkeypatch.setenv(name, "")
    assert load(None) == before


WANTED = ("PROGRAM", "PROGRAM_COMMIT", "HOST", "SECRET_KEY")


def check_settings(**changes: str) -> subprocess.CompletedProcess[str]:
    given = {
        **dict.fromkeys(WANTED, "given"),
        "IMAP_HOST": "imap.example.org",
        "PUBLIC_URL": "",
        "IS_PRIVATE": "true",
    }
    script = step("Check the settings")["run"]
    return subprocess.run(
        ["bash", "-e", "-c", script], env=given | changes, capture_output=True, text=True, check=False
    )


def test_it_says_which_settings_are_missing_before_it_does_anything() -> None:
    assert STEPS.index(step("Check the settings")) == 0
    for missing in WANTED:
        done = check_settings(**{missing: ""})
        assert done.returncode != 0
        assert missing in done.stderr
    assert check_settings(HOST="", KIND="ses").returncode == 0  # it is reached by HTTPS
    done = check_settings()
    assert (done.returncode, done.stdout) == (0, "")


def test_it_warns_of_a_public_repository_and_of_a_mailbox_that_nobody_reads() -> None:
    assert "::warning::this repository is public" in check_settings(IS_PRIVATE="false").stdout
    assert "set NEWSLETTER_INBOUND__IMAP_HOST" in check_settings(IMAP_HOST="").stdout
