"""The commands: what `newsletter --help` says of each, and its module, which is loaded when the command is called.

So `--help`, `--version` and the completion of a command's name load no command at all. A command's module declares
its arguments and options, and imports for that only what is quick to load; what the work itself needs is imported
where the work is done. `tests/cli/test_start.py` names what each command may load.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

from newsletter.cli import folder
from newsletter.cli.examples import EXAMPLES

_DAILY_WORK = "Daily work"
_LOOKING = "Looking before it goes out"
_SERVICES = "Services"
_LISTS = "Lists"
_SENT = "What went out"
_SETTING_UP = "Setting up"


class Command(NamedTuple):
    """A command or a group of commands.

    `module` has a function `register`, which adds it to an application of typer's. `panel` is the heading under
    which `newsletter --help` lists it, `help` the first paragraph of its own help.
    """

    module: str
    panel: str
    help: str


# In the order in which `newsletter --help` lists them.
COMMANDS = {
    "run": Command(
        "newsletter.cli.run", _DAILY_WORK, "Collect, freeze the issue if due, deliver; safe to repeat."
    ),
    "collect": Command(
        "newsletter.cli.collect",
        _DAILY_WORK,
        "Fetch listings and sightings now; only adds, safe to repeat at any time.",
    ),
    "render": Command(
        "newsletter.cli.render",
        _LOOKING,
        "Write one message of an issue to a file: the frozen one, or what it would be now.",
    ),
    "send": Command(
        "newsletter.cli.send",
        _LOOKING,
        "Send a test copy of an issue to one address; nothing is recorded as sent.",
    ),
    "lint": Command(
        "newsletter.cli.lint",
        _LOOKING,
        "Check size, links, accessibility and deliverability of an issue; exit 1 on a failure.",
    ),
    "backtest": Command(
        "newsletter.cli.backtest",
        _LOOKING,
        "Replay past days: what their issues would have held, and what they would have missed.",
    ),
    "serve": Command(
        "newsletter.cli.serve",
        _SERVICES,
        "Run the scheduler, the web pages and delivery in one process, until SIGTERM.",
    ),
    "web": Command(
        "newsletter.cli.web",
        _SERVICES,
        "Serve the web pages alone, until SIGTERM: no scheduler, no delivery.",
    ),
    "scheduler": Command(
        "newsletter.cli.scheduler",
        _SERVICES,
        "Run the scheduler alone, until SIGTERM: it makes issues, and workers deliver them.",
    ),
    "worker": Command(
        "newsletter.cli.worker",
        _SERVICES,
        "Deliver what is closed, beside other workers on any number of machines, until SIGTERM.",
    ),
    "preview": Command(
        "newsletter.cli.preview",
        _SERVICES,
        "Look at an issue in the browser; what is edited shows within a second.",
    ),
    "export-site": Command(
        "newsletter.cli.export_site",
        _SERVICES,
        "Write the public pages as files, for any host of static files; only what has changed is written.",
    ),
    "status": Command(
        "newsletter.cli.status",
        _SENT,
        "Show readers, the last and the next issue, and what does not go on and why.",
    ),
    "doctor": Command(
        "newsletter.cli.doctor",
        _SENT,
        "Check all that mail depends on: settings, database, relay, DNS, public pages; exit 1 on a failure.",
    ),
    "issues": Command("newsletter.cli.issues", _SENT, "What went out, and a word on what goes out."),
    "deliveries": Command("newsletter.cli.deliveries", _SENT, "Who got it, and who not yet."),
    "init": Command(
        "newsletter.cli.init",
        _SETTING_UP,
        "Begin a working folder: settings and a first list; overwrites nothing.",
    ),
    "demo": Command(
        "newsletter.cli.demo",
        _SETTING_UP,
        "Send the sample issue to a local inbox: sample listings, three readers, no account, no network.",
    ),
    "db": Command("newsletter.cli.db", _SETTING_UP, "The database."),
    "lists": Command("newsletter.cli.lists", _LISTS, "The list files in subscribers/."),
    "subscribers": Command(
        "newsletter.cli.subscribers", _LISTS, "Who reads, and what the list files would change."
    ),
    "inbound": Command(
        "newsletter.cli.inbound", _LISTS, "What comes back: bounces, complaints and mails of leaving."
    ),
    "bounces": Command("newsletter.cli.inbound", _LISTS, "The same as `inbound`."),
    "suppressions": Command("newsletter.cli.suppressions", _LISTS, "Addresses that are never mailed."),
}


class Group(TyperGroup):
    """Commands that share a word, as `issues list` and `issues show` do."""

    @override
    def get_params(self, ctx: Any) -> Any:
        """Return the options that stand before a command's name.

        Of one that is not given, typer finds out by pydantic that None is None, and loads it for that; here it
        stands at what typer takes as it is.
        """
        options: list[Any] = super().get_params(ctx)
        for option in options:
            if option.is_flag and option.default is None:
                option.default = False
        return options


def make_help_plain(command: Any) -> None:
    """Let the help of a command and of its subcommands be read easily.

    It names no types, only what stands for a value. Paragraphs are as wide as the terminal; typer would break the
    lines of all but the first where the source does.
    """
    params = command.get_params

    def get_params(ctx: Any) -> Any:
        found: list[Any] = params(ctx)
        for param in found:
            if param.param_type_name == "argument":
                param.display_type_rich = lambda ctx: None  # noqa: ARG005 (typer's form of it)
            elif param.is_flag:
                param.metavar = ""
        return found

    command.get_params = get_params
    paragraphs = (command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    for subcommand in getattr(command, "commands", {}).values():
        make_help_plain(subcommand)


class Commands(Group):
    """All commands. Each is a bare name with its help until it is called; then its module is loaded."""

    def __init__(self, **options: Any) -> None:
        """Take what typer gives a group."""
        super().__init__(**options)
        for name, command in COMMANDS.items():
            self.add_command(TyperCommand(name, help=command.help, rich_help_panel=command.panel))

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name of the command that the arguments call, the command and its own arguments."""
        if args and args[0] in COMMANDS:
            self.add_command(load(args[0]))
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:
    """Load the module of a command, and return the command with the option `--dir`."""
    application = typer.Typer(add_completion=False)
    import_module(COMMANDS[name].module).register(application)
    command = typer.main.get_group(application).commands[name]
    command.epilog = "\n\n".join(("For example:", *EXAMPLES[name]))
    folder.add_to(command)
    make_help_plain(command)
    return command
