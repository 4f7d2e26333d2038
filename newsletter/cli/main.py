"""The commands, grouped, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from newsletter import __version__
from newsletter.cli import folder, streams
from newsletter.cli.commands import Commands, make_help_plain
from newsletter.cli.exits import Exit, code_of
from newsletter.cli.output import complain
from newsletter.core.errors import ConfigurationError, NewsletterError
from newsletter.scheduling import garbage

_INTERRUPTED = 130  # as shells have it: 128 and SIGINT


def application() -> typer.Typer:
    """Return the command line with all its commands."""
    app = typer.Typer(
        name="newsletter",
        help="A daily email of the papers that matter: collected, diffed, rendered, delivered exactly once.",
        cls=Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(newsletter)
    return app


def _version(value: bool) -> None:  # noqa: FBT001 (typer's form of a callback)
    if value:
        sys.stdout.write(f"newsletter {__version__}\n")
        raise typer.Exit


def newsletter(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 check failed, 2 usage, 69, 75 and 78 as in sysexits.h.

    The exit code is that of the work, whether or not its report could be written. For a command that only writes,
    such as `issues list`, a result that could not be written is a failure. 130: it was interrupted (Ctrl-C).
    """
    try:
        code = _run()
    except KeyboardInterrupt:  # before the command began, or after it
        code = _INTERRUPTED
    sys.exit(code)


def _run() -> int:
    """Run the command line and return the exit code."""
    garbage.look_rarely()
    streams.prepare()
    command = typer.main.get_command(application())
    folder.add_to(command)
    make_help_plain(command)
    code = _outcome(command)
    if lost := streams.what_was_lost():
        complain(f"stdout: {lost}: the result is not complete")
    if code is None:
        code = Exit.CHECK_FAILED if lost else Exit.DONE
    garbage.look_no_more()
    return code


def _outcome(command: Any) -> int | None:
    """Run the command line and return the exit code, or None where the command names none."""
    try:
        code = command(standalone_mode=False)
    except TyperException as error:
        if message := error.format_message():
            said = " ".join(message.split()).rstrip(".").replace(": Value error, ", ": ")  # a word of pydantic
            complain(f"{said}. See `{' '.join(['newsletter', *_words(command)])} --help`.")
        return error.exit_code
    except typer.Abort:
        return _INTERRUPTED
    except (NewsletterError, ConfigurationError) as error:
        complain(str(error))
        return code_of(error)
    return code if isinstance(code, int) else None


def _words(command: Any) -> list[str]:
    """Return the words that name the command that was called, without those that name none."""
    words: list[str] = []
    for word in sys.argv[1:]:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        words.append(word)
    return words
