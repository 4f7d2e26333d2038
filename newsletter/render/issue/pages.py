"""Both parts of an issue's mail, arranged for what a reader gets of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial

from newsletter.core.choice import Choice, Reason, ReasonKind, TextKind
from newsletter.core.issue import Issue
from newsletter.core.issue_sections import issue_sections
from newsletter.core.layout import Sections
from newsletter.core.rendering import Headline, Part, Rendering, Writer
from newsletter.core.titles import normalised_title
from newsletter.render.issue import former, words
from newsletter.render.issue.fit import excess_of, fewer
from newsletter.render.issue.language import Language, language
from newsletter.render.issue.view import AUTHORS_OF_LEAD, preheader
from newsletter.render.mime.frames import Chosen, Values, kind_of
from newsletter.render.mime.markers import Markers
from newsletter.render.mime.pieces import Names, compiled
from newsletter.render.mime.segments import Arrangement, CompiledPage

# What templates may name in slots and `when`. Any but `email` and `unsubscribe_url` may be empty.
READER_SLOTS = frozenset({"email", "name", "unsubscribe_url", "feedback_url", "preferences_url"})
# … what depends on nothing but the listings that the reader gets
CHOICE_SLOTS = frozenset(
    {"subject", "preheader", "counts", "more_on_the_web", "more_in_the_text", "wishes"}
    | {"roomy", "tight", "summaries", "abstracts", "searches", "by_models", "by_day"}
)
# … what holds for the texts of a section: models wrote some of them, all are from abstracts, or neither
SECTION_SLOTS = frozenset({"by_models", "by_authors", "by_others"})
# … and in a form of a listing: why it is for this reader, and whether texts by models stand beside it
LISTING_SLOTS = frozenset(
    {"matched", "unmatched", "mixed", "unmixed", "reason_1", "reason_2", "reason_3", "followed"}
)

_MARGIN = 7  # columns of the text part before a listing


class Pages:
    """The compiled pages of an issue. Threads may share them.

    Args:
        issue: the issue.
        rendering: both parts, with their marks.
        known: values of slots that are the same for all readers.
        links: the most bytes of a reader's links, by the names of their slots; 0 where there is none.

    Raises:
        RenderError: a mark can't stand where it does; names it.
    """

    def __init__(
        self, issue: Issue, rendering: Rendering, known: Mapping[str, str], links: Mapping[str, int]
    ) -> None:
        self._issue, self._rendering, self._links = issue, rendering, links
        self._language, self._news = language(issue.masthead.language), len(issue.news)
        names = Names(
            anywhere=READER_SLOTS | CHOICE_SLOTS | former.CHOICE_SLOTS,
            section=SECTION_SLOTS,
            listing=LISTING_SLOTS | former.LISTING_SLOTS,
            never_empty={"email", *(name for name, length in links.items() if length)},
            known=known,
        )
        self._text = _compiled(rendering.text, names, html=False)
        self._html = _compiled(rendering.html, names, html=True)
        self._is_former = self._html.is_former
        self._values_of_listing = lru_cache(maxsize=4096)(partial(_values_of_listing, self._language))
        self._headlines = {
            kind: tuple(headline.read_as(kind) for headline in rendering.headlines) for kind in TextKind
        }
        self._by_models, self._by_sources, self._by_authors = (
            {kind: _written_by(writer, headlines) for kind, headlines in self._headlines.items()}
            for writer in (Writer.MODEL, Writer.SOURCE, Writer.AUTHORS)
        )
        self._searches = frozenset(place for place, one in enumerate(rendering.headlines) if one.is_search)

    def html_bytes(self, choice: Choice, subject: str) -> int:
        """Return the size of the HTML part for a choice, without readers' values."""
        return self.arranged(choice, subject)[1].size

    def html_weights(self, choice: Choice, subject: str) -> Mapping[str, Mapping[int, int]]:
        """Return how many bytes of the HTML part each listing takes that it shows, by section and position."""
        return self.arranged(choice, subject)[1].sizes

    def arranged(self, choice: Choice, subject: str) -> tuple[Arrangement, Arrangement]:
        """Return the text and the HTML part of a choice, ready for each reader who has it."""
        whole = issue_sections(self._issue, choice)
        values = self._values(choice, subject, whole)
        in_text, in_html = self._chosen(whole, choice)
        counted = values | self._counted(whole, whole)
        kind = kind_of(counted)
        text = self._text.arranged(in_text, counted | {"counts": _wrapped(values["counts"])}, kind)
        shown, html = whole, self._html.arranged(in_html, counted, kind)
        while excess := excess_of(html, self._links):
            shorter = fewer(shown, html.sizes, excess)
            if shorter == shown:
                break
            _, in_html = self._chosen(shorter, choice)
            shown, html = shorter, self._html.arranged(in_html, values | self._counted(whole, shorter))
        return text, html

    def _chosen(self, shown: Sections, choice: Choice) -> tuple[dict[str, Chosen], dict[str, Chosen]]:
        """Return the listings of each section with the values of their slots, in the text and in the HTML part."""
        reasons = {position: why for position, why in zip(choice.positions, choice.reasons, strict=True) if why}
        former_ones = {"": former.chosen(choice)} if self._is_former else {}
        in_text, in_html, values_of = dict(former_ones), dict(former_ones), self._values_of_listing
        models = self._by_models[choice.text]
        for name, positions in shown.named.items():
            if not positions:
                continue
            by_models = bool(models) and not models.isdisjoint(positions)
            by_authors = not by_models and self._are_by_authors(choice.text, positions)
            values = _values_of_section(by_models, by_authors)
            of_text, of_html, _ = values_of((), "", by_models)
            texts, htmls = dict.fromkeys(positions, of_text), dict.fromkeys(positions, of_html)
            if reasons:
                for position in positions:
                    if why := reasons.get(position):
                        of_text, of_html, authors = values_of(why, "", by_models)
                        if authors and (followed := self._followed(position, authors, is_lead=name == "lead")):
                            of_text, of_html, _ = values_of(why, followed, by_models)
                        texts[position], htmls[position] = of_text, of_html
            in_text[name], in_html[name] = Chosen(texts, values), Chosen(htmls, values)
        return in_text, in_html

    def _are_by_authors(self, kind: TextKind, positions: Iterable[int]) -> bool:
        """Return whether the authors wrote the texts of some listings, none of which a model wrote."""
        by_sources, by_authors = self._by_sources[kind], self._by_authors[kind]
        return by_sources.isdisjoint(positions) and not by_authors.isdisjoint(positions)

    def _followed(self, position: int, authors: tuple[str, ...], *, is_lead: bool) -> str:
        """Return those of the authors whom the reader follows that the line with the authors does not show."""
        names = set(map(normalised_title, authors))
        listing = self._issue.listings[position].listing
        shown = AUTHORS_OF_LEAD if is_lead else 0 if listing.organization else 1
        return words.names([one for one in listing.authors[shown:] if normalised_title(one) in names])

    def _values(self, choice: Choice, subject: str, whole: Sections) -> dict[str, str]:
        """Return what a mail with these listings says of itself."""
        candidates, positions = self._issue.candidates, whole.shown
        matching = len(list(filter(None, choice.reasons)))
        others, minutes = len(choice.positions) - matching, whole.minutes
        headlines = self._headlines[choice.text]
        first = list(headlines) if self._issue.is_quiet else [headlines[position] for position in choice.positions]
        is_roomy = whole.is_roomy
        values = {
            "subject": subject,
            "preheader": preheader(self._language, first, candidates),
            "counts": words.no_news(self._language, bool(self._issue.listings))
            if self._issue.is_quiet
            else words.counts(self._language, matching, others, candidates, minutes),
            "wishes": words.wishes(choice),
            "roomy": _flag(is_roomy),
            "tight": _flag(not is_roomy),
            "summaries": _flag(choice.text is TextKind.SUMMARY),
            "abstracts": _flag(choice.text is TextKind.ABSTRACT),
            "searches": _flag(not self._searches.isdisjoint(positions)),
            "by_models": _flag(not self._by_models[choice.text].isdisjoint(positions)),
            "by_day": _flag(any(whole.days.values())),
        }
        if self._is_former:
            values |= former.values(choice, candidates, self._rendering.left_out)
        return values

    def _counted(self, whole: Sections, shown: Sections) -> dict[str, str]:
        """Return what a part says of the papers that it does not show."""
        if self._issue.is_quiet:
            return {"more_on_the_web": "", "more_in_the_text": ""}
        count, listings = len(shown.shown), self._issue.listings
        on_the_web = self._news - sum(not listings[position].again for position in shown.shown)
        return {
            "more_on_the_web": words.more_on_the_web(self._language, on_the_web),
            "more_in_the_text": words.more_in_the_text(self._language, len(whole.shown) - count),
        }


