from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.render import colour as colours
from newsletter.render.issue.theme import COLUMN, COLUMN_DARK, legible, theme

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def contrast(item: str, other: str) -> float:
    """Return the contrast of two colours that are written as `#rrggbb`."""
    parsed = colours.parse(item), colours.parse(other)
    assert parsed[0]
    assert parsed[1]
    return colours.contrast(parsed[0], parsed[1])


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@given(colour=COLOURS, background=COLOURS)
def test_text_is_readable_whatever_colours_were_chosen(colour: str, background: str) -> None:
    assert contrast(legible(colour, background), background) >= 4.5


def test_a_readable_colour_is_left_alone() -> None:
    assert legible("#1a5f7a", "#ffffff") == "#1a5f7a"


@given(accent=COLOURS, background=COLOURS)
def test_any_theme_can_be_read_in_light_and_dark(accent: str, background: str) -> None:
    look = theme({"accent": accent, "background": background, "background_dark": background}, title="A")
    assert contrast(look.accent, COLUMN) >= 4.5
    assert contrast(look.accent_dark, COLUMN_DARK) >= 4.5
    assert contrast(look.on_accent, look.accent) >= 4.5
    assert contrast(look.on_accent_dark, look.accent_dark) >= 4.5
    assert contrast(look.quiet, look.background) >= 4.5
    assert contrast(look.quiet_dark, look.background_dark) >= 4.5


def test_the_logo_is_the_title_unless_it_is_given() -> None:
    assert theme({}, title="Daily Papers").logo == "Daily Papers"
    assert theme({"logo": "The Daily"}, title="Daily Papers").logo == "The Daily"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"acent": "#000000"}, "'acent' is unknown; there are logo, accent"),
        ({"accent": "red"}, "accent = 'red' is no colour such as"),
        ({"background": "#fff;}*{display:none"}, "background = "),
        ({"pictures": "maybe"}, "pictures = 'maybe' should be 'yes' or 'no'"),
    ],
)
def test_a_mistake_in_a_theme_names_list_and_key(values: dict[str, str], message: str) -> None:
    with pytest.raises(RenderError, match=message) as caught:
        theme(values, title="Daily Papers")
    assert str(caught.value).startswith("theme of 'Daily Papers': ")
