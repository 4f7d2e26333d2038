"""The links of a real mail lead to the pages that the site serves; those of a test copy to one that says so."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default
from html import unescape

import pytest

from newsletter.core.choice import Choice
from newsletter.core.delivery import Delivery, DeliveryState
from newsletter.core.tokens import TEST_COPY
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from tests.web.site import DAY, LINKS, NOW, READER, Site
from tests.web.studio import TEMPLATES

RENDERER = MailRenderer(TemplateRenderer(None, TEMPLATES), LINKS)


async def paths(site: Site, reader_key: int) -> dict[str, str]:
    """Return the paths of our own pages that the HTML part of a mail links to, by the words of the links."""
    issue = await site.store.issues.find("daily", DAY)
    assert issue is not None
    delivery = Delivery(
        key=7,
        issue_key=issue.key,
        subscriber_key=reader_key,
        subscriber=READER,
        state=DeliveryState.SENDING,
        due_at=NOW,
        choice=Choice.first(1),
        subject="Sparse teachers",
    )
    message = RENDERER.message(issue, RENDERER.render(issue), trial=reader_key == TEST_COPY)
    body = message_from_bytes(message.for_reader(delivery)[1], policy=default).get_body(("html",))
    assert body is not None
    links = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', body.get_content(), re.DOTALL)
    return {
        re.sub(r"<[^>]+>", "", unescape(words)).strip(): unescape(link).removeprefix(LINKS.public_url)
        for link, words in links
        if link.startswith(LINKS.public_url)
    }


async def test_a_reader_says_what_they_think_of_a_paper_by_the_links_of_the_mail(site: Site) -> None:
    found = await paths(site, site.reader_key)
    for words, liked in (("More like this", True), ("Less", False)):
        assert (await site.client.get(found[words])).status_code == 200
        assert (await site.client.post(found[words])).status_code == 200
        [said] = await site.store.feedback.of_address("daily", READER.address_key)
        assert (said.example.title, said.liked) == ("Sparse teachers", liked)


async def test_a_paper_is_cited_by_the_link_of_the_mail(site: Site) -> None:
    answer = await site.client.get((await paths(site, site.reader_key))["Cite"], follow_redirects=True)
    assert answer.status_code == 200
    assert "@misc{paper2026sparse," in answer.text


async def test_a_reader_comes_to_their_preferences_to_weekly_issues_and_others_to_the_sign_up(site: Site) -> None:
    found = await paths(site, site.reader_key)
    for words, heading in (
        ("Preferences", "Your Papers"),
        ("Weekly instead", "The best of each week instead?"),
        ("Sign up yourself", "Get trending papers"),
    ):
        assert f"<h1>{heading}" in (await site.client.get(found[words])).text


@pytest.mark.parametrize("words", ["More like this", "Less", "Unsubscribe", "Preferences", "Weekly instead"])
async def test_links_of_a_test_copy_say_that_it_is_one(site: Site, words: str) -> None:
    path = (await paths(site, TEST_COPY))[words]
    for answer in (await site.client.get(path), await site.client.post(path)):
        assert answer.status_code == 200
        assert "<h1>This is a test copy</h1>" in answer.text
    assert not await site.has_left()
    assert await site.store.feedback.of_address("daily", READER.address_key) == ()
