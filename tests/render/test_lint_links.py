from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.render.lint import lint
from tests.render import mails as make
from tests.render.planted import findings, in_page, rules_of

EXTRA = '<a href="https://example.org/extra"></a>'


def with_link(target: str) -> bytes:
    return in_page("</body>", f'<a href="{target}"></a></body>')


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("javascript:alert(1)", "is a javascript: link"),
        (" JavaScript:alert(1)", "is a javascript: link"),
        ("data:text/html,x", "is a data: link"),
        ("ftp://example.org/", "is a ftp: link"),
        ("/papers/1", "is relative"),
        ("papers.html", "is relative"),
        ("//example.org/papers", "is relative"),
        ("", "is empty"),
        ("#", "is empty"),
        ("https://[broken", "is not a URL"),
        ("mailto:", "names no address"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(target: str, message: str) -> None:
    found = [finding for finding in findings(with_link(target)) if finding.rule == "link-target"]
    assert [finding.message for finding in found] == [message]


@pytest.mark.parametrize("target", ["mailto:a@example.org", "#contents", "https://example.org/0"])
def test_links_to_the_web_to_people_and_within_the_page_are_no_finding(target: str) -> None:
    assert rules_of(with_link(target)) == []


@pytest.mark.parametrize("source", ["data:image/png;base64,AAAA", "cid:1", "", "thumbnail.png"])
def test_an_image_that_is_not_on_the_web_is_found(source: str) -> None:
    raw = in_page("</body>", f'<img src="{source}" alt="" width="1" height="1"></body>')
    assert rules_of(raw) == [("image-source", "failure")]


def test_plain_http_is_reported_on_request() -> None:
    raw = in_page(
        "https://example.org/0", "http://example.org/0", text=("https://example.org/0", "http://example.org/0")
    )
    assert lint(raw, make.issue()) == []
    assert [(finding.rule, finding.level) for finding in lint(raw, make.issue(), https=True)] == [
        ("link-https", "warning")
    ]


def test_a_paper_that_the_text_part_does_not_link_is_found() -> None:
    [finding] = findings(in_page("</body>", f"<h3>{EXTRA}</h3></body>"))
    assert (finding.rule, finding.where) == ("same-links", "text part")
    assert "https://example.org/extra" in finding.message


def test_the_actions_beside_a_paper_may_be_in_the_html_part_alone() -> None:
    assert findings(with_link("https://example.org/paper.pdf")) == []


def test_of_a_single_mail_every_link_must_be_in_the_text_part() -> None:
    raw = in_page("</body>", f"{EXTRA}</body>")
    assert "same-links" in [finding.rule for finding in lint(raw)]


def test_a_link_that_the_html_part_lacks_is_found() -> None:
    extra = "\n".join(f"https://example.org/{name}" for name in "abcd")
    [finding] = findings(in_page(text=("--\n", f"{extra}\n--\n")))
    assert finding.where == "HTML part"
    assert (
        finding.message == "has not https://example.org/a, https://example.org/b, https://example.org/c and 1 more"
    )


def test_a_page_that_was_cut_to_its_size_may_leave_links_to_the_text_part() -> None:
    filler = f'<p style="color:#222222" class="link">{"word " * 17_000}</p>'
    assert rules_of(in_page("</body>", f"{filler}</body>", text=("--\n", "https://example.org/more\n--\n"))) == []


def test_a_link_in_the_words_of_an_abstract_is_no_link_of_ours() -> None:
    issue = make.issue(1)
    [item] = issue.listings
    abstract = "Code and models are at https://example.org/code, and more is to come."
    issue = replace(issue, listings=(replace(item, listing=replace(item.listing, abstract=abstract)),))
    broken = ("--\n", "Code and models are at\nhttps://example.org/code,\nand more is to come.\n--\n")
    assert rules_of(in_page(text=broken, issue=issue), issue) == []
    assert rules_of(in_page(text=("--\n", "see https://example.org/elsewhere for more\n--\n"))) == []


def test_punctuation_behind_a_link_in_the_text_is_not_part_of_it() -> None:
    assert rules_of(in_page(text=("https://example.org/0", "(https://example.org/0)."))) == []
    assert rules_of(in_page(text=("https://example.org/0", "https://example.org/0."))) == []
