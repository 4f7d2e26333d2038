"""Posts to chat services by apprise (https://github.com/caronc/apprise), an extra. It blocks: use a thread."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from newsletter.core.channels import service_of
from newsletter.core.posts import Post, PostStyle
from newsletter.core.text import one_line

if TYPE_CHECKING:
    from apprise import NotifyBase

MISSING = "apprise is not installed: `pip install 'newsletter[channels]'`, or remove [channels]"
_NTFY_BYTES = 4096  # https://docs.ntfy.sh/publish/#limitations: a longer message becomes a file
_LEAST_ROOM = 600
_SECONDS = 60.0
_STYLES = {"Discord": PostStyle.ESCAPED, "Teams": PostStyle.MARKDOWN}
_LONGEST_REASON = 300
_SECRETS = re.compile(r"[^/?&=#:@]{6,}")


class Chat:
    """A channel at a chat service.

    Raises:
        ValueError: apprise is not installed, or does not understand the URL; says so without the URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._plugin = _plugin(url)

    @property
    def longest(self) -> int:
        """Return how long a post may be, title and body together, as `size` measures it."""
        most = min(self._plugin.body_maxlen, _NTFY_BYTES if self._is_ntfy else self._plugin.body_maxlen)
        return max(most, _LEAST_ROOM)

    def size(self, text: str) -> int:
        """Return the size of a text as the service counts: ntfy counts bytes, others UTF-16 units at most."""
        return len(text.encode()) if self._is_ntfy else len(text.encode("utf-16-le")) // 2

    @property
    def style(self) -> PostStyle:
        """Return how the service reads what is posted."""
        return _STYLES.get(service_of(self._url), PostStyle.TEXT)

    @property
    def _is_ntfy(self) -> bool:
        return service_of(self._url) == "ntfy"

    def post(self, post: Post) -> str:
        """Post it, and return why that failed, or nothing."""
        from apprise import Apprise, NotifyFormat

        target = Apprise()
        target.add(self._plugin)
        written = NotifyFormat.MARKDOWN if self.style is PostStyle.MARKDOWN else NotifyFormat.TEXT
        done = target.notify(title=post.title, body=post.body, body_format=written, timeout=_SECONDS)
        if done:
            return ""
        said = [entry.message for entry in done.logs()]
        return self._without_secrets(said[-1] if said else "the service did not take it")

    def _without_secrets(self, reason: str) -> str:
        """Return a reason without any part of the URL that may be a secret."""
        for part in sorted(_SECRETS.findall(unquote(self._url)), key=len, reverse=True):
            reason = reason.replace(part, "…")
        return one_line(reason, _LONGEST_REASON)


def _plugin(url: str) -> NotifyBase:
    """Return what posts to a URL."""
    try:
        from apprise import Apprise, AppriseAsset
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
    )
    logging.getLogger("apprise").propagate = False  # what it logs may hold the URL
    plugin = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin is None:
        raise ValueError(f"apprise cannot read this URL of {service_of(url)}: see docs/channels.md for its form")
    return plugin
