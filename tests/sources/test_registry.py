from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.sources.registry import SOURCES, check
from tests.sources.conftest import Build


@pytest.mark.parametrize(
    "spec",
    [
        "huggingface",
        "huggingface:week",
        "huggingface:month",
        "arxiv:cs.CL",
        "arxiv:cs.CL+cs.LG",
        "arxiv:hep-th+cond-mat.mes-hall?replacements",
        "arxiv:math?new",
        'arxiv_search:cat:cs.LG AND abs:"graph"',
        "biorxiv:",
        "medrxiv:",
        "biorxiv:neuroscience+cell biology",
        "hackernews:",
        "hackernews:20",
        "feed:https://example.org/feed.xml",
        "feed:http://example.org:8080/feed?format=json",
        "saved_page:listings/*.txt",
        "saved_page:../shared pages/page-2026-03-12.txt",
        "jsonl:papers/**/*.jsonl",
    ],
)
def test_good_specs_pass(spec: str) -> None:
    assert check(spec) == ""


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "expected one of huggingface, arxiv"),
        ("hugingface", "'hugingface': unknown: did you mean 'huggingface'?"),
        ("https://example.org/feed.xml", "did you mean 'feed:https://example.org/feed.xml'?"),
        ("huggingface:year", "huggingface:week"),
        ("arxiv", "arxiv:cs.CL+cs.LG"),
        ("arxiv:cs.CL,cs.LG", "arxiv:cs.CL+cs.LG"),
        ("arxiv:cs.CL/../x", "arxiv:cs.CL+cs.LG"),
        ("arxiv:cs.CL?all", "?replacements"),
        ("arxiv_search: ", "arxiv_search:QUERY"),
        ("biorxiv:+", "biorxiv:SUBJECT"),
        ("hackernews:many", "hackernews:POINTS"),
        ("feed:", "feed:URL"),
        ("feed:ftp://example.org/feed", "http or https"),
        ("feed:https://user:secret@example.org/feed", "http or https"),
        ("saved_page:", "listings/*.txt"),
        ("jsonl: ", "glob pattern"),
    ],
)
def test_bad_specs_are_told_what_is_expected_in_one_sentence(spec: str, says: str) -> None:
    wrong = check(spec)
    assert says in wrong
    assert "\n" not in wrong


def test_every_scheme_is_known_to_check() -> None:
    assert all("unknown" not in check(scheme) for scheme in SOURCES)


def test_building_from_a_bad_spec_is_a_configuration_error(source: Build) -> None:
    with pytest.raises(ConfigurationError, match="unknown, expected one of"):
        source("carrier_pigeon:grey")


@pytest.mark.parametrize(
    ("spec", "name", "dated"),
    [
        ("huggingface", "huggingface", True),
        ("huggingface:", "huggingface", True),
        ("huggingface:week", "huggingface:week", False),
        (" arxiv:cs.CL ", "arxiv:cs.CL", False),
        ("biorxiv:", "biorxiv", True),
        ("hackernews:20", "hackernews:20", True),
        ("feed:https://example.org/f", "feed:https://example.org/f", False),
    ],
)
def test_sources_are_named_by_their_spec(source: Build, spec: str, name: str, dated: bool) -> None:
    built = source(spec)
    assert (built.name, built.dated) == (name, dated)


def test_names_of_file_sources_hold_the_absolute_pattern(source: Build, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    built = source("saved_page:../pages/*.txt", folder=tmp_path / "lists")
    assert built.name == f"saved_page:{tmp_path.resolve()}/pages/*.txt"
    assert built.dated


def test_an_absolute_pattern_stays(source: Build, tmp_path: Path) -> None:
    assert (
        source(f"jsonl:{tmp_path}/*.jsonl", folder=Path("/elsewhere")).name
        == f"jsonl:{tmp_path.resolve()}/*.jsonl"
    )
