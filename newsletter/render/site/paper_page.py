"""The page of a paper, as values for its template. Pure, but for what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote_plus, urlencode
from zoneinfo import ZoneInfo

from newsletter.core.landing import Landing, title_links
from newsletter.core.likeness import Example, LikenessIndex, Opinion
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence, editions_of
from newsletter.core.searching import SearchIndex
from newsletter.ports.listed import ListedPaper
from newsletter.ports.papers import InIssue, Paper
from newsletter.render.issue.citation import Citation, citation
from newsletter.render.issue.clauses import cut
from newsletter.render.issue.language import Language
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.view import web_link
from newsletter.render.issue.wording import ByModel, by_model
from newsletter.render.issue.words import ai_label
from newsletter.render.site.papers import PaperView, ShownPaper, paper_view, plain
from newsletter.render.site.votes import VotesView, votes_view

_MOST_AUTHORS = 300
_MOST_KEYWORDS = 12
_ABSTRACT = 20_000  # characters
_DESCRIPTION = 200
_NAME = 80
_SIMILAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A text that leads to a search, and the query for it as it stands in a URL."""

    text: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPage:
    """A page elsewhere about the paper, by the name of its site; `of` tells the templates which one it is."""

    of: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOfPaper:
    """An issue that the paper stands in: where its page is from the site's root, and its place in it."""

    path: str
    title: str
    day: date
    is_weekly: bool
    rank: str
    listings: str
    upvotes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPageView:
    """A paper for the template of its page; texts and links may be empty, tuples too.

    `shown` is the paper as lists of papers have it. `summary` is the source's own, `ai_summary` by a model that
    the source asked, `machine` by one that was asked for the list of the page, else for another list. `meta` are
    the names and contents of meta elements by which programs for references find the paper.
    """

    shown: PaperView
    authors: tuple[Searched, ...]
    n_others: int
    summary: str
    ai_summary: str
    abstract: str
    published: date | None
    arxiv_id: str
    doi: str
    keywords: tuple[Searched, ...]
    others: tuple[OtherPage, ...]
    cited: Citation
    meta: tuple[tuple[str, str], ...]
    votes: VotesView | None
    issues: tuple[IssueOfPaper, ...]
    similar: tuple[PaperView, ...]
    description: str
    machine: ByModel | None = None

    @property
    def first_issue(self) -> IssueOfPaper | None:
        """Return the first issue that says how many upvotes the paper had when it was closed."""
        return next((one for one in reversed(self.issues) if one.upvotes and not one.is_weekly), None)


def paper_page_view(
    frame: Language, paper: Paper, listed: ListedPaper, near: Sequence[ListedPaper], zone: ZoneInfo
) -> PaperPageView:
    """Return a paper for the template of its page.

    Args:
        frame: the language of the page.
        paper: with its sightings and issues.
        listed: the same with its newest counts.
        near: papers of which some may be like it.
        zone: by whose clocks moments are shown.
    """
    listing, day = paper.listing, listed.first_listed_on
    shown = paper_view(frame, ShownPaper(paper=listed, day=day), is_brief=True)
    abstract = cut(plain(listing.abstract), _ABSTRACT)
    summary, ai_summary = plain(listing.summary), plain(listing.ai_summary)
    cited = citation(listing)
    named = cited.authors[:_MOST_AUTHORS]
    return PaperPageView(
        shown=shown,
        authors=tuple(_searched(cut(name, _NAME), quoted=True) for name in named),
        n_others=max(listing.n_authors - len(named), 0),
        summary="" if summary == abstract else summary,
        ai_summary=ai_summary,
        abstract=abstract,
        published=listing.published_on,
        arxiv_id=plain(listing.arxiv_id),
        doi=plain(listing.doi),
        keywords=tuple(_searched(word) for word in _keywords(listing)),
        others=tuple(other_pages(listing, shown)),
        cited=cited,
        meta=tuple(reference_meta(listing, cited, abstract, shown.pdf_url)),
        votes=votes_view(frame, paper.sightings, zone),
        issues=tuple(_of_issue(frame, one) for one in paper.issues),
        similar=_similar(frame, listing, near, day),
        description=cut(f"{ai_label(frame)} {ai_summary}" if ai_summary else summary or abstract, _DESCRIPTION),
    )


def _similar(frame: Language, listing: Listing, near: Sequence[ListedPaper], day: date) -> tuple[PaperView, ...]:
    return tuple(
        paper_view(frame, ShownPaper(paper=one, day=day), is_brief=True) for one in similar(listing, near)
    )


