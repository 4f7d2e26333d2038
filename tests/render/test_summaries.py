"""What a mail shows of summaries that a model wrote for the list: each says who wrote it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html

from newsletter.core.choice import Choice, TextKind
from newsletter.core.issue import Issue
from newsletter.core.machine_summary import MachineSummary, SummaryShow
from newsletter.core.rendering import Writer
from newsletter.pipeline.publish import subjects
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.issue.view import headline, issue_view
from newsletter.render.lint.mail import Mail
from tests import factories
from tests.render import mails as make
from tests.render.reader import reader_mail
from tests.render.summarised import summarised

TEXT = "Says in one sentence what the paper does."
HOSTILE = '<b onmouseover="x()">%%slot.email%%</b>\r\nBcc: all@example.org \u202etxet' + "m" * 300


def summed(listings: int = 3, **changes: object) -> Issue:
    """Return an issue of which a model wrote a summary of every paper."""
    machine = replace(MachineSummary(text=TEXT, language="en", model="gpt-5-mini"), **changes)  # type: ignore[arg-type]
    of = factories.issue(factories.papers(listings))
    return replace(of, listings=tuple(replace(one, machine=machine) for one in of.listings))


def shown(mail: Mail) -> str:
    """Return what the HTML part shows, as one line."""
    return " ".join(html.document_fromstring(mail.html).text_content().split())


@pytest.mark.parametrize("papers", [3, 20])
def test_each_text_names_its_model_in_both_parts(renderer: TemplateRenderer, papers: int) -> None:
    mail = reader_mail(renderer, summed(papers))

    for part in (shown(mail), " ".join(mail.text.split())):
        assert part.count(TEXT) == papers
        assert part.count(f"{TEXT} AI summary by gpt-5-mini, not reviewed") == 1  # the lead
        assert part.count(f"{TEXT} (AI: gpt-5-mini, not reviewed)") == papers - 1
        assert "they may be wrong" in part
        assert "From the abstract" not in part
        assert "Read abstracts instead" in part


def test_both_shows_the_summary_first_and_then_what_is_shown_without_it(renderer: TemplateRenderer) -> None:
    with_both, without = reader_mail(renderer, summed(show=SummaryShow.BOTH)), factories.issue()

    for part in (shown(with_both), " ".join(with_both.text.split())):
        assert part.index("not reviewed") < part.index("Summary: A translation model built from attention alone")
        assert part.index("(AI: gpt-5-mini, not reviewed)") < part.index(
            "From the abstract: Prompted with a point"
        )
        assert "AI summary: A simple classification loss" in part  # by the model of the source
    assert without.listings[0].listing.summary in shown(reader_mail(renderer, without))


def test_a_reader_of_abstracts_gets_nothing_by_the_model(renderer: TemplateRenderer) -> None:
    of = summarised(factories.issue(factories.papers(3), masthead=factories.masthead(language="de")), "de")
    mail = reader_mail(renderer, of, text=TextKind.ABSTRACT)
    summaries = reader_mail(renderer, of)

    for part in (shown(mail), mail.text):
        assert "gpt-5-mini" not in part
        assert "KI-" not in part
        assert "Aufmerksamkeit ist alles" not in part
        assert "Attention Is All You Need" in part
        assert "Sequence models have leaned on recurrent" in " ".join(part.split())
    assert "Aufmerksamkeit ist alles" in shown(summaries)


def test_a_subject_has_the_translated_title_but_for_readers_of_abstracts(renderer: TemplateRenderer) -> None:
    of = summarised(factories.issue(factories.papers(3), masthead=factories.masthead(language="de-AT")), "de")
    subject_of = subjects(MailRenderer(renderer, make.LINKS), of)
    choice = Choice((1, 0), ((), ()))

    assert subject_of(choice).startswith("Alles segmentieren")
    assert subject_of(replace(choice, text=TextKind.ABSTRACT)).startswith("Segment Anything")
    assert subject_of(replace(choice, language="fr")).startswith("Segment Anything")


def test_a_title_in_another_language_than_the_mail_s_stays_out_of_the_line_of_the_inbox() -> None:
    german = summarised(factories.issue(factories.papers(3)), "de")
    same, other = (headline(issue_view(one, readable).listings[1]) for one in (german.in_language("de"), german))

    assert (same.title, same.own_title) == ("Alles segmentieren", "Segment Anything")
    assert same.read_as(TextKind.ABSTRACT).title == "Segment Anything"
    assert same.brief.startswith("Zusammenfassung von der KI gpt-5-mini, nicht geprüft: Schneidet")
    assert (other.title, other.own_title) == ("Segment Anything", "")
    assert other.brief.startswith("AI summary by gpt-5-mini, not reviewed: Schneidet")
    assert other.read_as(TextKind.ABSTRACT).writer is Writer.AUTHORS
    assert "Schneidet" not in other.read_as(TextKind.ABSTRACT).brief


def test_language_and_direction_are_those_of_each_text(renderer: TemplateRenderer) -> None:
    mail = reader_mail(renderer, summarised(factories.issue(factories.papers(3)), "ar", show=SummaryShow.BOTH))
    page = html.document_fromstring(mail.html)

    def around(text: str) -> list[tuple[str | None, str | None]]:
        found = [one for one in page.iter() if isinstance(one.tag, str) and text in (one.text or "")]
        return [
            (
                next((up.get("lang") for up in (one, *one.iterancestors()) if up.get("lang")), None),
                next((up.get("dir") for up in (one, *one.iterancestors()) if up.get("dir")), None),
            )
            for one in found
        ]

    assert around("الانتباه هو كل") == [("ar", "rtl")]
    assert around("يستغني هذا العمل") == [("ar", "rtl")]
    assert around("DPO: دالة") == [("ar", "rtl")]  # though it begins with Latin letters
    # In the line that the inbox shows, and beside the translated title.
    assert around("Attention Is All You Need") == [("en", "ltr"), ("en", "auto")]
    assert all(found == ("en", "ltr") for found in around("(AI: gpt-5-mini"))


def test_lines_in_another_direction_are_isolated_in_the_text_part(renderer: TemplateRenderer) -> None:
    text = reader_mail(renderer, summarised(factories.issue(factories.papers(3)), "ar")).text
    lines = [line for line in text.splitlines() if any("\u0600" <= char <= "\u06ff" for char in line)]

    assert len(lines) >= 5
    assert all(line.lstrip(" 0123456789").startswith("\u2067") and line.endswith("\u2069") for line in lines)
    assert "\u2067" not in reader_mail(renderer, summed()).text


def test_what_a_model_and_its_operator_write_is_only_text(renderer: TemplateRenderer) -> None:
    mail = reader_mail(renderer, summed(text=HOSTILE, title=HOSTILE, model=HOSTILE, show=SummaryShow.BOTH))
    page = html.document_fromstring(mail.html)

    assert not page.xpath("//b[@onmouseover]")
    assert '<b onmouseover="x()">%%slot.email%%</b> Bcc: all@example.org' in shown(mail)
    for part in (mail.html, mail.text):
        assert "\u202e" not in part
        assert "\nBcc" not in part
    labels = [one.text for one in page.iter("span") if (one.text or "").startswith("(AI:")]
    assert labels
    assert all(len(one) < 100 for one in labels)


def test_a_summary_of_a_paper_without_an_abstract_is_not_shown(renderer: TemplateRenderer) -> None:
    of = summed()
    bare = tuple(replace(one, listing=replace(one.listing, abstract="")) for one in of.listings)

    assert "gpt-5-mini" not in reader_mail(renderer, replace(of, listings=bare)).html


def test_a_long_mail_with_labels_fits(renderer: TemplateRenderer) -> None:
    of = summed(200, model="m" * 60, text=TEXT * 5, title="A title in other words " * 8, show=SummaryShow.BOTH)
    mail = reader_mail(renderer, replace(of, terms=replace(of.terms, max_listings=0)))

    assert 80_000 < len(mail.html.encode()) <= 95_000
    assert "more papers on the web" in shown(mail)


def test_samples_show_both_kinds_of_models(renderer: TemplateRenderer) -> None:
    mail = Mail(make.sample_mail("summaries", renderer))

    assert "(AI: meta-llama/llama-3.3-70b, not reviewed)" in shown(mail)
    assert "A simple classification loss on pairs of answers takes the place" in shown(mail)
