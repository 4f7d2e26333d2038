"""What the contract of commands says of all of them: `--json`, where results go, what is said first."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIST, READER

if TYPE_CHECKING:
    from tests.cli.conftest import Call


@pytest.mark.parametrize("command", ["show", "pause"])
def test_a_list_that_is_not_there_is_wrong_usage(call: Call, folder: Path, command: str) -> None:
    code, _, err = call("issues", command, "--list", "dayly")
    assert (code, err) == (2, "newsletter: there is no list 'dayly'; there are: daily\n")


def test_a_status_that_is_none_is_named_without_a_word_of_a_library(call: Call, folder: Path) -> None:
    code, _, err = call("subscribers", "list", "--status", "left")
    assert (code, err.partition("'left'")[0]) == (2, "newsletter: Invalid value for '--status': ")


def test_tables_are_brought_up_to_date_in_the_words_of_machines(call: Call, folder: Path) -> None:
    assert call("db", "upgrade", "--json") == (0, '{"up_to_date": true}\n', "")


def test_the_fields_of_subscribers_stand_in_an_export_without_any(call: Call, folder: Path) -> None:
    nobody = call("subscribers", "export")[1]
    (folder / "subscribers" / "daily.toml").write_text(LIST + READER)
    call("subscribers", "apply")
    header, _ = call("subscribers", "export")[1].splitlines()
    assert nobody == f"{header}\n"
    [somebody] = json.loads(call("subscribers", "export", "--json")[1])
    assert header.split(",") == list(somebody)


def test_subscribers_are_exported_as_json(call: Call, folder: Path) -> None:
    assert json.loads(call("subscribers", "export", "--json")[1]) == []
    (folder / "subscribers" / "daily.toml").write_text(LIST + READER)
    assert call("subscribers", "apply")[0] == 0
    code, out, err = call("subscribers", "export", "--json")
    assert code == 0, err
    assert [(one["list"], one["address"]) for one in json.loads(out)] == [("daily", "ann@lab.example")]
    assert json.loads(out) == json.loads(call("subscribers", "list", "--json")[1])


def test_a_link_that_is_left_out_is_logged_with_the_reason_and_counted(call: Call, folder: Path) -> None:
    paper = {
        "title": "A",
        "url": "https://ada:s3cret@lab.example/",
        "code_url": f"https://lab.example/{'x' * 2000}",
    }
    (folder / "subscribers" / "papers-2026-03-12.jsonl").write_text(json.dumps(paper))
    code, out, err = call("collect", "--date", "2026-03-12", "--json")
    assert (code, [one["links_left_out"] for one in json.loads(out)]) == (0, [2])
    assert "a user name or a password" in err
    assert "more than 2,000 characters" in err
    assert "s3cret" not in err
    assert call("collect", "--date", "2026-03-12")[1].endswith(
        "0 of them new; 2 links left out, see the warnings\n"
    )


def test_a_folder_is_begun_in_the_words_of_machines(call: Call, tmp_path: Path) -> None:
    begun = tmp_path / "papers"
    code, out, err = call("init", str(begun), "--json")
    assert code == 0, err
    said = json.loads(out)
    assert said["folder"] == str(begun)
    assert f"wrote {begun / '.env'}" in said["done"]


def test_a_pipe_that_results_go_to_stays_a_pipe(call: Call, folder: Path) -> None:
    (folder / "subscribers" / "daily.toml").write_text(LIST + READER)
    assert call("subscribers", "apply")[0] == 0
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipe.read_text)
        if call("subscribers", "export", "-o", str(pipe))[0] or not pipe.is_fifo():
            pipe.unlink(missing_ok=True)
            pytest.fail("the pipe was replaced, and its reader waits for ever")
        assert "ann@lab.example" in read.result(timeout=10)


def test_a_file_that_cannot_be_written_is_named_before_sources_are_read(call: Call, folder: Path) -> None:
    code, _, err = call("render", "--list", "daily", "-o", "nowhere/mail.html")
    assert (code, err) == (2, "newsletter: nowhere/mail.html: cannot be written: there is no folder nowhere\n")
