"""What the frame of a mail says: counts and sentences in a language; and how lines of the text part are set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.searching import stems
from newsletter.core.text import one_line
from newsletter.render.issue.clauses import columns, cut
from newsletter.render.issue.language import Language
from newsletter.render.issue.mathtext import readable

LINE = 72  # columns of the text part
_REASONS = 3  # that are said of a paper
_TOPICS = 3  # that are named at the head of a section
_NAME = 48  # columns of what a reader follows, and of a topic
# A word with the space before it. Each character of a script that is written without spaces is one, with marks
# after it that must not begin a line, and marks before it that must not end one.
_CLOSING, _OPENING = "、。，．：；？！）」』】〉》〕”’…ー々", "（「『【〈《〔“‘"  # noqa: RUF001 -- of Chinese and Japanese
_CJK = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_WORD = re.compile(rf"([^\S\u00a0]*)([{_OPENING}]*(?:(?:[^\s{_CJK}]|\u00a0)+|[{_CJK}])[{_CLOSING}]*(?:\u00a0…)?)")

# Unicode Standard Annex 9: a line is a paragraph of its own, and so are these.
_ISOLATES, _END_OF_ISOLATE = {"ltr": "\u2066", "rtl": "\u2067"}, "\u2069"


def _N(one: str, many: str) -> tuple[str, str]:  # noqa: N802 -- the name by which texts are found that are said later
    """Return the forms of a message for one and for many, which stand here to be translated."""
    return one, many


# What is counted, by the names that templates have for it.
_COUNTED: Mapping[str, tuple[str, str]] = {
    "paper": _N("%(count)s paper", "%(count)s papers"),
    "new paper": _N("%(count)s new paper", "%(count)s new papers"),
    "author": _N("%(count)s author", "%(count)s authors"),
    "upvote": _N("%(count)s upvote", "%(count)s upvotes"),
    "comment": _N("%(count)s comment", "%(count)s comments"),
    "star": _N("%(count)s star", "%(count)s stars"),
}


@lru_cache(maxsize=4096)
def counted(language: Language, number: int, noun: str) -> str:
    """Return `1 paper` or `46 papers`; what is in no catalogue is counted in English."""
    one, many = _COUNTED.get(noun, (f"%(count)s {noun}", f"%(count)s {noun}s"))
    return language.ngettext(one, many, number)


def ai_label(language: Language) -> str:
    """Return what stands before a text by a model that stands alone."""
    return language.gettext("AI summary:")


def credit(language: Language, model: str, *, has_title: bool) -> str:
    """Return who wrote a summary, or a title and a summary: a model, for this list."""
    if has_title:
        return language.gettext("AI title and summary by %(model)s, not reviewed", model=model)
    return language.gettext("AI summary by %(model)s, not reviewed", model=model)


def short_credit(language: Language, model: str) -> str:
    """Return the same where many such texts stand in a row."""
    return language.gettext("(AI: %(model)s, not reviewed)", model=model)


def label_of_model(language: Language, model: str) -> str:
    """Return what stands before such a text where nothing else is around it."""
    return language.gettext("AI summary by %(model)s, not reviewed:", model=model)


def figure(language: Language) -> str:
    """Return what stands in place of a picture that is not loaded."""
    return language.gettext("Figure shown with the paper")


def no_list(language: Language) -> str:
    """Return what stands in place of a list's title on a page that is about no list."""
    return language.gettext("Newsletter")


def untitled(language: Language) -> str:
    """Return what stands in place of a title that is missing."""
    return language.gettext("Untitled")


def test_copy(language: Language) -> str:
    """Return what stands before the subject of a test copy."""
    return language.gettext("[Test]")


def first_author(language: Language, name: str) -> str:
    """Return the name of the first of several authors."""
    return language.gettext("%(author)s et al.", author=name)


def unbroken(text: str) -> str:
    """Return text with no-break spaces, so that a date or a count stays on one line."""
    return text.replace(" ", "\u00a0")


@lru_cache(maxsize=4096)
def share(language: Language, shown: int, candidates: int) -> str:
    """Return how many papers there are, and of how many: `20 of 46 new papers`, or `46 new papers` for all."""
    if candidates <= shown:
        return counted(language, shown, "new paper")
    return language.ngettext(
        "%(shown)s of %(count)s new paper",
        "%(shown)s of %(count)s new papers",
        candidates,
        shown=language.compact(shown),
    )


@lru_cache(maxsize=4096)
def counts(language: Language, matching: int, others: int, candidates: int, minutes: int) -> str:
    """Return how many papers a mail holds, and how long reading takes, in two sentences.

    Args:
        language: in which to say it.
        matching: those that fit the reader's wishes.
        others: those that everybody gets.
        candidates: all new papers; a reader may get others too, that are new to this reader alone.
        minutes: that reading takes.
    """
    papers = _papers(language, matching, others, candidates)
    time = language.ngettext("About a minute", "About %(count)s minutes", minutes)
    return language.gettext("%(papers)s. %(minutes)s.", papers=papers, minutes=time)


