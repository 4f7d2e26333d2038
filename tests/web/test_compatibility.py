from __future__ import annotations

import json
from email.message import EmailMessage

import pytest

from newsletter.web.studio import compatibility
from newsletter.web.studio.compatibility import PROGRAMS, gaps
from tests.browser.node import NODE_MODULES
from tests.services import missing

# How caniemail.com names the features and the programs of our table.
SLUGS = {
    "!important": "css-important",
    "[attribute]": "css-selector-attribute",
    ":hover": "css-pseudo-class-hover",
    "@font-face": "css-at-font-face",
    "@media": "css-at-media",
    "@media (prefers-color-scheme)": "css-at-media-prefers-color-scheme",
    "calc()": "css-unit-calc",
    "rem": "css-unit-rem",
    "vw": "css-unit-vw",
    "var()": "css-variables",
    "meta color-scheme": "html-meta-color-scheme",
    "picture: data:": "image-base64",
    "picture: SVG": "image-svg",
    "picture: WebP": "image-webp",
    "display: flex": "css-display-flex",
    "display: grid": "css-display-grid",
    "display: none": "css-display-none",
    **{name: f"html-{name}" for name in ("aria-label", "dir", "lang", "role")},
}
FAMILIES = {
    "gmail": ("gmail", "desktop-webmail"),
    "gmail-android": ("gmail", "android"),
    "gmail-ios": ("gmail", "ios"),
    "apple-mail": ("apple-mail", "macos"),
    "apple-mail-ios": ("apple-mail", "ios"),
    "outlook-windows": ("outlook", "windows"),
    "outlook-com": ("outlook", "outlook-com"),
    "outlook-macos": ("outlook", "macos"),
    "yahoo": ("yahoo", "desktop-webmail"),
    "samsung": ("samsung-email", "android"),
    "thunderbird": ("thunderbird", "macos"),
    "proton": ("protonmail", "desktop-webmail"),
    "fastmail": ("fastmail", "desktop-webmail"),
    "gmx": ("gmx", "desktop-webmail"),
    "web-de": ("web-de", "desktop-webmail"),
}


def mail(html: str) -> bytes:
    message = EmailMessage()
    message.set_content("text")
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_the_table_says_what_caniemail_says() -> None:
    path = NODE_MODULES / "caniemail" / "data" / "caniemail.json"
    if not path.exists():
        missing("caniemail (npm ci in tests/node)")
    features = {one["slug"]: one["stats"] for one in json.loads(path.read_text(encoding="utf-8"))["data"]}
    assert list(FAMILIES) == list(PROGRAMS)
    for name, letters in compatibility._SUPPORT.items():
        slug = SLUGS.get(name) or (f"html-{name[1:-1]}" if name.startswith("<") else f"css-{name}")
        said = ""
        for family, platform in FAMILIES.values():
            versions = features[slug].get(family, {}).get(platform, {})
            said += list(versions.values())[-1][0] if versions else "u"
        assert (name, letters) == (name, said)


def test_only_what_chosen_programs_lack_is_named_and_what_most_of_them_lack_first() -> None:
    page = mail('<style>a:hover { color: red }</style><p style="display: flex; width: 5rem">x</p>')
    found = gaps(page, ("gmail-ios", "outlook-windows"))
    assert [(one.feature, one.lacking, one.partial) for one in found] == [
        (":hover", ("Gmail on iOS", "Outlook for Windows"), ()),
        ("display: flex", ("Outlook for Windows",), ("Gmail on iOS",)),
        ("rem", ("Outlook for Windows",), ()),
        ("<style>", (), ("Gmail on iOS", "Outlook for Windows")),
        ("display", (), ("Gmail on iOS", "Outlook for Windows")),
        ("width", (), ("Outlook for Windows",)),
    ]
    assert gaps(page, ("apple-mail",)) == []
    assert gaps(page, ()) == []


@pytest.mark.parametrize(
    ("html", "feature"),
    [
        (
            "<style>@media (prefers-color-scheme: dark) { p { margin: 0 } }</style>",
            "@media (prefers-color-scheme)",
        ),
        ("<style>[data-ogsc] p { color: red }</style>", "[attribute]"),
        ("<style>@font-face { font-family: x }</style>", "@font-face"),
        ('<p style="padding: calc(1px + 2px)">', "calc()"),
        ('<p style="color: var(--x)">', "var()"),
        ('<img src="https://example.org/x.webp?y">', "picture: WebP"),
        ('<img src="data:image/png;base64,AA==">', "picture: data:"),
        ("<svg></svg>", "<svg>"),
        ('<p style="broken: {{">', ""),
    ],
)
def test_features_are_found_where_they_stand(html: str, feature: str) -> None:
    found = {one.feature for one in gaps(mail(html), tuple(PROGRAMS))}
    assert feature in found if feature else found <= {"role"}
