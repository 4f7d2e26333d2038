from __future__ import annotations

from tests.pipeline.conftest import desk_with

__all__ = ["desk_with"]
