from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from newsletter.core.choice import TextKind
from newsletter.core.errors import ListFileError
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Subscriber
from newsletter.core.topics import TopicsMode
from newsletter.lists.files import ListFiles
from tests.rosters import named_by

LIST = """title = "T"
sender = "t@example.org"
sources = ["huggingface"]
members = "people.csv"
[topics.agents]
keywords = ["agent"]
[topics.vision]
categories = ["cs.CV"]
[[subscribers]]
email = "first@example.org"
"""


def load(folder: Path, members: str | bytes, text: str = LIST) -> tuple[Subscriber, ...]:
    (folder / "daily.toml").write_text(text)
    (folder / "people.csv").write_bytes(members if isinstance(members, bytes) else members.encode())
    files = ListFiles(folder, check_source=lambda _: "")
    files.check()
    return named_by(files.load()["daily"])


def mistakes(folder: Path, members: str | bytes, text: str = LIST) -> list[str]:
    with pytest.raises(ListFileError) as caught:
        load(folder, members, text)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def test_members_stand_behind_the_list_files_own_subscribers(tmp_path: Path) -> None:
    rows = (
        "hour,email,name,topics,cadence,timezone,topics_mode,interest,text,days,language\n"
        '7:30, ann@Example.org ,"Ünn, the first",vision; agents;,weekly,Asia/Tokyo,only,"graphs, mostly",'
        "abstract,Thu; mon,DE-at\n"
        ",bob@example.org,,,,,,,,,\n"
    )
    assert load(tmp_path, rows) == (
        Subscriber(list="daily", email="first@example.org"),
        Subscriber(
            list="daily",
            email="ann@example.org",
            name="Ünn, the first",
            topics=("vision", "agents"),
            cadence=Cadence.WEEKLY,
            hour=time(7, 30),
            timezone="Asia/Tokyo",
            topics_mode=TopicsMode.ONLY,
            interest="graphs, mostly",
            text=TextKind.ABSTRACT,
            days=(0, 3),
            language="de",
        ),
        Subscriber(list="daily", email="bob@example.org"),
    )


@pytest.mark.parametrize(
    "members",
    [
        b"\xef\xbb\xbfemail\nann@example.org\n",
        b"email\r\nann@example.org\r\n",
        b"email\n\n\nann@example.org",
        b'"email"\n"ann@example.org"\n\n',
        b"Email\nann@example.org\n",
        b" E-Mail \nann@example.org\n",
        b"\xef\xbb\xbfEMAIL,Name\r\nann@example.org,\r\n,\r\n , \r\n",
        b"email,\nann@example.org,\n",
        b"email,,\nann@example.org\n",
        b"email,,name\nann@example.org,,\n",
        b"email\nann@example.org,,,\n",
        b",\n,\nemail,name\nann@example.org,\n",
        b"Email;Name;Topics\r\nann@example.org;;\r\n;;\r\n",
        b"email\ttopics mode\nann@example.org\t\n",
        b"sep=;\r\nemail;name\r\nann@example.org;\r\n",
        b"email,name\rann@example.org,\r",
        b'"email\n",name\n"ann@example.org\n",\n',
    ],
)
def test_files_of_spreadsheets_and_editors_are_read_alike(tmp_path: Path, members: bytes) -> None:
    assert [one.email for one in load(tmp_path, members)] == ["first@example.org", "ann@example.org"]


def test_a_european_spreadsheet_separates_topics_by_the_same_sign_in_quotes(tmp_path: Path) -> None:
    rows = 'Topics;Email;Name\n"agents;vision";ann@example.org;"Ünn; the first"\nagents;bob@example.org;Bob, B.\n'
    _, ann, bob = load(tmp_path, rows)
    assert (ann.topics, ann.name) == (("agents", "vision"), "Ünn; the first")
    assert (bob.topics, bob.name) == (("agents",), "Bob, B.")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "email;topics\nann@example.org;agents;vision\n",
            "2: has 3 values for 2 columns: write email;topics, a value",
        ),
        (
            "email,\nann@example.org,Ann\n",
            "2: has 'Ann' in a column without a name: give the column one, or empty it",
        ),
        (
            "email\tname\nann@example.org\n",
            "2: has 1 values for 2 columns: write email<tab>name, a value with a tab",
        ),
        ("Email,E-mail\nann@example.org,\n", "1: column 'email' is there twice: remove one"),
        ("email|name\nann@example.org|Ann\n", "1: has no column 'email'"),
        ("Email;Phone\nann@example.org;1\n", "1: unknown column 'Phone': "),
        ("email,days\nann@example.org,mon fry\n", "2: days: unknown day 'fry': did you mean 'fri'?"),
        ("email,days\nann@example.org,sat\n", "2: days: name at least one of the list's days: mon, tue, wed, thu"),
        ("email,language\nann@example.org,it\n", "2: language: there are no words in 'it': choose from en, de"),
        ('email,name\nbob@example.org,"B\nob"\n,Cid\n', "2: name: must be one line"),
    ],
)
def test_what_is_doubtful_in_a_spreadsheet_is_a_mistake(tmp_path: Path, rows: str, expected: str) -> None:
    assert mistakes(tmp_path, rows)[0].startswith(f"people.csv:{expected}")


