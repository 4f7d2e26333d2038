"""The commands, grouped, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from newsletter import __version__
from newsletter.cli import admin, backtest, deliveries, ledger, lists, mails, runs, serving, suppressions
from newsletter.cli.exits import code_of
from newsletter.cli.output import complain
from newsletter.core.errors import ConfigurationError, NewsletterError


def application() -> typer.Typer:
    """Return the command line with all its commands."""
    app = typer.Typer(
        name="newsletter",
        help="A daily email of the papers that matter: collected, diffed, rendered, delivered exactly once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(newsletter)
    for module in (runs, mails, backtest, serving, lists, suppressions, ledger, deliveries, admin):
        module.register(app)
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
    """Run the command line and exit: 0 done, 1 check failed, 2 usage, 69, 75 and 78 as in sysexits.h."""
    try:
        code = application()(standalone_mode=False)
    except TyperException as error:
        if message := error.format_message():
            complain(f"{message} See `newsletter {' '.join(_command())} --help`.".replace("  ", " "))
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(130)
    except (NewsletterError, ConfigurationError) as error:
        complain(str(error))
        sys.exit(code_of(error))
    sys.exit(code if isinstance(code, int) else 0)


def _command() -> list[str]:
    """Return the words of the command that was called, up to its first option."""
    words = []
    for word in sys.argv[1:]:
        if word.startswith("-"):
            break
        words.append(word)
    return words[:2]
