"""What the doctor says of the model that writes summaries."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.composition.examining import examine
from newsletter.core.diagnosis import Diagnosis, Health
from newsletter.core.machine_summary import SummaryMode, SummaryRule
from newsletter.core.newsletter_list import NewsletterList
from newsletter.operations.doctor.summaries import without_model
from newsletter.settings import load
from tests import factories
from tests.model_server import ModelServer, model_server
from tests.model_shapes import FAULTS

KEY = "sk-hunter2-hunter2"
LIST = """title = "Daily"
sender = "Daily <papers@example.org>"
postal_address = "1 Reading Lane"
sources = ["jsonl:papers-*.jsonl"]
"""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as made:
        made.key = KEY
        yield made


@pytest.fixture
def folder(tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder whose settings name the server."""
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def environment(server: ModelServer) -> dict[str, str]:
    return {
        "NEWSLETTER_SUMMARIES__URL": server.url,
        "NEWSLETTER_SUMMARIES__KEY": KEY,
        "NEWSLETTER_SUMMARIES__MODEL": "some-model",
        "NEWSLETTER_SMTP__PORT": "9",
    }


async def of_summaries() -> list[Diagnosis]:
    found = await examine(load(None))
    assert KEY not in str(found)
    return [one for one in found if one.check == "summaries"]


async def test_where_no_model_is_set_and_no_list_wants_one_nothing_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("URL", "KEY", "MODEL"):
        monkeypatch.delenv(f"NEWSLETTER_SUMMARIES__{name}")
    assert await of_summaries() == []


async def test_a_model_is_asked_once_and_its_time_and_tokens_are_told(folder: Path, server: ModelServer) -> None:
    [found] = await of_summaries()

    assert found.status is Health.OK
    assert found.says.startswith("some-model answers after ")
    assert found.says.endswith(" seconds, with 210 tokens in and 34 out; no list asks for summaries yet")
    [asked] = server.asked
    assert asked.paper["title"] == "Sorting Letters by Colour"
    assert "one sentence" in asked.instructions


async def test_a_server_that_counts_no_tokens_is_fine_too(folder: Path, server: ModelServer) -> None:
    server.shape = "without_usage"
    [found] = await of_summaries()
    assert "seconds, and counts no tokens" in found.says


async def test_a_model_whose_text_would_not_be_used_is_told(folder: Path, server: ModelServer) -> None:
    server.says = lambda _: "It sorts 97 % of all letters with FOO."
    [found] = await of_summaries()

    assert found.status is Health.WARN
    assert ", with 210 tokens in and 34 out, but its text would not be used: " in found.says
    assert found.do.startswith("try again, and set another NEWSLETTER_SUMMARIES__MODEL")


async def test_a_model_is_to_write_in_the_language_of_a_list(folder: Path, server: ModelServer) -> None:
    asks = '[summaries]\nmode = "all"\nlanguage = "de"\n'
    (folder / "subscribers" / "daily.toml").write_text(f"{LIST}\n{asks}")
    [in_english] = await of_summaries()
    server.says = lambda _: (
        "Briefe werden nach der Farbe ihrer Umschläge sortiert, was so schnell ist wie nach Adresse."
    )
    [in_german] = await of_summaries()

    assert "German (language tag de)" in server.asked[0].instructions
    assert "but its text would not be used" in in_english.says
    assert in_german.status is Health.OK


@pytest.mark.parametrize(
    ("fault", "says", "do"),
    [
        ("401", "no summary by some-model: 127.0.0.1:", "check NEWSLETTER_SUMMARIES__KEY"),
        ("402", "402 Insufficient Balance", "see that the account with this server has credit"),
        ("404_model", "404 The model `some-model` does not exist", "check NEWSLETTER_SUMMARIES__MODEL=some-model"),
        ("404_ollama", "try pulling it first", "run `ollama pull some-model`, or check"),
        ("429", "429 Rate limit reached", "try again"),
        ("html", "answers with a web page", "check NEWSLETTER_SUMMARIES__URL: is /v1 missing at its end?"),
        ("filtered", "the model's server filters", "set another NEWSLETTER_SUMMARIES__MODEL"),
    ],
)
async def test_trouble_is_a_warning_with_what_to_do(
    folder: Path, server: ModelServer, fault: str, says: str, do: str
) -> None:
    server.always = fault
    [found] = await of_summaries()

    assert found.status is Health.WARN  # issues go out with abstracts
    assert says in found.says
    assert do in found.do


async def test_a_model_that_hangs_holds_nobody_up(
    folder: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.always = "hang"
    monkeypatch.setenv("NEWSLETTER_SUMMARIES__TIMEOUT", "0.5")
    begun = time.monotonic()
    [found] = await of_summaries()

    assert time.monotonic() - begun < 20
    assert found.says.endswith("no answer in time (timeout: 0.5 s)")
    assert found.do == "see that the server is well, and NEWSLETTER_SUMMARIES__TIMEOUT"


async def test_a_broken_prompt_is_named(folder: Path, server: ModelServer) -> None:
    (folder / "templates" / "prompts").mkdir(parents=True)
    (folder / "templates" / "prompts" / "summary.txt").write_text("\n{{ abstract }}")
    [found] = await of_summaries()

    assert found.status is Health.WARN
    assert "templates/prompts/summary.txt:2: 'abstract' is undefined" in found.says
    assert server.asked == []


async def test_a_list_file_that_asks_for_summaries_is_looked_at(
    folder: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "subscribers" / "daily.toml").write_text(f'{LIST}\n[summaries]\nmode = "all"\n')
    [answered] = await of_summaries()
    for name in ("URL", "KEY", "MODEL"):
        monkeypatch.delenv(f"NEWSLETTER_SUMMARIES__{name}")
    [unanswered] = await of_summaries()

    assert answered.says.endswith("with 210 tokens in and 34 out")
    assert unanswered.says.startswith("subscribers/daily.toml asks for summaries, and no model is set")


def test_a_list_that_wants_summaries_of_no_model_is_named() -> None:
    wants, other = (
        NewsletterList(
            masthead=factories.masthead(list=name), sources=("huggingface",), summaries=SummaryRule(mode=mode)
        )
        for name, mode in (("wants", SummaryMode.MISSING), ("other", SummaryMode.OFF))
    )
    [found] = without_model([wants, other], "subscribers/{}.toml".format)

    assert found.status is Health.WARN
    assert found.says == "subscribers/wants.toml asks for summaries, and no model is set, so its papers have none"
    assert "NEWSLETTER_SUMMARIES__URL and NEWSLETTER_SUMMARIES__MODEL" in found.do


@pytest.mark.parametrize("fault", ["", "401"])
async def test_the_command_says_it_in_json_and_in_lines_and_never_the_key(
    folder: Path, server: ModelServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_LOG__LEVEL", "debug")
    server.always = fault
    outputs = [await asyncio.to_thread(doctor, folder, *words) for words in ((), ("--json",))]

    assert len(server.asked) == 2
    assert all(KEY not in one.stdout + one.stderr and "hunter2" not in one.stdout for one in outputs)
    lines, as_json = (one.stdout for one in outputs)
    assert "summaries" in lines
    [told] = [one for one in json.loads(as_json) if one["check"] == "summaries"]
    assert told["status"] == ("warn" if fault else "ok")


def doctor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("newsletter")), "--dir", str(folder), "doctor", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ), timeout=120)


def test_the_faults_that_are_tried_are_known_to_the_server() -> None:
    assert {"401", "402", "404_model", "404_ollama", "429", "html", "filtered", "hang"} <= set(FAULTS)
