"""DMARC's tree walk and alignment (RFC 9989, 4.10)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.certificate import Certificate
from newsletter.core.dmarc import DmarcRecord, governing, is_aligned, organizational_domain, read_dmarc, tree_walk
from newsletter.core.tags import read_tags

NONE = DmarcRecord("none", "none")
PSD = DmarcRecord("reject", "reject", psd="y")


def test_each_domain_above_is_asked_and_of_a_long_one_the_last_seven_labels() -> None:
    assert tree_walk("A.mail.example.com.") == ["a.mail.example.com", "mail.example.com", "example.com", "com"]
    long = tree_walk("a.b.c.d.e.f.g.h.i.j.mail.example.com")
    assert long[:3] == [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
    ]
    assert len(long) == 8


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=20))
def test_a_walk_asks_eight_names_at_most_and_ends_at_the_top(labels: list[str]) -> None:
    walk = tree_walk(".".join(labels))
    assert len(walk) <= 8
    assert walk[0] == ".".join(labels)
    assert walk[-1] == labels[-1]


@pytest.mark.parametrize(
    ("records", "organization"),
    [
        ({}, "a.lab.ac.uk"),
        ({"lab.ac.uk": NONE}, "lab.ac.uk"),
        ({"a.lab.ac.uk": NONE, "lab.ac.uk": NONE}, "lab.ac.uk"),  # the shortest
        ({"lab.ac.uk": NONE, "ac.uk": PSD}, "lab.ac.uk"),  # the one below the public suffix
        ({"ac.uk": PSD}, "lab.ac.uk"),
        ({"a.lab.ac.uk": DmarcRecord("none", "none", psd="n"), "lab.ac.uk": NONE}, "a.lab.ac.uk"),
        ({"a.lab.ac.uk": PSD, "lab.ac.uk": NONE}, "lab.ac.uk"),  # its own y says nothing of itself
    ],
)
def test_where_an_organisation_begins_is_what_records_say(
    records: dict[str, DmarcRecord], organization: str
) -> None:
    assert organizational_domain("a.lab.ac.uk", records) == organization


def test_a_domains_own_record_holds_then_its_organisations_then_the_suffixs() -> None:
    assert governing("a.lab.ac.uk", {"a.lab.ac.uk": NONE, "lab.ac.uk": PSD}) == ("a.lab.ac.uk", NONE)
    assert governing("a.lab.ac.uk", {"lab.ac.uk": NONE}) == ("lab.ac.uk", NONE)
    assert governing("a.lab.ac.uk", {"ac.uk": PSD}) == ("ac.uk", PSD)
    assert governing("a.lab.ac.uk", {}) is None


def test_relaxed_alignment_is_of_one_organisation_and_strict_of_one_domain() -> None:
    same = {"organization": "lab.example", "of_other": "lab.example"}
    assert is_aligned("news.lab.example", "lab.example", **same, strict=False)
    assert not is_aligned("news.lab.example", "lab.example", **same, strict=True)
    assert is_aligned("lab.example", "LAB.example.", organization="x", of_other="y", strict=True)
    assert not is_aligned("a.example", "b.example", organization="a.example", of_other="b.example", strict=False)


def test_a_record_says_what_holds_and_unknown_tags_say_nothing() -> None:
    found = read_dmarc(
        ["other", "v=DMARC1; p=Reject; sp=none; adkim=s; aspf=r; pct=20; rua=mailto:a@b.example; x=1"]
    )
    assert found == DmarcRecord("reject", "none", strict_dkim=True, reports=True)
    assert read_dmarc(["v=DMARC1; rua=mailto:a@b.example"]) == DmarcRecord("none", "none", reports=True)
    assert read_dmarc(["v=DMARC1; p=none", "v=DMARC1; p=reject"]) is None
    assert read_dmarc(["v=DMARC10; p=none", "p=none; v=DMARC1"]) is None
    for wrong in ("v=DMARC1", "v=DMARC1; p=maybe", "v=DMARC1; p=none; p=none", "v=DMARC1; p"):
        with pytest.raises(ValueError, match=r"p= is|no p=|twice|no tag"):
            read_dmarc([wrong])


@given(st.text())
def test_any_text_is_a_list_of_tags_or_a_mistake(text: str) -> None:
    with suppress(ValueError):
        assert all(name and name == name.lower() for name in read_tags(text))


@pytest.mark.parametrize("peer", [{}, {"notAfter": "soon"}, {"notAfter": "Foo 1 10:00:00 2026 GMT"}])
def test_a_certificate_without_an_end_is_none(peer: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="when it ends"):
        Certificate.of(peer)
