"""An older copy of the database in the place of the newer one: noticed before anybody gets a second mail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.test_run import PAGE, save_page
from tests.e2e.workplace import Done, Workplace

pytestmark = pytest.mark.without_workers

RUN = ("run", "--date", "2026-03-13", "--json")
OTHER_PAGE = PAGE.replace("Sorting by Patience", "Searching by Luck").replace("quotes", "questions")


def database(workplace: Workplace) -> Path:
    return workplace.folder / "var" / "newsletter.db"


def remove_ledger(workplace: Workplace) -> None:
    for part in database(workplace).parent.glob("newsletter.db*"):
        if part.is_file():
            part.unlink()


async def issues_made(workplace: Workplace) -> Path:
    """Make two issues, and return a copy of the database from between them."""
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).code == 0
    copy = workplace.folder / "copy.db"
    shutil.copy(database(workplace), copy)
    save_page(workplace, "2026-03-13", OTHER_PAGE)
    assert (await workplace.run(*RUN)).json["deliveries"]["sent"] == 1
    assert len(workplace.mails()) == 2
    return copy


def told(done: Done) -> None:
    """See that a command said what is wrong in one line, and did nothing."""
    assert done.code == 78, done.err
    [complaint] = done.complaints
    assert "older copy" in complaint
    assert "newsletter issues accept-restored" in complaint
    assert done.out == ""


async def test_an_older_copy_is_noticed_and_nothing_is_sent_until_the_operator_decides(
    workplace: Workplace,
) -> None:
    copy = await issues_made(workplace)
    shutil.copy(copy, database(workplace))

    told(await workplace.run(*RUN))
    told(await workplace.run("run"))
    told(await workplace.run("serve"))
    assert len(workplace.mails()) == 2

    assert (await workplace.run("issues", "accept-restored", "--json")).json == {"accepted": True}
    again = await workplace.run(*RUN)
    assert (again.code, again.json["status"]) == (0, "sent")
    assert len(workplace.mails()) == 3
    assert (await workplace.run("issues", "accept-restored", "--json")).json == {"accepted": False}


async def test_a_copy_from_between_freezing_and_delivering_is_noticed(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    port, workplace.port = workplace.port, 9  # nobody is there
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["deliveries"]["queued"] == 1
    shutil.copy(database(workplace), workplace.folder / "copy.db")
    workplace.port = port
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["deliveries"]["sent"] == 1
    shutil.copy(workplace.folder / "copy.db", database(workplace))

    told(await workplace.run("run", "--date", "2026-03-12", "--json"))
    assert len(workplace.mails()) == 1


async def test_the_newer_database_put_back_is_as_if_nothing_had_been(workplace: Workplace) -> None:
    copy = await issues_made(workplace)
    newest = database(workplace).rename(workplace.folder / "newest.db")
    shutil.copy(copy, database(workplace))
    told(await workplace.run(*RUN))

    remove_ledger(workplace)
    newest.rename(database(workplace))

    assert (await workplace.run(*RUN)).json["sent_now"] == 0
    assert len(workplace.mails()) == 2


async def test_a_copied_folder_and_a_lost_mark_are_no_older_copies(workplace: Workplace) -> None:
    copy = await issues_made(workplace)
    whole = workplace.folder.with_name("elsewhere")
    shutil.copytree(workplace.folder, whole)
    workplace.folder = whole
    assert (await workplace.run(*RUN)).code == 0

    (whole / "var" / "high-water.json").unlink()
    shutil.copy(copy, database(workplace))
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).code == 0


@pytest.mark.parametrize("is_emptied", [True, False])
async def test_that_the_ledger_is_gone_is_noticed_and_nothing_is_sent_until_the_operator_decides(
    workplace: Workplace, *, is_emptied: bool
) -> None:
    await issues_made(workplace)
    remove_ledger(workplace)
    if is_emptied:
        database(workplace).touch()

    assert (await workplace.run("status")).code == 0
    for words in (RUN, ("run",), ("serve",)):
        done = await workplace.run(*words)
        assert (done.code, done.out) == (78, ""), done.err
        assert "the ledger in its place is gone: var/high-water.json says that it had come to step" in done.err
        assert "newsletter issues accept-restored" in done.complaints[0]
    assert len(workplace.mails()) == 2

    accepted = await workplace.run(
        "issues", "accept-restored", "--assume-sent-until", "2026-03-13T09:00", "--json"
    )
    assert accepted.json == {"accepted": True}
    again = await workplace.run(*RUN)
    assert (again.code, again.json["status"], len(workplace.mails())) == (0, "nothing_new", 2)
    save_page(workplace, "2026-03-16", PAGE.replace("Sorting by Patience", "Hashing by Hand"))
    newer = await workplace.run("run", "--date", "2026-03-16", "--json")
    assert (newer.json["status"], newer.json["issue"]["listings"]) == ("sent", 1)


async def test_a_ledger_beside_that_of_the_demo_is_new(workplace: Workplace) -> None:
    assert (await workplace.run("demo")).code == 0
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    assert (await workplace.run("run", "--date", "2026-03-12", "--json")).json["status"] == "sent"
    assert (await workplace.run("demo")).code == 0


async def test_a_mark_that_is_damaged_or_cannot_be_kept_is_said_and_holds_up_no_mail(workplace: Workplace) -> None:
    await issues_made(workplace)
    mark = workplace.folder / "var" / "high-water.json"
    for damage in ("", '{"a": 1e999}'):
        mark.write_text(damage)
        done = await workplace.run(*RUN)
        assert done.code == 0
        assert "high_water_mark_not_read" in done.err
    mark.unlink()
    mark.mkdir()
    save_page(workplace, "2026-03-16", PAGE.replace("Sorting by Patience", "Hashing by Hand"))
    done = await workplace.run("run", "--date", "2026-03-16", "--json")
    assert (done.code, done.json["deliveries"]["sent"]) == (0, 1)
    assert "high_water_mark_not_kept" in done.err


async def test_another_database_of_the_same_name_is_in_nobodys_place(workplace: Workplace) -> None:
    await issues_made(workplace)
    other = workplace.folder / "other"
    other.mkdir()
    workplace.environment["NEWSLETTER_DATABASE__URL"] = f"sqlite:///{other / 'newsletter.db'}"
    done = await workplace.run(*RUN)
    assert (done.code, done.json["status"]) == (0, "sent")