def machine_of(frame: Language, paper: Paper, list_name: str) -> ByModel | None:
    """Return what a model wrote of a paper: for a list, else for the one that had it last; None: nothing.

    Args:
        frame: the language of the page.
        paper: with its issues.
        list_name: of the list that the page belongs to, or nothing.
    """
    written = [(one.list in editions_of(list_name), one.machine) for one in paper.issues if one.machine]
    machine = next((machine for _, machine in sorted(written, key=lambda one: not one[0])), None)
    return by_model(frame, machine, plain(paper.listing.abstract), readable)


def _searched(text: str, *, quoted: bool = False) -> Searched:
    bare = text.replace('"', " ")
    return Searched(text=text, query=quote_plus(f'"{bare}"' if quoted else bare, errors="replace"))


def _keywords(listing: Listing) -> list[str]:
    words = (cut(plain(word), _NAME) for word in listing.keywords)
    return list(dict.fromkeys(word for word in words if word))[:_MOST_KEYWORDS]


def other_pages(listing: Listing, shown: PaperView) -> list[OtherPage]:
    """Return where else the paper is, each site once: what its sources name, and what follows from its ids."""
    words = urlencode({"q": shown.title}, errors="replace")
    arxiv = quote_plus(listing.arxiv_id, safe="/", errors="replace")
    by_name = {
        "arxiv": _landing(listing, Landing.ARXIV),
        "arxiv_html": _landing(listing, Landing.ARXIV_HTML),
        "doi": web_link(f"https://doi.org/{listing.doi}") if listing.doi else "",
        "huggingface": _landing(listing, Landing.HUGGINGFACE),
        "alphaxiv": _landing(listing, Landing.ALPHAXIV),
        "source": web_link(listing.url),
        "code": shown.code_url,
        "project": shown.project_url,
        "scholar": f"https://scholar.google.com/scholar?{words}",
        "semantic_scholar": f"https://www.semanticscholar.org/arxiv/{arxiv}" if arxiv else "",
    }
    found: dict[str, str] = {}
    for name, url in by_name.items():
        if url and url not in found.values():
            found[name] = url
    return [OtherPage(of=name, url=url) for name, url in found.items()]


def _landing(listing: Listing, landing: Landing) -> str:
    """Return the page of a paper with an arXiv id on a site, or nothing."""
    if not listing.arxiv_id:
        return ""
    url = web_link(title_links(listing, landing)[0])
    is_abstract_instead = landing is Landing.ARXIV_HTML and "/html/" not in url
    return "" if is_abstract_instead else url


def reference_meta(listing: Listing, cited: Citation, abstract: str, pdf_url: str) -> list[tuple[str, str]]:
    """Return the meta elements that programs for references read, such as Zotero and Google Scholar.

    They are those of Highwire Press, as arXiv's own pages have them.
    """
    published = f"{listing.published_on:%Y/%m/%d}" if listing.published_on else ""
    values = [
        ("citation_title", cited.title),
        *(("citation_author", name) for name in cited.authors),
        ("citation_date", published),
        ("citation_publication_date", published),
        ("citation_arxiv_id", plain(listing.arxiv_id)),
        ("citation_doi", plain(listing.doi) or (f"10.48550/arXiv.{listing.arxiv_id}" if listing.arxiv_id else "")),
        ("citation_pdf_url", pdf_url),
        ("citation_abstract", abstract),
        *(("citation_keywords", word) for word in _keywords(listing)),
    ]
    return [(name, value) for name, value in values if value]


def similar(listing: Listing, near: Sequence[ListedPaper]) -> list[ListedPaper]:
    """Return the few of some papers that are like one, the likest first."""
    if not near:
        return []
    index = LikenessIndex(SearchIndex([one.listing for one in near]))
    found = index.of([Opinion(Example.of(0, listing), liked=True)])
    likest = sorted(found.likest, key=lambda position: (-found.values[position], position))
    return [near[position] for position in likest[:_SIMILAR]]


def _of_issue(frame: Language, one: InIssue) -> IssueOfPaper:
    return IssueOfPaper(
        path=f"{one.list}/{one.day.isoformat()}/",
        title=plain(one.title),
        day=one.day,
        is_weekly=one.cadence is Cadence.WEEKLY,
        rank=frame.compact(one.rank),
        listings=frame.compact(one.listings),
        upvotes=frame.compact(one.upvotes) if one.upvotes else "",
    )
