from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.subject import FIELDS, fill, read_pattern

VALUES = {"lead": "A {title} of braces", "title": "Papers", "date": "12 Mar", "number": 7, "count": 20}


def test_a_pattern_is_filled_with_values_whatever_they_hold() -> None:
    assert fill(read_pattern("{title} {number}, {date}: {lead} ({count})"), VALUES) == (
        "Papers 7, 12 Mar: A {title} of braces (20)"
    )


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{led}", "{led} is no value"),
        ("{}", "{} is no value"),
        ("{lead", "alone"),
        ("lead}", "alone"),
        ("{{lead}}", "alone"),
    ],
)
def test_a_brace_that_belongs_to_no_value_is_a_mistake_that_names_the_values(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_pattern(pattern)
    assert all(f"{{{name}}}" in str(caught.value) for name in FIELDS)


@given(st.text(max_size=60))
def test_what_is_read_can_be_filled_and_leaves_no_brace(pattern: str) -> None:
    try:
        read = read_pattern(pattern)
    except ValueError:
        return
    assert not set("{}") & set(fill(read, dict.fromkeys(FIELDS, "a value")))
