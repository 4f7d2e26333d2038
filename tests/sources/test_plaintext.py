from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.reading.plaintext import plain


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<p>One</p><p>Two &amp; three</p>", "One Two & three"),
        ("a <b>bold</b>er <a href='https://example.org/?a=1&b=2'>claim</a>", "a bolder claim"),
        ("H<sub>2</sub>O<br/>and<hr>more", "H2O and more"),
        ("<jats:p>As published</jats:p>", "As published"),
        ("seen<!-- not <b>seen</b> --><script>alert(1)</script><STYLE>p{}</STYLE> here", "seen here"),
        ("<![CDATA[raw]]>", "raw"),
        ("Let's <think> about <|im_end|> tokens", "Let's <think> about <|im_end|> tokens"),
        ("if a < b and c > d, p<0.05", "if a < b and c > d, p<0.05"),
        ("an &lt;EOS&gt; token", "an <EOS> token"),
        ("unclosed <p class=", "unclosed <p class="),
        ("no markup, 100% & more", "no markup, 100% & more"),
    ],
)
def test_tags_go_and_text_stays(markup: str, shown: str) -> None:
    assert " ".join(plain(markup).split()) == shown


@given(st.text(alphabet="<>!-/[]&;pabscript \n\"='"))
def test_no_markup_is_too_odd(markup: str) -> None:
    assert len(plain(markup)) <= 2 * len(markup)


@pytest.mark.parametrize("mark", ["<!--", "<script>", "<p ", "<![CDATA[", "&lt"])
def test_what_is_never_closed_costs_one_pass(mark: str) -> None:
    assert len(plain(mark * 25_000)) <= 25_000 * len(mark)
