"""The CI workflow that `newsletter init` writes."""

from __future__ import annotations

import re
from importlib.resources import files

from newsletter.settings import variables

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
