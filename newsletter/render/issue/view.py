"""An issue for templates: plain values, readable text, checked links. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlsplit

from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.landing import Landing, search_links, title_links
from newsletter.core.listing import Listing
from newsletter.core.pictures import Figure
from newsletter.core.rendering import Headline
from newsletter.core.text import one_line
from newsletter.render.issue.words import AI_SUMMARY, FIGURE, counted, cut, cut_at_sentence, short_date

BRIEF = 480  # characters of a listing's short paragraph: about six lines of the mail
CONTENTS_FROM = 12  # listings from which an issue has a table of contents
_PREHEADER = 160
_SUBJECT_TITLE = 100
_TITLE = 300  # characters; a longer text is not a title

_FIGURE_WIDTH, _FIGURE_HEIGHT = 536, 420  # CSS pixels, at most

_IMAGES = (".png", ".jpg", ".jpeg", ".gif")
_RIGHT_TO_LEFT = ("ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi")
# Characters that libxml2 leaves unchanged in a link of the HTML part, so that the text part has the same bytes.
_URL_SAFE = "@/:=?;#%&,+!~*'()"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingView:
    """A listing for templates. Texts and links may be empty, `position` counts from 0.

    `summary` is the source's own, `ai_summary` is by a model, `abstract` is whole, `brief` is a short paragraph of
    the first of these that exists. `ai_label` stands before the model's text (`AI summary:`); `brief_label` stands
    before `brief` if that is the model's text. `is_search`: `url` leads to a search by title, as nothing else is
    known of the paper. `facts` says why the listing is in the issue, and its votes (`128 upvotes`, `rose late`).
    `figure_width` is how wide a mail shows the picture, in CSS pixels; 0 without one. Its height follows. It may
    be transparent, and needs a white ground.
    """

    position: int
    title: str
    url: str
    is_search: bool
    authors: tuple[str, ...]
    n_authors: int
    organization: str
    published: str
    summary: str
    ai_summary: str
    ai_label: str
    abstract: str
    brief: str
    brief_label: str
    facts: tuple[str, ...]
    comments: str
    stars: str
    pdf_url: str
    code_url: str
    project_url: str
    discussion_url: str
    thumbnail_url: str
    figure_url: str
    figure_width: int
    figure_alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """An issue for templates."""

    number: int
    day: date
    preheader: str
    listings: tuple[ListingView, ...]
    has_contents: bool


def issue_view(issue: Issue, readable: Callable[[str], str]) -> IssueView:
    """Return an issue for templates.

    Args:
        issue: the frozen issue.
        readable: turns markup in a listing's text into plain Unicode.
    """
    listings = tuple(_listing(item, position, issue, readable) for position, item in enumerate(issue.listings))
    return IssueView(
        number=issue.number,
        day=issue.day,
        preheader=preheader([headline(listing) for listing in listings], issue.candidates),
        listings=listings,
        has_contents=len(listings) >= CONTENTS_FROM,
    )


def subject_values(draft: Draft, readable: Callable[[str], str]) -> dict[str, object]:
    """Return the values of a subject: the template `subject.txt` and `core.subject` name them."""
    lead = _plain(draft.listings[0].listing.title, readable) if draft.listings else ""
    return {
        "masthead": draft.masthead,
        "title": draft.masthead.title,
        "day": draft.day,
        "date": short_date(draft.day),
        "number": draft.number,
        "lead": cut(lead, _SUBJECT_TITLE),
        "count": len(draft.listings),
    }


def direction(language: str) -> str:
    """Return the writing direction of a language tag (RFC 5646): `ltr` or `rtl`."""
    return "rtl" if language.lower().partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


def web_link(url: str) -> str:
    """Return an http(s) URL in ASCII, or nothing for any other text."""
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or any(char.isspace() for char in url):
        return ""
    return quote(url, safe=_URL_SAFE, errors="replace")


def image_link(url: str) -> str:
    """Return the https URL of a still picture in a format that mail programs show, or nothing."""
    link = web_link(url)
    if not link.lower().startswith("https://") or not urlsplit(link).path.lower().endswith(_IMAGES):
        return ""
    return link


def _plain(text: str, readable: Callable[[str], str]) -> str:
    """Return a source's text as one readable line."""
    return one_line(readable(one_line(text)))


