"""Whether the database can be used."""

from __future__ import annotations

import os
from collections.abc import Iterator

from newsletter.core.diagnosis import Diagnosis, fail, ok
from newsletter.ports.ledger_state import LedgerState

_UPGRADE = "run `newsletter db upgrade`"


def database(state: LedgerState) -> Iterator[Diagnosis]:
    """Yield how the database stands."""
    if not state.is_there and state.file is not None:
        yield _not_made(state)
    elif not state.is_there:
        yield fail("database", f"{state.where}: has no tables yet", _UPGRADE)
    elif state.revision > state.newest:
        says = f"{state.where}: a newer version of the program made its tables (revision {state.revision})"
        yield fail("database", says, "install that version, or a newer one")
    elif state.revision < state.newest:
        says = f"{state.where}: its tables are of revision {state.revision}, not {state.newest}"
        yield fail("database", says, _UPGRADE)
    elif state.out_of_use is not None:
        yield fail("database", f"{state.where}: {state.out_of_use.why}", state.out_of_use.what_to_do)
    elif state.file is not None and not os.access(state.file, os.W_OK):
        yield fail("database", f"{state.where}: cannot be written", f"make {state.file} writable for this user")
    else:
        yield ok("database", f"{state.where}: up to date (revision {state.revision})")


def _not_made(state: LedgerState) -> Diagnosis:
    """Return whether an SQLite database can be made where it is to be."""
    folder = next(one for one in state.file.absolute().parents if one.exists()) if state.file else None
    if folder is not None and not os.access(folder, os.W_OK):
        return fail("database", f"{state.where}: cannot be made", f"make {folder} writable for this user")
    return ok("database", f"{state.where}: there is none yet, the first run makes it")
