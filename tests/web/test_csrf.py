from __future__ import annotations

import pytest

from newsletter.web.csrf import is_from_own_page
from tests.web.signup_desk import SIGN_UP
from tests.web.site import Site

HOSTS = {"papers.example.org", "localhost:8000"}


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "what"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://papers.example.org"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),
        ({"Origin": "https://papers.example.org"}, True),
        ({"Origin": "http://LOCALHOST:8000"}, True),
        ({"Origin": "http://localhost:8001"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://papers.example.org.evil.example"}, False),
        ({"Origin": "https://papers.example.org@evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://[::1"}, False),
    ],
)
def test_what_browsers_say_of_where_a_form_stood_decides(headers: dict[str, str], passes: bool) -> None:
    assert is_from_own_page(headers, HOSTS) is passes


async def test_a_form_of_another_site_changes_nothing_but_may_ask_for_a_mail_or_end_them(site: Site) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    feedback = "/-/feedback/x/1/more"
    assert (await site.client.post(feedback, headers=foreign)).status_code == 403
    assert (await site.client.post(feedback, headers={"Origin": "null"})).status_code == 403
    assert (await site.client.post(feedback)).status_code == 404
    answer = await site.client.post(SIGN_UP, data={"email": "ada@example.org"}, headers=foreign)
    assert answer.status_code == 200
    one_click = {"List-Unsubscribe": "One-Click"}
    assert (await site.client.post(site.path, data=one_click, headers=foreign)).status_code == 200
    assert await site.has_left()
