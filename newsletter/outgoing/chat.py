"""Posts to chat services by apprise (https://github.com/caronc/apprise), an extra. It blocks: use a thread."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from newsletter.core.channels import service_of
from newsletter.core.posts import Post, PostStyle
from newsletter.core.text import one_line
from newsletter.outgoing.plugin_requests import Carry, Conversation
from newsletter.outgoing.receiver import NotTakenError
from newsletter.ports.posting import Answer

if TYPE_CHECKING:
    from apprise import NotifyBase

MISSING = "apprise is not installed: `pip install 'newsletter[channels]'`, or remove [channels]"
# The most that a post may have, where it is less than apprise says, or where apprise says much less.
# ntfy: bytes of UTF-8; a longer message becomes a file (https://docs.ntfy.sh/publish/#limitations).
# Teams: 28 KB for the whole message, counted in UTF-16, and JSON makes `\uXXXX` of each letter that is not ASCII
# (https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams#chat).
# Slack: characters of a block, with `&lt;` for `<` (https://docs.slack.dev/reference/block-kit/blocks/section-block).
_LONGEST = {"ntfy": 4096, "Teams": 2000, "Slack": 3000}
# ntfy takes JSON of 8,192 bytes at most, twice the limit of a message; apprise stops at 8,000.
_NTFY_JSON = 7600
_LEAST_ROOM = 600
_SECONDS = 60.0
_STYLES = {"Discord": PostStyle.ESCAPED, "Teams": PostStyle.MARKDOWN}
_LONGEST_REASON = 300
_LONGEST_SAID = 200
_SECRETS = re.compile(r"[^/?&=#:@]{4,}")
_FEISHU = re.compile(r"https://open\.feishu\.cn/open-apis/bot/v2/hook/([\w-]+)/?")
# Of servers in front of a service: it may have had the post, but did not answer in time. 524 is Cloudflare's.
_LATE = (HTTPStatus.GATEWAY_TIMEOUT, 524)
_MAY_BE_THERE = "the post may be there, so it is not posted again"


class Chat:
    """A channel at a chat service.

    Args:
        url: as apprise reads it, or as the service shows it.
        is_one: refuse a URL of several rooms: if one of them fails, the others would get the next try, too.

    Raises:
        ValueError: apprise is not installed, or does not understand the URL; says so without the URL.
    """

    def __init__(self, url: str, *, is_one: bool = True) -> None:
        self._url = url
        self._plugin = _plugin(url)
        if is_one and getattr(self._plugin, "targets", None) == []:
            raise ValueError(f"this URL of {service_of(url)} names no chat: see docs/channels.md for its form")
        if is_one and len(self._plugin) > 1:
            raise ValueError(f"this URL of {service_of(url)} names several rooms: write a channel for each")

    @property
    def longest(self) -> int:
        """Return how long a post may be, title and body together, as `size` measures it."""
        return max(_LONGEST.get(service_of(self._url), self._plugin.body_maxlen), _LEAST_ROOM)

    def size(self, text: str) -> int:
        """Return the size of a text as the service counts: ntfy counts bytes, others UTF-16 units at most."""
        service = service_of(self._url)
        if service == "ntfy":
            in_json = len(json.dumps(text)) - 2
            return max(len(text.encode()), -(-in_json * _LONGEST["ntfy"] // _NTFY_JSON))
        if service == "Slack":
            text = escape(text, quote=False)
        return len(text.encode("utf-16-le")) // 2

    @property
    def style(self) -> PostStyle:
        """Return how the service reads what is posted."""
        return _STYLES.get(service_of(self._url), PostStyle.TEXT)

    def say(self, post: Post) -> str:
        """Post it by apprise alone, and return why that failed, or nothing."""
        return self._notify(post, seconds=_SECONDS)

    def post(self, post: Post, carry: Carry) -> None:
        """Post it once.

        Args:
            post: what is posted.
            carry: makes the request.

        Raises:
            NotTakenError: the service did not take it; one line without a secret.
        """
        conversation = Conversation(carry)
        try:
            with conversation.with_plugin(self._plugin):
                problem = self._notify(post, seconds=0)
        except ValueError as error:
            raise NotTakenError(str(error)) from error
        if failure := conversation.failure:
            reason = self._without_secrets(str(failure))
            raise NotTakenError(
                f"{reason}: {_MAY_BE_THERE}" if failure.arrived else reason, is_final=failure.arrived
            )
        answer = conversation.answer
        if answer is None:
            raise NotTakenError(problem or "apprise made no request")
        self._check(answer, problem)

    def _check(self, answer: Answer, problem: str) -> None:
        if answer.status // 100 != 2:  # noqa: PLR2004 (success, RFC 9110, 15.3)
            said = self._without_secrets(_words(answer.body))
            reason = f"answered {answer.status}" + (f": {said}" if said else "")
            if answer.status in _LATE:
                raise NotTakenError(f"{reason}: {_MAY_BE_THERE}", is_final=True)
            raise NotTakenError(reason, wait=max(answer.wait, _wait(answer.body)))
        if answer.body.lstrip().startswith(b"<"):
            raise NotTakenError("answered with a web page: the URL is wrong, or a login page is in between")
        if problem:
            raise NotTakenError(problem)

    def _notify(self, post: Post, *, seconds: float) -> str:
        from apprise import Apprise, NotifyFormat

        target = Apprise()
        target.add(self._plugin)
        written = NotifyFormat.MARKDOWN if self.style is PostStyle.MARKDOWN else NotifyFormat.TEXT
        done = target.notify(title=post.title, body=post.body, body_format=written, timeout=seconds)
        if done:
            return ""
        said = [entry.message for entry in done.logs()]
        return self._without_secrets(said[-1] if said else "the service did not take it")

    def _without_secrets(self, reason: str) -> str:
        """Return a reason without any part of the URL that may be a secret."""
        parts = {*_SECRETS.findall(unquote(self._url)), *_SECRETS.findall(self._url)}
        for part in sorted(parts | {quote(part, safe="") for part in parts}, key=len, reverse=True):
            reason = reason.replace(part, "…")
        return one_line(reason, _LONGEST_REASON)


def _plugin(url: str) -> NotifyBase:
    """Return what posts to a URL: as the program wants it, whatever the URL's parameters say."""
    try:
        from apprise import Apprise, AppriseAsset, OverflowMode, PersistentStoreMode
    except ImportError:
        raise ValueError(MISSING) from None
    # No pictures and links of apprise's own, whose hosts would see who reads the channel.
    asset = AppriseAsset(
        app_id="Newsletter",
        app_desc="",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        plugin_paths=[],
        async_mode=False,
        http_redirects=False,
        service_timeout=0,
        storage_mode=PersistentStoreMode.MEMORY,
    )
    logging.getLogger("apprise").propagate = False  # what it logs may hold the URL
    known = _FEISHU.fullmatch(url)
    read = f"feishu://{known[1]}" if known else url
    plugin = Apprise.instantiate(read, asset=asset, suppress_exceptions=True)
    if plugin is None:
        raise ValueError(f"apprise cannot read this URL of {service_of(url)}: see docs/channels.md for its form")
    plugin.retry, plugin.redirects = 0, False
    plugin.overflow_mode, plugin.notify_format = OverflowMode.UPSTREAM, type(plugin).notify_format
    return plugin


def _answered(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of an answer, or an empty one."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _words(body: bytes) -> str:
    """Return what a service says of a failure, or nothing: in JSON, or in a line of text as Slack does."""
    said: Any = _answered(body)
    for name in ("error", "description", "message", "msg"):
        found = said.get(name)
        found = found.get("message") if isinstance(found, dict) else found
        if isinstance(found, str):
            return one_line(found, _LONGEST_SAID)
    text = body[: 4 * _LONGEST_SAID].decode("utf-8", "replace")
    return "" if said or text.lstrip()[:1] in {"<", "{", "["} else one_line(text, _LONGEST_SAID)


def _wait(body: bytes) -> timedelta:
    """Return for how long Discord or Telegram asks to be left alone.

    https://discord.com/developers/docs/topics/rate-limits, https://core.telegram.org/bots/api#responseparameters
    """
    said = _answered(body)
    inner = said.get("parameters")
    wait = (inner if isinstance(inner, dict) else said).get("retry_after")
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 < wait < 10**6:
        return timedelta()
    return timedelta(seconds=wait)
