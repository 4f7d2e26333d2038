"""What rendering costs: once for an issue, and then for each reader, beside the naive way, all in one run.

The naive way is what most programs do: Jinja2, inlining and an `EmailMessage` for each reader; dkimpy signs. Its
pages are made by this program, in less than half of the time that Jinja2 and premailer take by themselves.
Rounds alternate between the contenders, so that a busy machine slows all of them; medians are reported, of the
processor's time. Python looks for garbage as rarely as where the program delivers (`newsletter.scheduling.loop`).

    python bench/render.py [--json] [--listings 25] [--rounds 7] [--readers 500]
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from itertools import cycle, islice
from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.choosing import Chooser
from newsletter.core.delivery import Delivery, DeliveryState
from newsletter.core.issue import Issue, IssueListing
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Masthead
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.message import IssueMessage
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.markers import Markers
from newsletter.render.mime.signing import Signer, SigningKey
from newsletter.scheduling.garbage import look_rarely

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
MOMENT = datetime(2026, 3, 12, 8, tzinfo=UTC)
LINKS = Links("https://papers.example.org", "a secret for benchmarks, 32 bytes")
MASTHEAD = Masthead(
    list="daily",
    title="Daily Papers",
    sender="Daily Papers <papers@example.org>",
    postal_address="1 Reading Lane, Booktown",
)
CHOICES = ((), ("agents",), ("vision",), ("vision", "agents"))
TERMS = Terms(
    masthead=MASTHEAD,
    stale_after=timedelta(hours=36),
    max_listings=20,
    topics={name: Topic(name=name, keywords=(name,)) for name in ("agents", "vision")},
)
PEM = generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
SIGNER = Signer("example.org", SigningKey.of("main", PEM))


@dataclass(frozen=True)
class Contender:
    """What is timed: `work` does `messages` messages a round."""

    name: str
    work: Callable[[], object]
    messages: int


def issue(listings: int) -> Issue:
    """Return an issue of made-up papers as long as real ones are."""
    subjects = ("Agents that plan", "Vision at scale", "Proteins and their folds", "Speech without labels")
    return Issue(
        key=1,
        number=1,
        subject=f"Daily Papers · 12 Mar: Agents that plan, part 0 and {listings - 1} more",
        frozen_at=MOMENT,
        terms=TERMS,
        day=date(2026, 3, 12),
        candidates=listings,
        listings=tuple(
            IssueListing(
                key=number,
                rank=number + 1,
                listed_on=date(2026, 3, 12),
                upvotes=300 - number,
                comments=number,
                stars=100 * number,
                reasons=("new",),
                listing=Listing(
                    title=f"{subject}, part {number}",
                    abstract=" ".join(
                        [f"{subject} is studied anew; the naïve approach loses by {number} %."] * 18
                    ),
                    authors=tuple(f"Author Number{one}" for one in range(6)),
                    arxiv_id=f"2603.{number:05}",
                    url=f"https://huggingface.co/papers/2603.{number:05}",
                    code_url=f"https://github.com/example/paper-{number}",
                    thumbnail_url=f"https://cdn.example.org/2603.{number:05}.png",
                    organization="Example University",
                ),
            )
            for number, subject in enumerate(islice(cycle(subjects), listings))
        ),
    )


def deliveries(of: Issue, readers: int) -> list[Delivery]:
    """Return deliveries of an issue to readers of all choices of topics."""
    choices = Chooser(of.listings, of.terms)
    made = (
        Subscriber(list="daily", email=f"reader{number}@example.org", name=f"Reader {number}", topics=topics)
        for number, topics in enumerate(islice(cycle(CHOICES), readers))
    )
    return [
        Delivery(
            key=number,
            issue_key=1,
            subscriber_key=number,
            subscriber=reader,
            state=DeliveryState.SENDING,
            due_at=MOMENT,
            choice=choices.of(reader),
            subject=of.subject,
        )
        for number, reader in enumerate(made)
    ]


def own_choices(of: Issue, to: list[Delivery]) -> list[Delivery]:
    """Return deliveries with choices that no two of them share: of 20 papers, six of which fit a topic."""
    chance, size = random.Random(7), min(TERMS.max_listings, len(of.listings))  # noqa: S311 (not for secrets)
    reasons = (((Reason(ReasonKind.TOPIC, "agents", "agents"),),) * 6 + ((),) * size)[:size]
    positions = range(len(of.listings))
    return [one._replace(choice=Choice(tuple(chance.sample(positions, size)), reasons)) for one in to]


def message(renderer: TemplateRenderer, of: Issue, signer: Signer | None = None) -> IssueMessage:
    """Render an issue to ready segments."""
    mails = MailRenderer(renderer, LINKS, signer)
    return mails.message(of, mails.render(of))


def naive(renderer: TemplateRenderer, of: Issue, delivery: Delivery, *, signed: bool = False) -> bytes:
    """Do all the work for one reader: render, inline, build, encode."""
    rendered = renderer.issue(of, web_url=LINKS.issue(of.list, of.day))
    unsubscribe = LINKS.unsubscribe(delivery.subscriber_key)
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = MASTHEAD.sender, delivery.subscriber.email
    mail["Subject"], mail["Message-ID"] = of.subject, f"<{delivery.key}@example.org>"
    mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    mail.set_content(_plainly(rendered.text, rendered.text_markers, delivery))
    mail.add_alternative(_plainly(rendered.html, rendered.html_markers, delivery), subtype="html")
    raw = mail.as_bytes()
    if signed:
        raw = dkim.sign(raw, b"main", b"example.org", PEM) + raw
    return raw


def _plainly(page: str, marks: Markers, delivery: Delivery) -> str:
    values = {"slot.email": delivery.subscriber.email, "slot.name": delivery.subscriber.name}
    return marks.pattern.sub(lambda mark: values.get(mark[1], ""), page)


def contenders(listings: int, readers: int, rounds: int) -> list[Contender]:
    """Return what is timed, in the order of the table; a choice of a reader's own comes in no round again."""
    renderer = TemplateRenderer(None, TEMPLATES)
    of = issue(listings)
    to = deliveries(of, readers)
    own = iter(own_choices(of, to * (rounds + 1)))
    plain, signed = message(renderer, of), message(renderer, of, SIGNER)
    return [
        Contender("issue to segments", lambda: message(renderer, of), 1),
        _each("segments", composing(plain), to),
        Contender("segments, own choices", lambda: deque(map(composing(plain), islice(own, readers)), 0), readers),
        _each("segments, RSA-2048", composing(signed), to[: max(readers // 2, 1)]),
        _each("naive", lambda one: naive(renderer, of, one), to[:2]),
        _each("naive, RSA-2048", lambda one: naive(renderer, of, one, signed=True), to[:2]),
    ]


def composing(of: IssueMessage) -> Callable[[Delivery], object]:
    """Return what makes a message as delivery does: in the pieces that are written to the relay, and signed."""

    def compose(delivery: Delivery) -> object:
        _, pieces, _, sign = of.composed_for(delivery)
        return (sign(), *pieces) if sign else pieces

    return compose


def _each(name: str, make: Callable[[Delivery], object], to: list[Delivery]) -> Contender:
    """Return a contender that makes the messages one by one and keeps none, as a delivery would."""
    return Contender(name, lambda: deque(map(make, to), maxlen=0), len(to))


def measured(timed: list[Contender], rounds: int) -> dict[str, float]:
    """Return the median milliseconds a message of each contender; one more round warms up."""
    results: dict[str, list[float]] = {contender.name: [] for contender in timed}
    for round_number in range(rounds + 1):
        for contender in timed:
            start = time.process_time()
            contender.work()
            elapsed = (time.process_time() - start) * 1000 / contender.messages
            if round_number:
                results[contender.name].append(elapsed)
    return {name: statistics.median(times) for name, times in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--listings", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--readers", type=int, default=500)
    arguments = parser.parse_args()
    timed = contenders(arguments.listings, arguments.readers, arguments.rounds)
    gc.freeze()
    look_rarely()
    medians = measured(timed, arguments.rounds)
    ratios = {
        "naive": medians["naive"] / medians["segments"],
        "naive, RSA-2048": medians["naive, RSA-2048"] / medians["segments, RSA-2048"],
    }
    if arguments.json:
        rows = [{"contender": name, "ms": round(milliseconds, 4)} for name, milliseconds in medians.items()]
        print(json.dumps({"ratios": {name: round(ratio, 1) for name, ratio in ratios.items()}, "rows": rows}))
        return
    of = issue(arguments.listings)
    size = len(message(TemplateRenderer(None, TEMPLATES), of).for_reader(deliveries(of, 1)[0])[1])
    print(f"{arguments.listings} listings, {size:,} bytes a message; medians of {arguments.rounds} rounds")
    for name, milliseconds in medians.items():
        print(f"  {name:<24} {milliseconds:10.3f} ms")
    for name, ratio in ratios.items():
        print(f"  {name} takes {ratio:,.0f} times as long as segments")


if __name__ == "__main__":
    main()
