"""The settings that the workflow passes on: `python -m tests.scaffold.workflow_settings`, or `make settings`."""

from __future__ import annotations

import re
from pathlib import Path

import newsletter.scaffold
from newsletter.settings import variables

WORKFLOW = Path(newsletter.scaffold.__file__).with_name("files") / "newsletter.yml"

# Set for all steps alike, as they say where the ledger is.
_FIXED = {"NEWSLETTER_DATABASE__BRANCH", "NEWSLETTER_PATHS__STATE"}
# Where mail is sent by machines that are forgotten, what may have arrived waits for the operator.
_DEFAULTS = {"NEWSLETTER_DELIVERY__UNCERTAIN": "hold"}
_SETTINGS = re.compile(r"(?<=counts as one that is not set\.\n)( +NEWSLETTER_\w+: .+\n)+")


def with_settings(workflow: str) -> str:
    """Return a workflow that passes on all settings there are, each a secret or else a variable."""
    lines = (f"          {name}: ${{{{ {_value(name)} }}}}\n" for name in variables() if name not in _FIXED)
    return _SETTINGS.sub("".join(lines), workflow)


def _value(name: str) -> str:
    default = f" || '{_DEFAULTS[name]}'" if name in _DEFAULTS else ""
    return f"secrets.{name} || vars.{name}{default}"


if __name__ == "__main__":
    WORKFLOW.write_text(with_settings(WORKFLOW.read_text(encoding="utf-8")), encoding="utf-8")
