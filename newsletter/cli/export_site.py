"""`export-site`: the public pages as files, for GitHub Pages or any host of static files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.output import say, say_json, waiting
from newsletter.cli.session import AsJson, now, within
from newsletter.core.errors import UsageError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from newsletter.bootstrap import Program
    from newsletter.web.exporting import Exported


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="export-site")(export_site)


def export_site(
    site: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are written.")],
    *,
    base_url: Annotated[
        str,
        typer.Option(metavar="URL", help="Where they will be; else NEWSLETTER_WEB__PUBLIC_URL."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write the public pages as files, for any host of static files; only what has changed is written.

    Pages, feeds, references and the sitemap are written, but no search and no forms. If NEWSLETTER_WEB__PUBLIC_URL
    is set, pages link to where readers sign up. What the command did not write itself is left alone.
    """
    with waiting("writing pages") as progress:
        done = within(lambda program: _export(program, site, base_url, progress))
    if as_json:
        say_json({"written": done.written, "unchanged": done.unchanged, "removed": done.removed})
        return
    written = counted(done.written, "file")
    say(f"{site}: {written} written, {done.unchanged:,} unchanged, {done.removed:,} removed")


async def _export(
    program: Program, folder: Path, base_url: str, progress: Callable[[int, int], object]
) -> Exported:
    from newsletter.composition import signing_up
    from newsletter.settings.values import public_address
    from newsletter.web.exporting import LinksOfExport, SiteExport
    from newsletter.web.pages.lists.known import KnownLists
    from newsletter.web.pages.public import public_pages

    links = program.links
    try:
        url = public_address(base_url) or links.public_url
    except ValueError as error:
        raise UsageError(f"--base-url {base_url}: {error}") from None
    lists = KnownLists(
        issues=program.store.issues,
        lists=program.lists,
        signing_up=signing_up.admission(program, lambda: None).signing_up,
        source_names=program.source_names,
    )
    of_export = LinksOfExport(url, links.secret_key, links.former_keys, server=links)
    groups = public_pages(program.store, lists, of_export, program.templates, now)
    return await SiteExport(groups, program.templates.files, folder, progress=progress).write()
