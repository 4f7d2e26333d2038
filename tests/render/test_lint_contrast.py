from __future__ import annotations

import pytest

from newsletter.render.colour import TRANSPARENT, Colour, contrast, parse
from tests.render.planted import findings, in_page, rules_of

DARK_BODY = "background-color: #101010 !important; color: #f0f0f0 !important"


def with_body(markup: str) -> bytes:
    return in_page("</body>", f"{markup}</body>")


def contrasts(raw: bytes) -> list[tuple[str, str]]:
    """Return where contrast is too low and how."""
    return [(item.where.split(", ")[1], item.message) for item in findings(raw) if item.rule == "contrast"]


def test_white_on_white_in_dark_is_found() -> None:
    raw = in_page(DARK_BODY, "background-color: #ffffff !important; color: #ffffff !important")
    assert ("dark mode", "#ffffff on #ffffff: 1.0 to 1") in contrasts(raw)
    assert ("contrast", "failure") in rules_of(raw)


def test_dark_text_that_no_dark_rule_turns_is_found() -> None:
    assert contrasts(with_body('<p style="color:#222222">x</p>')) == [
        ("dark mode", "#222222 on #101010: 1.2 to 1")
    ]


def test_a_style_attribute_gives_way_to_an_important_dark_rule_only() -> None:
    raw = in_page("color: #99c1f1 !important", "color: #99c1f1")
    assert ("dark mode", "#1a5fb4 on #101010: 3.0 to 1") in contrasts(raw)


def test_pale_text_by_daylight_is_a_warning_and_hardly_visible_text_a_failure() -> None:
    assert rules_of(with_body('<p class="link" style="color:#888888">x</p>')) == [("contrast", "warning")]
    assert rules_of(with_body('<p class="link" style="color:#bbbbbb">x</p>')) == [("contrast", "failure")]


def test_large_text_may_be_paler() -> None:
    for size in ("font-size:24px", "font-size:18pt", "font-size:19px;font-weight:bold"):
        assert rules_of(with_body(f'<p class="link" style="color:#888888;{size}">x</p>')) == []
    assert rules_of(with_body('<h2 class="link" style="color:#888888;font-size:19px;font-weight:400">x</h2>')) == [
        ("contrast", "warning")
    ]


@pytest.mark.parametrize(
    "markup",
    [
        '<div class="link" style="display:none;color:#ffffff">preheader</div>',
        '<div class="link" style="font-size:0;color:#ffffff">x</div>',
        '<p style="color:#ffffff"> \n </p>',
        '<p style="color:#ffffff"><!-- x --></p>',
        '<p class="link" style="color:#ffffff;background:url(a.png)">on a picture</p>',
        '<p class="link" style="color:#ffffff;background-image:url(a.png)">on a picture</p>',
        '<p class="link" style="color:no-such-colour">of a name that is not known</p>',
        '<p class="link" style="color:rgba(0,0,0,.8)">not quite opaque</p>',
        '<p class="link" style="color:#222222;background-color:rgba(255,255,255,0.9)">nearly white below</p>',
        '<p style="color:inherit">as around it</p>',
    ],
)
def test_what_is_not_seen_or_can_not_be_known_is_no_finding(markup: str) -> None:
    assert [place for place, _ in contrasts(with_body(markup)) if place == "light mode"] == []


def test_a_ground_is_inherited_from_attributes_and_styles() -> None:
    cell = '<table role="presentation" bgcolor="black"><tr><td>{}</td></tr></table>'
    assert contrasts(with_body(cell.format("x")))[0] == ("light mode", "#000000 on #000000: 1.0 to 1")
    font = cell.format('<font color="white">x</font>')
    assert [place for place, _ in contrasts(with_body(font)) if place == "light mode"] == []


def test_a_link_without_a_colour_has_the_clients_own() -> None:
    raw = with_body('<p style="background-color:#0000ee"><a href="https://example.org/0">x</a></p>')
    assert ("light mode", "#0000ee on #0000ee: 1.0 to 1") in contrasts(raw)


def test_a_half_transparent_ground_lets_the_one_below_through() -> None:
    raw = with_body('<p class="link" style="color:#808080;background:rgba(0, 0, 0, 50%)">x</p>')
    assert ("light mode", "#808080 on #808080: 1.0 to 1") in contrasts(raw)


@pytest.mark.parametrize(
    ("css", "low"),
    [
        ("p.pale { color: #ffffff } .pale { color: #222222 }", True),  # the more specific one wins
        (".pale { color: #ffffff } .pale { color: #222222 }", False),  # the later one
        (".pale { color: #222222 !important } p.pale { color: #ffffff }", False),  # the important one
        (".pale:hover { color: #ffffff }", False),
        ("p::nonsense, { color: #ffffff }", False),
        ("@media (max-width: 600px) { .pale { color: #ffffff } }", False),
        (".pale { color: #ffffff", True),  # never closed
    ],
)
def test_rules_that_were_not_inlined_count_as_in_a_browser(css: str, low: bool) -> None:
    raw = with_body(f'<style>{css}</style><p class="pale">x</p>')
    assert [place for place, _ in contrasts(raw) if place == "light mode"] == ["light mode"] * low


def test_each_pair_of_colours_is_told_once() -> None:
    [finding] = findings(with_body('<p class="link" style="color:#ffffff">first</p>' * 3))
    assert finding.where == "HTML part, light mode, 'first' and 2 more"


def test_a_page_that_says_nothing_of_dark_mode_is_not_judged_in_it() -> None:
    raw = in_page('<meta name="color-scheme" content="light dark">', "")
    page = raw.replace(b"@media (prefers-color-scheme: dark)", b"@media (max-width: 1px)")
    assert contrasts(page) == []


def test_without_the_color_scheme_meta_a_client_keeps_its_white_canvas() -> None:
    raw = in_page('<meta name="color-scheme" content="light dark">', "")
    assert contrasts(raw) == []


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("#fff", Colour(255, 255, 255)),
        ("#1a5fb4", Colour(26, 95, 180)),
        ("#00000080", Colour(0, 0, 0, 128 / 255)),
        ("rgb(1, 2, 3)", Colour(1, 2, 3)),
        ("rgb(1 2 3 / 50%)", Colour(1, 2, 3, 0.5)),
        ("rgba(1,2,3,.5)", Colour(1, 2, 3, 0.5)),
        ("no-repeat navy", Colour(0, 0, 128)),
        ("papayawhip", Colour(255, 239, 213)),
        ("hsl(0 100% 50%)", Colour(255, 0, 0)),
        ("transparent", TRANSPARENT),
        ("none", TRANSPARENT),
        ("linear-gradient(#fff, #000)", None),
        ("rgb(var(--x))", None),
        ("unheardof", None),
    ],
)
def test_colours_are_read_as_css_writes_them(value: str, colour: Colour | None) -> None:
    assert parse(value) == colour


def test_black_on_white_is_21_to_1_whichever_comes_first() -> None:
    black, white = Colour(0, 0, 0), Colour(255, 255, 255)
    assert round(contrast(black, white), 2) == round(contrast(white, black), 2) == 21
    assert str(Colour(26, 95, 180)) == "#1a5fb4"
