r"""Readable mathematics: LaTeX and what is left of it in titles and abstracts, as Unicode.

Two kinds of text come in. arXiv sends raw LaTeX (`$x^2$`, `\textit{RL}`, `Schr\"odinger`). Hugging Face drops the
dollar signs and the backslashes of mathematics, and keeps those of the text around it (`mathcal{O}(n^2)`,
`1.45times`). So reading takes two steps: `residue` restores what has unmistakably lost its backslash, `latex`
reads the result. What has no such shape (prose, prices, `snake_case`, links, paths, code) stays as it is.
"""

from __future__ import annotations

import re

from newsletter.render.issue.mathtext.latex import render
from newsletter.render.issue.mathtext.residue import restored

__all__ = ["readable"]

_MARK = re.compile(r"[\\$^_{}~`]|''|--")


def readable(text: str) -> str:
    r"""Return a title or an abstract with its LaTeX, whole or stripped, as readable Unicode.

    Pure and total: it never raises, drops nothing but markup, and returns text without markup unchanged. Run it
    once over what a source sent: `\{x\}` has become `{x}` afterwards. White space is the caller's to fold.
    """
    read = restored(text)
    return render(read) if _MARK.search(read) else read
