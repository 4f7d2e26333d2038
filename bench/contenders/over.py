"""A program of this project's, of any commit, with another relay: `python over.py RELAY PROGRAM ARGUMENT …`.

RELAY is a JSON object of what `RelayConfig` shall hold, whatever the program says; what that commit's has no field
for is left out. PROGRAM is the path of `contenders/program.py` in a checkout, whose `newsletter` is on PYTHONPATH.
"""

from __future__ import annotations

import json
import runpy
import sys
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from newsletter.delivery.smtp import relay
from newsletter.delivery.smtp.relay import RelayConfig


def main() -> None:
    wanted, program, *arguments = sys.argv[1:]
    known: dict[str, Any] = {field.name: field.default for field in fields(RelayConfig)}
    changes = {name: value for name, value in json.loads(wanted).items() if name in known}
    for name, value in changes.items():
        usual = known[name]
        if isinstance(usual, StrEnum):
            changes[name] = type(usual)(value)
        elif name == "ca_file":
            changes[name] = Path(value)

    def config(**values: Any) -> RelayConfig:
        return RelayConfig(**values | changes)

    relay.RelayConfig = config  # type: ignore[assignment, misc]
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
