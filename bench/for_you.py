"""How well papers are found that a reader would like, from a few examples: the program's ranking beside others.

A reader likes what the papers of a group have in common: a keyword, a category or an author. Three papers of the
group are the reader's examples. The papers of later days are ranked, and those of the group should come first. The
words of a shared keyword are taken out of all texts, so that it is not found by its name. All rankings see the
same texts (title and abstract) and the same readers.

    bm25        what the program does: `newsletter.core.likeness`, by the weights of BM25
    random      any order
    embeddings  by the cosine to the mean of the examples' vectors; of the server at --url
    both        by the sum of the two scores, each in units of its spread

A ratio is of the means of nDCG@10 over all groups; its interval holds 95 of 100 ratios of groups drawn anew.

    python bench/for_you.py [--json] [--papers FILE …] [--url http://127.0.0.1:8080/v1 --model NAME]
                            [--examples 3] [--readers 10] [--least 5] [--most 40] [--all-words] [--seed 1]

Files are answers of Hugging Face's daily papers (`….json`) or lines of JSON (`….jsonl`), with a day in each name.
Without --papers, the one day of the program's own sample is ranked: too little to decide anything by.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from math import log2, sqrt
from pathlib import Path
from statistics import fmean, pstdev

from newsletter.core.likeness import Example, LikenessIndex, Opinion
from newsletter.core.listing import Listing
from newsletter.core.searching import SearchIndex, stems
from newsletter.sources.huggingface import read_paper
from newsletter.sources.jsonl import read_record
from newsletter.sources.reading.records import Seen, each

SAMPLE = Path(__file__).parents[1] / "newsletter" / "web" / "studio" / "sample"
SHOWN = 10  # places that are looked at
DRAWS = 2000  # of groups, for an interval
BATCH = 64  # texts in a request
TIMEOUT = 120.0  # seconds for a request
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Scores = Sequence[float]  # of the candidates, in their order
Ranking = Callable[[Sequence[Listing], Sequence[Listing]], Scores]  # of examples and candidates


@dataclass(frozen=True)
class Paper:
    """A paper, and the day on which it was listed first."""

    day: date
    listing: Listing


@dataclass(frozen=True)
class Task:
    """A reader: examples and candidates, and which of the candidates should come first."""

    group: str
    examples: Sequence[Listing]
    candidates: Sequence[Listing]
    wanted: frozenset[int]


@dataclass(frozen=True)
class Figures:
    """How good a ranking is, as means over readers."""

    ndcg: float
    recall: float
    mrr: float


def papers_in(paths: Iterable[Path]) -> list[Paper]:
    """Return the papers of files, oldest first, each once."""
    found: dict[str, Paper] = {}
    for path in paths:
        named = DAY.findall(path.name)
        if not named:
            sys.exit(f"{path}: its name has no day: name it like papers-2026-03-12.jsonl")
        text = path.read_text("utf-8")
        if path.suffix == ".jsonl":
            seen = each(map(json.loads, filter(str.strip, text.splitlines())), read_record)
        else:
            seen = each(json.loads(text), read_paper)
        for one in seen:
            if isinstance(one, Seen) and one.listing.abstract:
                paper = Paper(date.fromisoformat(named[-1]), one.listing)
                known = found.setdefault(one.listing.arxiv_id or one.listing.title, paper)
                if paper.day < known.day:
                    found[one.listing.arxiv_id or one.listing.title] = paper
    return sorted(found.values(), key=lambda paper: (paper.day, paper.listing.title))


def groups_of(papers: Sequence[Paper], least: int, most: int) -> Mapping[str, frozenset[int]]:
    """Return what papers have in common, with their positions; of two names of the same papers, one."""
    found: dict[str, set[int]] = defaultdict(set)
    for position, paper in enumerate(papers):
        for keyword in paper.listing.keywords:
            if words := stems(keyword):
                found[f"keyword {' '.join(words)}"].add(position)
        for category in paper.listing.categories:
            found[f"category {category}"].add(position)
        for author in paper.listing.authors:
            found[f"author {author}"].add(position)
    named = {frozenset(positions): name for name, positions in sorted(found.items(), reverse=True)}
    return {name: positions for positions, name in named.items() if least <= len(positions) <= most}


def shared_words(group: str) -> frozenset[str]:
    """Return the words, without endings, by which the papers of a group could be told."""
    kind, _, rest = group.partition(" ")
    return frozenset(rest.split()) if kind == "keyword" else frozenset()


def without(listing: Listing, words: frozenset[str]) -> Listing:
    """Return the title and the abstract of a paper without some words."""

    def rest(text: str) -> str:
        return " ".join(word for word in text.split() if words.isdisjoint(stems(word)))

    return Listing(title=rest(listing.title), abstract=rest(listing.abstract)) if words else plain(listing)


def plain(listing: Listing) -> Listing:
    """Return the title and the abstract of a paper."""
    return Listing(title=listing.title, abstract=listing.abstract)


def tasks_of(papers: Sequence[Paper], args: argparse.Namespace) -> Iterator[Task]:
    """Yield readers: for each group so many as are asked for, if its papers allow for one."""
    chance = random.Random(args.seed)  # noqa: S311 (no secret)
    several_days = papers[0].day < papers[-1].day if papers else False
    groups = groups_of(papers, args.least, args.most)
    of_all = frozenset[str]().union(*map(shared_words, groups))
    for name, group in sorted(groups.items()):
        texts = [without(paper.listing, of_all if args.all_words else shared_words(name)) for paper in papers]
        for _ in range(args.readers):
            last = papers[sorted(group)[args.examples - 1]].day  # the examples are those of the first days
            early = [one for one in sorted(group) if papers[one].day <= last] if several_days else sorted(group)
            examples = chance.sample(early, args.examples)
            pool = [
                one
                for one, paper in enumerate(papers)
                if (paper.day > last if several_days else one not in examples)
            ]
            wanted = frozenset(place for place, one in enumerate(pool) if one in group)
            if wanted:
                yield Task(name, [texts[one] for one in examples], [texts[one] for one in pool], wanted)


def by_bm25(examples: Sequence[Listing], candidates: Sequence[Listing]) -> Scores:
    """Rank as the program does."""
    opinions = [Opinion(Example.of(str(place), one), liked=True) for place, one in enumerate(examples)]
    values = index_of(tuple(candidates)).of(opinions).values
    return [values.get(position, 0.0) for position in range(len(candidates))]


@lru_cache(maxsize=2)
def index_of(candidates: tuple[Listing, ...]) -> LikenessIndex:
    return LikenessIndex(SearchIndex(candidates))


def by_chance(_: Sequence[Listing], candidates: Sequence[Listing]) -> Scores:
    """Rank in any order: that of equal scores is drawn."""
    return [0.0] * len(candidates)


class Embeddings:
    """A server with `POST …/embeddings`, as OpenAI's API has it; what it answered is kept."""

    def __init__(self, url: str, model: str) -> None:
        self._url, self._model = url.rstrip("/") + "/embeddings", model
        self._known: dict[str, Sequence[float]] = {}

    def __call__(self, examples: Sequence[Listing], candidates: Sequence[Listing]) -> Scores:
        """Rank by the cosine to the mean of the examples."""
        texts = [f"{one.title}\n{one.abstract}" for one in (*examples, *candidates)]
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for begin in range(0, len(new), BATCH):
            batch = new[begin : begin + BATCH]
            self._known |= dict(zip(batch, self._vectors(batch), strict=True))
        liked = [
            fmean(column) for column in zip(*(self._known[text] for text in texts[: len(examples)]), strict=True)
        ]
        return [
            sum(mine * theirs for mine, theirs in zip(liked, self._known[text], strict=True))
            for text in texts[len(examples) :]
        ]

    def _vectors(self, texts: Sequence[str]) -> list[Sequence[float]]:
        body = json.dumps({"model": self._model, "input": texts}).encode()
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(self._url, body, headers)  # noqa: S310 (the operator's own address)
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:  # noqa: S310
            data = json.load(answer)["data"]
        return [unit(one["embedding"]) for one in sorted(data, key=lambda one: one["index"])]


