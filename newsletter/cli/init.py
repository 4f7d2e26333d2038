"""`init`: a working folder to begin with."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.output import say, say_json
from newsletter.cli.session import AsJson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from newsletter.scaffold import Question


_MOST_WORKERS = 100  # on one machine

Templates = Annotated[bool, typer.Option("--templates", help="Copy the mail's templates too, to change them.")]
GithubActions = Annotated[
    bool, typer.Option("--github-actions", help="Write a workflow too, which runs it on GitHub's machines.")
]
Workers = Annotated[
    int,
    typer.Option(
        min=0,
        max=_MOST_WORKERS,
        metavar="N",
        help="With --compose or --systemd: N workers, a scheduler and the pages instead of one process.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(
    where: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")] = Path(),
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take examples, to change later.")] = False,
    templates: Templates = False,
    github_actions: GithubActions = False,
    compose: Annotated[
        bool, typer.Option("--compose", help="Write a compose.yaml too, for containers with PostgreSQL.")
    ] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="Write units of systemd too.")] = False,
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """Begin a working folder: settings and a first list; overwrites nothing."""
    from newsletter import scaffold

    if workers and not (compose or systemd):
        raise typer.BadParameter("goes with --compose or --systemd", param_hint="'--workers'")
    container = ("web" if workers else "newsletter") if compose else None
    is_new = not (where / "subscribers" / "daily.toml").exists()
    asks = is_new and not yes and not as_json and sys.stdin.isatty()
    answers = _all_answers(ask=asks)
    service = scaffold.Service(program=_path_of_program(), user=_user()) if systemd else None
    lines = scaffold.scaffold(
        where, answers, github_actions=github_actions, compose=compose, service=service, workers=workers
    )
    if templates:
        lines += scaffold.copy_templates(where / "templates", bootstrap.packaged_templates())
    if as_json:
        say_json({"folder": where, "done": lines})
        return
    for line in lines:
        say(line)
    if is_new:
        _say_next(where, answers["reader"], can_send=scaffold.needs_login(answers), container=container)
    elif compose:
        _say_containers()
    if service:
        _say_services(where, service.user, workers)


def _all_answers(*, ask: bool) -> dict[str, str]:
    """Return an answer to each question, and where it is asked, to those of the login too."""
    from newsletter import scaffold

    answers = _answers(scaffold.questions(), ask=ask)
    return answers | _answers(scaffold.LOGIN, ask=True) if ask and scaffold.needs_login(answers) else answers


def _answers(questions: Iterable[Question], *, ask: bool) -> dict[str, str]:
    """Return an answer to each question, by its key: what somebody at the terminal says, or the default."""
    return {one.key: _asked(one) if ask else one.default for one in questions}


def _asked(question: Question) -> str:
    while True:
        text = typer.prompt(
            question.text,
            default=question.default,
            show_default=bool(question.default),
            hide_input=question.is_secret,
        )
        try:
            return question.read(text)
        except ValueError as error:
            say(f"  {error}")


def _say_next(folder: Path, reader: str, *, can_send: bool, container: str | None) -> None:
    """Print the next commands, as they work where this one was called; `container` is the one that has them."""
    from newsletter.scaffold.deploying import user_in_container

    program = f"docker compose run --rm {container}" if container else _program()
    send = f"{program} send --list daily --to {shlex.quote(reader)}"
    say("")
    say("Next:")
    say("")
    if folder != Path():
        say(f"  cd {shlex.quote(str(folder))}")
    if container and not os.getuid():
        say(f"  chown -R {user_in_container(0, 0)} .    # the user in the container")
    say(f"  {program} lists check       # is subscribers/daily.toml as it should be?")
    if container:
        say("  docker compose up --detach    # from now on it runs, and starts again with the machine")
    else:
        say(f"  {program} preview --open    # the mail in your browser; nothing is sent")
    if can_send:
        say(f"  {send}    # a test copy")
    else:
        say("")
        say("To send, name your mail server in .env, which has examples. Then try it:")
        say("")
        say(f"  {send}")


def _say_containers() -> None:
    """Print how containers are started, where the folder was begun before."""
    say("")
    say("To let it run in containers from now on, call this in that folder: docker compose up --detach")


def _say_services(folder: Path, user: str, workers: int) -> None:
    """Print how the services are put in their place, with so many workers; 0: one process does all."""
    units = shlex.quote(str(folder.absolute() / "systemd"))
    say("")
    say("To let systemd run it from now on:")
    say("")
    if not os.getuid():
        say(f"  useradd --system --user-group --home-dir {shlex.quote(str(folder.absolute()))} {user}")
        say(f"  chown -R {user}: {shlex.quote(str(folder.absolute()))}")
    sudo = "sudo " if os.getuid() else ""
    if workers:
        numbered = " ".join(f"newsletter-worker@{number}" for number in range(1, workers + 1))
        say(f"  {sudo}cp {units}/newsletter-* /etc/systemd/system/")
        say(f"  {sudo}systemctl enable --now newsletter-scheduler newsletter-web {numbered}")
        say("")
        say("They need PostgreSQL: NEWSLETTER_DATABASE__URL in .env (docs/scaling.md).")
        return
    say(f"  {sudo}cp {units}/newsletter.service /etc/systemd/system/")
    say(f"  {sudo}systemctl enable --now newsletter")


def _program() -> str:
    """Return the program's name as a shell finds it: its path, where that is not on PATH."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    if found and Path(found).resolve() == called.resolve():
        return called.name
    return shlex.quote(str(called.absolute())) if called.exists() else called.name


def _path_of_program() -> Path:
    """Return the program's path, for whom no shell finds it."""
    called = Path(sys.argv[0])
    return called.absolute() if called.exists() else Path(shutil.which(called.name) or called.name).absolute()


def _user() -> str:
    """Return who runs services: who calls, and for root a user of their own."""
    return getpass.getuser() if os.getuid() else "newsletter"
