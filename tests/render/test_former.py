"""Issues that former versions closed still make their mail, from the rendering that is stored with them."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.issue import Issue
from newsletter.core.rendering import Rendering
from newsletter.render.issue.message import IssueMessage
from newsletter.render.lint.mail import Mail
from tests import factories
from tests.render import mails as make

# A rendering of twenty papers, as it was stored before mails had sections: numbered, with a table of contents.
STORED = Path(__file__).parent / "former" / "twenty.json.gz"


@pytest.fixture(scope="module")
def issue() -> Issue:
    return factories.issue(factories.papers(20), candidates=46)


@pytest.fixture(scope="module")
def message(issue: Issue) -> IssueMessage:
    rendering = TypeAdapter(Rendering).validate_json(gzip.decompress(STORED.read_bytes()))
    return IssueMessage(issue, rendering, links=make.LINKS)


def mail(message: IssueMessage, choice: Choice) -> Mail:
    to = make.delivery(*make.READER)._replace(choice=choice, subject="The subject that was stored")
    return Mail(message.for_reader(to)[1])


def test_all_its_papers_come_with_their_numbers(message: IssueMessage, issue: Issue) -> None:
    found = mail(message, Choice.first(20))
    assert "%%" not in found.html + found.text
    assert "Hello Ada Lovelace. Here are 20 of 46 new papers." in found.shown_text
    titles = [" ".join(heading.text_content().split()) for heading in found.page.iter("h2")]
    assert titles[1:] == [f"{item.rank}. {item.listing.title}" for item in issue.listings]
    assert len(found.page.findall(".//li")) == 20
    assert f"20. {issue.listings[19].listing.title}"[:40] in found.text
    assert make.LINKS.unsubscribe(42) in found.links


def test_a_part_of_it_comes_in_the_reader_s_order_with_what_matched(message: IssueMessage, issue: Issue) -> None:
    why = (Reason(ReasonKind.TOPIC, "agents"), Reason(ReasonKind.TOPIC, "cells"))
    found = mail(message, Choice((5, 2), (why, ())))
    titles = [" ".join(heading.text_content().split()) for heading in found.page.iter("h2")]
    assert titles == [
        f"{number}. {issue.listings[position].listing.title}" for number, position in enumerate((5, 2), start=1)
    ]
    assert "Here are 2 of 46 new papers." in found.shown_text
    assert re.search("[Mm]atches agents", found.shown_text)
    assert "Matches agents" in found.text
    assert not found.page.findall(".//li")


def test_what_its_own_fit_left_out_is_counted(message: IssueMessage, issue: Issue) -> None:
    rendering = TypeAdapter(Rendering).validate_json(gzip.decompress(STORED.read_bytes()))
    shorter = IssueMessage(issue, replace(rendering, left_out=frozenset({18, 19})), links=make.LINKS)
    assert "Here are 18 of 46 new papers; 2 more on the web." in mail(shorter, Choice.first(20)).shown_text
