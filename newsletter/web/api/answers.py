"""What the API answers: each kind of object with its fields, made from values of the core.

The models are the definition: answers and the OpenAPI document are made from them. Fields keep their names; new
ones may be added. There is nothing of a reader in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from newsletter.core.issue import Issue, IssueListing
from newsletter.core.listing import Listing, Sighting
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import WEEKDAYS, NewsletterList
from newsletter.core.page_names import API, paper_path
from newsletter.ports import IssueSummary, ListedPaper
from newsletter.ports.papers import InIssue, Paper

Moment = Annotated[
    datetime,
    PlainSerializer(lambda at: at.isoformat(timespec="seconds"), return_type=str),
    Field(json_schema_extra={"format": "date-time"}),
]


def _described(text: str, **more: Any) -> Any:
    return Field(description=text, **more)


class Answer(BaseModel):
    """An object that is answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorAnswer(Answer):
    """Why there is no other answer."""

    error: str = _described("One line that says what is wrong.")


class ListAnswer(Answer):
    """A list."""

    name: str = _described("In paths and addresses.")
    title: str
    language: str = _described("A language tag (BCP 47).")
    cadence: str = _described("`daily` or `weekly`.")
    days: list[str] = _described("The weekdays on which it comes out, such as `mon`.")
    hour: str = _described("When it comes out, `HH:MM` in the timezone.")
    timezone: str = _described("An IANA name.")
    signup: str = _described("Who may sign up: `open`, `approval` or `closed`.")
    topics: list[str]
    sources: list[str] = _described("The kinds of sources, such as `arxiv`.")
    url: str = _described("Its page.")


class WrongList(Answer):
    """A list whose file has mistakes, so that nothing else is known of it: it has no new issue and no sign-up."""

    name: str = _described("In paths and addresses.")
    url: str = _described("Its page, where it has issues.")


class ListsAnswer(Answer):
    """All lists."""

    lists: list[ListAnswer]
    wrong: list[WrongList] = _described("Those that are not in `lists`, as their files have mistakes.")


class IssueInList(Answer):
    """An issue without what is in it."""

    list: str = _described("The list's name; with `.weekly` behind it for the weekly edition of a daily list.")
    day: date
    number: int = _described("Counts the issues of the list, or of its weekly edition, from 1.")
    subject: str
    listings: int = _described("How many papers somebody without wishes gets.")
    closed_at: Moment = _described("Since when it does not change.")
    url: str = _described("Its page.")


class IssuesAnswer(Answer):
    """Issues of a list, the newest first."""

    issues: list[IssueInList]
    next: str | None = _described("The address of the next page; null: this is the last.")


class PaperLinks(Answer):
    """Where a paper is found; empty: nowhere that is known."""

    url: str = _described("At its source.")
    pdf: str
    code: str
    project: str
    discussion: str


class PaperTexts(Answer):
    """What a paper says."""

    id: str = _described("What it is known by: `arxiv:…`, `doi:…`, `url:…` or `title:…`.")
    title: str
    abstract: str
    summary: str = _described("The source's own short summary, or nothing.")
    ai_summary: str = _described("A summary that a source had a model write, and nobody reviewed, or nothing.")
    authors: list[str]
    author_count: int = _described("Some sources count authors without naming them all.")
    published_on: date | None
    organization: str
    categories: list[str]
    keywords: list[str]
    arxiv_id: str
    doi: str
    links: PaperLinks
    page: str = _described("Its page here.")


class MachineSummaryAnswer(Answer):
    """What a language model wrote of a paper for a list."""

    text: str = _described("A sentence or two.")
    title: str = _described("The title in the same language, or nothing where it is not translated.")
    language: str = _described("The tag of the language.")
    model: str = _described("Who wrote it.")
    reviewed: bool = _described("Whether a person has checked it: never.")


class ListingInIssue(PaperTexts):
    """A paper as it stands in an issue."""

    rank: int = _described("Its place in the issue, from 1.")
    listed_on: date = _described("The first day on which a source showed it.")
    upvotes: int | None = _described("When the issue was closed; null: no source counts them.")
    comments: int | None
    stars: int | None
    machine_summary: MachineSummaryAnswer | None = _described(
        "What a language model wrote of it for this list; null: nothing."
    )


class IssueAnswer(IssueInList):
    """An issue with its papers, as they were when it was closed."""

    title: str = _described("The list's.")
    language: str
    papers: list[ListingInIssue] = _described(
        "All that competed for it, best first; who has wishes gets others than the first `listings`."
    )


class PaperInList(PaperTexts):
    """A paper as it is known now."""

    upvotes: int | None = _described("The newest that is known; null: no source counts them.")
    comments: int | None
    stars: int | None
    first_listed_on: date
    first_seen_at: Moment
    sources: list[str]


class PapersAnswer(Answer):
    """Papers."""

    papers: list[PaperInList]
    next: str | None = _described("The address of the next page; null: this is the last.")


class FoundAnswer(PapersAnswer):
    """Papers that a search found, the best first."""

    total: int = _described("How many there are in all.")


class SightingAnswer(Answer):
    """What a source said of a paper at a moment."""

    source: str
    listed_on: date
    seen_at: Moment
    position: int = _described("On the source's page, from 0.")
    upvotes: int | None
    comments: int | None
    stars: int | None


