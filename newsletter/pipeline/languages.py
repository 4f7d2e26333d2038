"""An issue's mail in several languages: of its list, and of readers who want another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from typing_extensions import override

from newsletter.core.delivery import Delivery
from newsletter.core.issue import Issue
from newsletter.core.rendering import Rendering
from newsletter.core.terms import Terms
from newsletter.ports import Composed, Message, Renderer, Subscribers
from newsletter.render.issue.catalogues import own_language


class MailInLanguages(Message):
    """A rendered issue that makes each reader's message in the language that was frozen with their choice.

    `others` are the messages in languages other than the list's, by tag.
    """

    def __init__(self, of_list: Message, others: Mapping[str, Message]) -> None:
        self._of_list, self._others = of_list, others

    @override
    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        return self._for(delivery).for_reader(delivery)

    @override
    def composed_for(self, delivery: Delivery) -> Composed:
        return self._for(delivery).composed_for(delivery)

    def _for(self, delivery: Delivery) -> Message:
        return self._others.get(delivery.choice.language, self._of_list)


async def wanted_languages(subscribers: Subscribers, terms: Terms) -> tuple[str, ...]:
    """Return the languages other than the list's that readers of its issues want, and that there are words for."""
    wanted = await subscribers.languages(terms.masthead.readers_of, terms.suits)
    own = {own_language(tag, terms.masthead.language) for tag in wanted}
    return tuple(sorted(own - {""}))


def renderings(
    renderer: Renderer, issue: Issue, languages: Collection[str], check: Callable[[Issue, Message], None]
) -> dict[str, Rendering]:
    """Return the renderings of an issue by language, that of the list under no name; all of them pass the check.

    Raises:
        RenderError: a template is wrong.
        LintError: what `check` raises: the issue must not go out.
    """
    return dict(_checked(renderer, issue, languages, check))


def _checked(
    renderer: Renderer, issue: Issue, languages: Collection[str], check: Callable[[Issue, Message], None]
) -> Iterator[tuple[str, Rendering]]:
    for language in (*languages, ""):  # the list's last: its compiled pages are used next
        spoken = issue.in_language(language)
        rendering = renderer.render(spoken)
        check(spoken, renderer.message(spoken, rendering))
        yield language, rendering
