"""The first parts of the public pages' paths. Lists stand beside these pages, so no list may have such a name."""

from __future__ import annotations

HEALTH = "healthz"
UNSUBSCRIBE = "unsubscribe"
OWN = "-"  # the program's own pages stand below it, where they are in no list's way
CITE = f"{OWN}/cite"
FEEDBACK = f"{OWN}/feedback"
RESERVED = frozenset({HEALTH, UNSUBSCRIBE, OWN})
