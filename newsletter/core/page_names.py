"""The first part of each public page's path. Lists stand beside these pages, so no list may have such a name."""

from __future__ import annotations

HEALTH = "healthz"
UNSUBSCRIBE = "unsubscribe"
RESERVED = frozenset({HEALTH, UNSUBSCRIBE})
