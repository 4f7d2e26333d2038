from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.identity import IdKind, ListingId
from newsletter.core.listing import Listing
from newsletter.core.page_names import identity_path, paper_path, read_paper_path

identities = st.builds(
    ListingId,
    st.sampled_from([kind for kind in IdKind if kind is not IdKind.ARXIV]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500),
)


@pytest.mark.parametrize(
    ("listing", "path"),
    [
        (Listing(title="A", arxiv_id="2606.13677"), "p/2606.13677/"),
        (Listing(title="A", arxiv_id="math/0309136"), "p/math_0309136/"),
        (Listing(title="A", doi="10.1101/2024.01.02"), "p/doi/10.1101_2024.01.02/"),
        (Listing(title="Attention is all you need"), "p/title/attention+is+all+you+need/"),
    ],
)
def test_the_path_of_a_paper_says_what_it_is_known_by(listing: Listing, path: str) -> None:
    assert paper_path(listing) == path
    assert read_paper_path(path.removeprefix("p/")) == listing.id


@given(identities)
def test_a_path_is_safe_as_url_and_as_folders_and_is_read_back(identity: ListingId) -> None:
    path = identity_path(identity)

    assert re.fullmatch(r"p/[A-Za-z0-9~+_./-]+/", path)
    assert all(part and len(part) <= 200 and part.strip(".") for part in path.strip("/").split("/"))
    assert read_paper_path(path.removeprefix("p/")) == identity


@given(st.text())
def test_any_text_is_read_as_an_identity_or_as_none(text: str) -> None:
    found = read_paper_path(text)

    assert found is None or found.value


@pytest.mark.parametrize("said", ["2606.13677", "arxiv:2606.13677", "math/0309136", "doi:10.1000/182"])
def test_an_identity_is_read_in_the_forms_that_people_write(said: str) -> None:
    found = read_paper_path(said)

    assert found is not None
    assert str(found).endswith(said)


def test_no_identity_is_read_from_what_is_none() -> None:
    assert [read_paper_path(said) for said in ("", "/", "isbn:1", "%2e%2e", "~ff", "…")] == [None] * 6
