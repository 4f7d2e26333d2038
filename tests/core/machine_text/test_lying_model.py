"""No number, acronym or expansion that a paper does not hold is ever shown, whatever a model says of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.machine_summary import MachineTextKind
from newsletter.core.machine_text.check import RefusedTextError, checked
from tests.core.machine_text.liar import Paper, disguises, lies
from tests.core.machine_text.papers import ABSTRACT, ANSWERS, TITLE, own, recorded, summarised
from tests.services import shared
from tests.timing import takes_time_in_proportion

BENCH = Path(__file__).resolve().parents[3] / "bench" / "refused_summaries.py"
MOST_REFUSED = 0.05  # of true summaries
LEAST_LIES = 20  # of each paper

PIECES = (
    *(
        "<think>",
        "</think>",
        "[THINK]",
        "<|channel|>final<|message|>",
        "<|end|>",
        "```",
        "**",
        "*",
        "_",
        "`",
        "# ",
        "- ",
    ),
    *(
        "<b>",
        "</b>",
        "<img src=x>",
        "<",
        ">",
        "&lt;",
        "&#x202e;",
        "&amp;",
        "[",
        "](",
        ")",
        "(",
        "https://a.example/b",
        "a@b.example",
    ),
    *(
        "Summary: ",
        "Sure! ",
        "Here is the summary: ",
        '"',
        "\u201c",
        "\u201d",
        "\n",
        "\n\n",
        "\u202e",
        "\u200b",
        "\x00",
        "\ud800",
    ),
    *(
        "The method ",
        "of the ",
        "scales ",
        "LLMs ",
        "GPT-4o ",
        "GRPO ",
        "GRPO (",
        "3.5% ",
        "1,000 ",
        "1.000 ",
        "71 ",
        "ten ",
        "RLHF ",
    ),
    *(
        "{",
        "}",
        '{"summary": "',
        '"}',
        "\\",
        "$",
        "^",
        "10^5 ",
        "\u00b2",
        "\u00bd",
        "\u4e07",
        "\u4e09\u4e2a",
        "\u043f\u044f\u0442\u044c ",
        ". ",
        "e\u0301",
        "\uff11",
    ),
)
answers = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=14).map("".join)
SEEN = re.compile(r"<[a-zA-Z/!][^<>]*>|[a-z]{2,}://|www\.\S|\bmailto:\S", re.IGNORECASE)
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


def naively_held(text: str, source: str) -> bool:
    """Return whether the digits of each number of a text stand in a source, whatever is around them."""
    digits = (
        re.sub(r"\D", "", number).strip("0")
        for number in re.findall(r"\d[\d.,']*", unicodedata.normalize("NFKC", text))
    )
    there = re.sub(r"(?<=\d)[., '](?=\d)", "", unicodedata.normalize("NFKC", source))
    return all(one in there for one in digits)


def shown_or_refused(answer: str, kind: MachineTextKind, language: str) -> tuple[str, str]:
    """Return what is shown of an answer, or why it is not."""
    try:
        return checked(answer, kind=kind, title=TITLE, abstract=ABSTRACT, language=language), ""
    except RefusedTextError as refusal:
        return "", str(refusal)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answers, st.sampled_from(MachineTextKind), st.sampled_from(("en", "de", "zh", "ja", "ru", "x")))
def test_what_is_shown_is_plain_and_stays_as_it_is(answer: str, kind: MachineTextKind, language: str) -> None:
    text, reason = shown_or_refused(answer, kind, language)
    assert reason.isprintable()
    assert len(reason) < 100
    if reason:
        return
    assert checked(text, kind=kind, title=TITLE, abstract=ABSTRACT, language=language) == text
    assert not SEEN.search(text)
    assert not {unicodedata.category(char) for char in text} & HIDDEN
    assert text == unicodedata.normalize("NFC", " ".join(text.split()))
    assert naively_held(text, f"{TITLE} {ABSTRACT}")


@settings(max_examples=200, deadline=None)
@given(answers, st.text(max_size=60), st.text(max_size=120), st.sampled_from(MachineTextKind))
def test_any_paper_and_any_answer_raise_nothing_else(
    answer: str, title: str, abstract: str, kind: MachineTextKind
) -> None:
    for language in ("", "en", "zh-Hant", "de-CH"):
        try:
            assert checked(answer, kind=kind, title=title, abstract=abstract, language=language)
        except RefusedTextError:
            continue


@settings(max_examples=200, deadline=None)
@given(
    st.decimals(min_value=0, max_value=10**7, places=1),
    st.sampled_from(("%s", "%s%%", "$%s$", "%s\u00d7", "\u2248%s")),
)
def test_a_number_is_shown_only_if_the_paper_has_its_digits(number: object, form: str) -> None:
    answer = f"The method of the paper is fast by {form % number} in the end."
    text, reason = shown_or_refused(answer, MachineTextKind.SUMMARY, "en")
    assert "number" in reason or naively_held(text, f"{TITLE} {ABSTRACT}")


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "<",
            "[",
            "(",
            "1",
            "`",
            "<a ",
            "<a b=",
            "</",
            "<!--",
            "<script",
            "<think>",
            "[](",
            "[](a(",
            "**",
            "*a",
            "_a",
        ),
        *(
            "&",
            "&#",
            "\n",
            " ",
            "1,",
            "1 ",
            "1 000 ",
            "10^",
            "\u4e07",
            "\u4e00",
            "\u767e\u5206\u4e4b",
            "https://",
            "a@",
            "a.",
        ),
        *(
            "\u200b",
            "\u0345\u0301",
            "{",
            '{"a":',
            "\\frac{",
            "AA ",
            "A.",
            "A-",
            "A1",
            "(A) ",
            "A (",
            "two ",
            "one hundred ",
        ),
        *(
            "\nNote: ",
            "Summary: ",
            "\u201c",
            "\u3002",
            "A. ",
            "1\u4e07",
            "9\ub9cc ",
            "\u00bd",
            "\ufdfa",
            "\udcff",
            "- ",
            "1'",
        ),
    ],
)
def test_time_is_in_proportion_to_the_length(unit: str) -> None:
    text = (unit * 20_000)[:20_000]

    def read(text: str) -> None:
        for answer, abstract in ((text, ABSTRACT), ("A short answer, with AAA and 3 things.", text)):
            for kind in MachineTextKind:
                try:
                    checked(answer, kind=kind, title=TITLE, abstract=abstract, language="en")
                except RefusedTextError:
                    continue

    assert takes_time_in_proportion(read, text, seconds=0.4)  # it is read four times


def leaks_of(papers: tuple[Paper, ...], random: Random) -> tuple[Counter[str], list[str]]:
    """Return how many lies of each kind were told, and those that would be shown."""
    told, shown = Counter[str](), []
    for paper in papers:
        for lie in lies(paper, random):
            told[lie.trick] += 1
            try:
                shown.append(f"{lie.trick}: {summarised(lie.answer, title=paper.title, abstract=paper.abstract)}")
            except RefusedTextError:
                continue
    return told, shown


def true_ones(papers: tuple[Paper, ...]) -> tuple[list[Paper], Counter[str]]:
    """Return the papers whose true summaries are shown, and why the others are refused."""
    fine, reasons = [], Counter[str]()
    for paper in papers:
        try:
            assert summarised(paper.summary, title=paper.title, abstract=paper.abstract) == paper.summary
            fine.append(paper)
        except RefusedTextError as refusal:
            reasons[str(refusal).partition(":")[0]] += 1
    return fine, reasons


@pytest.mark.parametrize("seed", range(3))
def test_no_lie_about_our_papers_is_shown(seed: int) -> None:
    told, shown = leaks_of(own(), Random(seed))  # noqa: S311
    assert shown == []
    assert told.total() > LEAST_LIES * len(own())


def test_true_answers_in_ten_languages_are_shown() -> None:
    for record in json.loads((ANSWERS / "translated.json").read_text(encoding="utf-8")):
        for kind, name in ((MachineTextKind.SUMMARY, "summaries"), (MachineTextKind.TITLE, "titles")):
            for language, text in record[name].items():
                shown = checked(
                    text, kind=kind, title=record["title"], abstract=record["abstract"], language=language
                )
                assert shown == text


@pytest.mark.timeout(900)  # thousands of answers, on a busy machine
@pytest.mark.parametrize("count", [40, pytest.param(200, marks=pytest.mark.long)])
def test_no_lie_about_recorded_papers_is_shown_and_few_true_summaries_are_refused(count: int) -> None:
    papers = recorded(shared("responses", "huggingface"))
    fine, reasons = true_ones(papers)
    print(f"{reasons.total()} of {len(papers)} true summaries are refused: {dict(reasons)}")
    assert reasons.total() < MOST_REFUSED * len(papers)
    sample = tuple(Random(1).sample(fine, count))  # noqa: S311
    told, shown = leaks_of(sample, Random(2))  # noqa: S311
    print(f"{told.total():,} lies were told, {len(shown)} of them would be shown")
    assert shown == []
    assert told.total() > LEAST_LIES * len(sample)


def test_what_models_put_around_recorded_summaries_goes() -> None:
    fine, _ = true_ones(recorded(shared("responses", "huggingface")))
    for paper in Random(3).sample(fine, 15):  # noqa: S311
        for one in disguises(paper):
            assert summarised(one.answer, title=paper.title, abstract=paper.abstract) == one.text, one.trick


def test_the_bench_tells_the_share_of_refused_answers(tmp_path: Path) -> None:
    paper = {"title": TITLE, "summary": ABSTRACT, "ai_summary": "It scales LLMs to 77 tasks."}
    ours = {"title": TITLE, "abstract": ABSTRACT, "summaries": {"en": "It scales LLMs to 1,000 tasks."}}
    (tmp_path / "a.json").write_text(json.dumps([{"paper": paper}, {"paper": paper}, ours]))
    done = subprocess.run(
        [sys.executable, BENCH, "--json", tmp_path], capture_output=True, text=True, check=True, timeout=120
    )
    seen = json.loads(done.stdout)
    assert seen["ratios"] == {
        "all": 0.5,
        "summary, en": 0.5,
        "it holds a number that the paper does not": 0.5,
    }
    assert [row["reason"] for row in seen["rows"]] == ["it holds a number that the paper does not: 77", ""]
