"""What models' servers answer, as bytes: texts in the shapes of real servers, and errors."""

from __future__ import annotations

import json

from newsletter.core.errors import SummarizerError
from newsletter.core.text import one_line
from newsletter.ports import Answer
from newsletter.summarizing.answers import read_answer
from newsletter.summarizing.refusals import ModelServer
from tests.fuzz.target import Target, as_bytes, text_target
from tests.model_shapes import FAULTS, SHAPES

_KEY = "sk-A1b2C3d4E5f6"
_SERVER = ModelServer(host="model.example.org", model="some-model", key=_KEY, extra=frozenset({"top_p"}))
_STATUSES = (200, 308, 400, 401, 403, 404, 422, 429, 500, 529)
_TEXTS = tuple(make("some-model", "It studies graphs.").body.decode() for make in SHAPES.values())
_ERRORS = tuple(body for make in FAULTS.values() if 0 < len(body := make(_KEY).body.decode()) < 2_000)


def _read(text: str) -> None:
    body = as_bytes(text)
    for status in _STATUSES:
        try:
            answer = read_answer(Answer(status, body=body, headers={"location": text[:300]}), _SERVER)
        except SummarizerError as error:
            said = str(error)
            assert _KEY not in said
            assert len(said) < 500
            assert one_line(said) == said
        else:
            assert answer.text.strip() or answer.refusal
            answer.text.encode()


def _error_of(text: str) -> str:
    """Return an error with a text in each place that is read, as text."""
    more = {"raw": text, "reasons": []}
    words = {"message": text, "type": text, "code": text, "metadata": more}
    return json.dumps({"error": words, "choices": [{"message": {"content": text}}]})


TARGETS: tuple[Target, ...] = (
    text_target("answers of models", "models", _read, (*_TEXTS, *_ERRORS)),
    text_target("errors of models", "models", _read, _ERRORS, longer=_error_of, longest=100_000),
)
