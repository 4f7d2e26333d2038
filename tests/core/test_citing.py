"""References in BibTeX and RIS: what they say, and that no text from outside breaks them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.citing import bibtex, citation_key, ris
from newsletter.core.listing import Listing

PAPER = Listing(
    title="Reinforcement Pre-Training of LLMs with K2",
    authors=("Qingxiu Dong", "Li Dong", "Wouter van der Berg"),
    arxiv_id="2506.08007",
    categories=("cs.CL", "cs.AI"),
    published_on=date(2025, 6, 9),
    url="https://huggingface.co/papers/2506.08007",
)

hostile = st.text(alphabet=st.characters() | st.sampled_from('{}\\"@,%#&~^$_\n\r\0\u202e'), max_size=60)
papers = st.builds(
    Listing,
    title=hostile,
    authors=st.lists(hostile, max_size=4).map(tuple),
    arxiv_id=st.sampled_from(["", "2506.08007", "math/0309136"]),
    doi=st.sampled_from(["", "10.5555/a{b}c", "10.1000/x y"]),
    url=st.sampled_from(["", "https://lab.example/{a}", "javascript:alert(1)"]) | hostile,
    categories=st.lists(hostile, max_size=2).map(tuple),
    published_on=st.none() | st.dates(),
)


def fields(entry: str) -> dict[str, str]:
    """Read one entry as BibTeX does: by counting braces, whatever stands before them."""
    head, _, rest = entry.partition("{")
    assert head == "@misc"
    key, _, rest = rest.partition(",")
    found = {"key": key}
    while named := re.match(r"\s*(\w+)\s*=\s*", rest):
        rest, depth, value = rest[named.end() :], 0, ""
        while rest[0] not in ",}\n" or depth:
            depth += (rest[0] == "{") - (rest[0] == "}")
            value, rest = value + rest[0], rest[1:]
        found[named[1]] = value.removeprefix("{").removesuffix("}")
        rest = rest.lstrip().removeprefix(",")
    assert rest.strip() == "}"
    return found


def tags(reference: str) -> list[tuple[str, str]]:
    assert reference.endswith("ER  - \r\n")
    lines = [
        re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line) for line in reference.removesuffix("\r\n").split("\r\n")
    ]
    return [(line[1], line[2]) for line in lines if line]


def test_an_entry_says_what_arxiv_says() -> None:
    assert fields(bibtex(PAPER)) == {
        "key": "dong2025reinforcement",
        "title": "Reinforcement Pre-Training of {LLMs} with {K2}",
        "author": "Qingxiu Dong and Li Dong and Wouter van der Berg",
        "year": "2025",
        "month": "jun",
        "eprint": "2506.08007",
        "archivePrefix": "arXiv",
        "primaryClass": "cs.CL",
        "doi": "10.48550/arXiv.2506.08007",
        "url": "https://arxiv.org/abs/2506.08007",
    }


def test_a_reference_in_ris_says_the_same() -> None:
    assert tags(ris(PAPER)) == [
        ("TY", "GEN"),
        ("ID", "dong2025reinforcement"),
        ("TI", "Reinforcement Pre-Training of LLMs with K2"),
        ("AU", "Dong, Qingxiu"),
        ("AU", "Dong, Li"),
        ("AU", "van der Berg, Wouter"),
        ("PY", "2025"),
        ("DA", "2025/06/09"),
        ("PB", "arXiv"),
        ("AN", "arXiv:2506.08007"),
        ("DO", "10.48550/arXiv.2506.08007"),
        ("UR", "https://arxiv.org/abs/2506.08007"),
        ("ER", ""),
    ]


def test_what_is_not_known_is_left_out() -> None:
    bare = Listing(title="On the Motion of Fish")
    assert fields(bibtex(bare)) == {"key": "papermotion", "title": "On the Motion of Fish"}
    assert tags(ris(bare)) == [("TY", "GEN"), ("ID", "papermotion"), ("TI", bare.title), ("ER", "")]


def test_an_arxiv_id_tells_year_and_month_where_the_date_is_not_known() -> None:
    for arxiv_id, year, month in (("2506.08007", "2025", "jun"), ("math/0309136", "2003", "sep")):
        known = fields(bibtex(replace(PAPER, published_on=None, arxiv_id=arxiv_id)))
        assert (known["year"], known["month"]) == (year, month)


def test_a_doi_of_the_paper_goes_before_the_one_that_arxiv_gives() -> None:
    entry = fields(bibtex(replace(PAPER, doi="10.5555/12345678")))
    assert (entry["doi"], entry["eprint"]) == ("10.5555/12345678", "2506.08007")
    published = Listing(title="A", doi="10.5555/12345678")
    assert fields(bibtex(published))["url"] == "https://doi.org/10.5555/12345678"
    assert "archivePrefix" not in fields(bibtex(published))


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A Study of BERT and GPT-4o in Q-Learning", "A Study of {BERT} and {GPT}-4o in {Q}-Learning"),
        ("50% of snake_case & $5 #1", r"50\% of snake\_case \& \$5 \#1"),
        (r"} { \in", r"\textbraceright{} \textbraceleft{} \textbackslash{}in"),
        ("x^2 ~ y", r"x\textasciicircum{}2 \textasciitilde{} y"),
        ("Größe über α-Modelle 大模型", "Größe über α-Modelle 大模型"),
        ("Two\nlines\tand\0more", "Two lines and more"),
    ],
)
def test_titles_are_set_as_they_are_written(title: str, expected: str) -> None:
    assert fields(bibtex(Listing(title=title)))["title"] == expected


@pytest.mark.parametrize(
    ("name", "in_bibtex", "in_ris"),
    [
        ("Ada Lovelace", "Ada Lovelace", "Lovelace, Ada"),
        ("Lovelace, Ada", "Lovelace, Ada", "Lovelace, Ada"),
        ("One, Two, Three, Inc.", "{One, Two, Three, Inc.}", "One, Two, Three, Inc."),
        ("Martin Luther King Jr.", "Martin Luther King Jr.", "King Jr., Martin Luther"),
        ("Plato", "Plato", "Plato"),
        ("李白", "李白", "李白"),
        ("Qwen Team", "{Qwen Team}", "Qwen Team"),
        ("Lin Ai", "Lin Ai", "Ai, Lin"),
        ("Smith and Sons", "{Smith and Sons}", "Smith and Sons"),
        ("Others", "{Others}", "Others"),
        ("B. } Tables", r"B. \textbraceright{} Tables", "Tables, B. }"),
    ],
)
def test_names_stay_one_name_each(name: str, in_bibtex: str, in_ris: str) -> None:
    paper = Listing(title="A Paper", authors=(name,))
    assert fields(bibtex(paper))["author"] == in_bibtex
    assert ("AU", in_ris) in tags(ris(paper))


def test_six_hundred_authors_are_all_there_and_those_whom_no_source_names_are_others() -> None:
    crowd = Listing(title="A Paper", authors=tuple(f"Author Number{one}" for one in range(600)))
    assert fields(bibtex(crowd))["author"].count(" and ") == 599
    assert sum(tag == "AU" for tag, _ in tags(ris(crowd))) == 600
    assert fields(bibtex(replace(crowd, author_count=664)))["author"].endswith("Number599 and others")
    beyond = replace(crowd, authors=crowd.authors * 2)
    assert fields(bibtex(beyond))["author"].count(" and ") == 1000
    assert fields(bibtex(beyond))["author"].endswith(" and others")


@pytest.mark.parametrize(
    ("paper", "key"),
    [
        (Listing(title="The Łódź Effect", authors=("Paweł Żółć",), arxiv_id="2506.08007"), "zolc2025lodz"),
        (Listing(title="大模型", authors=("李白",), arxiv_id="2506.08007"), "paper250608007"),
        (Listing(title="A to B", authors=("Jean-Luc O'Neill",)), "oneill"),
        (Listing(title="4D Scenes", authors=()), "paper4d"),
    ],
)
def test_keys_are_of_ascii_letters_and_digits(paper: Listing, key: str) -> None:
    assert citation_key(paper) == key


def test_papers_in_another_script_without_an_id_have_keys_that_differ() -> None:
    keys = {citation_key(Listing(title=title)) for title in ("大模型", "小模型")}
    assert len(keys) == 2
    assert all(re.fullmatch(r"paper[0-9a-f]{8}", key) for key in keys)


@given(papers)
def test_no_text_breaks_an_entry(paper: Listing) -> None:
    entry = fields(bibtex(paper))
    assert re.fullmatch(r"[a-z][a-z0-9]*", entry["key"])
    assert entry.keys() <= {"key", *re.findall(r"^  (\w+)", bibtex(paper), re.MULTILINE)}
    for value in entry.values():
        depth = 0
        for char in value:
            depth += (char == "{") - (char == "}")
            assert depth >= 0
        assert depth == 0
    assert bibtex(paper) == bibtex(replace(paper))


@given(papers)
def test_no_text_breaks_a_reference(paper: Listing) -> None:
    reference = ris(paper)
    assert len(tags(reference)) == reference.count("\r\n")
    assert reference.count("\n") == reference.count("\r") == reference.count("\r\n")
    assert [tag for tag, _ in tags(reference)].count("TY") == 1
