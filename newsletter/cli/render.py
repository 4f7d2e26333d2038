"""`render`: one message of an issue, to look at before it goes out."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.session import AsReader, Day, OneList, looking
from newsletter.core.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from newsletter.bootstrap import Program


class Format(StrEnum):
    """What of a message is written."""

    HTML = "html"
    TEXT = "text"
    EML = "eml"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(render)


def render(
    *,
    list_name: OneList,
    date: Day = None,
    subscriber: AsReader = None,
    format_: Annotated[
        Format, typer.Option("--format", metavar="html|text|eml", help="What to write.")
    ] = Format.HTML,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else stdout.")
    ] = None,
) -> None:
    """Write one message of an issue to a file: the frozen one, or what it would be now."""
    if output is not None and not output.parent.is_dir():  # said before sources are read, which may take long
        raise UsageError(f"{output}: cannot be written: there is no folder {output.parent}")
    content = _part(looking(lambda program: _raw(program, list_name, date, subscriber)), format_)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from None


async def _raw(program: Program, list_name: str, day: date | None, address: str | None) -> bytes:
    issue = await program.studio.issue(list_name, day)
    return await program.studio.raw(issue, address)


def _part(raw: bytes, format_: Format) -> bytes:
    if format_ is Format.EML:
        return raw
    from email import message_from_bytes
    from email.policy import default

    body = message_from_bytes(raw, policy=default).get_body(("html" if format_ is Format.HTML else "plain",))
    return body.get_content().encode() if body is not None else b""
