"""What all pages of a list have in common, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.core.newsletter_list import Masthead
from newsletter.core.page_names import SIGN_UP
from newsletter.core.rendering import Writer
from newsletter.core.tokens import Links
from newsletter.render.issue.language import Language, language
from newsletter.render.issue.times import schedule
from newsletter.render.site.orders import Order, Part, in_order
from newsletter.render.site.papers import PaperView, ShownPaper, paper_view
from newsletter.web.pages.lists.known import KnownList
from newsletter.web.pages.lists.places import Day, Week, address_of, following, of_topic
from newsletter.web.pages.site_pages import Wanted, root_from

WITH_TEXT = 12  # papers of a page that show theirs; of others it is folded
_ASIDE = 5  # papers that stand beside a page once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A page before it is rendered.

    `values` returns what the template takes; it needs the processor, so it is called in a thread. `changed_at` is
    when what the page shows last changed (aware, UTC), `pages` in how many pages all of it is shown.
    """

    template: str
    values: Callable[[], Mapping[str, Any]]
    changed_at: datetime | None = None
    pages: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a page stands and who wants it: what all pages show follows from that.

    Attributes:
        known: the list.
        address: of the page, from the site's root.
        wanted: what else is asked for.
        links: makes public addresses.
        now: aware, UTC.
    """

    known: KnownList
    address: str
    wanted: Wanted
    links: Links
    now: datetime

    @property
    def frame(self) -> Language:
        """Return the language of the page."""
        return language(self.known.masthead.language)

    @property
    def order(self) -> Order:
        """Return the order that is asked for."""
        return order_of(self.wanted)

    @property
    def with_code(self) -> bool:
        """Return whether papers with code alone are asked for."""
        return with_code(self.wanted)

    def shared(self, here: str, *, masthead: Masthead | None = None) -> dict[str, Any]:
        """Return the values that all pages take.

        Args:
            here: the page's link in the navigation.
            masthead: of an issue that the page shows; else the list's.
        """
        known = self.known
        return {
            "masthead": masthead or known.masthead,
            "root": root_from(self.address),
            "here": here,
            "canonical": f"{self.links.public_url}/{self.address}" if self.links.public_url else "",
            "public_url": self.links.public_url,
            "description": "",
            "is_static": self.wanted.is_static,
            "searched": "",
            "list_name": known.name,
            "is_weekly": known.is_weekly,
            "has_weekly_edition": known.has_weekly_edition,
            "needs_approval": known.needs_approval,
            "schedule": schedule(self.frame, known.list) if known.list else "",
            "signup_url": self._signup_url(),
            "topics": [(name, address_of(of_topic(known.name, name))) for name in known.topics],
        }

    def _signup_url(self) -> str:
        """Return where the form is sent or, from a page that is a file, where it stands; nothing: it is closed."""
        if not self.known.is_open:
            return ""
        if self.wanted.is_static:
            return self.links.sign_up(self.known.name)
        return f"{root_from(self.address)}{SIGN_UP}/{self.known.name}"

    def views(self, papers: Sequence[ShownPaper], *, in_full: int = WITH_TEXT) -> dict[str, Any]:
        """Return the papers of a page: the first with their texts, the others in one line each."""
        full = [paper_view(self.frame, one) for one in papers[:in_full]]
        brief = [paper_view(self.frame, one, is_brief=True) for one in papers[in_full:]]
        by_model = any(one.writer is Writer.MODEL for one in full + brief)
        return {"full": full, "brief": brief, "is_by_model": by_model}

    def listing(self, papers: Sequence[ShownPaper], here: Part, place: Day | Week) -> dict[str, Any]:
        """Return what the template shows of a list of papers, its orders and its pages.

        Args:
            papers: all of them.
            here: those of this page.
            place: where the list stands.
        """
        return {
            **self.views(here.papers),
            "by_votes": any(one.votes for one in papers),
            "by_comments": any(one.paper.comments for one in papers),
            "by_code": any(one.paper.listing.code_url for one in papers),
            "sort": self.order.value,
            "with_code": self.with_code,
            "own": address_of(following(place, 1)),
            "paged": pages_of(here, lambda number: address_of(following(place, number))),
        }


def order_of(wanted: Wanted) -> Order:
    """Return the order that is asked for; any other word asks for the usual one."""
    asked = wanted.query.get("sort", "")
    return Order(asked) if asked in set(Order) else Order.UPVOTED


def with_code(wanted: Wanted) -> bool:
    """Return whether papers with code alone are asked for."""
    return wanted.query.get("code") == "1"


def pages_of(part: Part, address: Callable[[int], str]) -> dict[str, Any]:
    """Return where the pages of a long list are: the number of this one, and the addresses of those beside it."""
    return {
        "number": part.number,
        "pages": part.pages,
        "previous": address(part.number - 1) if part.number > 1 else "",
        "next": address(part.number + 1) if part.number < part.pages else "",
    }


def most_upvoted(frame: Language, papers: Sequence[ShownPaper], *, most: int = _ASIDE) -> list[PaperView]:
    """Return the papers that have most upvotes, as far as any have some."""
    best = in_order([one for one in papers if one.votes], Order.UPVOTED)
    return [paper_view(frame, one, is_brief=True) for one in best[:most]]


def most_discussed(frame: Language, papers: Sequence[ShownPaper], *, most: int = _ASIDE) -> list[PaperView]:
    """Return the papers that have most comments, as far as any have some."""
    best = in_order([one for one in papers if one.paper.comments], Order.DISCUSSED)
    return [paper_view(frame, one, is_brief=True) for one in best[:most]]


def newest(*moments: datetime | None) -> datetime | None:
    """Return the latest of some moments, or None."""
    return max((one for one in moments if one is not None), default=None)
