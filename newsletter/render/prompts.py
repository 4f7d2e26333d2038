"""What models are told to do: templates in `prompts/`, which operators may replace like all others."""

from __future__ import annotations

from hashlib import sha256

from babel.core import Locale, UnknownLocaleError

from newsletter.core.errors import RenderError
from newsletter.core.machine_summary import MachineTextKind
from newsletter.render.issue.renderer import TemplateRenderer

_LENGTH = 16  # hex digits of a digest


class Prompts:
    """The instructions of models, by what they write.

    Args:
        templates: the operator's own before the program's.
    """

    def __init__(self, templates: TemplateRenderer) -> None:
        self._templates = templates

    def instructions(self, kind: MachineTextKind, language: str) -> str:
        """Return what a model is told.

        Args:
            kind: what it is to write: `prompts/summary.txt` or `prompts/title.txt`.
            language: the tag of the language in which.

        Raises:
            RenderError: the template is wrong or empty; names file and line.
        """
        said = self._templates.prompt(kind.value, {"language": name_of(language), "tag": language}).strip()
        if not said:
            raise RenderError(
                f"template prompts/{kind}.txt is empty: write what a model is to do, or remove the file"
            )
        return said

    @staticmethod
    def digest(instructions: str) -> str:
        """Return a digest of instructions, for `Recipe.prompt`: where it is the same, so are they."""
        return sha256(instructions.encode()).hexdigest()[:_LENGTH]


def name_of(language: str) -> str:
    """Return the English name of a language by its tag, such as `Portuguese (Brazil)`; the tag if it has none."""
    try:
        return Locale.parse(language.replace("_", "-"), sep="-").get_display_name("en") or language
    except (UnknownLocaleError, ValueError):
        return language
