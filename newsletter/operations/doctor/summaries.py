"""Whether the model that writes summaries answers, and whether lists that ask for summaries get any."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from newsletter.core.diagnosis import Diagnosis, ok, warn
from newsletter.core.errors import NewsletterError
from newsletter.core.machine_summary import MachineTextKind, SummaryMode
from newsletter.core.machine_text.check import RefusedTextError, checked
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.text import counted
from newsletter.operations.doctor.examination import failed
from newsletter.ports import ModelAnswer, Summarizer
from newsletter.render.prompts import Prompts

CHECK = "summaries"
_LANGUAGE = "en"
# A paper that there is not: it is short, and says enough for a sentence.
_TITLE = "Sorting Letters by Colour"
_ABSTRACT = "We sort letters by the colour of their envelopes. It is as fast as sorting them by address."


def without_model(lists: Iterable[NewsletterList], file_of: Callable[[str], str]) -> Iterator[Diagnosis]:
    """Yield a warning for each list that asks for summaries, where no model is set.

    Args:
        lists: all lists.
        file_of: returns the file of a list.
    """
    for one in lists:
        if one.summaries.mode is not SummaryMode.OFF:
            says = f"{file_of(one.name)} asks for summaries, and no model is set, so its papers have none"
            do = 'set NEWSLETTER_SUMMARIES__URL and NEWSLETTER_SUMMARIES__MODEL, or write mode = "off"'
            yield warn(CHECK, says, do)


async def summaries(
    summarizer: Summarizer, prompts: Prompts, seconds: Callable[[], float], lists: Iterable[NewsletterList]
) -> Diagnosis:
    """Ask a model for one summary, and return how that went: at worst a warning, as issues go out without it.

    Args:
        summarizer: the model.
        prompts: what it is told.
        seconds: a clock that only runs on.
        lists: all lists; the model is to write in the language of the first one that asks for summaries.
    """
    wanted = [one.summaries.language for one in lists if one.summaries.mode is not SummaryMode.OFF]
    language = wanted[0] if wanted else _LANGUAGE
    paper = json.dumps({"title": _TITLE, "abstract": _ABSTRACT})
    begun = seconds()
    try:
        instructions = prompts.instructions(MachineTextKind.SUMMARY, language)
        answer = await summarizer.write(instructions, paper)
    except NewsletterError as error:
        trouble = failed(CHECK, f"no summary by {summarizer.model}: {error}")
        return warn(CHECK, trouble.says, trouble.do)
    if answer.refusal:
        do = "see what its server filters, or set another NEWSLETTER_SUMMARIES__MODEL"
        return warn(CHECK, f"no summary by {summarizer.model}: {answer.refusal}", do)
    says = f"{summarizer.model} answers after {seconds() - begun:.1f} seconds, {_tokens(answer)}"
    if refusal := _refusal(answer, language):
        do = "try again, and set another NEWSLETTER_SUMMARIES__MODEL if it stays so"
        return warn(CHECK, f"{says}, but its text would not be used: {refusal}", do)
    return ok(CHECK, says if wanted else f"{says}; no list asks for summaries yet")


def _refusal(answer: ModelAnswer, language: str) -> str:
    """Return why what a model wrote of our paper would not be used, or nothing."""
    try:
        checked(answer.text, kind=MachineTextKind.SUMMARY, title=_TITLE, abstract=_ABSTRACT, language=language)
    except RefusedTextError as error:
        return str(error)
    return ""


def _tokens(answer: ModelAnswer) -> str:
    if not (answer.tokens_in or answer.tokens_out):
        return "and counts no tokens"
    return f"with {counted(answer.tokens_in, 'token')} in and {answer.tokens_out:,} out"
