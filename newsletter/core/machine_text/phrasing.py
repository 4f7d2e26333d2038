"""Whether a model answers at all: it may decline, or repeat what it was given. Pure."""

from __future__ import annotations

import re

from newsletter.core.machine_text.refusal import RefusedTextError

_APOLOGY = re.compile(
    r"(?:i(?:'m| am)(?: very| so)? (?:sorry|afraid|unable|not able)|i (?:apologi[sz]e|cannot|can(?:'t|not)"
    r"|could not|couldn't|won't|do not have|don't have|don't see|need (?:the|more))"
    r"|sorry\b|as an? (?:ai|artificial intelligence|language model"
    r"|large language model)(?: language)?(?: model| assistant)?,|unfortunately,? (?:i|the (?:provided"
    r"|given))\b"
    r"|(?:the |no )?(?:title and )?abstract (?:is |was )?(?:not |n't )?provided\b|please (?:provide|share"
    r"|send)|there is no abstract"
    r"|es tut mir leid|leider (?:kann|ist) |als (?:ki|sprachmodell)\b|ich kann (?:nicht|keine|diese)"
    r"|entschuldigung"
    r"|je suis désolée?|désolée?\b|je ne (?:peux|puis) pas|en tant qu'ia\b|lo siento|no puedo|como (?:ia"
    r"|modelo de lenguaje)\b|lamento\b|desculpe|não posso|como (?:uma )?ia,"
    r"|mi dispiace|non posso|het spijt me|als ai-|извините|к сожалению, я|я не могу|как (?:ии|языковая модель)"
    r"|抱歉|对不起|對不起|很遗憾|很抱歉|作为(?:一个|一名)?(?:ai|人工智能)|我(?:无法|不能)|申し訳|すみません|恐れ入りますが|죄송|유감)",
    re.IGNORECASE,
)
_REFERENCES = re.compile(
    r"\bas an ai (?:language )?model\b|\bi (?:cannot|can't) (?:summari[sz]e|translate|assist|help|comply"
    r"|fulfill)\b",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"[\"'\u201c]?\b(?:title|abstract|summary|titel|zusammenfassung)[\"'\u201d]\s?:"
    r"|\A\s?[{\[].*[:\"].*[}\]]\Z|\A[{\[]\s?\"",
    re.IGNORECASE,
)
_INSTRUCTIONS = re.compile(
    r"\A(?:you are (?:a|an|the|given)\b|you (?:write|translate)\b|your task\b|we (?:need|have|are asked)"
    r" to (?:write|produce|summari[sz]e|translate|output|answer|respond)"
    r"|the user (?:wants|asks|is asking|asked)|(?:please )?(?:summari[sz]e|translate|write|respond|reply"
    r"|answer|output) (?:the|in|only|one|a|this|with)\b"
    r"|(?:okay|ok|alright|hmm|let me|let's),? (?:so|let|i|the user|think|see|analy|start|summari|translat)"
    r"|instructions?:|system:|user:|assistant:|du bist (?:ein|eine)\b)"
    r"|\b(?:the next message is a json|give the (?:summary|translated title) alone|title and abstract"
    r" (?:are|is) (?:data|given)|respond only with|answer only with|do not (?:obey|follow)"
    r" (?:them|it|any)|no preamble|ignore (?:all )?(?:previous|prior) instructions)\b",
    re.IGNORECASE,
)


def require_answer(text: str, *, title: str, abstract: str) -> None:
    """Hold a text to be an answer.

    Raises:
        RefusedTextError: a model declines, or repeats the instructions or the JSON that it was given.
    """
    if abstract.startswith(text):
        return  # in the paper's own words, whatever they are
    if _APOLOGY.match(text) or (_REFERENCES.search(text) and not _REFERENCES.search(f"{title} {abstract}")):
        raise RefusedTextError("the model declines to answer")
    if _GIVEN.search(text):
        raise RefusedTextError("it repeats the data")
    if _INSTRUCTIONS.search(text) and not _INSTRUCTIONS.match(title):
        raise RefusedTextError("it repeats the instructions")
