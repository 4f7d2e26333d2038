"""The program by a clock that is set, loaded once for a fortnight of runs.

`python -m tests.rehearsal.program SOCKET CLOCK` serves it.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from pathlib import Path

from tests.e2e import clocked
from tests.forking_server import serve

# What each command would load for itself.
_LOADED = (
    "newsletter.cli.run",
    "newsletter.cli.db",
    "newsletter.cli.inbound",
    "newsletter.cli.issues",
    "newsletter.cli.deliveries",
    "newsletter.store.sql",
    "newsletter.store.branch.ledger_branch",
    "newsletter.delivery.service",
    "newsletter.inbound.imap",
    "newsletter.pipeline.run",
    "newsletter.pipeline.check",
    "newsletter.render.issue.issue_renderer",
    "newsletter.settings",
    "newsletter.sources.registry",
    "alembic.command",
)

if __name__ == "__main__":
    for name in _LOADED:
        import_module(name)
    serve(Path(sys.argv[1]), partial(clocked.run, Path(sys.argv[2])))
