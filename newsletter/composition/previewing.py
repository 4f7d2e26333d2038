"""The parts that `preview` works with, put together: by the settings as they are, and anew when these change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from newsletter import bootstrap
from newsletter.bootstrap import Program
from newsletter.composition import first_use
from newsletter.core.errors import ConfigurationError, NewsletterError
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.tracing import TracedTemplates
from newsletter.settings import Settings
from newsletter.settings.reach import relays_are_local
from newsletter.sources import registry
from newsletter.sources.parts import NO_SERVICES, NoHttp
from newsletter.web.studio import sample
from newsletter.web.studio.preview import Desk
from newsletter.web.studio.viewer import Viewer
from newsletter.web.studio.watching import Watched


@dataclass(slots=True)
class _Lent:
    """A desk, how many requests use it, and what is closed when it is used no longer."""

    desk: Desk
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)
    users: int = 0


class CurrentDesk:
    """Lends the desk by the settings as they are now.

    Args:
        program: built by the settings that the command began with; it is not closed here.
        load: reads the settings.
        env_file: where they stand.
    """

    def __init__(self, program: Program, load: Callable[[], Settings], env_file: Path) -> None:
        self._lent = _Lent(_desk(program))
        self._load, self._env_file = load, env_file
        self.watched = _watched(load(), env_file)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Desk]:
        """Lend the desk for a request."""
        lent = self._lent
        lent.users += 1
        try:
            yield lent.desk
        finally:
            lent.users -= 1
            await self._close_if_unused(lent)

    async def renew(self) -> None:
        """Build the program by the settings as they are now; if these are wrong, the desk says so."""
        former, closing = self._lent, AsyncExitStack()
        try:
            settings = self._load()
            program = await closing.enter_async_context(bootstrap.build(first_use.for_looking(settings)))
        except (ConfigurationError, NewsletterError) as error:
            trouble = error if isinstance(error, ConfigurationError) else ConfigurationError(str(error))
            former.desk = replace(former.desk, trouble=trouble)
            return
        self.watched = _watched(settings, self._env_file)
        self._lent = _Lent(_desk(program), closing)
        await self._close_if_unused(former)

    async def aclose(self) -> None:
        """Close what was built by `renew`."""
        await self._lent.closing.aclose()

    async def _close_if_unused(self, lent: _Lent) -> None:
        if lent is not self._lent and not lent.users:
            await lent.closing.aclose()


def _desk(program: Program) -> Desk:
    own, packaged = bootstrap.own_templates(program.settings), bootstrap.packaged_templates()
    trace = TracedTemplates(own, packaged)
    return Desk(
        previews=Viewer(
            studio=program.studio,
            traced=MailRenderer(trace, program.links),
            trace=trace,
            sample=registry.build(sample.SPEC, folder=sample.FOLDER, config=NO_SERVICES, http=NoHttp()),
            is_local=relays_are_local(program.settings.smtp),
        ),
        renderer=program.templates,
        folders=(program.settings.paths.templates, packaged, program.settings.paths.subscribers),
    )


def _watched(settings: Settings, env_file: Path) -> Watched:
    own, subscribers = settings.paths.templates, settings.paths.subscribers
    ledger = bootstrap.ledger_file(settings)
    begins = (ledger,) if ledger is not None and first_use.is_unused(settings) else ()
    # A folder of templates that appears, or goes, changes what the program is made of; so does the first ledger.
    folders = (bootstrap.packaged_templates(), own, subscribers)
    present = tuple(folder for folder in folders if folder.is_dir())
    return Watched(folders=present, files=(env_file, own, subscribers, *begins))
