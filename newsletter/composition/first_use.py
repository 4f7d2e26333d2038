"""Folders in which nothing was done yet: what may begin a ledger there, and what only looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter import bootstrap

if TYPE_CHECKING:
    from newsletter.settings import Settings


def is_unused(settings: Settings) -> bool:
    """Return whether nothing was done in this folder yet: there is no ledger, and there never was one."""
    from newsletter.pipeline.high_water import is_kept_in

    ledger = bootstrap.ledger_file(settings)
    return ledger is not None and not ledger.exists() and not is_kept_in(settings.paths.state)


def check_first_use(settings: Settings) -> None:
    """Find out whether a command may begin the ledger of this folder, before anything is written into it.

    Raises:
        ConfigurationError: it is no working folder.
        ListFileError: no list file is right; with all their mistakes.
    """
    bootstrap.check_folder(settings)
    if is_unused(settings) and not (lists := bootstrap.list_files(settings)).read().right:
        lists.load()


def for_looking(settings: Settings) -> Settings:
    """Return settings for a command that only looks: where there is no ledger, with one that is gone afterwards.

    Raises:
        ConfigurationError: it is no working folder.
    """
    bootstrap.check_folder(settings)
    return _with_empty_ledger(settings) if is_unused(settings) else settings


def _with_empty_ledger(settings: Settings) -> Settings:
    """Return settings with an empty ledger in memory, and with a key that is nowhere kept, if none was yet."""
    import secrets

    from pydantic import SecretStr

    from newsletter.settings.secret_key import FILE

    database = settings.database.model_copy(update={"url": SecretStr("sqlite://")})
    web = settings.web
    if not (web.secret_key.get_secret_value() or (settings.paths.state / FILE).exists()):
        web = web.model_copy(update={"secret_key": SecretStr(secrets.token_urlsafe(32))})
    return settings.model_copy(update={"database": database, "web": web})
