"""Values for tests: issues and drafts of real papers (true titles, authors and ids; texts in our own words)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from typing import Any

from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Masthead
from newsletter.core.terms import Terms

DAY = date(2026, 3, 12)

# Sentences that any abstract could go on with; they bring texts to the length that abstracts have.
_MORE = (
    "The method is described in full, with the choices that mattered and the ones that did not.",
    "Earlier work either trades quality for speed or needs labels that are costly to collect; we need neither.",
    "Across seven benchmarks it improves on the strongest published baseline while using a third of the compute.",
    "An ablation shows that most of the gain comes from the training objective rather than from the architecture.",
    "A study with readers agrees with the automatic measures, e.g. on long inputs, where the gap is widest.",
    "We also report where it fails: on rare categories, and whenever the input is far from the training data.",
    "Models, data and code are released so that others can build on the results.",
)


def text(opening: str, length: int) -> str:
    """Return an abstract that starts with an opening and has about `length` characters."""
    sentences = [opening]
    for sentence in cycle(_MORE):
        if len(" ".join(sentences)) >= length:
            break
        sentences.append(sentence)
    return " ".join(sentences)


_ATTENTION = Listing(
    title="Attention Is All You Need",
    summary=(
        "A translation model built from attention alone, without recurrence or convolution, trains in a fraction "
        "of the time and beats the best ensembles of its day."
    ),
    abstract=text(
        "Sequence models have leaned on recurrent or convolutional layers; this paper leaves both out and keeps "
        "only attention between positions.",
        1100,
    ),
    authors=(
        *("Ashish Vaswani", "Noam Shazeer", "Niki Parmar", "Jakob Uszkoreit"),
        *("Llion Jones", "Aidan N. Gomez", "Łukasz Kaiser", "Illia Polosukhin"),
    ),
    published_on=date(2026, 3, 10),
    organization="Google Brain",
    categories=("cs.CL", "cs.LG"),
    arxiv_id="1706.03762",
    url="https://huggingface.co/papers/1706.03762",
    code_url="https://github.com/tensorflow/tensor2tensor",
    discussion_url="https://huggingface.co/papers/1706.03762#community",
)


def _paper(title: str, arxiv_id: str, authors: str, opening: str, **known: Any) -> Listing:
    return Listing(
        title=title,
        abstract=text(opening, known.pop("length", 1200)),
        authors=tuple(authors.split(", ")),
        arxiv_id=arxiv_id,
        url=f"https://huggingface.co/papers/{arxiv_id}",
        published_on=known.pop("published_on", date(2026, 3, 11)),
        **known,
    )


PAPERS: tuple[Listing, ...] = (
    _ATTENTION,
    _paper(
        "Segment Anything",
        "2304.02643",
        "Alexander Kirillov, Eric Mintun, Nikhila Ravi, Hanzi Mao, Chloe Rolland, Laura Gustafson, Tete Xiao, "
        "Spencer Whitehead, Alexander C. Berg, Wan-Yen Lo, Piotr Dollár, Ross Girshick",
        "Prompted with a point, a box or a rough mask, one model cuts out objects it was never trained to name.",
        organization="Meta AI",
        code_url="https://github.com/facebookresearch/segment-anything",
        project_url="https://segment-anything.com/",
        thumbnail_url="https://cdn.example.org/thumbnails/2304.02643.png",
    ),
    _paper(
        "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
        "2305.18290",
        "Rafael Rafailov, Archit Sharma, Eric Mitchell, Stefano Ermon, Christopher D. Manning, Chelsea Finn",
        "Learning from preferences usually takes a reward model and reinforcement learning; a classification "
        "loss on pairs of answers does the same job.",
        organization="Stanford University",
        ai_summary=(
            "A simple classification loss on pairs of answers takes the place of a reward model and of "
            "reinforcement learning, and aligns a language model as well."
        ),
    ),
    _paper(
        "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
        "2312.00752",
        "Albert Gu, Tri Dao",
        "A state space model that lets its parameters depend on the input can choose what to keep and what to "
        "forget along a sequence.",
        code_url="https://github.com/state-spaces/mamba",
        length=900,
    ),
    _paper(
        "3D Gaussian Splatting for Real-Time Radiance Field Rendering",
        "2308.04079",
        "Bernhard Kerbl, Georgios Kopanas, Thomas Leimkühler, George Drettakis",
        "Scenes held as millions of small coloured Gaussians render at a hundred frames a second at full HD, with "
        "the quality of much slower methods.",
        organization="Inria",
        project_url="https://repo-sam.inria.fr/fungraph/3d-gaussian-splatting/",
        code_url="https://github.com/graphdeco-inria/gaussian-splatting",
    ),
    _paper(
        "LoRA: Low-Rank Adaptation of Large Language Models",
        "2106.09685",
        "Edward J. Hu, Yelong Shen, Phillip Wallis, Zeyuan Allen-Zhu, Yuanzhi Li, Shean Wang, Lu Wang, "
        "Weizhu Chen",
        "Fine-tuning all weights of a large model for every task is costly; small low-rank matrices beside the "
        "frozen weights are enough.",
        organization="Microsoft",
        code_url="https://github.com/microsoft/LoRA",
        published_on=date(2025, 12, 30),
    ),
    _paper(
        "ReAct: Synergizing Reasoning and Acting in Language Models",
        "2210.03629",
        "Shunyu Yao, Jeffrey Zhao, Dian Yu, Nan Du, Izhak Shafran, Karthik Narasimhan, Yuan Cao",
        "A language model that writes down its thoughts between its actions plans better and makes up less.",
        length=700,
    ),
    _paper(
        "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
        "2205.14135",
        "Tri Dao, Daniel Y. Fu, Stefano Ermon, Atri Rudra, Christopher Ré",
        "Attention is slow on GPUs less for its arithmetic than for its reads and writes; tiling keeps them in "
        "fast memory and stays exact.",
        code_url="https://github.com/Dao-AILab/flash-attention",
    ),
    _paper(
        "Graph Attention Networks",
        "1710.10903",
        "Petar Veličković, Guillem Cucurull, Arantxa Casanova, Adriana Romero, Pietro Liò, Yoshua Bengio",
        "Each node of a graph weighs its neighbours by attention, with no need to know the graph in advance.",
        length=600,
    ),
    _paper(
        "QLoRA: Efficient Finetuning of Quantized LLMs",
        "2305.14314",
        "Tim Dettmers, Artidoro Pagnoni, Ari Holtzman, Luke Zettlemoyer",
        "A model of 65 billion parameters can be fine-tuned on one GPU when its weights are held in 4 bits.",
        code_url="https://github.com/artidoro/qlora",
    ),
    _paper(
        "NeRF: Representing Scenes as Neural Radiance Fields for View Synthesis",
        "2003.08934",
        "Ben Mildenhall, Pratul P. Srinivasan, Matthew Tancik, Jonathan T. Barron, Ravi Ramamoorthi, Ren Ng",
        "A small network that maps a position and a viewing direction to colour and density is enough to show "
        "a scene from new angles.",
        project_url="https://www.matthewtancik.com/nerf",
    ),
    _paper(
        "Toolformer: Language Models Can Teach Themselves to Use Tools",
        "2302.04761",
        "Timo Schick, Jane Dwivedi-Yu, Roberto Dessì, Roberta Raileanu, Maria Lomeli, Luke Zettlemoyer, "
        "Nicola Cancedda, Thomas Scialom",
        "From a few examples a language model learns when to call a calculator, a search engine or a clock.",
        organization="Meta AI",
    ),
    _paper(
        "Denoising Diffusion Probabilistic Models",
        "2006.11239",
        "Jonathan Ho, Ajay Jain, Pieter Abbeel",
        "Pictures emerge from noise in many small steps, each of which a network has learnt to undo.",
        organization="UC Berkeley",
    ),
)

_VOTES = (312, 187, 128, 96, 74, 61, 42, 33, 21, 15, 9, 4, 1)
_REASONS: tuple[tuple[str, ...], ...] = (("+146 since yesterday",), ("new",), (), ("rose late",), ())


def issue_listing(listing: Listing, rank: int = 1, **changes: Any) -> IssueListing:
    """Return a listing in an issue, with votes that fall with its rank."""
    values: dict[str, Any] = {
        "key": 100 + rank,
        "rank": rank,
        "listing": listing,
        "listed_on": DAY,
        "upvotes": _VOTES[(rank - 1) % len(_VOTES)],
        "reasons": _REASONS[(rank - 1) % len(_REASONS)],
        "comments": (7, 2, None, 1)[(rank - 1) % 4],
        "stars": 16_400 // rank if listing.code_url else None,
    }
    return IssueListing(**values | changes)


def papers(count: int) -> list[Listing]:
    """Return `count` listings; behind the real ones come numbered variants of them, with ids of their own."""
    numbered = enumerate(islice(cycle(PAPERS), count))
    return [
        paper
        if number < len(PAPERS)
        else replace(
            paper,
            title=f"{paper.title}, Part {number // len(PAPERS) + 1}",
            arxiv_id=f"2603.{number:05}",
            url=f"https://huggingface.co/papers/2603.{number:05}",
        )
        for number, paper in numbered
    ]


def masthead(**changes: Any) -> Masthead:
    """Return the masthead of a made-up list."""
    values: dict[str, Any] = {
        "list": "daily",
        "title": "Daily Papers",
        "sender": "Daily Papers <papers@example.org>",
        "postal_address": "Example Society, 1 Example Street, Exampletown",
    }
    return Masthead(**values | changes)


def terms(**changes: Any) -> Terms:
    """Return the terms of a made-up list."""
    values: dict[str, Any] = {"masthead": masthead(), "stale_after": timedelta(hours=36)}
    return Terms(**values | changes)


def draft(listings: Iterable[Listing] | None = None, **changes: Any) -> Draft:
    """Return a draft of the given listings (else of three papers), ranked as they come."""
    return Draft(**_content(listings, changes))


def issue(listings: Iterable[Listing] | None = None, **changes: Any) -> Issue:
    """Return a frozen issue of the given listings (else of three papers), ranked as they come."""
    values: dict[str, Any] = {
        "key": 1,
        "frozen_at": datetime(2026, 3, 12, 8, tzinfo=UTC),
        "subject": "Daily Papers · 12 Mar: Attention Is All You Need and more",
    }
    return Issue(**values | _content(listings, changes))


def _content(listings: Iterable[Listing] | None, changes: dict[str, Any]) -> dict[str, Any]:
    chosen: Sequence[Listing] = list(papers(3) if listings is None else listings)
    own = {"terms": terms(masthead=changes.pop("masthead"))} if "masthead" in changes else {}
    values: dict[str, Any] = {
        "terms": terms(),
        "number": 42,
        "day": DAY,
        "candidates": len(chosen),
        "listings": tuple(issue_listing(listing, rank) for rank, listing in enumerate(chosen, 1)),
    }
    return values | own | changes
