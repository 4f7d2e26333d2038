from __future__ import annotations

import pytest

from newsletter.core.tokens import Links
from newsletter.core.topics import Topic
from newsletter.render.issue.fit import BUDGET
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint import lint
from newsletter.render.lint.mail import Mail
from newsletter.render.mime.signing import Signer, SigningKey
from tests import factories
from tests.render import mails as make


@pytest.mark.parametrize("name", sorted(make.issues()))
def test_the_linter_finds_nothing_in_our_issues(name: str, renderer: TemplateRenderer) -> None:
    signer = Signer("example.org", SigningKey("main", make.rsa_key()))
    assert lint(make.sample_mail(name, renderer, signer), make.issues()[name], https=True) == []


@pytest.mark.parametrize("name", sorted(make.issues()))
def test_the_linter_finds_nothing_in_our_issues_without_public_pages(
    name: str, renderer: TemplateRenderer
) -> None:
    issue, links = make.issues()[name], Links("", make.LINKS.secret_key)
    signer = Signer("example.org", SigningKey("main", make.rsa_key()))
    mails = MailRenderer(renderer, links, signer)
    raw = mails.message(issue, mails.render(issue)).for_reader(make.chosen(issue, make.delivery()))[1]
    assert lint(raw, issue, https=True) == []
    mail = Mail(raw)
    way_out = links.own_links(42, "papers@example.org").unsubscribe
    assert [link for link in mail.links if "unsubscribe%20" in link] == [way_out]
    assert way_out in mail.text
    assert "web version" not in mail.shown_text.lower()


@pytest.mark.parametrize("name", sorted(make.single_mails()))
def test_the_linter_finds_nothing_in_our_single_mails(name: str, renderer: TemplateRenderer) -> None:
    assert lint(make.single_mail(name, renderer), https=True) == []


@pytest.mark.parametrize("count", [100, 300])
def test_the_longest_values_of_a_reader_keep_within_the_budget(count: int, renderer: TemplateRenderer) -> None:
    topics = {name: Topic(name=name, keywords=("method",)) for name in ("<one> & only", "two", "three", "four")}
    issue = factories.issue(factories.papers(count), terms=factories.terms(topics=topics))
    local_part = "'&" * 32
    reader = make.delivery(f"{local_part}@{'x' * 60}.example.org", "<'𝒟&\">" * 100, topics=tuple(topics))
    mails = MailRenderer(renderer, make.LINKS)
    raw = mails.message(issue, mails.render(issue)).for_reader(make.chosen(issue, reader))[1]
    assert Mail(raw).html.count("&lt;one&gt; &amp; only") > 50
    assert 85_000 < len(Mail(raw).html.encode()) < BUDGET
