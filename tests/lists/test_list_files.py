from __future__ import annotations

from datetime import time, timedelta
from email.utils import parseaddr
from pathlib import Path

import pytest

from newsletter.core.choice import TextKind
from newsletter.core.errors import ConfigurationError, ListFileError
from newsletter.core.machine_summary import SummaryRule
from newsletter.core.newsletter_list import Cadence, Hours, Masthead, NewsletterList, SignUpRule
from newsletter.core.ranking import Weights
from newsletter.core.subscriber import Subscriber
from newsletter.core.topics import Topic, TopicsMode
from newsletter.lists.files import ListFiles
from newsletter.render.issue.theme import theme
from tests.rosters import named_by

MINIMAL = """
title = "Papers"
sender = "papers@example.org"
sources = ["huggingface"]
"""

FULL = """
title = "Daily Papers"
sender = "Daily Papers <papers@Example.org>"
reply_to = "Lab, Example <people@Example.org>"
postal_address = '''
1 Example Street
Exampleton'''
language = "pt-BR"
unsubscribe_mailto = "leave@example.org"
bounces_to = "bounces@example.org"
sources = ["huggingface", "arxiv:cs.CL+cs.LG"]
cadence = "weekly"
days = ["wed", "mon"]
weekly_day = "fri"
hour = "7:05"
timezone = "Asia/Tokyo"
hours = "20:00 - 6:00"
deadline = "2d"
lookback_days = 7
max_listings = 0
min_listings = 3
topics_mode = "only"
signup = "open"

[ranking]
votes = 2
freshness = 0.5

[theme]
intro = "Good morning"
outro = "Bye"
logo = "Papers, daily"
accent = "#1A6B4F"
accent_dark = "#7fd1b0"
background = "#ffffff"
background_dark = "#000000"
thumbnails = "no"

[topics.agents]
keywords = ["agent", "-real estate", "tool use"]
categories = ["cs.AI"]
exclude = ["survey"]

[topics."graph nets"]
authors = ["Ada Lovelace"]
organizations = ["Example Lab"]

[[subscribers]]
email = "reader@example.org"
name = "Rëader"
topics = ["graph nets", "agents", "agents"]
cadence = "daily"
hour = "07:30"
timezone = "Europe/London"
topics_mode = "first"
interest = "Graphs of people"
text = "abstract"

[[subscribers]]
email = "other@example.org"
"""


def accept(source: str) -> str:
    return ""


def files(folder: Path) -> ListFiles:
    return ListFiles(folder, check_source=accept)


def test_a_full_file_becomes_the_list_and_its_subscribers(tmp_path: Path) -> None:
    (tmp_path / "weekly_best-of.toml").write_text(FULL)
    loaded = files(tmp_path).load()["weekly_best-of"]
    assert loaded.list == NewsletterList(
        masthead=Masthead(
            list="weekly_best-of",
            title="Daily Papers",
            sender="Daily Papers <papers@example.org>",
            reply_to='"Lab, Example" <people@example.org>',
            postal_address="1 Example Street\nExampleton",
            language="pt-BR",
            unsubscribe_mailto="leave@example.org",
            bounces_to="bounces@example.org",
            intro="Good morning",
            outro="Bye",
            theme={
                "logo": "Papers, daily",
                "accent": "#1a6b4f",
                "accent_dark": "#7fd1b0",
                "background": "#ffffff",
                "background_dark": "#000000",
                "thumbnails": "no",
            },
            cadence=Cadence.WEEKLY,
        ),
        sources=("huggingface", "arxiv:cs.CL+cs.LG"),
        folder=str(tmp_path),
        cadence=Cadence.WEEKLY,
        days=(2, 0),
        weekly_day=4,
        hour=time(7, 5),
        timezone="Asia/Tokyo",
        hours=Hours(time(20), time(6)),
        deadline=timedelta(days=2),
        lookback_days=7,
        max_listings=0,
        min_listings=3,
        signup=SignUpRule.OPEN,
        ranking=Weights(votes=2, freshness=0.5),
        topics={
            "agents": Topic(
                name="agents",
                keywords=("agent", "tool use"),
                categories=("cs.AI",),
                exclude=("survey", "real estate"),
            ),
            "graph nets": Topic(name="graph nets", authors=("Ada Lovelace",), organizations=("Example Lab",)),
        },
        topics_mode=TopicsMode.ONLY,
        summaries=SummaryRule(language="pt-BR"),
    )
    assert named_by(loaded) == (
        Subscriber(
            list="weekly_best-of",
            email="reader@example.org",
            name="Rëader",
            topics=("graph nets", "agents"),
            cadence=Cadence.DAILY,
            hour=time(7, 30),
            timezone="Europe/London",
            topics_mode=TopicsMode.FIRST,
            interest="Graphs of people",
            text=TextKind.ABSTRACT,
        ),
        Subscriber(list="weekly_best-of", email="other@example.org"),
    )


