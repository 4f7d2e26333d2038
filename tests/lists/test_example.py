"""The example list that ships with the program: valid, and naming all there is."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import BaseModel

from newsletter.core.errors import ListFileError
from newsletter.lists.files import ListFiles
from newsletter.lists.placeholders import placeholders
from newsletter.lists.schema import (
    LayoutTable,
    ListTable,
    RankingTable,
    SubjectTable,
    SubscriberTable,
    ThemeTable,
    TopicTable,
)
from newsletter.lists.summaries import SummariesTable
from newsletter.sources import registry
from tests.rosters import named_by

EXAMPLE = Path(__file__).resolve().parents[2] / "subscribers" / "daily.toml"


def test_the_example_list_is_valid() -> None:
    loaded = ListFiles(EXAMPLE.parent, check_source=lambda _: "").load()["daily"]
    assert loaded.list.sources == ("huggingface",)
    assert [subscriber.email for subscriber in named_by(loaded)] == ["reader@example.org"]


def test_it_names_every_kind_of_source_and_each_as_it_may_be_written() -> None:
    text = EXAMPLE.read_text(encoding="utf-8").partition("# Where papers come from")[2].partition("\nsources")[0]
    specs = re.findall(r'^#   "([^"]+)"', text, flags=re.MULTILINE)
    assert {spec.partition(":")[0] for spec in specs} == set(registry.SOURCES)
    assert [registry.check(spec) for spec in specs] == [""] * len(specs)


def test_it_stays_valid_with_every_optional_key_taken_up(tmp_path: Path) -> None:
    text = re.sub(r"^# (\w+ = |\[)", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / "daily.toml").write_text(text, encoding="utf-8")
    (tmp_path / "daily.csv").write_text("email,name,topics,cadence,hour,timezone\n")
    (tmp_path / "refs.bib").write_text("@misc{one, title={One}}\n")
    secrets = {"team": "slack://a/b/c", "site": "whsec_" + b64encode(bytes(32)).decode()}
    list_ = ListFiles(tmp_path, check_source=lambda _: "", secrets=secrets).load()["daily"].list
    assert [channel.name for channel in list_.channels] == ["team", "lab", "site"]
    assert list_.masthead.theme["logo"] == "Daily Papers"


TABLES_WITHIN = {"topics", "subscribers", "theme", "ranking", "subject", "layout", "channels", "summaries"}
FORMER = {"thumbnails"}  # what is read still, but should be written otherwise


@pytest.mark.parametrize(
    "table",
    [
        *(ListTable, LayoutTable, SubjectTable, SummariesTable, ThemeTable),
        *(RankingTable, TopicTable, SubscriberTable),
    ],
)
def test_it_names_every_key(table: type[BaseModel]) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for key in set(table.model_fields) - TABLES_WITHIN - FORMER:
        assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key


def test_what_it_shows_as_defaults_are_the_defaults() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for key in ("language", "lookback_days", "max_listings", "min_listings", "signup"):
        shown = re.search(rf'^# {key} = "?([^"#\n]*?)"? *(?:#.*)?$', text, re.MULTILINE)
        assert shown is not None, key
        assert shown[1] == str(ListTable.model_fields[key].default), key


def test_what_init_leaves_is_named_and_is_a_mistake_where_mail_leaves_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "daily.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    here = ListFiles(tmp_path, check_source=lambda _: "")
    checked, said = here.check(), list(here.warnings(here.check()))
    assert list(checked) == ["daily"]
    away = ListFiles(tmp_path, check_source=lambda _: "", allow_placeholders=False)
    with pytest.raises(ListFileError) as caught:
        away.check()
    assert [str(mistake) for mistake in caught.value.mistakes] == said
    assert [re.sub(r"^.*/daily.toml:\d+: ", "", line).partition(":")[0] for line in said] == [
        "sender",
        "postal_address",
        "email",
    ]
    lines = path.read_text().splitlines()
    assert all("xample" in lines[mistake.line - 1] for mistake in caught.value.mistakes)
    assert away.read().right == {}


@pytest.mark.parametrize("data", [{"sender": 1, "postal_address": [], "subscribers": 3}, {"subscribers": [1, {}]}])
def test_a_file_of_wrong_types_holds_no_examples(data: dict[str, object]) -> None:
    assert list(placeholders(data)) == []
