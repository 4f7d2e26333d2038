"""An issue for templates: plain values, readable text, checked links. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from newsletter.core.diff import MOST_CANDIDATES
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.landing import Landing, search_links, title_links
from newsletter.core.layout import day_section
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.paper_language import beside, language_of
from newsletter.core.pictures import Figure
from newsletter.core.rendering import Headline, Writer
from newsletter.core.text import one_line
from newsletter.core.tokens import feedback_about
from newsletter.core.week import day_of_week, days_of_week
from newsletter.render.issue import words
from newsletter.render.issue.clauses import clause, cut
from newsletter.render.issue.facts import facts, late
from newsletter.render.issue.language import Language, language
from newsletter.render.issue.wording import TITLE, Wording, by_model, heading, model_wording, own_wording

_PREHEADER = 160
_SUBJECT_TITLE = 100
_LINK = 2000  # characters; a longer link is not followed by all programs

AUTHORS_OF_LEAD = 3  # that the lead names; see `_base/listing.html`
_BYLINE = 34  # columns: there is as much room beside the actions of a card
_FIGURE_WIDTH, _FIGURE_HEIGHT = 536, 420  # CSS pixels, at most

# Characters that libxml2 leaves unchanged in a link of the HTML part, so that the text part has the same bytes.
_URL_SAFE = "@/:=?;#%&,+!~*'()"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingView:
    """A listing for templates. Texts and links may be empty, `position` counts from 0.

    `title` is the paper's own. `summary` is the source's own, `ai_summary` is by a model that the source asked
    (`ai_label` stands before it), `abstract` is whole. `wording` has what is shown, shorter, and in its place what
    a model wrote for this list; `heading` is the title by which the mail names it elsewhere, translated if that is
    into the mail's language. `abstract_wording` is that for readers who want abstracts, where it differs.
    `byline` is the organization or the first author. `votes` is a number, and
    `upvotes` the same in words; `facts` say what else it is in the issue for (`+12 since yesterday`, `rose late`),
    `late` is the last of these alone, or nothing. `rose_from` and
    `rose_by` are numbers, if it rose since it was first seen. `day_section` is the name of the section of its day
    in a weekly mail. `is_search` says whether `url` is a search for the title. `lang` is the language tag of the
    paper's own texts, or nothing where it is that of the mail, or is not known. `more_path` and `less_path` stand
    behind the slot `feedback_url`. `figure_url` is a picture from the paper, `figure_width` how wide a mail shows
    it, in CSS pixels. Its height follows. It may be transparent, and needs a white ground.
    """

    key: int
    position: int
    title: str
    heading: str
    url: str
    is_search: bool
    lang: str
    authors: tuple[str, ...]
    n_authors: int
    organization: str
    byline: str
    published: str
    day_section: str
    summary: str
    ai_summary: str
    ai_label: str
    abstract: str
    wording: Wording
    abstract_wording: Wording | None
    facts: tuple[str, ...]
    late: str
    votes: str
    upvotes: str
    rose_from: str
    rose_by: str
    comments: str
    n_comments: str
    stars: str
    n_stars: str
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    discussion_url: str = ""
    cite_url: str = ""
    more_path: str = ""
    less_path: str = ""
    figure_url: str = ""
    figure_width: int = 0
    figure_alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """A day of a weekly issue: the name of its section, and how many listings are of that day.

    `day` is None for what was listed before the week.
    """

    section: str
    day: date | None
    listings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """An issue for templates: `listings` are all candidates, best first; `days` those of a weekly issue.

    An issue that `is_quiet` is of a day without news, and its listings are from earlier issues.
    """

    number: int
    day: date
    is_quiet: bool
    preheader: str
    listings: tuple[ListingView, ...]
    days: tuple[DayView, ...]


def issue_view(
    issue: Issue, readable: Callable[[str], str], cite: Callable[[IssueListing], str] = lambda _: ""
) -> IssueView:
    """Return an issue for templates.

    Args:
        issue: the frozen issue.
        readable: turns markup in a listing's text into plain Unicode.
        cite: returns the link to the page by which a listing is cited, or nothing.
    """
    frame = language(issue.masthead.language)
    listings = tuple(
        _linked(_listing(item, position, issue, readable), item, frame, cite(item))
        for position, item in enumerate(issue.listings)
    )
    first = [headline(listing) for listing in listings[: issue.length]]
    return IssueView(
        number=issue.number,
        day=issue.day,
        is_quiet=issue.is_quiet,
        preheader=preheader(frame, first, issue.candidates),
        listings=listings,
        days=_days(issue) if issue.terms.cadence is Cadence.WEEKLY else (),
    )


def subject_values(draft: Draft, readable: Callable[[str], str]) -> dict[str, object]:
    """Return the values of a subject: the template `subject.txt` and `core.subject` name them."""
    frame = language(draft.masthead.language)
    lead = _plain(heading(draft.listings[0], draft.masthead.language), readable) if draft.listings else ""
    if draft.is_quiet:
        lead = words.no_news_subject(frame)
    return {
        "masthead": draft.masthead,
        "title": draft.masthead.title,
        "day": draft.day,
        "date": frame.short_date(draft.day),
        "number": draft.number,
        "lead": cut(lead, _SUBJECT_TITLE) or words.untitled(frame),
        "count": 0 if draft.is_quiet else sum(not one.again for one in draft.listings),
    }


def web_link(url: str) -> str:
    """Return an http(s) URL in ASCII, or nothing for any other text."""
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or any(char.isspace() for char in url):
        return ""
    link = quote(url, safe=_URL_SAFE, errors="replace")
    return link if len(link) <= _LINK else ""


def _plain(text: str, readable: Callable[[str], str]) -> str:
    """Return a source's text as one readable line."""
    return one_line(readable(one_line(text)))


