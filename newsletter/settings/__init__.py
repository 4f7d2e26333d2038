"""The operator's settings, from `.env` and the environment; only `bootstrap` and `cli` read them.

Each field is the variable `NEWSLETTER_<GROUP>__<FIELD>`; the environment goes before `.env`, and an empty value
is the same as none. `.env.example` names them all with a word on each.
"""

from newsletter.settings.groups import Settings
from newsletter.settings.load import load, variables

__all__ = ["Settings", "load", "variables"]
