"""`inbound`: bounces, complaints and mails by which readers leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.output import say, say_json, table
from newsletter.cli.session import AsJson, within
from newsletter.core.errors import UsageError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from newsletter.bootstrap import Program
    from newsletter.ports import MailboxSource, Processed, Taken

group = typer.Typer(
    cls=Group, no_args_is_help=True, help="What comes back: bounces, complaints and mails of leaving."
)
alias = typer.Typer(cls=Group, no_args_is_help=True, help="The same as `inbound`.")


def register(app: typer.Typer) -> None:
    """Add the commands, under both of their names."""
    app.add_typer(group, name="inbound")
    app.add_typer(alias, name="bounces")


@group.command()
@alias.command()
def process(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Mails, or mboxes; they stay as they are.", show_default=False),
    ] = None,
    *,
    maildir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A Maildir; what was read is marked as seen.")
    ] = None,
    imap: Annotated[bool, typer.Option("--imap", help="The mailbox of the settings.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what they come to, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read what came back: suppress dead addresses and who complained, take off who wishes to leave.

    Without arguments, the mailboxes of the settings are read. Each report counts once, however often it is read.
    """
    from newsletter.composition import signing_up

    async def act(program: Program) -> Processed:
        sources = _sources(program, files or [], maildir, imap=imap)
        done = await program.receiving.mail.process(sources, rehearse=dry_run)
        if not dry_run:
            await signing_up.reader_letters(program).send()  # who left by mail is told so
        return done

    done = within(act)
    if as_json:
        say_json(_as_json(done))
    else:
        _say(done, dry_run=dry_run)


def _sources(program: Program, files: list[Path], maildir: Path | None, *, imap: bool) -> list[MailboxSource]:
    from newsletter.parts import receiving

    if imap and not program.settings.inbound.imap_host:
        raise UsageError("--imap: NEWSLETTER_INBOUND__IMAP_HOST is not set")
    named = [
        *map(receiving.file, files),
        *([receiving.maildir(maildir)] if maildir else []),
        *([program.receiving.imap()] if imap else []),
    ]
    found = named or program.receiving.mailboxes()
    if not found:
        raise UsageError(
            "there is nothing to read: name files or --maildir, or set NEWSLETTER_INBOUND__MAILDIR or "
            "NEWSLETTER_INBOUND__IMAP_HOST"
        )
    return found


def _say(done: Processed, *, dry_run: bool) -> None:
    if done.shown:
        table(
            ("reader", "list", "means", "came to", "found by", "said"),
            (
                (
                    one.email or one.event.address or "?",
                    one.list,
                    one.event.kind,
                    one.outcome,
                    one.found_by,
                    " ".join(part for part in (one.event.status, one.event.text) if part),
                )
                for _, one in done.shown
            ),
            folds={"said"},
        )
    came_to = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(done.outcomes.items())) or "nothing"
    say(f"{counted(done.mails, 'mail')} {'would come' if dry_run else 'came'} to: {came_to}")
    for held in done.held:
        say(
            f"{held.addresses} addresses of {held.domain} are held, as it took mail for them before: see "
            "`newsletter suppressions list --held`"
        )


def _as_json(done: Processed) -> dict[str, Any]:
    return {
        "mails": done.mails,
        "outcomes": {outcome.value: number for outcome, number in sorted(done.outcomes.items())},
        "events": [_event(place, one) for place, one in done.shown],
        "held": [{"domain": one.domain, "addresses": one.addresses, "reason": one.reason} for one in done.held],
    }


def _event(place: str, one: Taken) -> dict[str, Any]:
    return {
        "place": place,
        "kind": one.event.kind,
        "outcome": one.outcome,
        "email": one.email or one.event.address,
        "list": one.list or None,
        "found_by": one.found_by,
        "status": one.event.status,
        "text": one.event.text,
    }
