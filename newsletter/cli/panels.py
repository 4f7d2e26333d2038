"""The headings under which `newsletter --help` lists the commands."""

from __future__ import annotations

DAILY_WORK = "Daily work"
LISTS = "Lists"
LOOKING = "Looking before it goes out"
SENT = "What went out"
SERVICES = "Services"
SETTING_UP = "Setting up"
