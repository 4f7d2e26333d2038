"""What is a reader's own in a mail, by the short way for usual readers and by the long way for all others."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.core.text import one_line
from newsletter.render.issue.clauses import cut
from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.pieces import line_of
from newsletter.render.mime.readers import reader_lines

_NAMES = st.text("aZ09 -'.<&=\r\né", max_size=70) | st.sampled_from(
    ("From here", "From", "Ann", "", "A B C D E F")
)
_ADDRESSES = st.from_regex(r"[a-z0-9._+'=-]{1,30}@[a-z0-9._+-]{1,40}", fullmatch=True)


def _shown(name: str) -> str:
    return cut(one_line(name), 60)


@given(email=_ADDRESSES, name=_NAMES)
@example(email="ann@example.org", name="From here")
@example(email="ann@example.org", name="A" * 60)
@example(email="ann@example.org", name="")
def test_usual_readers_have_the_same_lines_as_by_the_long_way(email: str, name: str) -> None:
    try:
        to = headers.mailbox("To", Mailbox(name, wire_address(email)))
    except RenderError:
        with pytest.raises(RenderError):
            reader_lines(email, name, _shown)
        return

    assert reader_lines(email, name, _shown) == (to, [*line_of(email), *line_of(_shown(name))])
