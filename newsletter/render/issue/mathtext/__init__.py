r"""Readable mathematics: LaTeX in titles and abstracts, whole or stripped of its backslashes, as Unicode.

There are two kinds of text. arXiv sends raw LaTeX (`$x^2$`, `\textit{RL}`, `Schr\"odinger`). Hugging Face removes
the dollar signs and backslashes of mathematics, and keeps those of the text around it (`mathcal{O}(n^2)`,
`1.45times`). So there are two steps: `residue` restores commands that have clearly lost their backslash, and
`latex` reads the result. Other text (prose, prices, `snake_case`, links, paths, code) stays unchanged.
"""

from __future__ import annotations

import re

from newsletter.render.issue.mathtext.latex import render
from newsletter.render.issue.mathtext.residue import restored

__all__ = ["readable"]

_MARK = re.compile(r"[\\$^_{}~`]|''|--")


def readable(text: str) -> str:
    r"""Return a title or an abstract with its LaTeX, whole or stripped, as readable Unicode.

    Pure and total: it never raises, removes nothing but markup, and returns text without markup unchanged. Call it
    once for each text of a source: it is not idempotent (`\{x\}` becomes `{x}`). The caller folds white space.
    """
    read = restored(text)
    return render(read) if _MARK.search(read) else read