def _written_by(writer: Writer, headlines: Iterable[Headline]) -> frozenset[int]:
    """Return the positions of the listings whose texts are somebody's."""
    return frozenset(position for position, one in enumerate(headlines) if one.writer is writer)


@lru_cache(maxsize=4)
def _values_of_section(by_models: bool, by_authors: bool) -> Values:  # noqa: FBT001 -- kept by place
    """Return the values of the slots in a section, the same object where they are alike."""
    return Values(
        by_models=_flag(by_models),
        by_authors=_flag(by_authors),
        by_others=_flag(not by_models and not by_authors),
    )


def _values_of_listing(
    frame: Language,
    reasons: tuple[Reason, ...],
    followed: str,
    mixed: bool,  # noqa: FBT001 -- kept by place
) -> tuple[Values, Values, tuple[str, ...]]:
    """Return the values of the slots in a form of the text and of the HTML part, and the authors in the reasons.

    They are to be the same objects for all listings that are alike.
    """
    each = words.each_in_words(frame, reasons)
    matched = words.joined(each)
    first, second, third, *_ = (*each, "", "", "")
    both = {
        "reason_1": first,
        "reason_2": second,
        "reason_3": third,
        "followed": followed,
        "unmatched": _flag(not matched),
        "mixed": _flag(mixed),
        "unmixed": _flag(not mixed),
    }
    in_text = words.wrapped(f"[{matched}]", _MARGIN) if matched else ""
    authors = tuple(one.name for one in reasons if one.kind is ReasonKind.AUTHOR)
    return Values(matched=in_text, **both), Values(matched=matched, **both), authors


@lru_cache(maxsize=256)
def _wrapped(counts: str) -> str:
    """Return the line of counts for the text part; many choices have the same."""
    return words.wrapped(counts)


def _flag(holds: bool) -> str:  # noqa: FBT001 -- it is all that is said
    """Return the value of a slot that decides what is there and is never shown."""
    return "yes" if holds else ""


def _compiled(part: Part, names: Names, *, html: bool) -> CompiledPage:
    return CompiledPage(compiled(part.page, Markers(html=html, nonce=part.nonce), names))
