"""Cells of CSV that no spreadsheet takes for a formula (OWASP, CSV injection)."""

from __future__ import annotations

# An apostrophe before a formula makes it text. One that was there before gets another, so that each cell is read
# back as it was.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MASKED = ("'", *_FORMULA)


def masked(cell: str) -> str:
    """Return a cell as text that a spreadsheet shows and does not run."""
    return f"'{cell}" if cell.startswith(_MASKED) else cell


def unmasked(cell: str) -> str:
    """Return a cell as it was before `masked`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_MASKED) else cell
