"""Both parts of an issue's mail, arranged for what a reader gets of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from newsletter.core.choice import Choice
from newsletter.core.issue import Issue
from newsletter.core.layout import Sections, sections
from newsletter.core.newsletter_list import Cadence
from newsletter.core.rendering import Part, Rendering, Writer
from newsletter.core.week import sections_of_week
from newsletter.render.issue import former, words
from newsletter.render.issue.fit import BUDGET, fewer, room
from newsletter.render.issue.view import preheader
from newsletter.render.mime.markers import Markers
from newsletter.render.mime.pieces import Names, Piece, compiled
from newsletter.render.mime.segments import Arrangement, Chosen, arranged

# What templates may name in slots and `when`. Any but `email` and `unsubscribe_url` may be empty.
READER_SLOTS = frozenset({"email", "name", "unsubscribe_url", "feedback_url"})
# … what depends on nothing but the listings that the reader gets
CHOICE_SLOTS = frozenset(
    {"subject", "preheader", "counts", "more_on_the_web", "more_in_the_text", "wishes"}
    | {"roomy", "tight", "searches", "by_models", "by_day"}
)
# … what holds for the texts of a section: models wrote some of them, all are from abstracts, or neither
SECTION_SLOTS = frozenset({"by_models", "by_authors", "by_others"})
# … and in a form of a listing: why it is for this reader, and whether texts by models stand beside it
LISTING_SLOTS = frozenset({"matched", "unmatched", "mixed", "unmixed"})

_MARGIN = 7  # columns of the text part before a listing


class Pages:
    """The compiled pages of an issue. Threads may share them.

    Args:
        issue: the issue.
        rendering: both parts, with their marks.
        known: values of slots that are the same for all readers.

    Raises:
        RenderError: a mark can't stand where it does; names it.
    """

    def __init__(self, issue: Issue, rendering: Rendering, known: Mapping[str, str]) -> None:
        self._issue, self._rendering = issue, rendering
        self._text = _compiled(rendering.text, known, html=False)
        self._html = _compiled(rendering.html, known, html=True)
        self._writers = tuple(one.writer for one in rendering.headlines)

    def html_bytes(self, choice: Choice, subject: str) -> int:
        """Return the size of the HTML part for a choice, without readers' values."""
        return self.arranged(choice, subject)[1].size

    def arranged(self, choice: Choice, subject: str) -> tuple[Arrangement, Arrangement]:
        """Return the text and the HTML part of a choice, ready for each reader who has it."""
        whole = self._sections(choice)
        text = arranged(
            self._text,
            self._chosen(whole, choice, html=False),
            self._values(choice, subject, whole, whole, html=False),
        )
        shown, html = whole, self._html_of(choice, subject, whole, whole)
        while (excess := html.size + room(html.gaps) - BUDGET) > 0:
            shorter = fewer(shown, html.sizes, excess)
            if shorter == shown:
                break
            shown, html = shorter, self._html_of(choice, subject, whole, shorter)
        return text, html

    def _html_of(self, choice: Choice, subject: str, whole: Sections, shown: Sections) -> Arrangement:
        values = self._values(choice, subject, whole, shown, html=True)
        return arranged(self._html, self._chosen(shown, choice, html=True), values)

    def _sections(self, choice: Choice) -> Sections:
        if self._issue.terms.cadence is Cadence.WEEKLY:
            return sections_of_week(choice, self._issue)
        return sections(choice, self._issue.terms.layout)

    def _chosen(self, shown: Sections, choice: Choice, *, html: bool) -> dict[str, Chosen]:
        """Return the listings of each section with the values of their slots."""
        reasons = dict(zip(choice.positions, choice.reasons, strict=True))
        found = {"": former.chosen(choice)}
        for name, positions in shown.named().items():
            writers = {self._writers[position] for position in positions} - {Writer.NOBODY}
            by_models = Writer.MODEL in writers
            listings = {}
            for position in positions:
                matched = words.in_words(reasons[position]) if reasons[position] else ""
                listings[position] = {
                    "matched": matched if html or not matched else words.wrapped(f"[{matched}]", _MARGIN),
                    "unmatched": _flag(not matched),
                    "mixed": _flag(by_models),
                    "unmixed": _flag(not by_models),
                }
            by_authors = writers == {Writer.AUTHORS}
            values = {
                "by_models": _flag(by_models),
                "by_authors": _flag(by_authors),
                "by_others": _flag(not by_models and not by_authors),
            }
            found[name] = Chosen(listings, values)
        return found

    def _values(
        self, choice: Choice, subject: str, whole: Sections, shown: Sections, *, html: bool
    ) -> dict[str, str]:
        """Return what a part with these listings says of itself; `shown` is what of the whole it has."""
        candidates, positions = self._issue.candidates, shown.shown
        matching = sum(1 for reasons in choice.reasons if reasons)
        counts = words.counts(matching, len(choice.positions) - matching, candidates)
        counts = f"{counts} {words.reading_time(shown.minutes)}"
        headlines = [self._rendering.headlines[position] for position in choice.positions]
        return {
            "subject": subject,
            "preheader": preheader(headlines, candidates),
            "counts": counts if html else words.wrapped(counts),
            "more_on_the_web": words.more_on_the_web(len(self._issue.listings) - len(positions)),
            "more_in_the_text": words.more_in_the_text(len(whole.shown) - len(positions)),
            "wishes": words.wishes(choice),
            "roomy": _flag(whole.is_roomy),
            "tight": _flag(not whole.is_roomy),
            "searches": _flag(self._searches(positions)),
            "by_models": _flag(any(self._writers[position] is Writer.MODEL for position in positions)),
            "by_day": _flag(any(shown.days.values())),
            **former.values(choice, candidates, self._rendering.left_out),
        }

    def _searches(self, positions: Collection[int]) -> bool:
        """Return whether titles lead to searches."""
        return any(self._rendering.headlines[position].is_search for position in positions)


def _flag(holds: bool) -> str:
    """Return the value of a slot that decides what is there and is never shown."""
    return "yes" if holds else ""


def _compiled(part: Part, known: Mapping[str, str], *, html: bool) -> tuple[Piece, ...]:
    names = Names(
        anywhere=READER_SLOTS | CHOICE_SLOTS | former.CHOICE_SLOTS,
        section=SECTION_SLOTS,
        listing=LISTING_SLOTS | former.LISTING_SLOTS,
        known=known,
    )
    return compiled(part.page, Markers(html=html, nonce=part.nonce), names)
