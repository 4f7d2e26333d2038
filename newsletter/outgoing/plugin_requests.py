"""The requests of apprise's plugins, made by the program's own HTTP client.

A plugin calls the library `requests`, which follows redirects, waits anew for each piece of an answer, and reads
answers of any size. And all that a plugin says of a failure is that there was one, not whether its post may be
there in spite of it. So `requests` is replaced in the plugin's module: what a `Conversation` asks for is handed to
the program's client, and everything else to `requests` as before.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from newsletter.core.errors import UnansweredError
from newsletter.ports.posting import Answer

# Posts a body to an address and returns the answer; blocks; raises UnansweredError.
Carry = Callable[[str, bytes, Mapping[str, str]], Answer]

_NAME = "requests"  # under which a plugin's module has the library


class Conversation:
    """One post by a plugin, with one request.

    Attributes:
        answer: what was answered, if anything was.
        failure: why nothing was.
    """

    def __init__(self, carry: Carry) -> None:
        self.answer: Answer | None = None
        self.failure: UnansweredError | None = None
        self._carry = carry
        self._is_over = False

    @contextmanager
    def with_plugin(self, plugin: object) -> Iterator[None]:
        """Let a plugin post, in this thread, for as long as the context lasts.

        Raises:
            ValueError: this version of the plugin does not use `requests`.
        """
        module = sys.modules[type(plugin).__module__]
        library = getattr(module, _NAME, None)
        if library is None:
            raise ValueError("this version of apprise posts in a way of its own: install apprise>=2.3,<3")
        if not isinstance(library, _Requests):
            setattr(module, _NAME, _Requests(library))
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def request(self, library: Any, method: str, url: str, options: Mapping[str, Any]) -> Any:
        """Make a request, and return the answer as `requests` would.

        A second one is refused: a plugin that is told to wait would wait in its thread, and post after all.

        Raises:
            requests.ConnectionError: there is no answer.
        """
        if self._is_over or method.upper() != "POST" or options.get("files"):
            raise library.ConnectionError("only one post is made")
        self._is_over = True
        parts = {name: options[name] for name in ("headers", "params", "data", "json", "auth") if name in options}
        prepared = library.Request(method, url, **parts).prepare()
        body = prepared.body or b""
        content = body.encode() if isinstance(body, str) else body
        headers = {name: value for name, value in prepared.headers.items() if name.lower() != "content-length"}
        try:
            self.answer = self._carry(prepared.url, content, headers)
        except UnansweredError as error:
            self.failure = error
            raise library.ConnectionError("no answer") from error
        response = library.Response()
        response.status_code, response.raw = self.answer.status, io.BytesIO(self.answer.body)
        return response


_current: ContextVar[Conversation | None] = ContextVar("conversation", default=None)


class _Requests:
    """What a plugin's module has in place of the library."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def get(self, url: str, **options: Any) -> Any:
        """Ask as `requests.get` does."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Any:
        """Post as `requests.post` does."""
        return self.request("POST", url, **options)

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Make a request as `requests.request` does."""
        conversation = _current.get()
        if conversation is None:
            return self._library.request(method, url, **options)
        return conversation.request(self._library, method, url, options)
