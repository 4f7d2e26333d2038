from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.identity import (
    IdKind,
    ListingId,
    arxiv_id,
    doi,
    identities,
    normalised_title,
    normalised_url,
    same_paper,
)

numbers = st.from_regex(r"(?:0[7-9]|[12]\d)(?:0[1-9]|1[0-2])\.\d{4,5}", fullmatch=True)
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


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.org/papers/1/",
        "http://example.org/papers/1",
        "https://EXAMPLE.org:443/papers/1#abstract",
        "https://example.org/papers/1?utm_source=mail&utm_medium=x&ref=y",
    ],
)
def test_a_url_loses_what_does_not_identify(text: str) -> None:
    assert normalised_url(text) == "example.org/papers/1"


@pytest.mark.parametrize(
    "text", ["", "javascript:alert(1)", "/papers/1", "ftp://example.org/x", "http://[::1", "https://"]
)
def test_what_is_no_web_link_has_no_url(text: str) -> None:
    assert not normalised_url(text)


def test_different_queries_are_different_pages() -> None:
    assert normalised_url("https://e.org/p?id=1&a=2") == normalised_url("https://e.org/p?a=2&id=1")
    assert normalised_url("https://e.org/p?id=1") != normalised_url("https://e.org/p?id=2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The  No-Free-Lunch Theorem", "the no free lunch theorem."),
        ("Fréchet Étude", "Frechet Etude"),
        (r"\textbf{Dual}-Head", "Dual-head"),
        ("snake_case matters", "Snake case matters"),
        ("\ufb01ne-tuning", "Fine Tuning"),
    ],
)
def test_titles_fold_case_accents_and_punctuation(one: str, other: str) -> None:
    assert normalised_title(one) == normalised_title(other)


@given(st.text())
def test_identities_never_raise_and_are_sorted_by_strength(text: str) -> None:
    found = identities(arxiv=text, doi_=text, urls=(text,), title=text)
    assert [one.kind.strength for one in found] == sorted(one.kind.strength for one in found)
    for one in found:
        assert ListingId.parse(str(one)) == one


@given(st.text())
def test_normalising_a_title_twice_changes_nothing_more(text: str) -> None:
    assert normalised_title(normalised_title(text)) == normalised_title(text)


@given(numbers, numbers, st.text(min_size=1))
def test_one_title_with_two_arxiv_ids_is_two_papers(one: str, other: str, title: str) -> None:
    records = [identities(arxiv=number, title=title) for number in (one, other)]
    assert same_paper(*records) == (one == other)


def test_a_title_alone_is_the_paper_that_has_this_title() -> None:
    known = identities(title="Pointer Networks")
    assert same_paper(known, identities(arxiv="1506.03134", title="Pointer  networks"))
    assert not same_paper(known, identities(arxiv="1506.03134", title="Pointer Networks Revisited"))


def test_a_doi_and_an_arxiv_id_do_not_contradict_each_other() -> None:
    preprint = identities(arxiv="1506.03134", title="Pointer Networks")
    journal = identities(doi_="10.1000/1", title="Pointer Networks")
    assert same_paper(preprint, journal)


@pytest.mark.parametrize("text", ["", "arxiv", "arxiv:", "isbn:1"])
def test_a_malformed_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        ListingId.parse(text)
