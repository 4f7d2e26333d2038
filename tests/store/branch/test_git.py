"""A branch with one file and no history."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import BusyElsewhereError, StoreError
from newsletter.store.branch.git import FILE, Branch
from tests.git_remote import clone, git, refuse_pushes, remote


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return remote(tmp_path / "remote.git")


def working(repository: Path, name: str = "work") -> Branch:
    """Return the branch as a clone has it that goes on from what is there now."""
    branch = Branch(clone(repository, repository.with_name(name)), "state")
    if commit := branch.fetch():
        branch.work_on_from(commit)
    return branch


def content(repository: Path) -> str:
    return git(repository, "cat-file", "blob", f"state:{FILE}")


def test_it_holds_the_newest_content_alone(repository: Path) -> None:
    branch = working(repository)
    assert branch.fetch() is None

    for number in range(3):
        branch.put(f"content {number}".encode(), waits=())

    assert content(repository) == "content 2"
    assert git(repository, "rev-list", "--count", "state") == "1"
    commit = working(repository, "another").fetch()
    assert commit
    assert branch.read(commit) == b"content 2"


def test_nobody_overwrites_what_another_has_put_there(repository: Path) -> None:
    working(repository).put(b"content", waits=())
    first, second = working(repository, "first"), working(repository, "second")
    first.put(b"of the first", waits=())

    with pytest.raises(BusyElsewhereError, match="somebody else has changed it"):
        second.put(b"of the second", waits=(0,))

    assert content(repository) == "of the first"


def test_a_branch_that_came_to_be_meanwhile_is_not_overwritten(repository: Path) -> None:
    first, second = working(repository, "first"), working(repository, "second")
    first.put(b"of the first", waits=())

    with pytest.raises(BusyElsewhereError):
        second.put(b"of the second", waits=())


def test_a_push_that_fails_is_tried_again(repository: Path) -> None:
    branch = working(repository)
    refuse_pushes(repository, 2)

    branch.put(b"content", waits=(0, 0))

    assert content(repository) == "content"


def test_a_push_that_fails_for_good_is_told(repository: Path) -> None:
    branch = working(repository)
    refuse_pushes(repository, 2)

    with pytest.raises(StoreError, match=r"branch state at origin: git push: .*try later"):
        branch.put(b"content", waits=(0,))


def test_a_push_that_arrived_although_its_answer_was_lost_counts(repository: Path) -> None:
    branch = working(repository)
    # The server takes the commit and then says that something went wrong, which Git reports as a failure.
    wrapper = repository / "receive"
    wrapper.write_text('#!/bin/sh\ngit-receive-pack "$@"\nexit 1\n')
    wrapper.chmod(0o755)
    git(branch.folder, "config", "remote.origin.receivepack", str(wrapper))
    with pytest.raises(AssertionError):
        git(branch.folder, "push", "--quiet", "origin", "HEAD:refs/heads/another")

    branch.put(b"content", waits=())
    branch.put(b"content that follows", waits=())

    assert content(repository) == "content that follows"


def test_what_arrived_of_a_push_that_was_given_up_is_known_as_our_own(repository: Path) -> None:
    branch = working(repository)
    refuse_pushes(repository, 1)
    with pytest.raises(StoreError):
        branch.put(b"given up", waits=())
    tried = git(branch.folder, "rev-parse", "refs/newsletter/tried/state")
    git(branch.folder, "push", "--quiet", "origin", f"{tried}:refs/heads/state")  # it arrived after all

    branch.put(b"content", waits=(0,))

    assert content(repository) == "content"


def test_a_folder_without_a_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="branch state at origin: git ls-remote: "):
        Branch(tmp_path, "state").fetch()
