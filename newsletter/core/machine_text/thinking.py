"""What models leave around their answers: their thinking, and the marks of their chat formats. Pure.

Servers should take these out, and many do not: https://github.com/ollama/ollama/issues/12403 shows thinking in
plain words, https://developers.openai.com/cookbook/articles/openai-harmony the channels of gpt-oss.
"""

from __future__ import annotations

import re

from newsletter.core.machine_text.refusal import RefusedTextError

_NAMES = (
    r"(?:\w{1,12}:)?(?:think|thinking|thoughts?|thought_process|reasoning|reflection|analysis|scratchpad"
    r"|ponder)"
)
_OPENING = re.compile(
    rf"<{_NAMES}>|\[THINK(?:ING)?\]|\u25c1think\u25b7|<\|(?:START_THINKING|begin_of_thought|thinking)\|>"
    rf"|<unused94>",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    rf"</{_NAMES}>|\[/THINK(?:ING)?\]|\u25c1/think\u25b7|<\|(?:END_THINKING|end_of_thought|/thinking)\|>"
    rf"|<unused95>",
    re.IGNORECASE,
)
# Thinking in plain words, and what stands between it and the answer.
_SPOKEN = (
    (re.compile(r"\s*thinking\.\.\.", re.IGNORECASE), re.compile(r"\.\.\.done thinking\.", re.IGNORECASE)),
    (
        re.compile(r"\s*here(?:'s| is) my thought process:", re.IGNORECASE),
        re.compile(r"here(?:'s| is) my response:", re.IGNORECASE),
    ),
    # Channels of gpt-oss whose marks were lost on the way.
    (re.compile(r"\s*analysis(?=[A-Z])"), re.compile("assistantfinal")),
)
_FINAL = re.compile(r"<\|channel\|>\s{0,5}final\b[^<>]{0,80}<\|message\|>")
_CHANNELS = re.compile(r"<\|(?:channel|message|START_RESPONSE)\|>")
_RESPONSE = re.compile(r"<\|START_RESPONSE\|>")
# Where an answer ends; what comes after it is another turn.
_END = re.compile(
    r"<\|(?:end|return|call|im_end|eot_id|eom_id|end_of_text|endoftext|END_RESPONSE|END_OF_TURN_TOKEN)\|>"
    r"|</s>|<end_of_turn>|<eos>|<\uff5cend\u2581of\u2581sentence\uff5c>"
)
_MARK = re.compile(
    r"<\|(?:im_start|start|start_header_id)\|>\s{0,5}(?:assistant|model)?(?:<\|end_header_id\|>)?"
    r"|<start_of_turn>\s{0,5}(?:model)?|<\|[\w/ .:-]{1,40}\|>|<\uff5c[\w\u2581 ]{1,40}\uff5c>|<s>|<bos>"
    r"|\[/?INST\]"
)
_ENCLOSING = re.compile(
    r"<(answer|response|final|final_answer|output|summary|title|translation|result)>", re.IGNORECASE
)


def without_thinking(text: str) -> str:
    """Return what an answer says beside its thinking, without the marks of chat formats.

    Raises:
        RefusedTextError: the thinking never ends, or does not stand apart from the answer.
    """
    text = _of_channels(text)
    text = _of_spoken(text)
    text = _of_marked(text)
    if (end := _END.search(text)) and text[: end.start()].strip():
        text = text[: end.start()]
    return _enclosed(_MARK.sub("", _END.sub("", text)))


def _enclosed(text: str) -> str:
    """Return what stands between `<answer>` and its end, or the whole text."""
    if not (opening := _ENCLOSING.search(text)):
        return text
    end = text.rfind(f"</{opening[1]}>")
    return text[opening.end() : end] if end >= opening.end() else text


def _of_channels(text: str) -> str:
    if not _CHANNELS.search(text):
        return text
    finals = list(_FINAL.finditer(text)) or list(_RESPONSE.finditer(text))
    if not finals:
        raise RefusedTextError("it thinks, and does not answer")
    return text[finals[-1].end() :]


def _of_spoken(text: str) -> str:
    for opening, closing in _SPOKEN:
        if opening.match(text):
            ends = list(closing.finditer(text))
            if not ends:
                raise RefusedTextError("its thinking has no end")
            return text[ends[-1].end() :]
    return text


def _of_marked(text: str) -> str:
    """Return an answer without its marked thinking; a model's template may have opened it already."""
    openings, closings = list(_OPENING.finditer(text)), list(_CLOSING.finditer(text))
    if not openings and not closings:
        return text
    if not closings or (openings and openings[-1].start() > closings[-1].start()):
        raise RefusedTextError("its thinking has no end")
    opened = openings[0].start() if openings and openings[0].start() < closings[0].start() else None
    before = text[:opened].strip() if opened is not None else ""
    rest = text[closings[-1].end() :]
    after = rest.strip()
    is_apart = opened is not None or rest.startswith("\n") or not after[:1].islower()
    if (before and after) or not is_apart:  # it may be a sentence about such marks
        raise RefusedTextError("its thinking does not stand apart from the answer")
    return after or before