def test_every_mistake_in_the_rows_is_named_with_its_line(tmp_path: Path) -> None:
    rows = (
        "email,name,topics,cadence,hour,timezone\n"
        "ann@example.org,Ann,agents\n"
        '"bob@example.org","one\ntwo",agnts,,,\n'
        "not-an-address,,,,,\n"
        ",,,,,\n"
        "cid@example.org,,,dayly,25:00,Mars\n"
        "Bob@EXAMPLE.org,,,,,\n"
        "first@example.org,,,,,\n"
        "dan@example.org,,,,,,x\n"
        ",Eve,,,,\n"
    )
    advice = "write email,name,topics,cadence,hour,timezone, a value with a comma in quotes"
    twice = "is on the list already, in {}: remove one of the two"
    assert mistakes(tmp_path, rows) == [
        f"people.csv:2: has 3 values for 6 columns: {advice}",
        "people.csv:3: name: must be one line, without control characters",
        "people.csv:3: topics: unknown topic 'agnts': did you mean 'agents'?",
        "people.csv:5: email: 'not-an-address' is not a mail address: an email address must have an @-sign",
        "people.csv:7: cadence: unknown cadence 'dayly': did you mean 'daily'?",
        "people.csv:7: hour: '25:00' is not a time of day: write it like \"08:00\"",
        "people.csv:7: timezone: unknown timezone 'Mars': write a name such as \"Europe/London\"",
        f"people.csv:8: Bob@example.org {twice.format('line 3')}",
        f"people.csv:9: first@example.org {twice.format(f'{tmp_path}/daily.toml:10')}",
        f"people.csv:10: has 7 values for 6 columns: {advice}",
        "people.csv:11: email: has no address: add it, or remove the row",
    ]


def test_a_text_in_utf_16_as_excel_saves_it_is_read(tmp_path: Path) -> None:
    rows = "Email\tName\r\nann@example.org\tÄnn 村\r\n"
    assert [reader.name for reader in load(tmp_path, rows.encode("utf-16"))] == ["", "Änn 村"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ("", ["people.csv:1: has no column 'email': begin with a header row such as email,name,topics,"]),
        ("name\nAnn\n", ["people.csv:1: has no column 'email'"]),
        (
            "mail,name\na@example.org,Ann\n",
            ["people.csv:1: has no column 'email', but 'mail', 'name': begin with a header row such as email,"],
        ),
        (
            "Email Address,First Name,Tags,MEMBER_RATING\nann@example.org,Ann,x,2\n",
            ["people.csv:1: unknown columns 'First Name', 'Tags', 'MEMBER_RATING': remove them"],
        ),
        ("email,tz\na@example.org,\n", ["people.csv:1: unknown column 'tz': choose from email, name, topics"]),
        (
            "email,email\na@example.org,\n",
            ["people.csv:1: column 'email' is there twice", "people.csv:2: email: has no address"],
        ),
        (
            'email\na@example.org\n"b@example.org\n',
            ["people.csv:3: is not valid CSV from here on: unexpected end of data"],
        ),
        (b"email,name\na@example.org,\nb@example.org,\xe9\n", ["people.csv:3: is not UTF-8 text"]),
    ],
)
def test_a_file_that_cannot_be_understood_says_why(
    tmp_path: Path, members: str | bytes, expected: list[str]
) -> None:
    found = mistakes(tmp_path, members)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../people.csv", "daily.toml:4: members: '../people.csv' lies outside the list file's folder"),
        ("/etc/passwd", "daily.toml:4: members: '/etc/passwd' lies outside the list file's folder"),
        ("link.csv", "daily.toml:4: members: 'link.csv' lies outside the list file's folder"),
        ("none.csv", "daily.toml:4: members: there is no file "),
        ("sub", "daily.toml:4: members: there is no file "),
        ("", "daily.toml:4: members: must not be empty"),
        ("a\\u0000b", "daily.toml:4: members: must be one line, without control characters"),
    ],
)
def test_members_are_a_file_in_the_list_files_folder(tmp_path: Path, name: str, expected: str) -> None:
    folder = tmp_path / "subscribers"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "people.csv").write_text("email\n")
    (folder / "link.csv").symlink_to(tmp_path / "people.csv")
    found = mistakes(folder, "email\n", LIST.replace("people.csv", name))
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_members_may_lie_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.csv").write_text("email\nann@example.org\n")
    assert len(load(tmp_path, "", LIST.replace("people.csv", "sub/x.csv"))) == 2


def test_mistakes_of_the_list_and_of_its_members_come_together(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "email\nx\n", LIST.replace('title = "T"', "title = 5"))
    assert [line.split(": ")[0] for line in found] == ["daily.toml:1", "people.csv:2"]


def test_a_long_list_is_read_whole(tmp_path: Path) -> None:
    rows = "".join(f"r{number}@d{number % 7}.example.org,agents,08:00\n" for number in range(5000))
    assert len(load(tmp_path, "email,topics,hour\n" + rows)) == 5001