def test_what_a_file_leaves_out_is_as_core_has_it(tmp_path: Path) -> None:
    (tmp_path / "papers.toml").write_text(MINIMAL)
    masthead = Masthead(list="papers", title="Papers", sender="papers@example.org")
    expected = NewsletterList(masthead=masthead, sources=("huggingface",), folder=str(tmp_path))
    assert files(tmp_path).load()["papers"].list == expected


def test_the_mail_knows_every_key_of_the_theme(tmp_path: Path) -> None:
    (tmp_path / "daily.toml").write_text(FULL)
    masthead = files(tmp_path).load()["daily"].list.masthead
    assert theme(masthead.theme, title=masthead.title).logo == "Papers, daily"


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("papers@example.org", "", "papers@example.org"),
        ("<papers@example.org>", "", "papers@example.org"),
        ("Päpers <päpers@exämple.org>", "Päpers", "päpers@exämple.org"),
        ("Papers, daily <papers@example.org>", "Papers, daily", "papers@example.org"),
        (r'"Papers, \"daily\"" <papers@example.org>', 'Papers, "daily"', "papers@example.org"),
    ],
)
def test_a_sender_is_a_name_and_an_address_whatever_the_name(
    tmp_path: Path, sender: str, name: str, address: str
) -> None:
    (tmp_path / "daily.toml").write_text(MINIMAL.replace('"papers@example.org"', f"'{sender}'"))
    assert parseaddr(files(tmp_path).load()["daily"].list.masthead.sender) == (name, address)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "daily.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert files(tmp_path).load()["daily"].list.masthead.title == "Papers"


def test_other_files_in_the_folder_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "daily.toml").write_text(MINIMAL)
    (tmp_path / ".#daily.toml").write_text("half a line that an editor kept")
    (tmp_path / "notes.txt").write_text("x")
    assert list(files(tmp_path).load()) == ["daily"]


def test_no_files_are_no_lists(tmp_path: Path) -> None:
    assert files(tmp_path).load() == {}


def test_a_missing_folder_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"subscribers: no list files: No such file or directory; .*`newsletter init`"
    ):
        files(tmp_path / "subscribers").load()


@pytest.mark.parametrize("name", ["Daily.toml", "daily papers.toml", "-daily.toml", "däily.toml", "daily.TOML"])
def test_a_file_whose_name_cannot_be_a_lists_name_is_a_mistake(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MINIMAL)
    with pytest.raises(ListFileError, match=":1: name the file in small letters, digits, - and _"):
        files(tmp_path).load()


def test_the_mistakes_of_all_files_come_at_once_in_order_and_relative_to_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("subscribers")
    folder.mkdir()
    (folder / "a.toml").write_text("title = 5\nfoo = 1\n" + MINIMAL.replace('title = "Papers"', ""))
    (folder / "b.toml").write_text("x = [1,\n")
    (folder / "c.toml").write_bytes(b'title = "x"\nname = "\xff"')
    (folder / "d.toml").mkdir()
    (folder / "good.toml").write_text(MINIMAL)
    with pytest.raises(ListFileError) as caught:
        files(folder).load()
    assert [str(mistake).split(": ")[0] for mistake in caught.value.mistakes] == [
        "subscribers/a.toml:1",
        "subscribers/a.toml:2",
        "subscribers/b.toml:1",
        "subscribers/c.toml:2",
        "subscribers/d.toml:1",
    ]
    assert str(caught.value).count("\n") == 4


def test_a_language_without_words_is_a_warning_that_names_those_there_are(tmp_path: Path) -> None:
    text = MINIMAL.replace("example.org", "journal.example") + '[[subscribers]]\nemail = "ada@journal.example"\n'
    for language in ("it", "pt-BR", "zh-TW"):
        (tmp_path / f"{language.lower()}.toml").write_text(f'\nlanguage = "{language}"\n{text}')
    files = ListFiles(tmp_path, check_source=lambda _: "")
    words = "the words of mails and pages stay English; they are known in en, de, es, fr, ja, pt, zh-Hans"
    assert list(files.warnings(files.check())) == [
        f"{tmp_path}/it.toml:2: language 'it': {words}",
        f"{tmp_path}/zh-tw.toml:2: language 'zh-TW': {words}",
    ]


def test_a_warning_names_the_line_of_what_it_is_about(tmp_path: Path) -> None:
    text = MINIMAL.replace("example.org", "journal.example").replace('["', '[\n  "', 1)
    (tmp_path / "daily.toml").write_text(f'{text}\n[summaries]\nmode = "all"\n')
    files = ListFiles(
        tmp_path, check_source=lambda _: "", warning_of=lambda spec, _: f"odd {spec[:4]}", has_model=False
    )
    lines = (tmp_path / "daily.toml").read_text().splitlines()
    about = {
        lines.index("[summaries]") + 1,
        next(n for n, line in enumerate(lines, 1) if line.startswith('  "')),
        1,
    }
    assert {
        int(warning.removeprefix(f"{tmp_path}/daily.toml:").partition(":")[0])
        for warning in files.warnings(files.check())
    } == about
