"""The operator's settings, from `.env` and the environment; only `bootstrap` and `cli` read them.

Each field is a variable `NEWSLETTER_<GROUP>__<FIELD>`. The environment takes precedence over `.env`, and an empty
value counts as not set. `.env.example` explains each of them.
"""

from newsletter.settings.groups import Settings
from newsletter.settings.load import load, variables

__all__ = ["Settings", "load", "variables"]