def _papers(language: Language, matching: int, others: int, candidates: int) -> str:
    rest, papers = candidates - matching, counted(language, matching, "paper")
    if not matching:
        return share(language, others, candidates)
    if not others and rest <= 0:
        return language.gettext("%(papers)s for you", papers=papers)
    if not others:
        return language.ngettext(
            "%(papers)s for you, of %(count)s new paper",
            "%(papers)s for you, of %(count)s new papers",
            candidates,
            papers=papers,
        )
    if others >= rest:
        return language.ngettext(
            "%(papers)s for you, and %(count)s other",
            "%(papers)s for you, and %(count)s others",
            others,
            papers=papers,
        )
    return language.ngettext(
        "%(papers)s for you, and the best %(best)s of %(count)s other",
        "%(papers)s for you, and the best %(best)s of %(count)s others",
        rest,
        papers=papers,
        best=language.compact(others),
    )


def no_news_subject(language: Language) -> str:
    """Return the subject of a mail on a day without news."""
    return language.gettext("No new papers today")


def no_news(language: Language, names_papers: bool) -> str:  # noqa: FBT001 -- see `_flag`
    """Return what a mail on a day without news says, where it names papers or none."""
    if names_papers:
        return language.gettext("Nothing new was listed today. These papers are from earlier issues.")
    return language.gettext("Nothing new was listed today.")


@lru_cache(maxsize=4096)
def more_on_the_web(language: Language, count: int) -> str:
    """Return how many papers only the web version shows, or nothing where it shows no more."""
    one, many = _N("%(count)s more paper on the web", "%(count)s more papers on the web")
    return language.ngettext(one, many, count) if count > 0 else ""


@lru_cache(maxsize=4096)
def more_in_the_text(language: Language, count: int) -> str:
    """Return how many papers only the text part shows, or nothing where it shows no more."""
    one, many = _N(
        "%(count)s more paper in the text part of this mail", "%(count)s more papers in the text part of this mail"
    )
    return language.ngettext(one, many, count) if count > 0 else ""


def rule(title: str, note: str = "") -> str:
    """Return the head of a section of the text part: `-- For you ---------- AI summaries`."""
    head, end = f"-- {title} ", f" {note}" if note else ""
    return head + "-" * max(LINE - columns(head + end), 2) + end


def beside(left: str, right: str) -> str:
    """Return two texts at both ends of a line of the text part, or on two lines where one has no room for them."""
    room = LINE - columns(left + right)
    return left + " " * room + right if room > 1 else f"{left}\n{right}"


def in_words(language: Language, reasons: tuple[Reason, ...]) -> str:
    """Return why a listing is for a reader: the first few reasons."""
    return joined(each_in_words(language, reasons))


def joined(reasons: Iterable[str]) -> str:
    """Return reasons as one line."""
    return " · ".join(reasons)


def each_in_words(language: Language, reasons: tuple[Reason, ...]) -> tuple[str, ...]:
    """Return the first few of the reasons why a listing is for a reader, each once."""
    return tuple(dict.fromkeys(_in_words(language, reason) for reason in reasons[:_REASONS]))


def names(authors: Iterable[str]) -> str:
    """Return some authors as one line."""
    return ", ".join(cut(one_line(readable(one)), _NAME) for one in authors)


@lru_cache(maxsize=8192)  # most are those of many readers
def _in_words(language: Language, reason: Reason) -> str:
    name, word = cut(reason.name, _NAME), cut(reason.word, _NAME)
    match reason.kind:
        case ReasonKind.TOPIC:
            if stems(word) == stems(name):
                return name
            return language.gettext("%(topic)s: %(word)s", topic=name, word=word)
        case ReasonKind.INTEREST:
            return language.gettext("your interest: %(word)s", word=word)
        case ReasonKind.LIKED:
            title = cut(one_line(readable(reason.name)), _NAME)
            return language.gettext("like “%(title)s”", title=title)
        case _:
            return language.gettext("you follow %(name)s", name=name)


def wishes(choice: Choice) -> str:
    """Return the names of the topics that a reader gets papers of, such as `agents, theory`."""
    topics: dict[str, None] = {}
    for reasons in filter(None, choice.reasons):
        for one in reasons:
            if one.kind is ReasonKind.TOPIC:
                topics[one.name] = None
        if len(topics) >= _TOPICS:
            break
    return ", ".join([cut(name, _NAME) for name in list(topics)[:_TOPICS]])


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Return text wrapped for the text part, every line indented.

    Args:
        text: one paragraph; between Chinese and Japanese characters, which have no spaces, it is wrapped too.
        indent: columns before each line.
        first: stands in the margin of the first line, such as `  147  `.
    """
    lines = [""]
    for space, word in _WORD.findall(text.rstrip()):  # it would look for a word at each space of the end
        longer = lines[-1] + space + word
        if lines[-1] and columns(longer) > LINE - indent:
            lines.append(word)
        else:
            lines[-1] = longer if lines[-1] else word
    margin = " " * indent
    return (first or margin) + f"\n{margin}".join(lines)


def isolated(text: str, turn: str) -> str:
    """Return lines of the text part so that none of them turns what stands beside it.

    Args:
        text: lines, perhaps indented.
        turn: the direction of their text, `ltr` or `rtl`, if it is not that of the mail; else nothing.
    """
    if not turn:
        return text
    begin = _ISOLATES[turn]
    return "\n".join(re.sub(r"^(\s*)(.*\S)", rf"\1{begin}\2{_END_OF_ISOLATE}", line) for line in text.split("\n"))