def unit(vector: Sequence[float]) -> Sequence[float]:
    """Return a vector of length 1 in the same direction."""
    length = sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def by_both(one: Ranking, other: Ranking) -> Ranking:
    """Return the ranking by the sum of two."""

    def ranked(examples: Sequence[Listing], candidates: Sequence[Listing]) -> Scores:
        return [sum(pair) for pair in zip(*(spread(by(examples, candidates)) for by in (one, other)), strict=True)]

    return ranked


def spread(scores: Scores) -> Scores:
    """Return scores in units of their spread, around 0."""
    middle, unit_of = fmean(scores), pstdev(scores) or 1.0
    return [(score - middle) / unit_of for score in scores]


def figures_of(task: Task, scores: Scores, chance: random.Random) -> Figures:
    """Return how well a ranking does for a reader; the order of equal scores is drawn."""
    drawn = chance.sample(range(len(scores)), len(scores))
    order = sorted(drawn, key=lambda position: -scores[position])
    places = [place for place, position in enumerate(order, start=1) if position in task.wanted]
    shown = [place for place in places if place <= SHOWN]
    best = sum(1 / log2(place + 1) for place in range(1, min(len(places), SHOWN) + 1))
    return Figures(
        ndcg=sum(1 / log2(place + 1) for place in shown) / best,
        recall=len(shown) / len(places),
        mrr=1 / places[0],
    )


