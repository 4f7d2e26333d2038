"""Papers that readers give as examples in list files: arXiv ids and BibTeX files, and what is wrong with them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import ListFileError
from newsletter.core.examples import MOST_EXAMPLES, GivenPaper
from newsletter.core.subscriber import Subscriber
from newsletter.lists.bibtex import BibMistakeError, read_bibtex
from newsletter.lists.files import ListFiles
from tests.rosters import named_by
from tests.timing import takes_time_in_proportion

LIST = 'title = "T"\nsender = "t@example.org"\nsources = ["huggingface"]\n'
OWN = LIST + '[[subscribers]]\nemail = "ann@example.org"\nexamples = ["2501.12345v2", "refs/ann.bib"]\n'
REFS = r"""Exported by hand.
@comment{nothing}
@string{jmlr = "Journal of ML"}
@article{lovelace2024,
  title = {{Streaming} {G}aussian splatting of K{\"o}ln \& more},
  abstract = "Scenes {with "quotes"} inside, from
    streams.",
  journal = jmlr # { 2024}, year = 2024,
}
@misc(2025shannon,
  eprint = {2502.00002v3}, archivePrefix = {arXiv},
  year = {2025}
)
@inproceedings{x, title={On $\alpha$-stable laws}, doi = {https://doi.org/10.1145/123.456}, date={2020-01-02}}
@misc{y, title="By the journal", journal={arXiv preprint arXiv:2503.00003}}
"""
PAPERS = (
    GivenPaper(arxiv_id="2502.00002"),
    GivenPaper(
        title="Streaming Gaussian splatting of Köln & more", abstract='Scenes with "quotes" inside, from streams.'
    ),
    GivenPaper(doi="10.1145/123.456", title=r"On $\alpha$-stable laws"),
    GivenPaper(arxiv_id="2503.00003", title="By the journal"),
)


def lists(folder: Path, text: str, bib: str = REFS) -> ListFiles:
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "ann.bib").write_text(bib)
    (folder / "daily.toml").write_text(text)
    return ListFiles(folder, check_source=lambda _: "")


def members(files: ListFiles) -> list[Subscriber]:
    return list(named_by(files.load()["daily"]))


def mistakes(files: ListFiles) -> list[str]:
    with pytest.raises(ListFileError) as caught:
        files.check()
    return [str(one) for one in caught.value.mistakes]


def test_ids_come_first_then_the_papers_of_a_file_newest_first(tmp_path: Path) -> None:
    [ann] = members(lists(tmp_path, OWN))
    assert ann.examples == (GivenPaper(arxiv_id="2501.12345"), *PAPERS)


def test_a_members_file_names_them_with_semicolons_between(tmp_path: Path) -> None:
    files = lists(tmp_path, LIST.replace("sources", 'members = "all.csv"\nsources'))
    (tmp_path / "all.csv").write_text(
        "email,examples\nann@example.org,2501.12345; refs/ann.bib\nbob@example.org,\ncat@example.org,2501.12345\n"
    )
    ann, bob, cat = members(files)
    assert ann.examples == (GivenPaper(arxiv_id="2501.12345"), *PAPERS)
    assert (bob.examples, cat.examples) == ((), (GivenPaper(arxiv_id="2501.12345"),))


@pytest.mark.parametrize("is_own", [True, False])
def test_a_bibtex_file_that_changes_is_read_again_and_one_that_does_not_is_not(
    tmp_path: Path, *, is_own: bool
) -> None:
    text = OWN if is_own else LIST.replace("sources", 'members = "all.csv"\nsources')
    files = lists(tmp_path, text)
    (tmp_path / "all.csv").write_text("email,examples\nann@example.org,refs/ann.bib\n")
    bib, old = tmp_path / "refs" / "ann.bib", time.time() - 3600
    os.utime(bib, (old, old))
    roster = files.load()["daily"].roster
    reading = roster.reading()
    before = [one.examples for one in reading]
    assert roster.as_seen(reading.seen) == reading.seen
    os.utime(bib)  # touched, and the same
    assert files.load()["daily"].roster.as_seen(reading.seen) is not None
    bib.write_text(REFS.replace("2502.00002", "2502.00009"))
    assert files.load()["daily"].roster.as_seen(reading.seen) is None
    assert [one.examples for one in members(files)] != before


def test_mistakes_are_named_by_file_and_line_until_they_are_put_right(tmp_path: Path) -> None:
    files = lists(tmp_path, OWN, bib="@misc{a, title={A}}\n\n@misc{b,\n  note={no title}\n}\n")
    bib = tmp_path / "refs" / "ann.bib"
    [wrong] = mistakes(files)
    assert wrong.startswith(f"{tmp_path / 'daily.toml'}:6: examples: {bib}:3: the entry has neither a title nor")
    bib.write_text("@misc{b, title = {Never ends}\n")
    assert "1: the entry is never closed" in mistakes(files)[0]
    bib.unlink()
    assert f"there is no file {bib}" in mistakes(files)[0]
    bib.write_text(REFS)
    assert len(members(files)[0].examples) == 5


def test_mistakes_of_a_members_file_are_found_again_only_while_they_are_there(tmp_path: Path) -> None:
    files = lists(tmp_path, LIST.replace("sources", 'members = "all.csv"\nsources'))
    (tmp_path / "all.csv").write_text("email,examples\nann@example.org,refs.bib\nbob@example.org,A title\n")
    assert [one.partition("all.csv")[2][:42] for one in mistakes(files)] == [
        ":2: examples: there is no file " + str(tmp_path / "refs.bib")[:11],
        ":3: examples: 'A title' is no paper: write",
    ]
    (tmp_path / "all.csv").write_text("email,examples\nann@example.org,refs.bib\n")
    assert len(mistakes(files)) == 1
    (tmp_path / "refs.bib").write_text(REFS)
    assert files.check()["daily"].members == 1


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ('"refs.bib"', "write a list in square brackets"),
        ("[1]", "write a list in square brackets"),
        ('["../secret.bib"]', "lies outside the list file's folder"),
        (str([f"2501.{number:05}" for number in range(MOST_EXAMPLES + 1)]), "names 101 papers: 100 are the most"),
    ],
)
def test_what_cannot_be_examples_says_what_to_write(tmp_path: Path, examples: str, message: str) -> None:
    text = f'{LIST}[[subscribers]]\nemail = "ann@example.org"\nexamples = {examples}\n'
    assert message in mistakes(lists(tmp_path, text))[0]


def test_of_a_long_bibtex_file_the_newest_years_count(tmp_path: Path) -> None:
    bib = "".join(f"@misc{{a{year}, title={{Paper of {year}}}, year={year}}}\n" for year in range(1500, 2100))
    titles = [one.title for one in members(lists(tmp_path, OWN, bib))[0].examples[1:]]
    assert titles == [f"Paper of {year}" for year in range(2099, 2099 - MOST_EXAMPLES + 1, -1)]


@given(st.text(alphabet='@{}"#=,\\ \n()articlemstyear1é$', max_size=300))
def test_any_text_is_papers_or_a_mistake_with_its_line(text: str) -> None:
    lines: list[int] = []
    try:
        lines += [one.line for one in read_bibtex(text) if one.paper.title or one.paper.arxiv_id]
    except BibMistakeError as error:
        lines.append(error.line)
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


@pytest.mark.parametrize(
    "piece",
    [
        "@a{",
        "@a{b,c={",
        '@a{b,c="',
        "@a{b,c={d}#",
        "{",
        "@a{b, c = d,\n",
        "\\",
        '@a{b,title={\\"',
        "\n@a{b,c={{{\n",
        "$",
    ],
)
def test_hostile_text_takes_time_in_proportion(piece: str) -> None:
    def read(text: str) -> None:
        with suppress(BibMistakeError):
            list(read_bibtex(text))

    assert takes_time_in_proportion(read, "@article{x, title = {" + piece * 50_000, seconds=0.2)
