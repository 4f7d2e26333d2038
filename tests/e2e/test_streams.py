"""Output that cannot be written: whatever becomes of it, the work is done, once, and the exit code says so."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace

RUN = ("run", "--date", "2026-03-12")


async def through_shell(workplace: Workplace, command: str) -> tuple[int, str]:
    """Run a shell line in which `$N` is the program, and return the exit code and stderr."""
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=workplace.folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
            "N": " ".join(map(str, workplace.program)),
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(workplace.port),
            "NEWSLETTER_SMTP__SECURITY": "none",
            **workplace.of_cluster,
            **workplace.environment,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        executable="/bin/bash",
    )
    _, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return process.returncode, err.decode()


@pytest.fixture
def ready(workplace: Workplace) -> Workplace:
    """Return a folder with a list of one reader, and a page with papers."""
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    workplace.starts_python = True  # which opens its streams
    return workplace


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(">&-", marks=pytest.mark.long),
        "--json >/dev/full",
        pytest.param("2>&-", marks=pytest.mark.long),
        pytest.param(">/dev/full 2>/dev/full", marks=pytest.mark.long),
        "<&- >&- 2>&-",
    ],
)
async def test_a_run_sends_its_mail_once_wherever_its_output_goes(ready: Workplace, where: str) -> None:
    code, _ = await through_shell(ready, f"$N {' '.join(RUN)} {where}")
    assert code == 0
    assert len(ready.mails()) == 1
    ready.starts_python = False
    assert (await ready.run(*RUN)).code == 0
    assert len(ready.mails()) == 1
    assert (await ready.run("issues", "list", "--json")).json[0]["deliveries"] == {"sent": 1}


@pytest.mark.parametrize("command", ["run --date 2026-03-12", "status"])
async def test_whoever_reads_a_pipe_may_have_enough(ready: Workplace, command: str) -> None:
    code, _ = await through_shell(ready, f"set -o pipefail; $N {command} | true")
    assert code == 0
    code, err = await through_shell(ready, f"set -o pipefail; $N {command} 2> >(true) | head -c 1")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("issues list", marks=pytest.mark.long),
        "status --json",
        pytest.param("render --list daily --date 2026-03-12", marks=pytest.mark.long),
    ],
)
async def test_a_result_that_is_all_a_command_does_is_missed(ready: Workplace, command: str) -> None:
    code, err = await through_shell(ready, f"$N {command} >/dev/full")
    assert code == 1
    assert "stdout: No space left on device: the result is not complete" in err


async def test_a_reader_that_is_slow_and_does_not_block_loses_nothing(ready: Workplace) -> None:
    script = (
        "import fcntl, os, subprocess, sys, time\n"
        "back, front = os.pipe()\n"
        "fcntl.fcntl(front, fcntl.F_SETFL, os.O_NONBLOCK)\n"
        "fcntl.fcntl(front, fcntl.F_SETPIPE_SZ, 4096)\n"
        "one = subprocess.Popen(sys.argv[1:], stdout=front)\n"
        "os.close(front)\n"
        "time.sleep(3)\n"
        "size = sum(map(len, iter(lambda: os.read(back, 1000), b'')))\n"
        "sys.exit(0 if one.wait() == 0 and size == int(os.environ['SIZE']) else 1)\n"
    )
    (ready.folder / "slow.py").write_text(script)
    ready.starts_python = False
    await ready.run(*RUN)  # a frozen issue is always the same
    whole = await ready.run("render", "--list", "daily", "--date", "2026-03-12", "--format", "eml")
    ready.environment["SIZE"] = str(len(whole.out.encode()))
    assert len(whole.out) > 2 * 4096
    code, _ = await through_shell(
        ready, f"{sys.executable} slow.py $N render --list daily --date 2026-03-12 --format eml"
    )
    assert code == 0


@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(one, marks=pytest.mark.long) for one in ("koi8-r", "utf-16"))]
)
async def test_letters_that_a_terminal_has_not_are_replaced(ready: Workplace, encoding: str) -> None:
    title = "Daily \u03b1-\u5b57"
    file = ready.folder / "subscribers" / "daily.toml"
    file.write_text(file.read_text().replace("Daily Papers", title, 1))
    ready.environment["PYTHONIOENCODING"] = encoding
    ready.starts_python = encoding == "ascii"
    shown = ""
    for command in (*RUN, "--json"), RUN, ("issues", "list"), ("status",):
        process = await ready.start(*command)
        out, err = await process.communicate()
        assert process.returncode == 0, err
        shown = out.decode(encoding)
        assert shown
    assert f"{title.encode(encoding, 'replace').decode(encoding)}, times in UTC" in shown
    assert len(ready.mails()) == 1
