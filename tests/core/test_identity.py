from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.identity import (
    IdKind,
    ListingId,
    arxiv_id,
    doi,
    doi_in,
    guid_id,
    identities,
    scope_of,
    stated_arxiv_id,
)

numbers = st.one_of(
    st.from_regex(r"(?:0[89]|1[0-4])(?:0[1-9]|1[0-2])\.[0-9]{4}", fullmatch=True),
    st.from_regex(r"(?:1[5-9]|[2-8][0-9])(?:0[1-9]|1[0-2])\.[0-9]{5}", fullmatch=True),
)
versions = st.one_of(st.just(""), st.integers(1, 30).map(lambda number: f"v{number}"))
disguises = st.sampled_from(
    [
        "{}",
        "  {}\n",
        "arXiv:{}",
        "arxiv: {}",
        "oai:arXiv.org:{}",
        "http://arxiv.org/abs/{}",
        "https://www.arxiv.org/abs/{}",
        "https://arxiv.org/pdf/{}",
        "https://arxiv.org/pdf/{}.pdf",
        "https://arxiv.org/html/{}/",
        "arxiv.org/abs/{}?context=cs",
        "https://export.arxiv.org/abs/{}",
        "https://huggingface.co/papers/{}",
        "https://huggingface.co/papers/{}.md",
        "https://hf.co/papers/{}#community",
        "https://www.alphaxiv.org/abs/{}",
        "https://doi.org/10.48550/arXiv.{}",
        "doi:10.48550/ARXIV.{}",
    ]
)


@given(numbers, versions, disguises)
def test_an_arxiv_paper_is_the_same_in_every_disguise(number: str, version: str, disguise: str) -> None:
    assert arxiv_id(disguise.format(number + version)) == number
    assert stated_arxiv_id(disguise.format(number + version)) == ("" if disguise.strip() == "{}" else number)


@pytest.mark.parametrize(
    "number",
    [
        "2024.10291",
        "2413.00001",
        "2600.00001",
        "0703.1234",
        "0612.1234",
        "9912.12345",
        "1412.12345",
        "1501.1234",
        "math/0313001",
        "cs/0704001",
        "hep-th/9000001",
    ],
)
def test_a_number_that_arxiv_cannot_have_given_is_none(number: str) -> None:
    assert not arxiv_id(number)
    assert not arxiv_id(f"https://arxiv.org/abs/{number}")
    assert not stated_arxiv_id(f"arXiv:{number}")


@pytest.mark.parametrize("number", ["0704.0001", "1412.9999", "1501.00001", "hep-th/9107001", "math/0703999"])
def test_the_first_and_last_numbers_of_each_scheme_are_ids(number: str) -> None:
    assert arxiv_id(number) == number


@pytest.mark.parametrize("guid", ["2403.10291", "2403.10291v2", "hep-th/9901001", "cs/0112017"])
def test_a_guid_that_looks_like_an_arxiv_id_is_none_until_something_says_so(guid: str) -> None:
    assert not stated_arxiv_id(guid)
    assert stated_arxiv_id(f"arXiv:{guid}")
    assert stated_arxiv_id(f"oai:arXiv.org:{guid}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cs/0112017", "cs/0112017"),
        ("math.GT/0309136v2", "math/0309136"),
        ("http://arxiv.org/abs/hep-th/9901001v1", "hep-th/9901001"),
        ("https://arxiv.org/pdf/cond-mat/0001001.pdf", "cond-mat/0001001"),
    ],
)
def test_old_arxiv_ids_lose_their_subject_class(text: str, expected: str) -> None:
    assert arxiv_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see 2606.13677 for more",
        "2606.136",
        "https://example.org/abs/2606.13677",
        "https://notarxiv.org/abs/2606.13677",
        "https://arxiv.org/list/cs.CL/recent",
        "https://huggingface.co/datasets/2606.13677",
        "http://[broken/2606.13677",
    ],
)
def test_what_only_mentions_an_arxiv_id_has_none(text: str) -> None:
    assert not arxiv_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.1000/ABC.d1",
        "doi:10.1000/abc.d1",
        "https://doi.org/10.1000/abc.d1",
        "http://dx.doi.org/10.1000%2Fabc.d1",
        " DOI: 10.1000/Abc.D1. ",
    ],
)
def test_a_doi_is_the_same_in_every_form(text: str) -> None:
    assert doi(text) == "10.1000/abc.d1"


def test_versions_of_a_preprint_share_its_doi() -> None:
    assert doi("10.1101/2026.03.01.123456v2") == doi("https://doi.org/10.1101/2026.03.01.123456")


