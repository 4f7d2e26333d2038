"""What may be wrong with the operator's own templates, before any of them is rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter import bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from newsletter.settings import Settings


def doubtful_templates(settings: Settings) -> Iterator[str]:
    """Yield a line for each of the operator's templates whose original has changed since, or that nothing uses.

    Raises:
        UsageError: a template cannot be read; names it and why.
    """
    from newsletter.scaffold import changed_originals, unused_templates
    from newsletter.settings.groups import PathSettings

    own, packaged = bootstrap.own_templates(settings), bootstrap.packaged_templates()
    yield from changed_originals(own, packaged)
    yield from unused_templates(own, packaged, is_named=own != PathSettings().templates)
