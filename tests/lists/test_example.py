"""The example list that ships with the program: valid, and naming all there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.lists.files import ListFiles
from newsletter.lists.schema import (
    LayoutTable,
    ListTable,
    RankingTable,
    SubjectTable,
    SubscriberTable,
    Table,
    ThemeTable,
    TopicTable,
)
from tests.rosters import named_by

EXAMPLE = Path(__file__).resolve().parents[2] / "subscribers" / "daily.toml"


def test_the_example_list_is_valid() -> None:
    loaded = ListFiles(EXAMPLE.parent, check_source=lambda _: "").load()["daily"]
    assert loaded.list.sources == ("huggingface",)
    assert [subscriber.email for subscriber in named_by(loaded)] == ["reader@example.org"]


def test_it_stays_valid_with_every_optional_key_taken_up(tmp_path: Path) -> None:
    text = re.sub(r"^# (\w+ = |\[)", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / "daily.toml").write_text(text, encoding="utf-8")
    (tmp_path / "daily.csv").write_text("email,name,topics,cadence,hour,timezone\n")
    (tmp_path / "refs.bib").write_text("@misc{one, title={One}}\n")
    list_ = ListFiles(tmp_path, check_source=lambda _: "").load()["daily"].list
    assert list_.masthead.theme["logo"] == "Daily Papers"


TABLES_WITHIN = {"topics", "subscribers", "theme", "ranking", "subject", "layout"}
FORMER = {"thumbnails"}  # what is read still, but should be written otherwise


@pytest.mark.parametrize(
    "table", [ListTable, LayoutTable, SubjectTable, ThemeTable, RankingTable, TopicTable, SubscriberTable]
)
def test_it_names_every_key(table: type[Table]) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for key in set(table.model_fields) - TABLES_WITHIN - FORMER:
        assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key


def test_what_it_shows_as_defaults_are_the_defaults() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for key in ("language", "lookback_days", "max_listings", "min_listings", "signup"):
        shown = re.search(rf'^# {key} = "?([^"#\n]*?)"? *(?:#.*)?$', text, re.MULTILINE)
        assert shown is not None, key
        assert shown[1] == str(ListTable.model_fields[key].default), key
