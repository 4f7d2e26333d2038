"""Papers for the templates of pages: plain values, readable text, checked links. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.page_names import paper_path
from newsletter.core.paper_language import language_beside
from newsletter.core.pictures import Figure
from newsletter.core.ranking import ROSE_LATE
from newsletter.core.rendering import Writer
from newsletter.core.text import one_line
from newsletter.ports.listed import ListedPaper
from newsletter.render.issue import words
from newsletter.render.issue.clauses import clause, cut
from newsletter.render.issue.facts import late
from newsletter.render.issue.language import Language
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.sentences import cut_at_sentence, gist
from newsletter.render.issue.view import web_link
from newsletter.render.issue.wording import TITLE, ByModel, by_model

_TEXT = 400  # columns of a summary
_GIST = 260  # … of what is taken from an abstract
_NAME = 80  # characters of an author or an organization
_AUTHORS = 3  # that are named
_ABSTRACT = 4000  # characters; arXiv's longest have 1,920
_NEWS = timedelta(days=3)  # a paper that was published before that says when


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPaper:
    """A paper on a page, before it is put into words.

    Attributes:
        paper: with its newest counts.
        day: of the page that it stands on.
        rank: its place in the issue of the day; None: it is in none.
        figure: a picture of the paper that was checked.
        is_new: whether it became known after the issue of the day was closed.
        is_late: whether it came into the issue because it rose after the one before.
        machine: what a model wrote of it for the page's list.
    """

    paper: ListedPaper
    day: date
    rank: int | None = None
    figure: Figure | None = None
    is_new: bool = False
    is_late: bool = False
    machine: MachineSummary | None = None

    @property
    def votes(self) -> int:
        """Return its upvotes; none are fewer than one."""
        return self.paper.upvotes or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """A paper for templates. Texts and links may be empty, `path` goes from the site's root.

    `text` is a summary or what the abstract says that was done, `writer` wrote it; `text_lang` is the tag of its
    language, where it is not the page's, `text_dir` its direction, or `auto`. `also` is what stands behind it,
    by `also_writer`. `label` stands before a text by any model. If one wrote it for the page's list, `credit`
    names it, and `original` is the paper's own title where `title` is translated. `abstract` is whole. `authors`
    are the first ones, `n_others` counts those that are not named. `votes` and `stars` are short numbers,
    `upvotes`, `comments` and `all_stars` the same in words. `since` is when it was published, if that is long
    before the page's day; `late` says that it rose late. `lang` is the language tag of the paper's own texts,
    where it is not the page's.
    """

    path: str
    title: str
    original: str
    lang: str
    authors: tuple[str, ...]
    n_others: int
    n_authors: int
    organization: str
    since: str
    text: str
    writer: Writer
    text_lang: str
    text_dir: str
    credit: str
    label: str
    also: str
    also_writer: Writer
    abstract: str
    votes: str
    upvotes: str
    comments: str
    stars: str
    all_stars: str
    pdf_url: str
    code_url: str
    project_url: str
    discussion_url: str
    figure_url: str
    is_new: bool
    late: str


def paper_view(frame: Language, shown: ShownPaper, *, is_brief: bool = False) -> PaperView:
    """Return a paper for templates.

    Args:
        frame: the language of the page.
        shown: the paper.
        is_brief: whether to leave the abstract out.
    """
    paper, listing, published = shown.paper, shown.paper.listing, shown.paper.listing.published_on
    abstract = plain(listing.abstract)
    text, writer = _text(plain(listing.summary), plain(listing.ai_summary), abstract)
    title = cut(plain(listing.title), TITLE) or words.untitled(frame)
    lang = language_beside(listing, frame.tag, frame.code)
    by = by_model(frame, shown.machine, abstract, readable)
    authors = tuple(name for author in listing.authors[:_AUTHORS] if (name := cut(plain(author), _NAME)))
    return PaperView(
        path=paper_path(listing),
        title=by.title if by and by.title else title,
        original=title if by and by.title else "",
        lang=lang,
        authors=authors,
        n_others=max(listing.n_authors - len(authors), 0),
        n_authors=listing.n_authors,
        organization=cut(plain(listing.organization), _NAME),
        since=frame.short_date(published, shown.day) if published and shown.day - published > _NEWS else "",
        **_said(frame, by, text, writer, lang),
        abstract="" if is_brief or abstract == text else cut(abstract, _ABSTRACT),
        votes=frame.compact(paper.upvotes) if paper.upvotes else "",
        upvotes=words.counted(frame, paper.upvotes, "upvote") if paper.upvotes else "",
        comments=words.counted(frame, paper.comments, "comment") if paper.comments else "",
        stars=frame.compact(paper.stars) if paper.stars else "",
        all_stars=words.counted(frame, paper.stars, "star") if paper.stars else "",
        pdf_url=_pdf_url(listing),
        code_url=web_link(listing.code_url),
        project_url=web_link(listing.project_url),
        discussion_url=web_link(listing.discussion_url) if paper.comments else "",
        figure_url=web_link(shown.figure.url) if shown.figure else "",
        is_new=shown.is_new,
        late=late(frame, (ROSE_LATE,)) if shown.is_late else "",
    )


def _said(frame: Language, by: ByModel | None, text: str, writer: Writer, lang: str) -> dict[str, Any]:
    """Return the values of what is said of a paper: by a model for the list, else the text that there is."""
    label = words.ai_label(frame) if writer is Writer.MODEL else ""
    own = {"text": text, "writer": writer, "text_lang": lang, "text_dir": "auto", "credit": "", "label": label}
    if by is None:
        return {**own, "also": "", "also_writer": Writer.NOBODY}
    return {
        "text": cut_at_sentence(by.text, _TEXT),
        "writer": Writer.MODEL,
        "text_lang": by.lang,
        "text_dir": by.dir,
        "credit": by.credit,
        "label": by.label,
        "also": text if by.shows_both else "",
        "also_writer": writer if by.shows_both else Writer.NOBODY,
    }


def _pdf_url(listing: Listing) -> str:
    of_arxiv = f"https://arxiv.org/pdf/{listing.arxiv_id}" if listing.arxiv_id else ""
    return web_link(listing.pdf_url) or web_link(of_arxiv)


def plain(text: str) -> str:
    """Return a source's text as one readable line."""
    return one_line(readable(one_line(text)))


def _text(summary: str, ai_summary: str, abstract: str) -> tuple[str, Writer]:
    """Return what a page says of a paper in a few lines, and who wrote it."""
    if summary and summary != abstract:
        return cut_at_sentence(summary, _TEXT), Writer.SOURCE
    if ai_summary:
        return cut_at_sentence(ai_summary, _TEXT), Writer.MODEL
    return (clause(gist(abstract), _GIST), Writer.AUTHORS) if abstract else ("", Writer.NOBODY)
