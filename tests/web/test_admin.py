"""The operator's pages: who gets in, what they show, what their forms do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.alarms import Cause
from newsletter.core.delivery import DeliveryState
from newsletter.core.diagnosis import fail, ok, warn
from newsletter.core.halt import Halt, Order
from newsletter.core.steps import CANCELLED
from newsletter.operations.doctor.kept import Examination, content_of
from newsletter.ports import Suppression
from newsletter.web.admin.pages import read_place
from newsletter.web.admin.views import Moments, percent
from tests.clusters import queue, worker
from tests.store.samples import of_list
from tests.web.operator import READERS, TOKEN, Operator, ask_to_join, operator_site
from tests.web.site import NOW, Site

ISSUE = "issues/daily/2026-03-12/"
PAGES = (
    "",
    "issues/",
    ISSUE,
    f"{ISSUE}state",
    "deliveries/",
    "readers/",
    "suppressions/",
    "sources/",
    "workers/",
    "errors/",
)
ACTIONS = (ISSUE, "deliveries/", "deliveries/all", "readers/", "suppressions/", "sources/", "sign-out")
GONE = "gone@uni1.example"
QUEUED, SENT, DEFERRED = DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.DEFERRED
UNCERTAIN, REFUSED, WITHDRAWN = DeliveryState.UNCERTAIN, DeliveryState.REFUSED, DeliveryState.WITHDRAWN


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Operator]:
    """Somebody on this machine who has not signed in."""
    async with operator_site(tmp_path) as operator:
        yield operator


@pytest.fixture
async def operator(visitor: Operator) -> Operator:
    """An operator who has signed in."""
    assert (await visitor.sign_in()).status_code == 303
    return visitor


# Who gets in


async def test_who_has_not_signed_in_is_asked_to_and_changes_nothing(visitor: Operator) -> None:
    for path in PAGES:
        answer = await visitor.get(path)
        assert answer.status_code == 303
        assert answer.url.join(answer.headers["Location"]).path == "/-/admin/sign-in"
    for path in ACTIONS:
        answer = await visitor.client.post(f"/-/admin/{path}", data={"action": "cancel", "address": GONE})
        assert answer.status_code == 303
    assert (await visitor.counts())[QUEUED] == 5
    assert await visitor.store.suppressions.number() == 2
    assert not visitor.collected


async def test_for_other_networks_there_are_no_such_pages(operator: Operator) -> None:
    from_elsewhere = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
    for path in (*PAGES, "sign-in"):
        assert (await operator.client.get(f"/-/admin/{path}", headers=from_elsewhere)).status_code == 404
    answer = await operator.client.post("/-/admin/sign-in", data={"token": "x"}, headers=from_elsewhere)
    assert answer.status_code == 404
    on_machine = {"X-Forwarded-For": "127.0.0.1"}
    assert (await operator.client.get("/-/admin/", headers=on_machine)).status_code == 200


async def test_without_a_token_there_are_no_such_pages(site: Site) -> None:
    for path in (*PAGES, "sign-in"):
        assert (await site.client.get(f"/-/admin/{path}")).status_code == 404


async def test_the_cookie_is_for_these_pages_alone_and_no_script_reads_it(visitor: Operator) -> None:
    answer = await visitor.sign_in()
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path" not in cookie  # so it is that of the form: /-/admin
    assert "Secure" not in cookie  # over plain HTTP on loopback
    by_proxy = {"X-Forwarded-Proto": "https"}
    answer = await visitor.client.post("/-/admin/sign-in", data={"token": TOKEN}, headers=by_proxy)
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "cookie" not in (await visitor.client.get("/daily/2026-03-12")).request.headers


async def test_a_wrong_token_is_refused_and_after_ten_tries_every_token_is(visitor: Operator) -> None:
    for _ in range(10):
        answer = await visitor.sign_in("a token that somebody guesses")
        assert answer.status_code == 403
        assert "not the token" in answer.text
        assert "Set-Cookie" not in answer.headers
    assert (await visitor.sign_in()).status_code == 429
    assert (await visitor.get()).status_code == 303


async def test_a_session_ends_after_twelve_hours_and_by_signing_out(operator: Operator) -> None:
    assert (await operator.get()).status_code == 200
    operator.now += timedelta(hours=12)
    assert (await operator.get()).status_code == 303
    operator.now -= timedelta(hours=1)
    assert (await operator.get()).status_code == 200
    assert "Sign in" in (await operator.post("sign-out")).text
    assert (await operator.get()).status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "A" * 40, "é" * 20])
async def test_a_session_that_we_did_not_seal_is_none(visitor: Operator, cookie: str) -> None:
    raw = f"newsletter_operator={cookie}".encode()
    answer = await visitor.client.get("/-/admin/", headers=[(b"Cookie", raw)])
    assert answer.status_code == 303


async def test_a_form_of_another_site_does_nothing(operator: Operator) -> None:
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await operator.client.post(f"/-/admin/{ISSUE}", data={"action": "cancel"}, headers=header)
        assert answer.status_code == 403
    assert (await operator.counts())[QUEUED] == 5


# What pages show


async def test_pages_show_the_state_and_name_the_exceptions(operator: Operator) -> None:
    first = (await operator.get()).text
    assert "2 deliveries are uncertain." in first  # before what is deferred: somebody must decide
    assert "5 queued, 2 deferred, 2 uncertain, 1 refused" in first
    assert f"{READERS} readers" not in first
    issue = (await operator.get(ISSUE)).text
    assert "greylisted" in issue
    assert "the mailbox is full" in issue
    returned = (await operator.get("readers/")).text
    assert "The mailbox is full" in returned
    assert "Complaint" in returned
    refused = (await operator.get("deliveries/?state=refused")).text
    assert "refused as spam" in refused
    assert "&lt;b&gt;spam" in refused
    assert "<b>spam" not in refused


async def test_what_strangers_wrote_stays_text_on_every_page(operator: Operator) -> None:
    await ask_to_join(operator, "new@example.org")
    for path in PAGES:
        answer = await operator.get(path)
        assert answer.status_code == 200, path
        assert "<teachers>" not in answer.text
        assert "<New>" not in answer.text
        assert "style=" not in answer.text  # the policy allows none
        assert "<script>" not in answer.text
        assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


async def test_what_a_link_says_was_done_is_chosen_from_our_words(operator: Operator) -> None:
    answer = await operator.get("?done=<script>&n=<b>")
    assert 'role="status"' not in answer.text
    assert "3 deliveries are due now" in (await operator.get("?done=due&n=3")).text
    assert (await operator.get("?done=due&n=" + "9" * 5000)).status_code == 200


async def test_deliveries_are_shown_page_by_page_each_once(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.web.admin.pages._DELIVERIES", 3)
    seen: list[str] = []
    path = "deliveries/"
    for _ in range(5):
        text = (await operator.get(path)).text
        seen += [part.split("<")[0] for part in text.split('<td class="reader"><span dir="auto">')[1:]]
        more = text.partition("after=")[2].partition('"')[0]
        path = f"deliveries/?after={more}"
        if not more:
            break
    assert len(seen) == len(set(seen)) == 4


@pytest.mark.parametrize(
    "path", ["issues/daily/2026-03-13/", "issues/none/2026-03-12/", "issues/daily/x/", "x/", "../x"]
)
async def test_what_there_is_not_is_not_found(operator: Operator, path: str) -> None:
    assert (await operator.get(path)).status_code == 404


# What forms do


async def test_an_issue_is_paused_resumed_and_cancelled(operator: Operator) -> None:
    halts = operator.store.halts
    answer = await operator.post(ISSUE, action="pause")
    assert "The issue is paused" in answer.text
    assert (await halts.of(1)).halt is Halt.PAUSED
    assert "daily of 2026-03-12 is paused." in (await operator.get()).text
    await operator.post(ISSUE, action="resume")
    assert (await halts.of(1)).halt is None
    answer = await operator.post(ISSUE, action="cancel")
    assert "7 deliveries withdrawn" in answer.text
    assert await operator.counts() == {SENT: 2, REFUSED: 1, UNCERTAIN: 2, WITHDRAWN: 7}
    again = await operator.post(ISSUE, action="resume")
    assert (again.status_code, "for good. Nothing was changed." in again.text) == (409, True)
    [one, *_] = await operator.store.outbox.records(states=[WITHDRAWN])
    assert one.reason == CANCELLED.reason


async def test_of_a_large_issue_a_page_withdraws_some_and_leaves_the_rest_to_the_tick(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.web.admin.actions._WITHDRAWN_AT_ONCE", 3)
    await operator.post(ISSUE, action="cancel")
    assert (await operator.counts())[WITHDRAWN] == 3
    assert await operator.store.outbox.open_issues() == [1]  # which the tick goes through


async def test_what_hangs_is_retried_and_released(operator: Operator) -> None:
    assert "2 deliveries are due now" in (await operator.post(ISSUE, action="retry")).text
    assert "2 deliveries are counted as sent" in (await operator.post(ISSUE, action="as-sent")).text
    assert (await operator.counts())[SENT] == 4
    async with operator.store.outbox.worker() as worker:
        assert len(await operator.store.outbox.claim(worker, issue_key=1, now=operator.now, limit=50)) == 7


async def test_one_delivery_is_decided_on_and_others_stay(operator: Operator) -> None:
    found = await operator.store.oversight.deliveries([DEFERRED, UNCERTAIN], limit=9)
    places = [f"{one.place.issue_key}-{one.place.key}" for one in found]
    await operator.post("deliveries/", place=places[0], decision="retry")
    await operator.post("deliveries/", place=places[1], decision="give up")
    await operator.post("deliveries/", place=places[2], decision="again")
    await operator.post("deliveries/", place=places[3], decision="as sent")
    assert await operator.counts() == {QUEUED: 6, SENT: 3, DEFERRED: 1, REFUSED: 1, WITHDRAWN: 1}
    late = await operator.post("deliveries/", place=places[3], decision="again")
    assert "Nothing was changed" in late.text
    for place, decision in ((places[0], "again"), ("1-99", "retry"), ("x", "retry"), (places[0], "x")):
        assert "Nothing was changed" in (await operator.post("deliveries/", place=place, decision=decision)).text


async def test_all_that_hangs_is_decided_on_at_once(operator: Operator) -> None:
    assert "2 deliveries are due now" in (await operator.post("deliveries/all", action="retry")).text
    assert "2 deliveries are queued again" in (await operator.post("deliveries/all", action="release")).text
    assert (await operator.counts())[QUEUED] == 7


async def test_suppressions_are_found_by_their_beginning_and_lifted(operator: Operator) -> None:
    await operator.store.suppressions.add(
        [
            Suppression(address=f"person{number}@other.example", list=None, reason="bounced", since=operator.now)
            for number in range(60)
        ],
        now=operator.now,
    )
    first = (await operator.get("suppressions/")).text
    more = first.partition('<a href="?q=')[2].partition('">')[0].replace("&amp;", "&")
    second = (await operator.get(f"suppressions/?q={more}")).text
    shown = [text.count("Mail again</button>") for text in (first, second)]
    assert shown == [50, 12]
    found = (await operator.get("suppressions/?q=Gone@")).text
    assert found.count("Mail again</button>") == 1
    assert "by the operator" in found

    assert "may get mail again" in (await operator.post("suppressions/", address=GONE, list="")).text
    assert (await operator.get("suppressions/?q=gone@")).text.count("Mail again</button>") == 0
    again = await operator.post("suppressions/", address=GONE, list="")
    assert (again.status_code, "neither suppressed nor held" in again.text) == (409, True)


@pytest.mark.parametrize(("decision", "readers"), [("accept", 1), ("decline", 0)])
async def test_who_signed_up_is_accepted_or_declined(operator: Operator, decision: str, readers: int) -> None:
    key = await ask_to_join(operator, "new@example.org")
    assert "1 reader wait" in (await operator.get()).text.replace("waits", "wait")
    assert "new@example.org" in (await operator.get("readers/")).text
    await operator.post("readers/", key=str(key), decision=decision)
    assert "decided on this before" in (await operator.post("readers/", key=str(key), decision=decision)).text
    emails = [one.email for one in await of_list(operator.store, "daily")]
    assert emails.count("new@example.org") == readers
    assert (await operator.post("readers/", key="x", decision=decision)).status_code == 409


async def test_sources_are_read_when_the_operator_says_so(operator: Operator) -> None:
    assert "being read" in (await operator.post("sources/")).text
    assert operator.collected == [operator.now]


async def test_workers_and_the_jobs_that_wait_for_them_are_shown(operator: Operator) -> None:
    first, page = (await operator.get()).text, (await operator.get("workers/")).text
    for one in (first, page):
        assert "relay.example:587" in one
        assert "no mail in the last minute" in one
    assert "None now." in page
    silent = replace(worker("mail-<2>", NOW, version="1.2.2"), seen_at=NOW - timedelta(seconds=20))
    operator.cluster.workers = [worker("mail-1", NOW, busy=3), silent]
    operator.cluster.queues = [queue("issues", NOW, due=12, later=1), queue("mails", NOW - timedelta(minutes=5))]
    first = (await operator.get()).text
    assert "2 workers on 2 machines" in first
    assert "3 of 8 chunks at work" in first
    assert "12 jobs due, 1 later<" in first
    assert "1 job due; no worker takes them" in first
    page = (await operator.get("workers/")).text
    assert "worker on mail-&lt;2&gt;" in page
    assert ">20 s ago<" in page
    assert "start <code>newsletter worker</code>" in page


async def test_errors_name_file_and_line_and_why_alarms_rang(operator: Operator) -> None:
    alarms, now = operator.store.alarms, operator.now
    await alarms.ring(Cause.SOURCES, "daily", "no source <answered>", day=now.date(), tell=[], now=now)
    await alarms.ring(Cause.RELAY, "relay.example:25", "no answer", day=None, tell=[], now=now)
    await alarms.over([Cause.RELAY], "relay.example:25", tell=[], now=now + timedelta(hours=1))
    (operator.folder / "subscribers" / "broken.toml").write_text("title = 5\n")
    text = (await operator.get("errors/")).text
    assert "broken.toml:1:" in text
    assert "no source &lt;answered&gt;" in text
    assert "The relay relay.example:25 takes no mail" in text
    assert text.count("since ") == text.count("until ") == 1
    assert "The file of list broken is wrong" in (await operator.get()).text


async def test_the_first_page_says_what_the_doctor_found_last(operator: Operator) -> None:
    assert "Not checked yet" in (await operator.get()).text
    file = operator.folder / "doctor.json"
    found = (
        warn("disk", "var: 300 MB are free", "make room"),
        ok("mx", "fine"),
        fail("spf", "<no> record", "add it"),
    )
    file.write_bytes(content_of(Examination(operator.now - timedelta(hours=1), found)))
    text = (await operator.get()).text
    assert (
        text.index("&lt;no&gt; record") < text.index("var: 300 MB are free") < text.index("All is well with mx.")
    )
    assert "checked at 07:00 today" in text
    assert "some time ago" not in text
    operator.now += timedelta(days=8)
    await operator.sign_in()
    assert "some time ago" in (await operator.get()).text
    file.write_text("[]")
    assert "Not checked yet" in (await operator.get()).text


async def test_the_part_that_the_script_asks_for_says_whether_the_issue_goes_out(operator: Operator) -> None:
    assert "data-going" in (await operator.get(f"{ISSUE}state")).text
    await operator.store.halts.obey(1, Order.PAUSE, now=operator.now)
    assert "data-going" not in (await operator.get(f"{ISSUE}state")).text


# Pure parts


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_is_all_only_if_it_is(part: int, whole: int) -> None:
    part = min(part, whole)
    assert (percent(part, whole) == "100.0 %") == (part == whole)


@given(st.text(max_size=40))
def test_whatever_stands_for_a_place_is_read_or_none(text: str) -> None:
    place = read_place(text)
    assert place is None or place.key >= 0


def test_moments_are_said_by_the_days_that_people_name() -> None:
    friday = datetime(2026, 8, 21, 16, 10, tzinfo=UTC)
    said = Moments("Europe/Berlin", friday)
    days = [timedelta(days=days) for days in (-2, -1, 0, 1, 3, 6, 7)]
    assert [said(friday + day) for day in days] == [
        *("18:10, Wed 19 August", "18:10 yesterday", "18:10 today", "18:10 tomorrow"),
        *("18:10 Mon", "18:10 Thu", "18:10, Fri 28 August"),
    ]
