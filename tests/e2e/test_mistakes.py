"""What goes wrong by the operator's hand is one line, has its exit code, and leaves nothing half done."""

from __future__ import annotations

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "--list", "nope"), 2, "'nope'"),
        (("run", "--date", "12.3.2026"), 2, "12.3.2026"),
        (("runn",), 2, "runn"),
        (("render", "--list", "nope"), 2, "'nope'"),
        (("issues", "show", "--list", "daily", "--date", "2020-01-01"), 2, "2020-01-01"),
    ],
)
async def test_a_wrong_call_is_one_line(
    workplace: Workplace, words: tuple[str, ...], code: int, said: str
) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    done = await workplace.run(*words)
    assert done.code == code
    assert len(done.complaints) == 1
    assert said in done.complaints[0]
    assert not done.out


async def test_a_wrong_setting_names_its_variable(workplace: Workplace) -> None:
    workplace.environment["NEWSLETTER_SMTP__SECURITY"] = "maybe"
    done = await workplace.run("run")
    assert done.code == 78
    assert "NEWSLETTER_SMTP__SECURITY" in done.complaints[0]
    assert not (workplace.folder / "var").exists()


async def test_a_wrong_list_file_names_file_and_line_and_stops_its_own_list_only(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"], more='\n[[subscribers]]\nemail = "no address"\n')
    workplace.list_file(["saved_page:../page-*.txt"], name="other")
    save_page(workplace)
    checked = await workplace.run("lists", "check")
    assert checked.code == 1
    assert "subscribers/daily.toml:15:" in checked.err
    done = await workplace.run("run", "--list", "daily", "--date", "2026-03-12", "--json")
    assert (done.code, done.json["list"], done.json["status"]) == (78, "daily", "failed")
    assert not workplace.mails()
    done = await workplace.run("run", "--date", "2026-03-12", "--json")
    other, daily = done.json_lines
    assert (done.code, other["list"], other["status"]) == (78, "other", "sent")
    assert (daily["list"], daily["status"], daily["date"], daily["issue"]) == (
        "daily",
        "failed",
        "2026-03-12",
        None,
    )
    assert daily["reason"].startswith("subscribers/daily.toml:15: ")
    assert {"collected", "new", "deliveries"} <= daily.keys()
    assert "subscribers/daily.toml:15:" in done.complaints[0]
    assert len(workplace.mails()) == 1
    assert (await workplace.run("run", "--list", "other", "--date", "2026-03-12")).code == 0


async def test_a_wrong_members_file_stops_its_own_list_only_and_counts_once_it_is_right(
    workplace: Workplace,
) -> None:
    workplace.list_file(["saved_page:../page-*.txt"], more='\n[topics.agents]\nkeywords = ["agent"]\n')
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text('members = "people.csv"\n' + path.read_text())
    members = workplace.folder / "subscribers" / "people.csv"
    members.write_text("email,topics\nbob@example.org,agnts\ncid@example.org,\nCID@example.org,\n")
    workplace.list_file(["saved_page:../page-*.txt"], name="other")
    save_page(workplace)
    mistakes = [
        "subscribers/people.csv:2: topics: unknown topic 'agnts': did you mean 'agents'?",
        "subscribers/people.csv:4: CID@example.org is on the list already, in line 3: remove one of the two",
    ]
    checked = await workplace.run("lists", "check")
    assert (checked.code, checked.err.splitlines()[:2]) == (1, mistakes)
    for words in (("run", "--list", "daily"), ("run", "--list", "daily", "--dry-run")):
        done = await workplace.run(*words, "--date", "2026-03-12")
        assert done.code == 78
        assert all(mistake in done.err for mistake in mistakes)
    assert not workplace.mails()
    done = await workplace.run("run", "--date", "2026-03-12", "--json")
    assert done.code == 78
    assert [(one["list"], one["status"]) for one in done.json_lines] == [("other", "sent"), ("daily", "failed")]
    assert "; ".join(mistakes) == done.json_lines[1]["reason"]
    status = await workplace.run("status", "--json")
    assert (status.code, [row["list"] for row in status.json]) == (78, ["other"])

    members.write_text("email,topics\nbob@example.org,agents\ncid@example.org,\n")
    done = await workplace.run("run", "--list", "daily", "--date", "2026-03-12", "--json")
    assert (done.code, done.json["deliveries"]["sent"]) == (0, 3)
    status = await workplace.run("status", "--json")
    assert [(row["list"], row["subscribers"]) for row in status.json] == [("daily", 3), ("other", 1)]


async def test_beside_a_wrong_list_file_the_others_can_be_looked_at(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    workplace.list_file(["saved_page:../page-*.txt"], name="other")
    save_page(workplace)
    port, workplace.environment["NEWSLETTER_SMTP__PORT"] = workplace.port, "1"
    await workplace.run("run", "--list", "other", "--date", "2026-03-12")
    (workplace.folder / "subscribers" / "other.toml").write_text("no [toml")
    workplace.environment["NEWSLETTER_SMTP__PORT"] = str(port)

    linted = await workplace.run("lint", "--date", "2026-03-12", "--json")
    status = await workplace.run("status", "--json")

    for done in (linted, status):
        assert done.code == 78
        assert "subscribers/other.toml:1:" in done.complaints[0]
    assert [one["list"] for one in linted.json] == ["daily"]
    assert [(row["list"], row["deliveries"]) for row in status.json] == [("daily", {}), ("other", {"queued": 1})]


@pytest.mark.parametrize(("becomes", "named"), [("wrong", True), ("gone", False)])
async def test_a_closed_issue_goes_out_when_the_only_list_file_is_wrong_or_gone(
    workplace: Workplace, becomes: str, *, named: bool
) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    port, workplace.environment["NEWSLETTER_SMTP__PORT"] = workplace.port, "1"
    assert (await workplace.run("run", "--date", "2026-03-12")).code == 69
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text("no [toml") if becomes == "wrong" else path.unlink()
    words = ("run", "--json", *(("--list", "daily") if named else ()))
    failed = await workplace.run(*words, "--date", "2026-03-12")
    assert (failed.code, failed.json["status"]) == (78 if becomes == "wrong" else 69, "failed")

    workplace.environment["NEWSLETTER_SMTP__PORT"] = str(port)
    done = await workplace.run(*words, "--date", "2026-03-12")

    assert (done.code, done.json["status"]) == (78 if becomes == "wrong" else 0, "sent")
    assert len(workplace.mails()) == 1
    assert (await workplace.run(*words)).code == (78 if becomes == "wrong" else 2)  # nothing is left


async def test_where_nothing_was_done_yet_a_run_for_wrong_or_unknown_lists_writes_nothing(
    workplace: Workplace,
) -> None:
    workplace.list_file(["saved_page:../page-*.txt"], more="no_such_key = 1\n")
    before = sorted(workplace.folder.rglob("*"))
    for words in ((), ("--dry-run",), ("--list", "daily"), ("--quiet",)):
        done = await workplace.run("run", *words, "--json", "--date", "2026-03-12")
        assert (done.code, done.json["list"], done.json["status"]) == (78, "daily", "failed")
        assert "subscribers/daily.toml:" in done.complaints[0]
    assert (await workplace.run("run", "--list", "nope")).code == 2
    assert workplace.cluster_url or sorted(workplace.folder.rglob("*")) == before


async def test_without_lists_the_way_to_begin_is_told(workplace: Workplace) -> None:
    done = await workplace.run("run")
    assert done.code == 78
    assert "newsletter init" in done.err


async def test_a_database_of_no_known_kind_is_a_configuration_error(workplace: Workplace) -> None:
    workplace.environment["NEWSLETTER_DATABASE__URL"] = "mysql://user:secret@host/name"
    done = await workplace.run("status")
    assert done.code == 78
    assert "secret" not in done.err


async def test_a_broken_template_stops_the_issue_before_it_exists(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    template = workplace.folder / "templates" / "daily" / "body.txt"
    template.parent.mkdir(parents=True)
    template.write_text("fine\n{{ no_such_value }}\n")
    done = await workplace.run("run", "--date", "2026-03-12")
    assert done.code == 78
    assert "templates/daily/body.txt:2" in done.err
    assert (await workplace.run("issues", "list", "--json")).json == []


async def test_init_makes_a_folder_in_which_everything_works(workplace: Workplace) -> None:
    assert (await workplace.run("init")).code == 0
    assert (await workplace.run("lists", "check")).code == 0
    assert (await workplace.run("status", "--json")).json[0]["list"] == "daily"
    again = await workplace.run("init")
    assert "kept" in again.out
