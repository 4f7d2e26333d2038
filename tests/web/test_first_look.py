"""`preview` where nothing was done yet: it begins no ledger, and shows the one that begins meanwhile."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest

from newsletter import bootstrap
from newsletter.composition.first_use import for_looking
from newsletter.composition.previewing import CurrentDesk
from newsletter.settings import Settings, load
from newsletter.store import upgrade


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a working folder with a list, and work in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(
        'title = "Daily"\nsender = "Daily <papers@lab.example>"\nsources = ["jsonl:x.jsonl"]\n'
    )
    (tmp_path / ".env").write_text("NEWSLETTER_SMTP__HOST=localhost\n")
    return tmp_path


def _settings() -> Settings:
    return load(Path(".env"))


async def test_it_begins_no_ledger_and_takes_the_one_that_begins(folder: Path) -> None:
    ledger = folder / "var" / "newsletter.db"
    async with bootstrap.build(for_looking(_settings())) as program:
        desk = CurrentDesk(program, _settings, Path(".env"))
        async with aclosing(desk):
            async with desk.open() as lent:
                assert list(await lent.previews.lists()) == ["daily"]
            await desk.renew()
            assert not (folder / "var").exists()
            assert ledger in [path.absolute() for path in desk.watched.files]
            await upgrade(_settings().database.url.get_secret_value())
            await desk.renew()
            assert ledger not in [path.absolute() for path in desk.watched.files]
            async with desk.open() as lent:
                assert lent.trouble is None
