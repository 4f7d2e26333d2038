from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import RenderError
from newsletter.core.subscriber import Subscriber
from newsletter.core.text import one_line
from newsletter.core.tokens import Links
from newsletter.core.topics import TopicsMode
from newsletter.render.mime.addresses import Mailbox
from newsletter.render.mime.single import single_message
from tests.render import mails as make

UNSUBSCRIBE = make.LINKS.unsubscribe(42)


def read(raw: bytes) -> EmailMessage:
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def body(raw: bytes, subtype: str) -> str:
    part = read(raw).get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_header_has_what_providers_ask_for_and_nothing_twice() -> None:
    parsed = read(make.mail(to=make.delivery("reader@example.org", "Ann Reader")))
    assert dict(parsed.items()) == {
        "From": "Daily Papers <papers@example.org>",
        "Subject": make.SUBJECT,
        "To": "Ann Reader <reader@example.org>",
        "Date": "Thu, 12 Mar 2026 08:00:00 +0000",
        "Message-ID": f"<20260312.{make.LINKS.delivery_mark(7)}@example.org>",
        "X-Newsletter-Delivery": make.LINKS.delivery_mark(7),
        "List-Unsubscribe": f"<{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "Daily Papers <daily.example.org>",
        "List-Help": "<https://papers.example.org/daily/>",
        "List-Archive": "<https://papers.example.org/daily/>",
        "List-Post": "NO",
        "Precedence": "list",
        "Auto-Submitted": "auto-generated",
        "Feedback-ID": "20260312:daily:issue:exampleorg",
        "MIME-Version": "1.0",
        "Content-Type": parsed["Content-Type"],
    }
    assert len(parsed.keys()) == len(set(parsed.keys()))


def test_it_is_an_alternative_of_text_and_then_html() -> None:
    parsed = read(make.mail())
    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert not any(part.defects for part in parsed.walk())


def test_both_parts_read_back_as_they_were_rendered() -> None:
    raw = make.mail(to=make.delivery(name="Ann <3"))
    text, html = body(raw, "plain"), body(raw, "html")
    assert text.startswith("Hello Ann <3,\n\nPaper 0 on agents\nhttps://example.org/0\n\nPaper 1 on stars\n")
    assert text.endswith(f"\nLeave:\n{UNSUBSCRIBE}\n")
    assert "Hello Ann &lt;3</p>" in html
    assert f'href="{UNSUBSCRIBE}"' in html
    assert "%%" not in text + html


def test_a_readers_topics_order_the_listings_and_say_what_matched() -> None:
    raw = make.mail(to=make.delivery(topics=("cells", "agents")))
    text, html = body(raw, "plain"), body(raw, "html")
    for part in (text, html):
        assert part.index("Paper 0") < part.index("Paper 2") < part.index("Paper 1")
    assert "Paper 2 on agents in cells\n       [cells · agents]\n" in text
    assert "Paper 0 on agents\n       [agents]\n" in text
    assert "Paper 1 on stars\nhttps://" in text
    assert " matches cells · agents</td>" in html


def test_readers_whose_topics_match_nothing_get_the_default_order() -> None:
    assert make.mail(to=make.delivery(topics=("unheard of",))) == make.mail()