def mean_of(figures: Sequence[Figures]) -> Figures:
    return Figures(*(fmean(column) for column in zip(*(asdict(one).values() for one in figures), strict=True)))


def interval(over: Sequence[float], under: Sequence[float], seed: int) -> tuple[float, float]:
    """Return between what 95 of 100 ratios of means lie if groups are drawn anew."""
    chance, places = random.Random(seed), range(len(over))  # noqa: S311
    ratios = []
    for _ in range(DRAWS):
        drawn = chance.choices(places, k=len(over))
        ratios.append(sum(over[one] for one in drawn) / max(sum(under[one] for one in drawn), 1e-9))
    ratios.sort()
    return ratios[DRAWS * 25 // 1000], ratios[DRAWS * 975 // 1000 - 1]


def measured(tasks: Sequence[Task], by: Ranking, seed: int) -> Mapping[str, Figures]:
    """Return how well a ranking does for the readers of each group."""
    chance, found = random.Random(seed), defaultdict[str, list[Figures]](list)  # noqa: S311
    for task in tasks:
        found[task.group].append(figures_of(task, by(task.examples, task.candidates), chance))
    return {group: mean_of(figures) for group, figures in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="How well papers are found that a reader would like.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--papers", type=Path, nargs="+", default=sorted(SAMPLE.glob("*.jsonl")))
    parser.add_argument("--url", default="", help="of a server with /embeddings, such as http://127.0.0.1:8080/v1")
    parser.add_argument("--model", default="", help="that the server is asked for")
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--readers", type=int, default=10, help="of each group")
    parser.add_argument("--least", type=int, default=5, help="papers of a group")
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--all-words", action="store_true", help="take the words of all groups out of all texts")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    tasks = list(tasks_of(papers_in(args.papers), args))
    if not tasks:
        sys.exit("no group of these papers has enough of them: lower --least, or name more files by --papers")
    rankings: dict[str, Ranking] = {"bm25": by_bm25, "random": by_chance}
    if args.url:
        asked = Embeddings(args.url, args.model)
        rankings |= {"embeddings": asked, "both": by_both(by_bm25, asked)}
    found = {name: measured(tasks, by, args.seed) for name, by in rankings.items()}
    report(found, len(tasks), as_json=args.json, seed=args.seed)


def report(found: Mapping[str, Mapping[str, Figures]], readers: int, *, as_json: bool, seed: int) -> None:
    """Print the means of all groups, and the ratios to the program's ranking."""
    own = found["bm25"]
    rows = [
        {"ranking": name, "groups": len(of), "readers": readers, **asdict(mean_of(list(of.values())))}
        for name, of in found.items()
    ]
    ratios: dict[str, float] = {}
    for name, of in found.items():
        if of is own:
            continue
        over, under = [of[group].ndcg for group in own], [own[group].ndcg for group in own]
        low, high = interval(over, under, seed)
        of_all = {
            f"{name} over bm25": fmean(over) / max(fmean(under), 1e-9),
            f"{name}, low": low,
            f"{name}, high": high,
        }
        ratios |= {key: round(value, 3) for key, value in of_all.items()}
    if as_json:
        print(json.dumps({"ratios": ratios, "rows": rows}))
        return
    print(f"{readers} readers of {len(own)} groups")
    for row in rows:
        print(
            f"{row['ranking']:<12} nDCG@10 {row['ndcg']:.3f}  recall@10 {row['recall']:.3f}  MRR {row['mrr']:.3f}"
        )
    for name, ratio in ratios.items():
        print(f"{name:<20} {ratio:.3f}")


if __name__ == "__main__":
    main()