def test_an_arxiv_doi_is_an_arxiv_id() -> None:
    assert not doi("10.48550/arXiv.2606.13677")
    assert identities(doi_="10.48550/arXiv.2606.13677")[0] == ListingId(IdKind.ARXIV, "2606.13677")


PAPER = "10.1234/Journal.2026.17"


@pytest.mark.parametrize(
    "link",
    [
        PAPER,
        f"doi:{PAPER}",
        f"DOI {PAPER}",
        f"info:doi/{PAPER}",
        f"urn:doi:{PAPER}",
        f"https://doi.org/{PAPER}?utm_source=rss",
        f"https://doi.org/{PAPER}/full",
        f"https://www.example.org/doi/{PAPER}",
        f"https://www.example.org/doi/abs/{PAPER}?af=R",
        f"https://www.example.org/doi/full/{PAPER}#sec-1",
        f"https://www.example.org/doi/pdfdirect/{PAPER}",
        f"https://www.example.org/articles/{PAPER}/full",
        f"https://www.example.org/articles/{PAPER}/abstract",
        f"https://www.example.org/article/{PAPER}/meta",
        f"https://www.example.org/article/{PAPER}/pdf",
        f"https://www.example.org/content/{PAPER}.full.pdf+html",
        f"https://www.example.org/content/{PAPER}.abstract",
        f"https://www.example.org/j/advance-article/doi/{PAPER}/7509876?rss=1",
        f"https://www.example.org/j/article-abstract/doi/{PAPER}/2873456/On-Sparse-Codes",
        f"https://www.example.org/j/abstract/{PAPER}",
        f"https://www.example.org/plosone/article?id={PAPER}",
        f"https://link.springer.com/{PAPER}",
        PAPER.upper(),
        f"{PAPER}.pdf",
        f"{PAPER}).",
    ],
)
def test_a_doi_is_found_in_what_feeds_link_to_without_what_stands_behind_it(link: str) -> None:
    assert doi_in(link) == PAPER.lower()


@pytest.mark.parametrize(
    "text",
    [
        "10.2024/5",
        "10.2024/102912",
        "https://example.org/blog/10.2024/notes",
        "https://example.org/article/10.2024/5",
        "https://example.org/?id=1",
        "https://[broken",
        "doi:10.48550/arXiv.2603.00001",
        "see 10.1000/xyz12",
    ],
)
def test_what_nobody_calls_a_doi_is_none(text: str) -> None:
    assert not doi_in(text)


def test_brackets_of_a_doi_stay() -> None:
    assert doi("10.1016/0370-2693(86)90001") == "10.1016/0370-2693(86)90001"
    assert doi("(10.1016/s0140(20)"[1:]) == "10.1016/s0140(20)"


@pytest.mark.parametrize(
    ("version", "paper"),
    [
        ("10.1101/2026.03.01.123456v2.full", "10.1101/2026.03.01.123456"),
        ("10.21203/rs.3.rs-123456/v1", "10.21203/rs.3.rs-123456"),
        ("10.20944/preprints202603.0001.v2", "10.20944/preprints202603.0001"),
        ("10.26434/chemrxiv-2026-abcde-v3", "10.26434/chemrxiv-2026-abcde"),
        ("10.31234/osf.io/ab2cd_v1", "10.31234/osf.io/ab2cd"),
        ("10.12688/f1000research.12345.2", "10.12688/f1000research.12345"),
        ("10.7554/eLife.12345.3", "10.7554/elife.12345"),
    ],
)
def test_versions_with_dois_of_their_own_are_one_paper(version: str, paper: str) -> None:
    assert doi(version) == paper


def test_what_a_feed_calls_its_entries_holds_in_that_feed_alone() -> None:
    one, other = guid_id("feed:https://a.example/", "1"), guid_id("feed:https://b.example/", "1")
    assert one != other
    assert scope_of(one.value) != scope_of(other.value)
    assert scope_of(one.value) == scope_of(guid_id("feed:https://a.example/", "a/2").value)


@given(st.text())
def test_identities_never_raise_and_are_sorted_by_strength(text: str) -> None:
    found = identities(arxiv=text, doi_=text, urls=(text,), title=text)
    assert [one.kind.strength for one in found] == sorted(one.kind.strength for one in found)
    for one in found:
        assert ListingId.parse(str(one)) == one


@pytest.mark.parametrize("text", ["", "arxiv", "arxiv:", "isbn:1"])
def test_a_malformed_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        ListingId.parse(text)