def test_who_gets_a_part_of_the_issue_gets_the_subject_and_the_counts_of_that_part() -> None:
    of = make.issue(14)
    page = make.rendered(of)
    marks = page.text_markers
    slots = "|".join(marks.slot(name) for name in ("counts", "more_on_the_web", "preheader", "wishes"))
    flags = "".join(f"{marks.when(name)}{name}{marks.end()}" for name in ("roomy", "tight", "by_models", "by_day"))
    message = make.made_of(replace(page, text=f"{slots}|{flags}\n{page.text}"), of)

    def said_of(topics: tuple[str, ...], mode: TopicsMode) -> list[str]:
        reader = make.delivery(topics=topics).subscriber
        assert isinstance(reader, Subscriber)
        reader = replace(reader, topics_mode=mode)
        raw = message.for_reader(make.chosen(of, make.delivery()._replace(subscriber=reader)))[1]
        assert f"<title>{escape(read(raw)['Subject'])}</title>" in body(raw, "html")
        return [read(raw)["Subject"], *body(raw, "plain").partition("\n")[0].split("|")]

    preheader = "Paper 1 on stars · Paper 2 on agents in cells · 14 new papers"
    assert said_of((), TopicsMode.ONLY) == [
        *(make.SUBJECT, "14 new papers. About 4 minutes.", "", preheader, "", "tight"),
    ]
    cells = [f"Paper {position} on agents in cells" for position in (2, 5, 8, 11)]
    counts = "4 papers for you, and 10 others. About 4 minutes."
    preheader = " · ".join([*cells[1:3], "14 new papers"])
    assert said_of(("cells",), TopicsMode.FIRST) == [make.SUBJECT, counts, "", preheader, "cells", "tight"]
    counts, preheader = (
        "4 papers for you, of 14 new papers. About 3 minutes.",
        " · ".join([*cells[1:3], "4 of 14 new papers"]),
    )
    assert said_of(("cells",), TopicsMode.ONLY) == [
        *(", ".join(cells), counts, "10 more papers on the web", preheader, "cells", "roomy"),
    ]


def test_what_was_chosen_before_is_left_out() -> None:
    of = make.issue()
    raw = make.message(of).for_reader(make.chosen(of, make.delivery(), had=frozenset({0, 2})))[1]
    assert read(raw)["Subject"] == "Paper 1 on stars"
    assert "Paper 1 on stars" in body(raw, "plain")
    assert "agents" not in body(raw, "plain")


def test_a_copy_without_any_paper_can_be_looked_at() -> None:
    of = make.issue()
    raw = make.message(of).for_reader(make.chosen(of, make.delivery(), had=frozenset({0, 1, 2})))[1]
    assert read(raw)["Subject"] == make.SUBJECT
    assert "Paper" not in body(raw, "plain")


def test_each_attempt_makes_the_same_bytes_and_so_does_a_rendering_anew() -> None:
    assert make.mail() == make.mail()


def test_a_test_copy_is_the_same_mail_under_another_message_id_each_time() -> None:
    issue = make.issue()
    real, trial = make.message(issue), make.message(issue, trial=True)
    first = make.chosen(issue, make.delivery())
    second = first._replace(due_at=make.MOMENT + timedelta(minutes=1))
    ids = {
        read(item.for_reader(to)[1])["Message-ID"] for item, to in ((real, first), (trial, first), (trial, second))
    }
    assert len(ids) == 3
    assert body(trial.for_reader(first)[1], "html") == body(real.for_reader(first)[1], "html")


def test_the_size_of_the_page_is_that_of_its_bytes_without_the_reader_s_values() -> None:
    issue = make.issue()
    to = make.chosen(issue, make.delivery(name="Ann"))
    html = read(make.message(issue).for_reader(to)[1]).get_body(("html",))
    assert html is not None
    values = len("Ann") + len(UNSUBSCRIBE) + len("reader@example.org")
    size = len(html.get_payload(decode=True))
    assert make.message(issue).pages.html_bytes(to.choice, to.subject) == size - values


def test_the_envelope_sender_is_the_senders_address() -> None:
    assert make.message().for_reader(make.delivery())[0] == "papers@example.org"


def test_what_comes_back_may_go_to_an_address_that_tells_whose_it_is() -> None:
    issue = make.issue(head=make.masthead(bounces_to="bounces@example.org"))
    envelope, raw = make.message(issue).for_reader(make.delivery())
    assert re.fullmatch(r"bounces\+7-[0-9a-f]{16}@example\.org", envelope)
    assert make.LINKS.read_delivery_mark(envelope[8:-12]) == 7
    assert read(raw)["From"] == "Daily Papers <papers@example.org>"


