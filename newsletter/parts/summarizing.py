"""The model that is asked for summaries, as the settings have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.pipeline.asking import Model
    from newsletter.pipeline.summaries import Summaries
    from newsletter.ports import Clock, MachineTexts, OperatorAlarm
    from newsletter.render.issue.renderer import TemplateRenderer
    from newsletter.settings import Settings

_CONNECTING = 10.0  # seconds for a connection, at most
_LARGEST = 2 * 1024 * 1024  # bytes of an answer that are asked for; more than the poster takes is refused by it


def model_of(
    settings: Settings,
    templates: TemplateRenderer,
    at_end: Callable[[Callable[[], Awaitable[object]]], object],
    *,
    patience: float | None = None,
) -> Model | None:
    """Return the model of the settings, and how much it is asked; None: they name none.

    Args:
        settings: of the operator.
        templates: where prompts stand.
        at_end: takes what is to be called at the end, which closes connections.
        patience: seconds for an answer, if that is less than the settings have.
    """
    of = settings.summaries
    if not of.url:
        return None
    from newsletter.pipeline.asking import Model
    from newsletter.render.prompts import Prompts
    from newsletter.sources.http.poster import WebPoster
    from newsletter.summarizing.chat_model import ChatApi, ChatModel

    timeout = min(of.timeout, patience) if patience else of.timeout
    poster = WebPoster(
        user_agent=settings.http.user_agent,
        timeout=timeout,
        public_only=False,  # the operator's own address: models often run on this machine
        most=_LARGEST,
        connect_timeout=min(_CONNECTING, timeout / 2),
    )
    at_end(poster.aclose)
    api = ChatApi(url=of.url, key=of.key.get_secret_value(), model=of.model, extra=of.extra)
    return Model(
        summarizer=ChatModel(api, poster),
        prompts=Prompts(templates),
        concurrency=of.concurrency,
        per_day=of.per_day,
        timeout=timeout,
    )


def summaries(
    settings: Settings,
    templates: Callable[[], TemplateRenderer],
    at_end: Callable[[Callable[[], Awaitable[object]]], object],
    texts: MachineTexts,
    alarm: OperatorAlarm,
    clock: Clock,
) -> Summaries | None:
    """Return what has the model of the settings write of papers; None: they name none.

    Args:
        settings: of the operator.
        templates: returns where prompts stand.
        at_end: takes what is to be called at the end.
        texts: keeps what is written.
        alarm: rings for the operator.
        clock: gives the present moment.
    """
    if not settings.summaries.url:
        return None
    from newsletter.pipeline.summaries import Summaries

    model = model_of(settings, templates(), at_end)
    return Summaries(model, texts, alarm, clock) if model else None
