"""Exports of other programs say who reads, and who left; what a column means is known by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import ListFileError
from newsletter.core.incoming import Incoming
from newsletter.core.subscriber import Member
from newsletter.lists.importing import Export, column_meanings

# Rows in the public column shapes of other programs, made by us.
MAILCHIMP = '''"Email Address","First Name","Last Name",Address,"Phone Number",Birthday,MEMBER_RATING,OPTIN_TIME,\
OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS
ann@lab.example,Ann,Lee,"1 Main St, Rome",,,2,,,"2024-01-01 10:00:00",192.0.2.1,,,,,,IT,62,"2024-01-01 10:00:00",\
1,9a,,"""Agents"",""x"""
'''
MAILCHIMP_UNSUBSCRIBED = """Email Address,First Name,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON
ann@lab.example,Ann,"2024-02-01 10:00:00",July,N/A
"""
MAILCHIMP_CLEANED = """Email Address,First Name,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
ann@lab.example,Ann,"2024-02-01 10:00:00",July
"""
SUBSTACK = """email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
ann@lab.example,false,,other,{},2024-01-01T00:00:00.000Z,
"""
LISTMONK = """uuid,email,name,attributes,status,created_at,updated_at
9a,ann@lab.example,Ann Lee,"{{""city"": ""Rome""}}",{},2024-01-01,2024-01-01
"""
BUTTONDOWN = """email,notes,metadata,tags,subscriber_type,source,creation_date,unsubscription_date
ann@lab.example,,{{}},agents,{},api,2024-01-01,
"""

PLAIN, NAMED = Member("ann@lab.example"), Member("ann@lab.example", "Ann")
FULL, WITH_TOPIC = Member("ann@lab.example", "Ann Lee"), Member("ann@lab.example", topics=("agents",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MAILCHIMP, Incoming(2, FULL._replace(topics=("agents",)))),
        (MAILCHIMP_UNSUBSCRIBED, Incoming(2, NAMED, barred="unsubscribed")),
        (MAILCHIMP_CLEANED, Incoming(2, NAMED, barred="bounced")),
        (SUBSTACK.format("false"), Incoming(2, PLAIN)),
        (SUBSTACK.format("true"), Incoming(2, PLAIN, barred="unsubscribed")),
        (LISTMONK.format("enabled"), Incoming(2, FULL)),
        (LISTMONK.format("blocklisted"), Incoming(2, FULL, barred="unsubscribed")),
        (BUTTONDOWN.format("regular"), Incoming(2, WITH_TOPIC)),
        (BUTTONDOWN.format("unsubscribed"), Incoming(2, WITH_TOPIC, barred="unsubscribed")),
        (BUTTONDOWN.format("undeliverable"), Incoming(2, WITH_TOPIC, barred="bounced")),
        (
            BUTTONDOWN.format("unactivated"),
            Incoming(2, WITH_TOPIC, skipped="was not confirmed there: unactivated"),
        ),
    ],
)
def test_exports_of_other_programs_are_read(tmp_path: Path, text: str, expected: Incoming) -> None:
    (tmp_path / "export.csv").write_text(text)
    assert Export(tmp_path / "export.csv", ["agents"]).whole() == [expected]
    (tmp_path / "export.csv").write_text(text.replace("\n", ",41\n").replace(",41", ",SHOE", 1))
    with pytest.raises(ListFileError, match=r"unknown column 'SHOE'.*--skip-unknown"):
        Export(tmp_path / "export.csv", ["agents"]).whole()
    assert Export(tmp_path / "export.csv", ["agents"], skip_unknown=True).whole() == [expected]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("E-Mail;Name\nann@lab.example;Änne\n", "cp1252"),
        ("sep=;\nE-Mail;Name\nann@lab.example;Änne\n", "cp1252"),
        ("e-mail\tname\nann@lab.example\tÄnne\n", "utf-16"),
        ("Mail,Full Name\r\nann@lab.example,Änne\r\n", "utf-8-sig"),
    ],
)
def test_spreadsheets_are_read_as_people_save_them(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "people.csv").write_bytes(text.encode(encoding))
    [row] = Export(tmp_path / "people.csv", []).whole()
    assert row.member == Member("ann@lab.example", "Änne")


def test_columns_mean_what_the_operator_says(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Contact,Who,Notes\nann@lab.example,Ann,x\n")
    columns = column_meanings(["Contact=email", "Who=Name", "Notes=ignore"])
    assert Export(tmp_path / "people.csv", [], columns).whole() == [Incoming(2, NAMED)]


def test_columns_that_nobody_knows_are_one_mistake_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email,shoe,hat\nann@lab.example,41,7\n")
    with pytest.raises(ListFileError, match=r"people\.csv:1: unknown columns .*--map .*--skip-unknown$"):
        Export(tmp_path / "people.csv", []).whole()


def test_all_wrong_rows_are_named_and_a_repeated_address_is_skipped(tmp_path: Path) -> None:
    rows = ("email,status", "ann@lab.example,active", "no address,active", ",active", "ANN@lab.example,active")
    (tmp_path / "people.csv").write_text("\n".join((*rows, "bob@lab.example,sleepy", "")))
    export = Export(tmp_path / "people.csv", [])
    assert [(row.line, row.skipped) for row in export.rows()] == [(2, ""), (5, "the same address as in line 2")]
    assert [(one.line, one.message.split(":")[0]) for one in export.mistakes] == [
        (3, "'no address' is not a mail address"),
        (4, "has no address"),
        (6, "status 'sleepy' is not known"),
    ]


@pytest.mark.parametrize("pair", ["Contact", "=email", "Contact=shoe"])
def test_a_meaning_that_is_none_is_named(pair: str) -> None:
    with pytest.raises(ValueError, match="COLUMN=FIELD, where FIELD is one of email, name"):
        column_meanings([pair])