def _days(issue: Issue) -> tuple[DayView, ...]:
    days = [day_of_week(one.listed_on, issue.day) for one in issue.listings]
    return tuple(
        DayView(section=day_section(day), day=day, listings=days.count(day)) for day in days_of_week(issue)
    )


class _Texts(NamedTuple):
    """What of a paper is the same in all languages: its own texts, plain, and where its title leads."""

    title: str
    summary: str
    ai_summary: str
    abstract: str
    authors: tuple[str, ...]
    organization: str
    language: str
    url: str
    is_search: bool


@lru_cache(maxsize=MOST_CANDIDATES)  # an issue is rendered once for each language that a reader wants
def _texts(listing: Listing, landing: Landing, readable: Callable[[str], str]) -> _Texts:
    abstract = _plain(listing.abstract, readable)
    ai_summary = _unless(_plain(listing.ai_summary, readable), {abstract})
    return _Texts(
        cut(_plain(listing.title, readable), TITLE),
        _unless(_plain(listing.summary, readable), {abstract, ai_summary}),
        ai_summary,
        abstract,
        tuple(name for author in listing.authors if (name := _plain(author, readable))),
        _plain(listing.organization, readable),
        language_of(listing),
        *title_link(listing, landing),
    )


def _listing(item: IssueListing, position: int, issue: Issue, readable: Callable[[str], str]) -> ListingView:
    listing, frame = item.listing, language(issue.masthead.language)
    texts = _texts(listing, issue.terms.landing, readable)
    title = texts.title or words.untitled(frame)
    named = heading(item, frame.tag)
    own, of_abstract = _own_wordings(texts, frame, title)
    authors, organization, abstract = texts.authors, texts.organization, texts.abstract
    by = by_model(frame, item.machine, abstract, readable)
    return ListingView(
        key=item.key,
        position=position,
        title=title,
        heading=title if named == listing.title else cut(_plain(named, readable), TITLE) or title,
        url=texts.url,
        is_search=texts.is_search,
        lang=own.lang,
        authors=authors,
        n_authors=listing.n_authors,
        organization=organization,
        byline=cut(organization, _BYLINE) or _first_author(frame, authors, listing.n_authors),
        published=frame.short_date(listing.published_on, issue.day) if listing.published_on else "",
        day_section=day_section(day_of_week(item.listed_on, issue.day)),
        summary=texts.summary,
        ai_summary=texts.ai_summary,
        ai_label=words.ai_label(frame) if texts.ai_summary else "",
        abstract=abstract,
        wording=model_wording(frame, title, by, own) if by else own,
        abstract_wording=of_abstract or (own if by else None),
        facts=facts(frame, item.reasons),
        late=late(frame, item.reasons),
        votes=frame.compact(item.upvotes) if item.upvotes else "",
        upvotes=words.counted(frame, item.upvotes, "upvote") if item.upvotes else "",
        rose_from=frame.compact(item.first_upvotes or 0) if item.rose_by else "",
        rose_by=frame.compact(item.rose_by) if item.rose_by else "",
        **_counts(item, frame),
    )