def _listing(item: IssueListing, position: int, issue: Issue, readable: Callable[[str], str]) -> ListingView:
    listing, figure = item.listing, item.figure
    abstract = _plain(listing.abstract, readable)
    ai_summary = _unless(_plain(listing.ai_summary, readable), {abstract})
    summary = _unless(_plain(listing.summary, readable), {abstract, ai_summary})
    ai_label = AI_SUMMARY if ai_summary else ""
    url, is_search = title_link(listing, issue.terms.landing)
    return ListingView(
        position=position,
        title=cut(_plain(listing.title, readable), _TITLE) or "Untitled",
        url=url,
        is_search=is_search,
        authors=tuple(name for author in listing.authors if (name := _plain(author, readable))),
        n_authors=listing.n_authors,
        organization=_plain(listing.organization, readable),
        published=short_date(listing.published_on, issue.day) if listing.published_on else "",
        summary=summary,
        ai_summary=ai_summary,
        ai_label=ai_label,
        abstract=abstract,
        brief=cut_at_sentence(summary or ai_summary or abstract, BRIEF),
        brief_label="" if summary else ai_label,
        facts=_facts(item),
        comments=counted(item.comments, "comment") if item.comments else "",
        stars=counted(item.stars, "star") if item.stars else "",
        pdf_url=web_link(listing.pdf_url)
        or (web_link(f"https://arxiv.org/pdf/{listing.arxiv_id}") if listing.arxiv_id else ""),
        code_url=web_link(listing.code_url),
        project_url=web_link(listing.project_url),
        discussion_url=web_link(listing.discussion_url) if item.comments else "",
        thumbnail_url=image_link(listing.thumbnail_url),
        figure_url=web_link(figure.url) if figure else "",
        figure_width=_shown_width(figure),
        figure_alt=FIGURE if figure else "",
    )


def _shown_width(figure: Figure | None) -> int:
    """Return how wide a mail shows a figure: as the text, less where it would be too tall."""
    return min(_FIGURE_WIDTH, _FIGURE_HEIGHT * figure.width // figure.height) if figure else 0


def _unless(text: str, said: Collection[str]) -> str:
    """Return a text, or nothing if it was shown before."""
    return "" if text in said else text


def title_link(listing: Listing, landing: Landing) -> tuple[str, bool]:
    """Return where the title leads, and whether that is a search by title."""
    link = next((link for url in title_links(listing, landing) if (link := web_link(url))), "")
    return link, link in map(web_link, search_links(listing, landing))


def _facts(item: IssueListing) -> tuple[str, ...]:
    """Return votes and reasons, without repeats: a reason may already name the votes."""
    votes = counted(item.upvotes, "upvote") if item.upvotes else ""
    reasons = tuple(one_line(reason) for reason in item.reasons)
    names_votes = any("upvote" in reason for reason in reasons)
    return (votes, *reasons) if votes and not names_votes else reasons


def size(shown: int, candidates: int) -> str:
    """Return how many papers there are, to follow `Here`: `are 20 of 46 new papers`."""
    return f"{'is' if shown == 1 else 'are'} {share(shown, candidates)}"


def share(shown: int, candidates: int) -> str:
    """Return how many papers there are, and of how many: `20 of 46 new papers`, or `46 new papers` for all."""
    return counted(shown, "new paper") if candidates <= shown else f"{shown} of {counted(candidates, 'new paper')}"


def headline(listing: ListingView) -> Headline:
    """Return the parts of a listing that a preheader uses."""
    return Headline(title=listing.title, brief=cut(f"{listing.brief_label} {listing.brief}".lstrip(), _PREHEADER))


def preheader(headlines: Sequence[Headline], candidates: int) -> str:
    """Return the text that an inbox shows after the subject, which is the first title: it goes on from there.

    Args:
        headlines: of the listings, in the reader's order.
        candidates: how many papers they were chosen from.
    """
    if len(headlines) < 2:  # noqa: PLR2004 -- the subject has said it all but for the paper's own words
        return headlines[0].brief if headlines else ""
    count = share(len(headlines), candidates)
    titles = " · ".join(item.title for item in headlines[1:3])
    return f"{cut(titles, _PREHEADER - len(count) - 3)} · {count}"
