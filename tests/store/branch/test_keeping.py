"""Which ledgers are kept on a branch, as the settings say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from newsletter.core.errors import ConfigurationError
from newsletter.parts import keeping
from newsletter.settings import Settings
from newsletter.settings.groups import DatabaseSettings, WebSettings

KEY = {"secret_key": "a secret of the operator's"}


def settings(web: dict[str, Any] | None = None, **database: Any) -> Settings:
    return Settings(_env_file=None, database=DatabaseSettings(**database), web=WebSettings(**(web or {})))


def test_a_ledger_stays_where_it_is_unless_a_branch_is_named() -> None:
    assert keeping.ledger_keeper(settings(KEY)) is None
    keeper = keeping.ledger_keeper(settings(KEY, branch="state"))
    assert keeper is not None
    assert keeper.name == "branch state at origin"


def test_a_ledger_in_postgresql_needs_no_branch() -> None:
    assert keeping.ledger_keeper(settings(KEY, branch="state", url="postgresql://localhost/newsletter")) is None


def test_a_key_that_would_be_gone_with_the_machine_seals_nothing() -> None:
    with pytest.raises(ConfigurationError, match="NEWSLETTER_WEB__SECRET_KEY: is missing"):
        keeping.ledger_keeper(settings(branch="state"))


@pytest.mark.parametrize("name", ["-x", "a b", "a..b", "a/b", "x.lock", "end."])
def test_a_name_that_could_be_something_else_to_git_is_none_of_a_branch(name: str) -> None:
    with pytest.raises(ValidationError):
        DatabaseSettings(branch=name)
