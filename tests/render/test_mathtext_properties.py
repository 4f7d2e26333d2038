"""What holds for every text, however broken or hostile."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.render.issue.mathtext import readable
from tests.timing import takes_time_in_proportion


def _one_of(*lines: str) -> st.SearchStrategy[str]:
    return st.sampled_from([word for line in lines for word in line.split()])


# Words of prose that are commands of LaTeX, or hold one.
_PROSE = st.lists(
    _one_of(
        "times similar sim simulation in to max min sum product bar hat text left right star prime partial",
        "alpha beta gamma delta lambda pi nu eta circle circumference prong approximately approx equal inequality",
        "parallel mathematics mapping model dataset benchmark overline underline italic emphasis cite link",
        "Theta Omega Phi footnote I a it's don't sim-to-real one-of-a-kind GPT-4 (see it) R&D e.g. snake_case",
    ),
    min_size=1,
).map(" ".join)

_PIECES = _one_of(
    r"\ { } $ ^ _ ~ ` ' \" - % & ! ( ) [ ] | < > = . , : ; $$ `` '' -- --- \\ \( \) \[ \] x A 7 é γ 字",
    r"\frac \sqrt \hat \mathcal \text \left \right \left. \overset \href \url \cite \begin \not \binom \pmod",
    r"\em \cal \c \v \" \' \1 \eg \footnote \textcolor \label \alpha \leq \times \log \today \item \unknown",
    "mathcal{ left( right) sim! 3times alpha geq deltageq ^circ infty _{ ^{ calH xspace x2013 widetilde Theta(",
    "{blue{ https://example.org/x a@example.org example.org/x_1",
)
_LATEX = st.lists(_PIECES | st.sampled_from(" \n")).map("".join)

_LETTERS_OF_OTHERS = st.text(alphabet=[*"жбщЯЭאבגدرس字漢学あのけ", *r"\{}$^_~`'\"-%!().,7 "])


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def _controls(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in {"Cc", "Cf"}}


@given(st.one_of(st.text(), _LATEX))
@example("\ud800\\'\udfff")
@example("$")
@example("\\")
@example("{" * 500 + "x" + "}" * 500)
@example("\\hat" * 500)
@example("x^{" * 300)
def test_any_text_is_read_without_controls_and_without_growing_out_of_bounds(text: str) -> None:
    read = readable(text)
    assert _controls(read) <= _controls(text)
    assert len(read) <= 2 * len(text) + 16


@pytest.mark.parametrize(
    "text",
    [
        r"\(" * 100_000,
        r"\[" * 100_000,
        r"\(x" * 70_000 + r"\)",
        r"\)" * 100_000,
        r"\(\[" * 50_000,
        "$x" * 100_000,
        "$$" * 100_000 + "x",
        "{" * 100_000 + "x" + "}" * 100_000,
        r"\text{" * 40_000 + "}" * 40_000,
        "x^{" * 70_000 + "}" * 70_000,
        r"\frac{" * 30_000,
        r"\begin{" * 30_000,
        "left(" + "1" * 100_000 + "right)",
        "``a" * 70_000,
        "`a" * 100_000,
        r"\\a\a" * 40_000,
        "e" + "\u0301" * 200_000,
        " " * 200_000 + r"\hat" + " " * 200_000,
        "http://" * 30_000,
        "a." * 100_000,
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)
def test_a_text_of_hostile_marks_takes_time_in_proportion_to_its_length(text: str) -> None:
    assert takes_time_in_proportion(readable, text, seconds=3)


@given(_PROSE)
def test_prose_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


@given(_LETTERS_OF_OTHERS)
def test_no_markup_costs_a_letter(text: str) -> None:
    assert _letters(readable(text)) == _letters(text)


@given(_PROSE, _LATEX)
def test_markup_costs_the_prose_around_it_hardly_a_letter(prose: str, latex: str) -> None:
    assert _letters(readable(f"{prose}. {latex} . {prose}")) >= 0.9 * _letters(f"{prose} {prose}")


@pytest.mark.parametrize(
    "text",
    [
        "𝒪(T^{-1/3}), Õ(n), ℝ^{n×d}, C_{Φ ∘ Ψ}, I_{D, h_⋆}^{CoT}, L^∞, ℓ_∞, π_θ(x), G_stack, VL_{7B}",
        "min ∫_{ℝᴺ}f(u,∇u), (a+b)/c, ∛(x+1), {x₁, …, xₙ}, ∼30, ≤5, V₀.₅, 8×A800, 360°×180°, L*, A_b^{†x}",
        "Üstün, naïve, Łojasiewicz, “quoted” and ‘so’ – a dash—and 5% of $1 Million or $5 to $10",
    ],
)
def test_what_has_been_read_is_read_as_the_same(text: str) -> None:
    assert readable(text) == text
