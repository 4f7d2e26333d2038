"""The first parts of the public pages' paths. Lists stand beside these pages, so no list may have such a name."""

from __future__ import annotations

HEALTH = "healthz"
OWN = "-"  # the program's own pages stand below it, where they are in no list's way
API = f"{OWN}/api"
CITE = f"{OWN}/cite"
CONFIRM = f"{OWN}/confirm"
DECIDE = f"{OWN}/decide"
FEEDBACK = f"{OWN}/feedback"
HOOKS = f"{OWN}/hooks"  # where services tell of what comes back
NEW_ADDRESS = f"{OWN}/new-address"
PREFERENCES = f"{OWN}/preferences"
SIGN_UP = f"{OWN}/signup"
STATIC = f"{OWN}/static"  # files that pages load
STAY = f"{OWN}/stay"
UNSUBSCRIBE = f"{OWN}/unsubscribe"
FORMER_UNSUBSCRIBE = "unsubscribe"  # where links in old mails lead
RESERVED = frozenset({HEALTH, FORMER_UNSUBSCRIBE, OWN})
