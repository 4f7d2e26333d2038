"""The texts of a paper at the lengths that a mail has room for, and who wrote them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from newsletter.core.diff import MOST_CANDIDATES
from newsletter.core.issue import IssueListing
from newsletter.core.machine_summary import MachineSummary, SummaryShow
from newsletter.core.rendering import Writer
from newsletter.core.text import one_line
from newsletter.render.issue import words
from newsletter.render.issue.clauses import brief, clause, columns, cut
from newsletter.render.issue.language import Language, direction
from newsletter.render.issue.sentences import cut_at_sentence, gist, passage

TITLE = 300  # columns; a longer text is not a title
_MODEL = 60  # … of a model's name
_STANDFIRST = 400  # columns of a summary that is shown in full
_SHORT = 150  # … of a card's text: two lines of the mail
_LINES = 150  # … of title and text of a listing in brief: two lines
_LEAST_BRIEF = 45
_TEXT_SHORT, _TEXT_BRIEF = 190, 65  # … in the text part: three lines, one line
_PASSAGE, _PASSAGE_BESIDE = 600, 420  # columns from the abstract: alone, and beside a summary
_CARD_PASSAGE = 260


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A listing's texts at the lengths that a mail has room for; each may be empty.

    `standfirst` is the summary, `passage` the best sentences of the abstract, both for the lead. `short` is for a
    card, `line` for a listing in brief; `text_short` and `text_line` are the same for the text part. `roomy` is
    for a card on a short day, beside the standfirst. `writer` wrote the standfirst, `short` and `line`. `lang` is
    the tag of their language, or nothing where that is the mail's, or is not known; `dir` is their direction, or
    `auto`.

    If a model wrote them for this list, `credit` names it, `label` is the same with a colon, to stand before a
    text, and `short_credit` is for many texts in a row. `title` is the title in that language, `original` the
    paper's own beside it; both are empty where it is not translated. `turn` is their direction if it is not the
    mail's, for the text part. `also` has what is shown behind them, where the list wants both.
    """

    standfirst: str
    passage: str
    roomy: str
    short: str
    line: str
    text_short: str
    text_line: str
    writer: Writer
    lang: str
    dir: str = "auto"
    turn: str = ""
    credit: str = ""
    short_credit: str = ""
    label: str = ""
    title: str = ""
    original: str = ""
    also: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByModel:
    """What a model wrote of a paper for a list, as it may be shown: plain lines, and the credit in some words.

    `lang` and `dir` are those of `text` and `title`; `lang` is empty where it is the language of the words.
    """

    text: str
    title: str
    lang: str
    dir: str
    credit: str
    short_credit: str
    label: str
    shows_both: bool


def by_model(
    frame: Language, machine: MachineSummary | None, abstract: str, readable: Callable[[str], str]
) -> ByModel | None:
    """Return what a model wrote of a paper as it may be shown; None: there is nothing.

    A text that nobody can hold against an abstract is not shown.

    Args:
        frame: the language of the words around it.
        machine: what was written.
        abstract: of the paper.
        readable: turns markup into plain Unicode.
    """
    if machine is None or not abstract or not (text := one_line(readable(one_line(machine.text)))):
        return None
    title = cut(one_line(readable(one_line(machine.title))), TITLE)
    model = cut(one_line(machine.model), _MODEL)
    return ByModel(
        text=text,
        title=title,
        lang="" if machine.language.lower() == frame.code.lower() else machine.language,
        dir=direction(machine.language),
        credit=words.credit(frame, model, has_title=bool(title)),
        short_credit=words.short_credit(frame, model),
        label=words.label_of_model(frame, model),
        shows_both=machine.show is SummaryShow.BOTH,
    )


def heading(item: IssueListing, tag: str) -> str:
    """Return by which title a paper is named in a language: the translated one, if there is one; else its own.

    Args:
        item: the paper in its issue.
        tag: of the language; it may name a region, too.
    """
    machine, listing = item.machine, item.listing
    is_translated = machine is not None and listing.abstract and _base(machine.language) == _base(tag)
    return (machine.title if machine and is_translated else "") or listing.title


@lru_cache(maxsize=2 * MOST_CANDIDATES)  # most languages of an issue have the same; some papers have two
def own_wording(title: str, summary: str, ai_summary: str, abstract: str, lang: str) -> Wording:
    """Return what a mail shows of what the paper's sources say of it; `lang` is the tag of their language."""
    said = summary or ai_summary
    first = said or gist(abstract)
    return Wording(
        standfirst=cut_at_sentence(said, _STANDFIRST),
        passage=passage(abstract, most=2, limit=_PASSAGE_BESIDE) if said else passage(abstract, limit=_PASSAGE),
        roomy=clause(gist(abstract), _CARD_PASSAGE) if said else passage(abstract, most=2, limit=_PASSAGE_BESIDE),
        short=clause(first, _SHORT),
        line=_line(title, first),
        text_short=clause(first, _TEXT_SHORT),
        text_line=brief(title, first, _TEXT_BRIEF) if first else "",
        writer=_writer(summary, ai_summary, abstract),
        lang=lang,
    )


def model_wording(frame: Language, title: str, by: ByModel, own: Wording) -> Wording:
    """Return what a mail shows of a paper of which a model wrote for this list.

    Args:
        frame: the language of the mail's own words.
        title: the paper's own.
        by: what the model wrote.
        own: what is shown without it.
    """
    return Wording(
        standfirst=cut_at_sentence(by.text, _STANDFIRST),
        passage="",
        roomy="",
        short=clause(by.text, _SHORT),
        line=_line(by.title or title, by.text),
        text_short=clause(by.text, _TEXT_SHORT),
        text_line=brief(by.title or title, by.text, _TEXT_BRIEF),
        writer=Writer.MODEL,
        lang=by.lang,
        dir=by.dir,
        turn="" if by.dir == frame.direction else by.dir,
        credit=by.credit,
        short_credit=by.short_credit,
        label=by.label,
        title=by.title,
        original=title if by.title else "",
        also=own if by.shows_both and (own.standfirst or own.passage) else None,
    )


def _line(title: str, text: str) -> str:
    return brief(title, text, max(_LINES - columns(title), _LEAST_BRIEF)) if text else ""


def _writer(summary: str, ai_summary: str, abstract: str) -> Writer:
    if summary:
        return Writer.SOURCE
    if ai_summary:
        return Writer.MODEL
    return Writer.AUTHORS if abstract else Writer.NOBODY


def _base(tag: str) -> str:
    return tag.lower().partition("-")[0]
