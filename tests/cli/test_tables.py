"""Tables: one line a row unless a terminal is too narrow, and nothing is ever cut off."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from newsletter.cli.tables import lines

HEADINGS = ("day", "address", "what the relay said")
ADDRESS = "somebody.with.a.long.address@department.of.physics.lab.example"
SAID = "451 4.7.1 Greylisted, come back in five minutes; see https://relay.example/greylisting for the reason"
FOLDS = {"what the relay said"}

cells = st.text(st.characters(codec="utf-8"), max_size=60)
tables = st.lists(st.tuples(cells, cells, cells), max_size=5)


def test_without_a_terminal_a_row_is_one_line() -> None:
    shown = lines(HEADINGS, [("2026-03-12", ADDRESS, SAID), ("2026-03-12", "bob@lab.example", None)], folds=FOLDS)
    assert shown[1] == f"2026-03-12  {ADDRESS}  {SAID}"
    assert shown[2] == "2026-03-12  bob@lab.example"


def test_on_a_narrow_terminal_sentences_are_folded_and_addresses_are_not() -> None:
    shown = lines(HEADINGS, [("2026-03-12", "bob@lab.example", SAID)], folds=FOLDS, width=80)
    assert max(map(cell_len, shown)) <= 80
    assert shown[1].startswith("2026-03-12  bob@lab.example  451 4.7.1 Greylisted, ")
    assert len(shown) > 2


def test_where_too_little_is_left_for_sentences_they_stand_below_the_row() -> None:
    shown = lines(HEADINGS, [("2026-03-12", ADDRESS, SAID)], folds=FOLDS, width=80)
    assert shown[:2] == ["day         address", f"2026-03-12  {ADDRESS}"]
    assert shown[2].startswith("    what the relay said: 451 4.7.1 Greylisted, ")
    assert max(map(cell_len, shown)) <= 80


def test_values_from_outside_cannot_move_the_cursor() -> None:
    assert lines(("x",), [("\x1b[2Jgone\r\n",)])[1] == "[2Jgone"


@given(tables, st.none() | st.integers(20, 120))
def test_nothing_is_lost_at_any_width(rows: list[tuple[str, str, str]], width: int | None) -> None:
    whole = lines(HEADINGS, rows, folds=FOLDS)
    shown = lines(HEADINGS, rows, folds=FOLDS, width=width)
    assert len(whole) == len(rows) + 1

    def letters(text: list[str]) -> Counter[str]:
        return Counter(re.sub(r"\s", "", "".join(text)))

    assert letters(whole) <= letters(shown) + letters(list(HEADINGS))
    assert letters(whole[1:]) <= letters(shown)
