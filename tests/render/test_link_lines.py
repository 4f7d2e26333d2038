from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.records import maker
from newsletter.core.tokens import Links, OwnLinks
from newsletter.ports import Composed
from newsletter.render.mime.link_lines import LinkLines
from newsletter.render.mime.pieces import is_plain, line_of

MAILBOX = "papers@example.org"


@given(st.from_regex(r"[a-z0-9%-]{1,85}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_the_lines_of_each_readers_links_are_those_that_the_links_have_by_themselves(host: str, key: int) -> None:
    links = Links(f"https://{host}", "a secret of this list")
    of_another, own = links.own_links(1, MAILBOX), links.own_links(key, MAILBOX)
    assert all(map(is_plain, own))
    lines = LinkLines(of_another).of(links.sealing_own_links()(key))
    assert lines == [line for link in own for line in line_of(link)]


@pytest.mark.parametrize("length", range(30, 80))
def test_wherever_the_soft_line_break_falls(length: int) -> None:
    links = Links("https://news.example.org/".ljust(length, "x"), "a secret of this list")
    own = OwnLinks(*links.own_links(812, MAILBOX))
    lines = LinkLines(links.own_links(1, MAILBOX)).of(links.sealing_own_links()(812))
    assert b"".join(lines[::2]).replace(b"=\r\n", b"").decode() == "".join(own)
    assert max(len(line) for text in lines for line in text.split(b"\r\n")) <= 76


def test_a_maker_makes_what_the_constructor_makes() -> None:
    made = maker(Composed)(("papers@example.org", (b"one",), 3, None))
    assert made == Composed("papers@example.org", (b"one",), 3)
    assert type(made) is Composed
