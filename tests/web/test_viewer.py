"""What the studio shows of real issues: drafts, closed ones and samples, with a real store and real templates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.bootstrap import packaged_templates
from newsletter.core.choosing import ChoiceWeights
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.ranking import Weights
from newsletter.core.subscriber import Origin, Subscriber
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic
from newsletter.delivery.mailer import RelayMailer
from newsletter.ports import Store
from newsletter.ports.previews import Asked, Considered
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.store import open_store
from newsletter.web.studio.one_message import Studio
from newsletter.web.studio.viewer import Viewer
from tests.backtest.recorded import MONDAY
from tests.editions.desk import LIST, Desk
from tests.store.samples import join
from tests.web.viewers import viewer_of

ANN = "ann@example.org"
TOPICS = {"odd": Topic(name="odd", keywords=("3", "7"))}
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await open_store(f"sqlite:///{tmp_path}/studio.db")
    yield made
    await made.close()


@pytest.fixture
def desk(tmp_path: Path, store: Store) -> Desk:
    made = Desk(tmp_path, store, list_=replace(LIST, topics=TOPICS))
    made.subscribe("ann", topics=("odd",))
    return made


def viewer(desk: Desk, *, own: Path | None = None) -> Viewer:
    links = Links("https://papers.example.org", "key")
    studio = Studio(
        files=desk,
        pipeline=desk.pipeline,
        renderer=MailRenderer(TemplateRenderer(own, packaged_templates()), links),
        mailer=RelayMailer([]),
        clock=lambda: desk.now,
    )
    return viewer_of(studio, links, own=own)


def chosen(considered: Considered) -> list[str]:
    return [one.title for one in considered.papers if one.place]


async def test_a_draft_says_of_each_candidate_where_it_stands_why_and_what_its_score_is_made_of(
    desk: Desk,
) -> None:
    await desk.pipeline.collect(desk.list_, MONDAY, now=desk.now)

    shown = await viewer(desk).message(Asked(list="daily", day=MONDAY, reader=ANN))

    considered = shown.considered
    papers = considered.papers
    assert not shown.frozen
    assert considered.most == 6
    assert [one.place for one in papers] == [*range(1, 7), *[0] * (len(papers) - 6)]
    assert {one.section for one in papers[:6]} <= {"lead", "for you", "also today", "in brief"}
    assert papers[0].section == "lead"
    assert papers[0].reasons
    assert papers[0].worth is not None
    assert {one.section for one in papers[6:]} == {"web only"}
    for one in papers:
        assert one.parts is not None
        assert one.parts.score == pytest.approx(one.score)
    assert all(one.size > 500 for one in papers[:6])
    assert sum(one.size for one in papers) < len(shown.raw)
    assert shown.checks > 20


async def test_weights_order_a_draft_anew_store_nothing_and_the_lines_say_how_to_keep_them(desk: Desk) -> None:
    await desk.pipeline.collect(desk.list_, TUESDAY, now=desk.now)
    asked = Asked(list="daily", day=TUESDAY)

    usual = await viewer(desk).considered(asked)
    other = await viewer(desk).considered(replace(asked, ranking={"votes": 0.0, "growth": 0.0}))

    assert chosen(usual) != chosen(other) or [one.score for one in usual.papers] != [
        one.score for one in other.papers
    ]
    assert all(one.parts is not None and one.parts.votes == 0 for one in other.papers)
    assert (other.ranking, other.usual) == (replace(Weights(), votes=0, growth=0), Weights())
    assert usual == await viewer(desk).considered(asked)


async def test_weights_of_the_choice_order_what_fits_a_reader(desk: Desk) -> None:
    await desk.pipeline.collect(desk.list_, MONDAY, now=desk.now)
    asked = Asked(list="daily", day=MONDAY, reader=ANN)
    for weights in (ChoiceWeights(), ChoiceWeights(named=0.0), ChoiceWeights(place=0.0)):
        considered = await viewer(desk).considered(replace(asked, choice=weights))
        fitting = [one.worth for one in considered.papers if one.worth]
        assert fitting
        assert all(one.named == pytest.approx(weights.named) for one in fitting)
        assert considered.choice == weights


async def test_of_a_closed_issue_the_parts_are_those_of_when_it_was_closed_and_no_weight_changes_it(
    desk: Desk,
) -> None:
    await desk.run(MONDAY)
    closed = await viewer(desk).considered(Asked(list="daily", day=MONDAY, reader=ANN))
    desk.now += timedelta(hours=9)
    await desk.pipeline.collect(desk.list_, MONDAY, now=desk.now)  # the votes have risen

    heavy = Asked(list="daily", day=MONDAY, reader=ANN, ranking={"votes": 9.0}, choice=ChoiceWeights(place=9.0))
    later = await viewer(desk).considered(heavy)

    assert later.frozen
    assert later.papers == closed.papers
    for one in later.papers:
        assert one.parts is not None
        assert one.parts.score == pytest.approx(one.score)
    desk.list_ = replace(desk.list_, ranking=Weights(votes=3.0))
    changed = await viewer(desk).considered(Asked(list="daily", day=MONDAY, reader=ANN))
    assert any(one.parts is None for one in changed.papers)  # they would not come to the score


async def test_sample_listings_stand_in_for_a_list_without_papers(desk: Desk) -> None:
    shown = await viewer(desk).message(Asked(list="daily", reader=ANN))
    assert shown.sample
    assert shown.note == "Sample listings: no papers are known for 2026-03-09 yet."
    assert all(one.parts and one.parts.freshness == 0 for one in shown.considered.papers)


async def test_somebody_without_wishes_can_be_of_any_language(desk: Desk) -> None:
    await desk.pipeline.collect(desk.list_, MONDAY, now=desk.now)
    one = viewer(desk)
    german = await one.message(Asked(list="daily", day=MONDAY, language="de"))
    english = await one.message(Asked(list="daily", day=MONDAY))
    assert b"Abbestellen" in german.raw or b"Abmelden" in german.raw
    assert b"Unsubscribe<" in english.raw
    assert "de" in await one.languages()


async def test_a_finding_leads_to_the_line_of_the_operators_own_template_until_other_templates_made_the_mail(
    desk: Desk, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "daily" / "body.html"
    own.parent.mkdir(parents=True)
    body = (packaged_templates() / "daily" / "body.html").read_text(encoding="utf-8")
    wrong = body.replace("{% block head %}", '{% block head %}<img src="https://example.org/x.png" width="5">')
    own.write_text(wrong, encoding="utf-8")
    await desk.pipeline.collect(desk.list_, MONDAY, now=desk.now)
    one, line = viewer(desk, own=own.parents[1]), body[: body.index("{% block head %}")].count("\n") + 1

    shown = await one.message(Asked(list="daily", day=MONDAY, reader=ANN))

    [remark] = [each for each in shown.remarks if each.rule == "image-alt"]
    assert (remark.tag, remark.template) == ("img", f"{own}:{line}")
    assert remark.failure

    await desk.run(MONDAY)  # by the packaged templates, so the mail has no such picture
    closed = await one.message(Asked(list="daily", day=MONDAY, reader=ANN))
    assert not [each for each in closed.remarks if each.rule == "image-alt"]


async def test_a_reader_is_described_by_their_wishes_what_they_said_and_what_became_of_their_mail(
    desk: Desk, store: Store
) -> None:
    one = viewer(desk)
    named = await one.portrait(Asked(list="daily", reader=ANN))
    assert named is not None
    assert named.known
    assert (named.hour, named.timezone, named.days) == ("08:00", "UTC", (0, 1, 2, 3, 4))
    assert named.states == {}

    for day in (MONDAY, TUESDAY):
        await desk.run(day)
    [ann] = await store.subscribers.records(list_name="daily")
    first = await store.issues.find("daily", MONDAY)
    assert first is not None
    for item, liked in zip(first.listings, (True, True, False), strict=False):
        await store.feedback.say(ann.key, item.key, liked=liked, now=desk.now)

    known = await one.portrait(Asked(list="daily", reader=ANN, day=TUESDAY))
    assert known is not None
    assert known.states == {TUESDAY: DeliveryState.SENT, MONDAY: DeliveryState.SENT}
    assert (known.liked, known.disliked) == (2, 1)
    stranger = await one.portrait(Asked(list="daily", reader="nobody@example.org"))
    assert stranger is not None
    assert not stranger.known
    assert await one.portrait(Asked(list="daily")) is None


async def test_addresses_are_found_in_the_ledger_and_in_files_that_are_not_applied_yet(
    desk: Desk, store: Store
) -> None:
    await join(store, Subscriber(list="daily", email="andy@example.org", origin=Origin.WEB), now=desk.now)
    one = viewer(desk)
    assert await one.readers("daily", "AN", most=9) == ["andy@example.org", ANN]
    assert await one.readers("daily", "ann", most=9) == [ANN]
    await desk.pipeline.sync(desk.file, now=desk.now)
    assert await one.readers("daily", "", most=9) == ["andy@example.org", ANN]
    assert await one.readers("daily", "", most=1) == ["andy@example.org"]


async def test_a_test_copy_to_no_address_is_refused_before_anything_is_made(desk: Desk) -> None:
    for to in (
        "",
        "nobody",
        "a@b\r\nBcc: c@example.org",
        "a@example.org, b@example.org",
        "x" * 300 + "@example.org",
    ):
        with pytest.raises(UsageError):
            await viewer(desk).send(Asked(list="daily"), to)


def test_each_weight_has_its_slider() -> None:
    page = (packaged_templates() / "web" / "studio_considered.html").read_text(encoding="utf-8")
    for kind in (Weights, ChoiceWeights):
        for one in fields(kind):
            assert f'("{one.name}", ' in page
