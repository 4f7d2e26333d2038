"""What the process loads from which commands are forked: all of the program, and the tables of a new ledger.

It does the main job once. What is compiled and looked up meanwhile takes most of a short command's time, and each
command that is forked from it has that already.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
import threading
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import structlog

import newsletter
from newsletter.demo.demo import run_demo
from tests.compiled_statements import shared_statements
from tests.compiled_templates import shared_templates
from tests.made_tables import copied_tables


def _load() -> None:
    for module in walk_packages(newsletter.__path__, "newsletter."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)


def _do_the_main_job() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_demo(Path(folder)))
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    assert threading.active_count() == 1, "no thread survives a fork"


_load()
_shared = ExitStack()  # to the end of the process
for each in (copied_tables, shared_templates, shared_statements):
    _shared.enter_context(each())
_do_the_main_job()
gc.collect()
gc.freeze()
