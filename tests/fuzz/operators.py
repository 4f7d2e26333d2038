"""What operators write: list files with their members, settings."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from newsletter.core.errors import ConfigurationError
from newsletter.lists.files import ListFiles
from newsletter.settings import load, variables
from newsletter.sources import registry
from tests.fuzz.target import Target, as_bytes, mutated, text_target

_LIST = """title = "Daily Papers"
sender = "Daily Papers <papers@example.org>"
sources = ["huggingface", "arxiv:cs.CL+cs.LG", "feed:https://example.org/feed.xml"]
language = "en"
days = ["mon", "fri"]
hour = "08:00"
timezone = "Europe/London"
hours = "07:00-21:00"
deadline = "36h"
lookback_days = 3
[theme]
accent = "#1a6b4f"
[ranking]
votes = 1.5
[topics.agents]
keywords = ["agent", '''tool use''', \"\"\"-a \\
  b\"\"\"]
categories = ["cs.AI"]
[[subscribers]]
email = "reader@example.org"
topics = ["agents"]
hour = "07:30"
[[subscribers]]
email = "ü@bücher.example"
interest = "graphs, and trees"
"""
_MEMBERS = '''email,name,topics,cadence,hour,timezone,topics_mode,interest
ada@example.org,"Ada, B. ""C""",agents; agents,weekly,07:30,Asia/Tokyo,only,graphs
bo@example.org,,,,,,,
'''
_VALUES = (
    *("localhost", "587", "tls", "0.5", "36h", "true", "json", "reader@example.org", "https://example.org/a?b#c"),
    *(
        "postgresql://app:word@127.0.0.1:5432/x",
        "sqlite:///var/x.db",
        '[{"host": "b", "port": 25}]',
        "127.0.0.1/32",
    ),
    *('{"gmail.com": {"rate": 2}}', "1e400", "nan", "-1", "9" * 30, "http://[::1", "file\x00name"),
)
_DEEP = ("[" * 50_000, '{"a":' * 20_000)


@contextmanager
def _folder(**files: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        for stem, text in files.items():
            Path(name, stem.replace("_", ".")).write_bytes(as_bytes(text))
        yield Path(name)


def _listed(text: str, members: str = _MEMBERS) -> None:
    with _folder(daily_toml=text, members_csv=members) as folder:
        ListFiles(folder, check_source=registry.check).check()


def _list_around(text: str) -> str:
    """Return a list file with a text in each kind of place, so that every mistake about it is explained."""
    quoted = json.dumps(as_bytes(text).decode("utf-8", "replace"), ensure_ascii=False).replace("\x7f", "")
    places = ("timezone", "cadence", "hour", "deadline", "language", "unsubscribe_mailto", "topics_mode", "signup")
    lines = [f"{place} = {quoted}" for place in places]
    lists = [f'{place} = ["mon", {quoted}]' for place in ("days", "sources")]
    table = (
        f"[topics.a]\n{quoted} = 1\nkeywords = [{quoted}]\n[[subscribers]]\nemail = {quoted}\ntopics = [{quoted}]"
    )
    return "\n".join([*lines, *lists, f"{quoted} = {quoted}", table])


def _set(case: tuple[str, str]) -> None:
    """Load settings of which one has this value, from the environment."""
    name, value = case
    value = os.fsdecode(as_bytes(value.replace("\x00", "")))
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        load(None)
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def _any_setting(random: Random) -> tuple[str, str]:
    value = random.choice(_DEEP) if random.random() < 0.02 else mutated(random, _VALUES)
    return random.choice(variables()), value


def _loaded(text: str) -> None:
    with _folder(_env=text) as folder:
        load(folder / ".env")


def _setting_target(name: str) -> Target:
    return Target(
        name=f"setting {name.removeprefix('NEWSLETTER_').lower()}",
        area="settings",
        make=lambda random: (name, mutated(random, _VALUES)),
        check=_set,
        documented=(ConfigurationError,),
        longer=lambda text: (name, text),
        longest=100_000,  # an environment holds no more in one variable
    )


TARGETS: tuple[Target, ...] = (
    text_target(
        "list files",
        "lists",
        _listed,
        (_LIST, _LIST + 'members = "members.csv"'),
        documented=(ConfigurationError,),
        longer=_list_around,
        longest=20_000,
    ),
    text_target(
        "toml",
        "lists",
        _listed,
        (_LIST,),
        documented=(ConfigurationError,),
        longer=lambda text: _LIST + text,
        longest=50_000,
    ),
    text_target(
        "members",
        "lists",
        lambda text: _listed('members = "members.csv"\n' + _LIST, text),
        (_MEMBERS,),
        documented=(ConfigurationError,),
        longer=lambda text: _MEMBERS + ",".join([text] * 8),
        longest=50_000,
    ),
    Target(
        name="settings",
        area="settings",
        make=_any_setting,
        check=_set,
        documented=(ConfigurationError,),
        longer=lambda text: ("NEWSLETTER_SMTP__RELAYS", text),
        longest=60_000,
    ),
    *(
        _setting_target(f"NEWSLETTER_{name}")
        for name in (
            "DATABASE__URL",
            "ALARM__TO",
            "DELIVERY__DOMAINS",
            "DELIVERY__GIVE_UP_AFTER",
            "WEB__PUBLIC_URL",
        )
    ),
    text_target(
        ".env",
        "settings",
        _loaded,
        ('NEWSLETTER_SMTP__HOST=localhost # a\nexport NEWSLETTER_WEB__PORT="80"\n',),
        documented=(ConfigurationError,),
        longest=50_000,
    ),
)
