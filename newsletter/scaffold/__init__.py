"""The files of a new working folder, for `newsletter init`."""

from newsletter.scaffold.answers import LOGIN, Question, needs_login, questions
from newsletter.scaffold.folder import scaffold
from newsletter.scaffold.templates import changed_originals, copy_templates

__all__ = ["LOGIN", "Question", "changed_originals", "copy_templates", "needs_login", "questions", "scaffold"]
