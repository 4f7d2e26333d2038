"""Each kind of mistake, with the line that it is reported on and what the operator reads."""

from __future__ import annotations

import os
import re
from pathlib import Path
from time import process_time

import pytest

from newsletter.core.errors import ListFileError
from newsletter.lists.document import read_text
from newsletter.lists.files import ListFiles

HEAD = 'title = "T"\nsender = "t@example.org"\nsources = ["huggingface"]\n'


def check_source(source: str) -> str:
    return "" if source == "huggingface" else f"there is no source {source!r}"


def mistakes(folder: Path, text: str) -> list[str]:
    """Return `line: message` of each mistake in a list file."""
    path = folder / "daily.toml"
    path.write_text(text)
    with pytest.raises(ListFileError) as caught:
        ListFiles(folder, check_source=check_source).check()
    assert {mistake.file for mistake in caught.value.mistakes} == {str(path)}
    return [f"{mistake.line}: {mistake.message}" for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "a." * 50_000 + "a = 1", "4: has a key of more than 100 parts: remove it"),
        (HEAD + "\n[" + "'a' . " * 50_000 + "a]\nb = 1", "5: has a key of more than 100 parts: remove it"),
        (HEAD + "a = { " + '"a"."é".' * 50_000 + "a = 1 }", "4: has a key of more than 100 parts: remove it"),
        (HEAD + "a." * 50 + "a = 1", "4: unknown key 'a'"),
        (HEAD + "k" * 300_000 + " = 1", "4: unknown key 'kkk"),
        (HEAD + "timezone = '" + "Europe/" * 50_000 + "'", "4: timezone: unknown timezone 'Europe/Europe/"),
        (HEAD + "a = " + "[" * 100_000 + "]" * 100_000, "1: is nested too deeply"),
        (HEAD + "a = " + "[" * 300 + "]" * 300 + "\nb = 1", "4: unknown key 'a'"),
        (HEAD + "\n".join(f"timezone{number} = 1" for number in range(5_000)), "4: unknown key 'timezone0'"),
    ],
    ids=["dotted", "table", "inline", "deep", "long key", "long value", "brackets", "nested", "many"],
)
def test_absurd_lengths_and_depths_are_explained_soon(tmp_path: Path, text: str, expected: str) -> None:
    began = process_time()
    assert mistakes(tmp_path, text)[0].startswith(expected)
    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "cadance = 'daily'", "4: unknown key 'cadance': did you mean 'cadence'?"),
        (HEAD + "zzz = 1", "4: unknown key 'zzz': choose from title, sender"),
        (
            HEAD + "[topics.a]\nkeyword = ['x']\nkeywords = ['x']",
            "5: unknown key 'keyword': did you mean 'keywords'?",
        ),
        (HEAD + "[theme]\nacent = '#000000'", "5: unknown key 'acent': did you mean 'accent'?"),
        (HEAD + "[theme]\nhour = '08:00'", "5: key 'hour' belongs to the list itself: move it up"),
        (HEAD + "cadence = 'dayly'", "4: cadence: unknown cadence 'dayly': did you mean 'daily'?"),
        (HEAD + "days = ['mon',\n'Tuesday']", "5: days: unknown day 'Tuesday': did you mean 'tue'?"),
        (HEAD + "days = ['mon', 'mon']", "4: days: one of them is named twice: remove it"),
        (HEAD + "hour = '24:00'", "4: hour: '24:00' is not a time of day: write it like \"08:00\""),
        (HEAD + "hour = 08:00:00", "4: hour: write it as text, in quotes"),
        (
            HEAD + "timezone = 'Europe/Lodon'",
            "4: timezone: unknown timezone 'Europe/Lodon': did you mean 'Europe/London'?",
        ),
        (HEAD + "timezone = '%'", "4: timezone: unknown timezone '%': write a name such as \"Europe/London\""),
        (HEAD + "timezone = '../x'", "4: timezone: unknown timezone '../x'"),
        (
            HEAD + "deadline = '1 week'",
            '4: deadline: \'1 week\' is not a span of time: write it like "36h" or "2d"',
        ),
        (HEAD + "hours = '08:00'", "4: hours: '08:00' are no hours: write them like \"07:00-21:00\""),
        (HEAD + "hours = '7-21'", "4: hours: '7' is not a time of day: write it like \"08:00\""),
        (HEAD + "hours = '07:00-24:00'", "4: hours: '24:00' is not a time of day"),
        (HEAD + "hours = '07:00-7:00'", "4: hours: '07:00-7:00' begin when they end: leave the key out"),
        (HEAD + "hours = [7, 21]", "4: hours: write it as text, in quotes"),
        (HEAD + "[[subscribers]]\nemail = 'a@b.org'\nhours = '7-21'", "6: key 'hours' belongs to the list itself"),
        (HEAD + "deadline = '0h'", "4: deadline: '0h' is not a span of time"),
        (HEAD + "lookback_days = -1", "4: lookback_days: should be greater than or equal to 0, not -1"),
        (HEAD + "max_listings = '20'", "4: max_listings: write a whole number, without quotes"),
        (HEAD + f"max_listings = {10**22}", "4: max_listings: should be less than or equal to 1000000, not 1000"),
        (HEAD + f"max_listings = 0\nmin_listings = {10**22}", "5: min_listings: should be less than or equal to"),
        (HEAD + "min_listings = 5\nmax_listings = 4", "4: min_listings: is more than max_listings (4)"),
        (HEAD + "signup = 'maybe'", "4: signup: should be 'open', 'approval' or 'closed', not 'maybe'"),
        (HEAD + "language = 'English please'", "4: language: 'English please' is not a language tag"),
        (HEAD + "unsubscribe_mailto = 'x'", "4: unsubscribe_mailto: 'x' is not a mail address: "),
        (HEAD + "[theme]\naccent = 'red'", "5: theme.accent: 'red' is not a colour: write six hex digits"),
        (HEAD + "theme = 'x'", "4: theme: write it as a table: [theme]"),
        (HEAD + "topics = ['x']", "4: topics: write it as a table: [topics]"),
        (HEAD + "[topics]\na = ['x']", "5: topics.a: write it as a table: [topics.a]"),
        (HEAD + "[topics.a]", "4: topics.a: matches nothing: add keywords, categories, authors or organizations"),
        (HEAD + "[topics.a]\nkeywords = ['-x']\nexclude = ['y']", "4: topics.a: matches nothing: add keywords"),
        (
            HEAD + "landing = 'arxiv-html'",
            "4: landing: unknown landing page 'arxiv-html': did you mean 'arxiv_html'?",
        ),
        (HEAD + "topics_mode = 'olny'", "4: topics_mode: unknown mode 'olny': did you mean 'only'?"),
        (HEAD + "weekly_day = 'friday'", "4: weekly_day: unknown day 'friday': did you mean 'fri'?"),
        (HEAD + "[ranking]\nvote = 1", "5: unknown key 'vote': did you mean 'votes'?"),
        (HEAD + "[ranking]\nstars = '1'", "5: ranking.stars: write a number, without quotes"),
        (HEAD + "[ranking]\nstars = -1", "5: ranking.stars: should be greater than or equal to 0, not -1"),
        (HEAD + "[topics.a]\nkeywords = 'x'", "5: topics.a.keywords: write a list in square brackets"),
        (HEAD + "[topics.a]\nkeywords = ['x',\n' ']", "6: topics.a.keywords: must not be empty"),
        (HEAD + "[topics.'a;b']\nkeywords = ['x']", "4: topics: 'a;b' cannot be a topic's name"),
        (HEAD + "[subscribers]\nemail = 'a@example.org'", "4: write each subscriber as a table of its own"),
        (HEAD + "subscribers = ['a@example.org']", "4: write each subscriber as a table of its own"),
        (HEAD + "[[subscribers]]\nname = 'x'", "4: missing key 'email': add email = \"reader@example.org\""),
        (HEAD + "[[subscribers]]\nemail = 'x'", "5: email: 'x' is not a mail address: an email address must have"),
        (HEAD + "[[subscribers]]\nemail = 'a@b.org'\nnam = 'x'", "6: unknown key 'nam': did you mean 'name'?"),
        (HEAD + "[[subscribers]]\nemail = 5", "5: email: write it as text, in quotes"),
        (
            HEAD + "[[subscribers]]\nemail = 'a@example.org'\ntopics = ['x']",
            "6: topics: unknown topic 'x': this list",
        ),
        (
            HEAD
            + "[topics.agents]\nkeywords = ['x']\n[[subscribers]]\nemail = 'a@example.org'\ntopics = [\n'agnts']",
            "9: topics: unknown topic 'agnts': did you mean 'agents'?",
        ),
        (
            HEAD + "[[subscribers]]\nemail = 'a@example.org'\n[[subscribers]]\nemail = 'A@Example.org'",
            "7: A@Example.org is on the list already, in line 5: remove one of the two",
        ),
        (HEAD + "[[subscribers]]\nemail = 'a@example.org'\nname = \"x\\ny\"", "6: name: must be one line"),
        (
            HEAD + "days = ['sat']\n[[subscribers]]\nemail = 'a@example.org'\ndays = [\n'mon']",
            "7: days: name at least one of the list's days: sat",
        ),
        (HEAD + "[[subscribers]]\nemail = 'a@example.org'\ndays = 'mon'", "6: days: write a list in square"),
        (
            HEAD + "[[subscribers]]\nemail = 'a@example.org'\nlanguage = 'xx'",
            "6: language: there are no words in 'xx': choose from en, de",
        ),
        (HEAD + "title = 'again'\n", "4: is not valid TOML: Cannot overwrite a value (column"),
        (HEAD + "x = 'unclosed", "4: is not valid TOML: "),
        (HEAD + "x = [\n1,\n", "5: is not valid TOML: "),
        (HEAD.replace("huggingface", "huggingfaces"), "3: sources: there is no source 'huggingfaces'"),
        (HEAD.replace('["hugg', '[\n"hugg').replace('"]', '",\n"x:y"]'), "5: sources: there is no source 'x:y'"),
        (HEAD.replace('"huggingface"', ""), '3: sources: name at least one, such as "huggingface"'),
        (
            HEAD.replace('"t@example.org"', '"T t@example.org"'),
            "2: sender: 'T t@example.org' is not a sender: write it like",
        ),
        (HEAD.replace('"t@example.org"', '"T <t@x>"'), "2: sender: 't@x' is not a mail address: "),
        (
            HEAD.replace('"T"', '"a\\r\\nBcc: x@example.org"'),
            "1: title: must be one line, without control characters",
        ),
        (HEAD.replace('"T"', '" "'), "1: title: must not be empty"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_nesting_that_tomllib_cannot_follow_is_a_mistake_and_no_crash(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, HEAD + "x = " + "[" * 5000)
    assert "nested" in found


@pytest.mark.timeout(10)
def test_a_file_that_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(ListFileError, match=rf"{name}\.toml:1: cannot be read: it is no ordinary file"):
            read_text(tmp_path / f"{name}.toml")


def test_all_missing_keys_are_named_with_an_example_of_each(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "") == [
        "1: missing key 'sender': add sender = \"Daily Papers <papers@example.org>\"",
        "1: missing key 'sources': add sources = [\"huggingface\"]",
        "1: missing key 'title': add title = \"Daily Papers\"",
    ]


def test_a_wrong_list_does_not_hide_mistakes_of_its_subscribers(tmp_path: Path) -> None:
    text = "foo = 1\n[[subscribers]]\nemail = 'x'\nhour = 'noon'\n[[subscribers]]\nemail = 'x'\n"
    found = mistakes(tmp_path, text)
    assert {int(re.match(r"\d+", line)[0]) for line in found} == {1, 3, 4, 6}  # type: ignore[index]
    assert "6: x is on the list already, in line 3: remove one of the two" in found
