"""The files of a new working folder, for `newsletter init`."""

from newsletter.scaffold.answers import LOGIN, Question, needs_login, questions
from newsletter.scaffold.deploying import Service
from newsletter.scaffold.folder import scaffold
from newsletter.scaffold.templates import changed_originals, copy_templates
from newsletter.scaffold.unused_templates import unused_templates

__all__ = [
    "LOGIN",
    "Question",
    "Service",
    "changed_originals",
    "copy_templates",
    "needs_login",
    "questions",
    "scaffold",
    "unused_templates",
]