def _counts(item: IssueListing, frame: Language) -> dict[str, Any]:
    """Return comments and stars, in words and as short numbers."""
    return {
        "comments": words.counted(frame, item.comments, "comment") if item.comments else "",
        "n_comments": frame.compact(item.comments) if item.comments else "",
        "stars": words.counted(frame, item.stars, "star") if item.stars else "",
        "n_stars": frame.compact(item.stars) if item.stars else "",
    }


def _own_wordings(texts: _Texts, frame: Language, title: str) -> tuple[Wording, Wording | None]:
    """Return what is shown of summary, AI summary and abstract; and for readers of abstracts, if that differs."""
    lang, said = beside(texts.language, frame.tag, frame.code), (texts.summary, texts.ai_summary)
    own = own_wording(title, *said, texts.abstract, lang)
    return own, own_wording(title, "", "", texts.abstract, lang) if texts.abstract and any(said) else None


def _linked(view: ListingView, item: IssueListing, frame: Language, cite_url: str) -> ListingView:
    """Return a view with the links beside the title, and with the figure."""
    listing, figure = item.listing, item.figure
    of_arxiv = f"https://arxiv.org/pdf/{listing.arxiv_id}" if listing.arxiv_id else ""
    return replace(
        view,
        pdf_url=web_link(listing.pdf_url) or web_link(of_arxiv),
        code_url=web_link(listing.code_url),
        project_url=web_link(listing.project_url),
        discussion_url=web_link(listing.discussion_url) if item.comments else "",
        cite_url=cite_url,
        more_path=feedback_about(item.key, like=True),
        less_path=feedback_about(item.key, like=False),
        figure_url=web_link(figure.url) if figure else "",
        figure_width=_shown_width(figure),
        figure_alt=words.figure(frame) if figure else "",
    )


def _shown_width(figure: Figure | None) -> int:
    """Return how wide a mail shows a figure: as the text, less where it would be too tall."""
    return min(_FIGURE_WIDTH, _FIGURE_HEIGHT * figure.width // figure.height) if figure else 0


def _first_author(frame: Language, authors: Sequence[str], count: int) -> str:
    """Return the first author, and whether there are others; or how many there are."""
    if not authors:
        return words.counted(frame, count, "author") if count else ""
    return words.first_author(frame, authors[0]) if count > 1 else authors[0]


def _unless(text: str, said: Collection[str]) -> str:
    """Return a text, or nothing if it was shown before."""
    return "" if text in said else text


def title_link(listing: Listing, landing: Landing) -> tuple[str, bool]:
    """Return where the title leads, and whether that is a search by title."""
    link = next((link for url in title_links(listing, landing) if (link := web_link(url))), "")
    return link, link in map(web_link, search_links(listing, landing))


def headline(listing: ListingView) -> Headline:
    """Return what of a listing a mail says outside of it."""
    wording = listing.wording
    label = f"{wording.label or listing.ai_label} " if wording.writer is Writer.MODEL else ""
    return Headline(
        title=listing.heading,
        brief=clause(label + (wording.standfirst or wording.passage), _PREHEADER),
        writer=wording.writer,
        from_abstract=clause(abstract.passage, _PREHEADER) if (abstract := listing.abstract_wording) else "",
        is_search=listing.is_search,
        own_title=listing.title if listing.heading != listing.title else "",
    )


_cut = lru_cache(maxsize=2048)(cut)  # many readers begin with papers that others begin with


def preheader(frame: Language, headlines: Sequence[Headline], candidates: int) -> str:
    """Return the text that an inbox shows after the subject, which is the first title: it goes on from there.

    Args:
        frame: the language of the mail's own words.
        headlines: of the listings, in the reader's order.
        candidates: how many papers they were chosen from.
    """
    if len(headlines) < 2:  # noqa: PLR2004 -- the subject has said it all but for the paper's own words
        return headlines[0].brief if headlines else ""
    count = words.share(frame, len(headlines), candidates)
    titles = " · ".join([item.title for item in headlines[1:3]])
    return f"{_cut(titles, _PREHEADER - len(count) - 3)} · {count}"
