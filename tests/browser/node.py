"""Where the node tools of the tests are."""

from __future__ import annotations

from pathlib import Path

NODE = Path(__file__).parents[1] / "node"
NODE_MODULES = NODE / "node_modules"
