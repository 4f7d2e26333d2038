"""The option `--dir` of every command: work in another folder, as `git -C` and `make -C` do."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer


def _enter(folder: str | None) -> None:
    if not folder:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise typer.BadParameter(f"{folder}: {error.strerror}") from None


def _holder(
    *,
    folder: Annotated[
        str | None,
        typer.Option(
            "--dir",
            metavar="DIR",
            callback=_enter,
            is_eager=True,  # paths among the other options are looked for from the new folder
            help="Work in this folder: settings, list files and paths are looked for there.",
        ),
    ] = None,
) -> None:
    """Hold the option, so that typer makes it."""


def add_to(command: Any) -> None:
    """Add the option to a command of typer's and to its subcommands: it may stand before or after their names."""
    holder = typer.Typer(add_completion=False)
    holder.command()(_holder)
    option: Any
    [option] = typer.main.get_command(holder).params
    option.expose_value = False
    process = option.process_value
    # Typer would load pydantic to find that None is None.
    option.process_value = lambda context, value: None if value is None else process(context, value)
    _add(command, option)


def _add(command: Any, option: Any) -> None:
    command.params.append(option)
    for subcommand in getattr(command, "commands", {}).values():
        _add(subcommand, option)
