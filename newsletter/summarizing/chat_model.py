"""A model behind an API like OpenAI's: one POST to `/chat/completions` for each text.

https://platform.openai.com/docs/api-reference/chat/create; Ollama, llama.cpp, vLLM, DeepSeek, OpenRouter and
others take the same request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from newsletter.core.errors import SummarizerError, UnansweredError
from newsletter.ports import ModelAnswer, Poster, Summarizer
from newsletter.summarizing.answers import read_answer
from newsletter.summarizing.refusals import SETTINGS, ModelServer

_PATH = "/chat/completions"
_DAMAGED = ("larger than", "packed", "Content-Encoding")  # what the words on an answer that can't be read hold


@dataclass(frozen=True, kw_only=True)
class ChatApi:
    """How a model is asked.

    Attributes:
        url: the base address, without a slash at its end.
        key: the API key; empty: none is sent.
        model: the model's name.
        extra: what is added to each request.
    """

    url: str
    key: str = field(default="", repr=False)
    model: str
    extra: Mapping[str, Any] = field(default_factory=dict)


class ChatModel(Summarizer):
    """A model that is asked over HTTP, once: who calls knows whether there is time to try again."""

    def __init__(self, api: ChatApi, poster: Poster) -> None:
        """Take what is needed to ask; `poster` follows no redirect, so the key goes nowhere else."""
        self._api, self._poster = api, poster
        self._server = ModelServer(
            host=urlsplit(api.url).netloc, model=api.model, key=api.key, extra=frozenset(api.extra)
        )
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if api.key:
            self._headers["Authorization"] = f"Bearer {api.key}"

    @property
    @override
    def model(self) -> str:
        return self._api.model

    @override
    async def write(self, instructions: str, data: str) -> ModelAnswer:
        try:
            answer = await self._poster.post(self._api.url + _PATH, self._body(instructions, data), self._headers)
        except UnansweredError as error:
            raise self._unanswered(error) from error
        return read_answer(answer, self._server)

    def _body(self, instructions: str, data: str) -> bytes:
        messages = [{"role": "system", "content": instructions}, {"role": "user", "content": data}]
        content = {"model": self._api.model, "messages": messages, "stream": False, **self._api.extra}
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")

    def _unanswered(self, error: UnansweredError) -> SummarizerError:
        """Return what to say where no answer came, or none that can be read."""
        said = self._server.cleaned(str(error))
        if "CERTIFICATE_VERIFY_FAILED" in said:
            advice = "see that its certificate is one that this machine trusts (SSL_CERT_FILE)"
        elif "[SSL" in said:
            advice = f"check whether {SETTINGS}URL begins with http://"
        elif not error.arrived:
            advice = f"see that the server runs, and {SETTINGS}URL"
        elif any(words in said for words in _DAMAGED):
            advice = f"see what answers at {SETTINGS}URL"
        else:
            advice = f"see that the server is well, and {SETTINGS}TIMEOUT"
        return SummarizerError(f"{self._server.host}: {said}; {advice}", asked=error.arrived)
