"""`[summaries]` of list files: what is read, and mistakes with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import ListFileError
from newsletter.core.machine_summary import SummaryMode, SummaryRule, SummaryShow
from newsletter.core.newsletter_list import NewsletterList
from newsletter.lists.files import ListFiles

LIST = """title = "Daily"
sender = "Daily <daily@example.org>"
sources = ["huggingface"]
language = "pt-BR"

[summaries]
"""


def read(folder: Path, *lines: str) -> NewsletterList:
    (folder / "daily.toml").write_text(LIST + "\n".join(lines))
    return ListFiles(folder, check_source=lambda _: "").load()["daily"].list


def test_summaries_are_off_by_default_and_in_the_language_of_the_list(tmp_path: Path) -> None:
    found = read(tmp_path)

    assert found.summaries == SummaryRule(mode=SummaryMode.OFF, language="pt-BR", show=SummaryShow.SUMMARY)
    (tmp_path / "daily.toml").write_text(LIST.replace("[summaries]", ""))
    assert read(tmp_path) == found


def test_a_list_says_which_summaries_it_wants(tmp_path: Path) -> None:
    found = read(tmp_path, 'mode = "all"', 'language = "ar"', 'show = "both"')

    assert found.summaries == SummaryRule(mode=SummaryMode.ALL, language="ar", show=SummaryShow.BOTH)
    assert found.weekly_edition is not None
    assert found.weekly_edition.summaries == found.summaries


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('mode = "mising"', "summaries.mode: unknown mode 'mising': did you mean 'missing'?"),
        ('mode = "on"', "summaries.mode: unknown mode 'on': choose from off, missing, all"),
        ("mode = true", "summaries.mode: write it as text, in quotes"),
        ('language = "german please"', "summaries.language: 'german please' is not a language tag"),
        ('show = "abstract"', "summaries.show: unknown way 'abstract': choose from summary, both"),
        ('languge = "de"', "unknown key 'languge': did you mean 'language'?"),
        ('model = "gpt"', "unknown key 'model'"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ListFileError) as caught:
        read(tmp_path, 'mode = "off"' if not line.startswith("mode") else "", line)

    [mistake] = caught.value.mistakes
    assert (mistake.line, mistake.message[: len(said)]) == (8, said)


@pytest.mark.parametrize(("mode", "has_model", "warned"), [("all", False, 1), ("all", True, 0), ("off", False, 0)])
def test_a_list_that_asks_for_summaries_where_no_model_is_set_is_warned_of(
    tmp_path: Path, mode: str, has_model: bool, warned: int
) -> None:
    (tmp_path / "daily.toml").write_text(f'{LIST}mode = "{mode}"\n[[subscribers]]\nemail = "a@example.org"\n')
    files = ListFiles(tmp_path, check_source=lambda _: "", has_model=has_model)
    found = [line for line in files.warnings(files.check()) if "summaries" in line]

    assert len(found) == warned
    for line in found:
        assert line.startswith(f"{tmp_path / 'daily.toml'}:6: [summaries] asks for summaries")
        assert "NEWSLETTER_SUMMARIES__URL and NEWSLETTER_SUMMARIES__MODEL" in line
