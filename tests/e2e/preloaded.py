"""What the process loads from which commands are forked: all of the program, and the tables of a new ledger."""

from __future__ import annotations

import gc
from importlib import import_module
from pkgutil import walk_packages

import newsletter
from tests.made_tables import copied_tables

for module in walk_packages(newsletter.__path__, "newsletter."):
    if ".migrations." not in module.name and not module.name.endswith("__main__"):
        import_module(module.name)
copied_tables().__enter__()
gc.freeze()
