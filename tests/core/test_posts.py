"""The posts of issues: never too long, the link always there, nobody called and nothing marked up by strangers."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.channels import is_of_a_service, service_of
from newsletter.core.posts import PostedIssue, PostStyle, post_of

URL = "https://papers.example.org/daily/2026-03-12/"
TITLES = st.lists(st.text(max_size=400), min_size=1, max_size=9)


def issue(**values: Any) -> PostedIssue:
    known = {"list_title": "Daily", "day": date(2026, 3, 12), "titles": ["One"], "text": "", "url": URL}
    return PostedIssue(**{**known, **values})


def test_a_post_has_the_lead_five_titles_and_the_link() -> None:
    titles = ["Lead", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"]

    post = post_of(issue(titles=titles, text="It is even."), longest=2000)

    assert post.title == "Daily · 2026-03-12"
    assert post.body == f"Lead\nIt is even.\n\n• Two\n• Three\n• Four\n• Five\n• Six\n• +2\n\n{URL}"


def test_in_markdown_lines_stay_lines_and_the_link_is_one() -> None:
    post = post_of(issue(titles=["A *b* [c](d)", "Two"], text="E"), longest=2000, style=PostStyle.MARKDOWN)

    assert post.body == f"A \\*b\\* \\[c\\]\\(d\\)\n\nE\n\n- Two\n\n[{URL}]({URL})"


@given(TITLES, st.text(max_size=2000), st.integers(600, 5000), st.sampled_from(PostStyle))
def test_whatever_the_papers_are_called_it_fits_and_has_the_link(
    titles: list[str], text: str, longest: int, style: PostStyle
) -> None:
    for size in (len, lambda said: len(said.encode())):
        post = post_of(issue(titles=titles, text=text), longest=longest, size=size, style=style)

        assert size(post.title) + size(post.body) <= longest
        assert URL in post.body


@given(TITLES, st.text("@<>!a*[]()_\\`", max_size=300))
def test_strangers_call_nobody_and_mark_nothing_up(titles: list[str], text: str) -> None:
    plain = post_of(issue(titles=[*titles, text], text=text), longest=20_000).body
    escaped = post_of(issue(titles=[*titles, text], text=text), longest=20_000, style=PostStyle.ESCAPED).body

    assert not re.search(r"[@<][\w/!@#]", plain + escaped)
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]()]", escaped)


@pytest.mark.parametrize("sign", ["e\u0301\u0323", "👩\u200d👩\u200d👧", "👍🏽", "❤\ufe0f"])
def test_no_sign_is_cut_in_two(sign: str) -> None:
    for before in range(6):
        post = post_of(issue(titles=["a" * before + sign * 300]), longest=4000)

        lead = post.body.partition("\n")[0]
        assert lead.endswith("…")
        assert (
            lead.removesuffix("…").removeprefix("a" * before).replace(unicodedata.normalize("NFC", sign), "") == ""
        )


def test_a_label_stands_before_a_text_and_without_one_is_left_out() -> None:
    said, silent = issue(text="It halves @the cost.", label="By a *model*:"), issue(label="By a *model*:")

    assert "One\nBy a *model*: It halves @\u200bthe cost." in post_of(said, longest=2000).body
    assert "By a \\*model\\*: It" in post_of(said, longest=2000, style=PostStyle.ESCAPED).body
    assert "model" not in post_of(silent, longest=2000).body


def test_what_is_too_long_loses_its_last_titles_first_and_its_lead_last() -> None:
    whole = issue(titles=["Lead " * 20, *(f"Title {number} " * 10 for number in range(5))], text="Text. " * 40)

    counts = [post_of(whole, longest=longest).body.count("•") for longest in (1500, 900, 800, 700, 600)]
    shortest = post_of(whole, longest=600).body

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 5
    assert shortest.startswith("Lead Lead")
    assert shortest.endswith(URL)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("slack://a/b/c", "Slack"),
        ("https://hooks.slack.com/services/a/b/c", "Slack"),
        ("https://hooks.slack.com.evil.example/services/a/b/c", ""),
        ("https://prod-1.westeurope.logic.azure.com/workflows/a", "Teams"),
        ("https://logic.azure.com.evil.example/", ""),
        ("http://hooks.slack.com/services/a", ""),
        ("discord://1/a", "Discord"),
        ("tgram://1:a/2", "Telegram"),
        ("feishu://token", "Feishu"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/token", "Feishu"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/token", "Lark"),
        ("ntfys://ntfy.sh/topic", "ntfy"),
        ("mailto://a:b@example.org", ""),
        ("file:///etc/passwd", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_the_service_of_a_url_is_known(url: str, service: str) -> None:
    assert service_of(url) == service


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.slack.com/services/a", True),
        ("https://slack.com/api/chat.postMessage", True),
        ("https://api.telegram.org/bot1:a/sendMessage", True),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/a", True),
        ("https://ntfy.sh", True),
        ("http://ntfy.sh", False),
        ("https://ntfy.example.org", False),
        ("https://api.telegram.org.example.org/", False),
        ("https://[::1", False),
    ],
)
def test_what_is_a_server_of_a_service_is_known(url: str, expected: bool) -> None:
    assert is_of_a_service(url) is expected
