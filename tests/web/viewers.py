"""What shows issues, around a studio that a test has made."""

from __future__ import annotations

from pathlib import Path

from newsletter.bootstrap import packaged_templates
from newsletter.core.tokens import Links
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.tracing import TracedTemplates
from newsletter.sources import registry
from newsletter.sources.parts import NO_SERVICES, NoHttp
from newsletter.web.studio import sample
from newsletter.web.studio.one_message import Studio
from newsletter.web.studio.viewer import Viewer


def viewer_of(studio: Studio, links: Links | None = None, *, own: Path | None = None) -> Viewer:
    """Return what shows the issues of a studio, whose relays are on this machine."""
    trace = TracedTemplates(own, packaged_templates())
    return Viewer(
        studio=studio,
        traced=MailRenderer(trace, links or Links("https://other.example.org", "key")),
        trace=trace,
        sample=registry.build(sample.SPEC, folder=sample.FOLDER, config=NO_SERVICES, http=NoHttp()),
        is_local=True,
    )