class InIssueAnswer(Answer):
    """That a paper stands in an issue."""

    list: str
    day: date
    rank: int
    url: str
    machine_summary: MachineSummaryAnswer | None = _described(
        "What a language model wrote of it for this list; null: nothing."
    )


class PaperAnswer(PaperTexts):
    """A paper with all that is known of it."""

    sightings: list[SightingAnswer] = _described("Oldest first.")
    issues: list[InIssueAnswer] = _described("Those that it stands in, newest first.")


class Answers:
    """Makes answers; `public_url` stands before the paths of pages: where readers reach them, or nothing."""

    def __init__(self, public_url: str) -> None:
        self._base = f"{public_url}/"

    def page(self, path: str) -> str:
        """Return the address of a page."""
        return self._base + path

    def api(self, path: str) -> str:
        """Return the address of an answer."""
        return self.page(f"{API}/{path}")

    def list(self, one: NewsletterList) -> ListAnswer:
        """Return a list."""
        return ListAnswer(
            name=one.name,
            title=one.masthead.title,
            language=one.masthead.language,
            cadence=one.cadence,
            days=[WEEKDAYS[day] for day in one.issue_days],
            hour=f"{one.hour:%H:%M}",
            timezone=one.timezone,
            signup=one.signup,
            topics=list(one.topics),
            sources=_kinds(one.sources),
            url=self.page(f"{one.name}/"),
        )

    def wrong_list(self, name: str) -> WrongList:
        """Return a list whose file has mistakes."""
        return WrongList(name=name, url=self.page(f"{name}/"))

    def issue_in_list(self, one: IssueSummary) -> IssueInList:
        """Return an issue without its papers."""
        return IssueInList(
            list=one.list,
            day=one.day,
            number=one.number,
            subject=one.subject,
            listings=one.listings,
            closed_at=one.frozen_at,
            url=self._issue(one.list, one.day),
        )

    def issue(self, one: Issue) -> IssueAnswer:
        """Return an issue with its papers."""
        return IssueAnswer(
            list=one.list,
            day=one.day,
            number=one.number,
            subject=one.subject,
            listings=one.length,
            closed_at=one.frozen_at,
            url=self._issue(one.list, one.day),
            title=one.masthead.title,
            language=one.masthead.language,
            papers=[self._in_issue(each) for each in one.news],
        )

    def listed(self, one: ListedPaper) -> PaperInList:
        """Return a paper as it is known now."""
        return PaperInList(
            **self._texts(one.listing),
            upvotes=one.upvotes,
            comments=one.comments,
            stars=one.stars,
            first_listed_on=one.first_listed_on,
            first_seen_at=one.first_seen_at,
            sources=_kinds(one.sources),
        )

    def paper(self, one: Paper) -> PaperAnswer:
        """Return a paper with all that is known of it."""
        return PaperAnswer(
            **self._texts(one.listing),
            sightings=[_sighting(each) for each in one.sightings],
            issues=[self._stands_in(each) for each in one.issues],
        )

    def _in_issue(self, one: IssueListing) -> ListingInIssue:
        return ListingInIssue(
            **self._texts(one.listing),
            rank=one.rank,
            listed_on=one.listed_on,
            upvotes=one.upvotes,
            comments=one.comments,
            stars=one.stars,
            machine_summary=_machine_summary(one.machine),
        )

    def _stands_in(self, one: InIssue) -> InIssueAnswer:
        return InIssueAnswer(
            list=one.list,
            day=one.day,
            rank=one.rank,
            url=self._issue(one.list, one.day),
            machine_summary=_machine_summary(one.machine),
        )

    def _issue(self, list_name: str, day: date) -> str:
        return self.page(f"{list_name}/{day.isoformat()}/")

    def _texts(self, one: Listing) -> dict[str, Any]:
        same = ("title", "abstract", "summary", "ai_summary", "published_on", "organization", "arxiv_id", "doi")
        links = PaperLinks(
            url=one.url,
            pdf=one.pdf_url,
            code=one.code_url,
            project=one.project_url,
            discussion=one.discussion_url,
        )
        return {
            **{name: getattr(one, name) for name in same},
            "id": str(one.id),
            "authors": list(one.authors),
            "author_count": one.n_authors,
            "categories": list(one.categories),
            "keywords": list(one.keywords),
            "links": links,
            "page": self.page(paper_path(one)),
        }


def _machine_summary(one: MachineSummary | None) -> MachineSummaryAnswer | None:
    """Return what a model wrote of a paper, or None."""
    if one is None:
        return None
    return MachineSummaryAnswer(
        text=one.text, title=one.title, language=one.language, model=one.model, reviewed=False
    )


def _kinds(sources: Iterable[str]) -> list[str]:
    """Return what kinds of sources these are: what else a list file says of them may not be public."""
    return sorted({source.partition(":")[0] for source in sources})


def _sighting(one: Sighting) -> SightingAnswer:
    return SightingAnswer(
        source=one.source.partition(":")[0],
        listed_on=one.listed_on,
        seen_at=one.seen_at,
        position=one.position,
        upvotes=one.upvotes,
        comments=one.comments,
        stars=one.stars,
    )