def test_answers_go_where_the_list_wants_them() -> None:
    assert read(make.mail())["Reply-To"] is None
    issue = make.issue(head=make.masthead(reply_to='"Lab, Example" <people@example.org>'))
    raw = make.mail(issue)
    assert read(raw)["Reply-To"] == '"Lab, Example" <people@example.org>'
    assert read(raw)["From"] == "Daily Papers <papers@example.org>"


def test_the_list_may_take_unsubscriptions_by_mail_too() -> None:
    issue = make.issue(head=make.masthead(unsubscribe_mailto="leave@example.org"))
    by_mail = make.LINKS.way_out_by_mail(42, "leave@example.org")
    assert read(make.mail(issue))["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>, <{by_mail}>"
    assert make.LINKS.read_unsubscribe_mail(unquote(by_mail)) == 42
    issue = make.issue(head=make.masthead(unsubscribe_mailto="mailto:leave@example.org?subject=out"))
    assert read(make.mail(issue))["List-Unsubscribe"].endswith("<mailto:leave@example.org?subject=out>")


def test_the_mailbox_for_what_comes_back_takes_unsubscriptions_too_and_has_the_token_in_its_address() -> None:
    issue = make.issue(head=make.masthead(bounces_to="bounces@example.org"))
    _, by_mail = read(make.mail(issue))["List-Unsubscribe"].split(", ")
    assert by_mail == f"<{make.LINKS.way_out_by_mail(42, 'bounces@example.org', tagged=True)}>"
    assert make.LINKS.read_unsubscribe_mail(by_mail.partition("?")[0]) == 42


def test_the_message_id_and_a_header_of_ours_name_the_delivery_and_nobody_else_can_make_them() -> None:
    parsed = read(make.mail())
    assert make.LINKS.read_delivery_mark(parsed["X-Newsletter-Delivery"]) == 7
    assert make.LINKS.read_delivery_mark(parsed["Message-ID"][10:-13]) == 7
    assert make.LINKS.read_delivery_mark(parsed["X-Newsletter-Delivery"].replace("7-", "8-")) is None


def test_without_public_pages_a_reader_leaves_by_mail_from_both_parts_and_the_header() -> None:
    links = Links("", make.LINKS.secret_key)
    raw = make.mail(links=links)
    parsed, link = read(raw), links.own_links(42, "papers@example.org").unsubscribe
    assert parsed["List-Unsubscribe"] == f"<{link}>"
    assert links.read_unsubscribe_mail(link.partition("subject=unsubscribe%20")[2]) == 42
    for name in ("List-Unsubscribe-Post", "List-Archive", "List-Help"):
        assert parsed[name] is None
    assert body(raw, "plain").endswith(f"\nLeave:\n{link}\n")
    assert f'href="{link}"' in body(raw, "html")


def test_without_public_pages_mails_of_leaving_go_to_the_mailbox_that_the_list_has_for_them() -> None:
    links = Links("", make.LINKS.secret_key)
    for address in ("leave@example.org", "mailto:leave@example.org?subject=out"):
        issue = make.issue(head=make.masthead(unsubscribe_mailto=address))
        raw = make.mail(issue, links=links)
        assert read(raw)["List-Unsubscribe"] == f"<{links.own_links(42, 'leave@example.org').unsubscribe}>"


def test_each_reader_has_a_page_of_preferences_and_without_pages_nothing_is_said_of_it() -> None:
    of = make.issue()
    page = make.rendered(of)
    markers = page.text_markers
    text = f"{markers.when('preferences_url')}{markers.slot('preferences_url')}{markers.end()}\n{page.text}"
    message = make.made_of(replace(page, text=text), of)
    first = body(message.for_reader(make.delivery())[1], "plain").splitlines()[0]
    assert make.LINKS.read_preferences(first.rpartition("/")[2]) == 42
    without = make.made_of(replace(page, text=text), of, links=Links("", make.LINKS.secret_key))
    assert "preferences" not in body(without.for_reader(make.delivery())[1], "plain")


def test_a_long_unsubscribe_link_stays_plain() -> None:
    links = Links("https://papers.example.org/" + "deep/" * 30, make.LINKS.secret_key)
    raw = make.mail(links=links)
    assert f"\r\nList-Unsubscribe: <{links.unsubscribe(42)}>\r\n".encode() in raw


def test_a_sender_beyond_ascii_is_encoded_and_its_domain_is_idna() -> None:
    issue = make.issue(head=make.masthead(sender="Bücher täglich <papers@bücher.example>", list="Tägliche Bücher"))
    envelope, raw = make.message(issue).for_reader(make.delivery())
    parsed = read(raw)
    assert envelope == "papers@xn--bcher-kva.example"
    assert parsed["From"] == "Bücher täglich <papers@xn--bcher-kva.example>"
    assert parsed["Message-ID"].endswith("@xn--bcher-kva.example>")
    assert parsed["List-Id"].endswith("<t-gliche-b-cher.xn--bcher-kva.example>")


def test_only_an_address_that_has_no_other_form_brings_utf_8_into_the_header() -> None:
    head, _, _ = make.mail(to=make.delivery("jörg@bücher.example", "Jörg")).partition(b"\r\n\r\n")
    assert "<jörg@xn--bcher-kva.example>".encode() in head
    assert head.replace("jörg@".encode(), b"").isascii()


@given(st.text(max_size=80), st.text(max_size=200))
def test_no_name_and_no_subject_can_add_a_field_or_a_recipient(name: str, subject: str) -> None:
    issue = make.issue(1, subject=subject + "\r\nBcc: victim@example.org")
    raw = make.mail(issue, make.delivery(name=name + "\r\nBcc: victim@example.org"))
    parsed = read(raw)
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == one_line(issue.subject)
    assert [address.addr_spec for address in parsed["To"].addresses] == ["reader@example.org"]
    assert len(parsed.keys()) == 17


PAGE = make.rendered(make.issue())
KEPT = make.made_of(PAGE, make.issue())


@given(st.text(max_size=80), st.integers(1, 10**12), st.integers(1, 10**12))
def test_readers_who_share_a_choice_get_what_each_would_get_alone_and_its_size_is_known(
    name: str, key: int, subscriber_key: int
) -> None:
    to = make.chosen(make.issue(), make.delivery(name=name))._replace(key=key, subscriber_key=subscriber_key)
    alone = make.made_of(PAGE, make.issue()).for_reader(to)[1]
    for mail in [KEPT.composed_for(to) for _ in range(3)]:  # what readers share is kept from the second on
        assert b"".join(mail.pieces) == alone
        assert mail.size == len(alone)


def test_a_sender_that_is_none_is_refused_when_the_message_is_built() -> None:
    with pytest.raises(RenderError, match="is not an address"):
        make.message(make.issue(head=make.masthead(sender="Daily Papers")))


def test_a_wrong_mark_is_refused_when_the_message_is_built() -> None:
    issue = make.issue()
    good = make.rendered(issue)
    bad = replace(good, text=good.text + good.text_markers.slot("nobody"))
    with pytest.raises(RenderError, match=r"`slot\.nobody`"):
        make.made_of(bad, issue)


def test_no_line_is_long_or_starts_with_a_dot() -> None:
    raw = make.mail(make.issue(20), make.delivery(name="." * 200))
    for line in raw.split(b"\r\n"):
        assert len(line) <= 100
        assert not line.startswith(b".")


def test_a_single_mail_is_made_the_same_way() -> None:
    raw = single_message(
        sender="Daily Papers <papers@example.org>",
        to=Mailbox("Jörg", "joerg@example.org"),
        content=("Willkommen – schön", "<p>Grüße</p>", "Grüße\n.\n"),
        date=make.MOMENT,
        message_id="<1@example.org>",
    )
    parsed = read(raw)
    assert parsed["To"] == "Jörg <joerg@example.org>"
    assert parsed["Subject"] == "Willkommen – schön"
    assert parsed["Message-ID"] == "<1@example.org>"
    assert parsed["List-Unsubscribe"] is None
    assert body(raw, "plain") == "Grüße\n.\n\n"
    assert body(raw, "html") == "<p>Grüße</p>\n"
