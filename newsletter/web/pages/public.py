"""All groups of public pages: what the server shows of them, and what `export-site` writes."""

from __future__ import annotations

from newsletter.core.tokens import Links
from newsletter.ports import Clock, Store
from newsletter.ports.pages import PageRenderer
from newsletter.web.pages.feeds.group import FeedPages
from newsletter.web.pages.lists.group import ListPages
from newsletter.web.pages.lists.known import KnownLists
from newsletter.web.pages.lists.reading import ListReader
from newsletter.web.pages.machines import MachinePages
from newsletter.web.pages.papers.group import PaperPages
from newsletter.web.pages.papers.search import SearchPage
from newsletter.web.pages.site_pages import PageGroup


def public_pages(
    store: Store, lists: KnownLists, links: Links, renderer: PageRenderer, clock: Clock
) -> tuple[PageGroup, ...]:
    """Return the groups, in the order in which they are asked for an address.

    Args:
        store: what is known of papers and issues.
        lists: finds lists.
        links: makes public addresses.
        renderer: renders pages.
        clock: the present moment.
    """
    reader = ListReader(issues=store.issues, listed=store.listed)
    papers, listed = store.papers, store.listed
    return (
        PaperPages(lists=lists, papers=papers, listed=listed, renderer=renderer, links=links),
        SearchPage(lists=lists, papers=papers, listed=listed, renderer=renderer, links=links),
        MachinePages(lists=lists, reader=reader, papers=papers, renderer=renderer, links=links, clock=clock),
        FeedPages(lists=lists, reader=reader, renderer=renderer, links=links, clock=clock),
        ListPages(lists=lists, reader=reader, renderer=renderer, links=links, clock=clock),
    )
