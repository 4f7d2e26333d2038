from __future__ import annotations

from tests.delivery.conftest import ca_file, certificates

__all__ = ["ca_file", "certificates"]
