"""Templates to mail and pages (Jinja2).

A mail is a folder of three files: `subject.txt`, `body.html`, `body.txt`. The operator's own templates take
precedence over the packaged ones, file by file. Each template names its values at its top.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, TemplateNotFound, TemplateSyntaxError
from markupsafe import Markup

from newsletter.core.errors import RenderError
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.newsletter_list import Masthead
from newsletter.core.subject import fill
from newsletter.core.text import one_line
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue import words
from newsletter.render.issue.bounds import counting_turns
from newsletter.render.issue.catalogues import SOURCE
from newsletter.render.issue.environment import compiler, environment
from newsletter.render.issue.fingerprint import Fingerprint
from newsletter.render.issue.inline import inline
from newsletter.render.issue.language import direction, language
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.rendered import RenderedIssue
from newsletter.render.issue.theme import theme
from newsletter.render.issue.view import issue_view, subject_values
from newsletter.render.mime.markers import Markers
from newsletter.render.page_files import TemplateFiles, colours_file

# From where the program's own pages stand, such as `/-/signup/daily`, to the site's root. Other pages say theirs.
_OF_OWN_PAGES = "../../"
_TEMPLATES_KEPT = 256  # compiled; there are some 150


class TemplateRenderer(PageRenderer):
    """Renders issues, transactional mails and web pages from template folders.

    `own_folder` is the operator's, or None; it need not be there yet. `packaged_folder` holds all templates. What
    is changed, added or removed in them counts from the next rendering on.
    """

    def __init__(self, own_folder: Path | None, packaged_folder: Path) -> None:
        folders = [folder for folder in (own_folder, packaged_folder) if folder is not None]
        self._folders = tuple(str(folder.resolve()) for folder in folders)
        self.files = TemplateFiles([folder.resolve() for folder in folders])
        self._made_by = Fingerprint([folder.resolve() for folder in folders])
        self._fingerprint = ""
        self._environments: dict[str, Environment] = {}  # by the tag of their language
        self._compiled = lru_cache(maxsize=_TEMPLATES_KEPT)(self._compiler().compile)

    def fingerprint(self, *, now: bool = False) -> str:
        """Return a hash of all that makes a page, except its values: templates and program.

        Templates are checked for changes once a second, or at once if `now`.
        """
        value = self._made_by.value(now=now)
        if value != self._fingerprint:
            self._environments = {}  # Jinja notices a changed file, but no new one that takes precedence
        self._fingerprint = value
        return value

    def subject(self, draft: Draft) -> str:
        """Return the subject of a draft, one clean line, by the list's own pattern, or a template of its cadence.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        values = subject_values(draft, readable) | {"language": draft.masthead.language}
        if draft.terms.subject:
            return one_line(fill(draft.terms.subject, values))
        return self._subject(f"{draft.terms.cadence}/subject.txt", values)

    def issue(
        self,
        issue: Issue,
        *,
        web_url: str,
        signup_url: str = "",
        cite: Callable[[IssueListing], str] = lambda _: "",
        only: Collection[int] | None = None,
    ) -> RenderedIssue:
        """Render both parts of an issue's mail, once for all readers, by the templates of the list's cadence.

        Args:
            issue: the frozen issue.
            web_url: where its web version stands, or nothing.
            signup_url: where anybody signs up for its list, or nothing.
            cite: returns the link to the page by which a listing is cited, or nothing.
            only: the positions of the listings whose forms are made; None: all are.

        Raises:
            RenderError: a template or the list's theme is wrong; names template and line, or the key.
        """
        values, kind, count = _issue_values(issue, web_url, cite), issue.terms.cadence, len(issue.listings)
        values["signup_url"] = signup_url
        html_markers, text_markers = Markers(html=True), Markers(html=False)
        return RenderedIssue(
            view=values["issue"],
            html=self._inlined(f"{kind}/body.html", values | _marks(html_markers, count, only)),
            text=self._render(f"{kind}/body.txt", values | _marks(text_markers, count, only)),
            html_markers=html_markers,
            text_markers=text_markers,
        )

    def mail(self, name: str, context: Mapping[str, Any]) -> tuple[str, str, str]:
        """Render a mail to one person: `confirm`, `welcome`, `goodbye` or `alarm`.

        Args:
            name: the folder of its templates.
            context: the values that the templates name at their top; always `masthead`.

        Returns:
            The subject, one clean line; the HTML part, inlined; the text part.

        Raises:
            RenderError: a template or the list's theme is wrong; names template and line, or the key.
        """
        values = _shared_values(context)
        subject = self._subject(f"{name}/subject.txt", values)
        values["subject"] = subject
        html = self._inlined(f"{name}/body.html", values)
        return subject, html, self._render(f"{name}/body.txt", values)

    def page(self, name: str, context: Mapping[str, Any]) -> str:
        """Render a web page, `web/<name>.html`, with the values that it names at its top.

        Raises:
            RenderError: a template or the list's theme is wrong; names template and line, or the key.
        """
        return self._render(f"web/{name}.html", _shared_values(context))

    def prompt(self, name: str, values: Mapping[str, Any]) -> str:
        """Render what a model is told, `prompts/<name>.txt`, with the values that it names at its top.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        return self._render(f"prompts/{name}.txt", values, language=SOURCE)

    def _subject(self, name: str, values: Mapping[str, Any]) -> str:
        subject = one_line(self._render(name, values))
        if not subject:
            raise RenderError(f"{self._file(name)}: makes an empty subject: write one in it, or remove the file")
        return subject

    def _inlined(self, name: str, values: Mapping[str, Any]) -> str:
        page = self._render(name, values)
        if not page.strip():
            raise RenderError(f"{self._file(name)}: makes an empty page: write one in it, or remove the file")
        return inline(page)

    def _render(self, name: str, values: Mapping[str, Any], *, language: str = "") -> str:
        """Render a template in a language, by its tag; where that is empty, in the language of the values."""
        try:
            template = self._environment(language or values["language"]).get_template(name)
            with counting_turns():
                return template.render(values)
        except TemplateNotFound as error:
            raise RenderError(f"template {error.name} is not in {' or '.join(self._folders)}") from error
        except TemplateSyntaxError as error:
            raise RenderError(f"{error.filename or error.name}:{error.lineno}: {error.message}") from error
        except UnicodeDecodeError as error:
            file = self._place(error) or self._file(name)
            raise RenderError(f"{file}: is not UTF-8 text: save it in that encoding") from error
        except Exception as error:  # a template can go wrong in any way
            reason = str(error) or type(error).__name__  # MemoryError says nothing
            raise RenderError(f"{self._place(error) or self._file(name)}: {reason}") from error

    def _environment(self, tag: str) -> Environment:
        """Return what templates are read and rendered with in a language."""
        self.fingerprint()  # what was read before may have changed
        made = self._environments.get(tag)
        if made is None:
            made = self._environments[tag] = self._new_environment(tag)
        return made

    def _new_environment(self, tag: str) -> Environment:
        loader = ChoiceLoader([FileSystemLoader(folder) for folder in self._folders])
        return environment(loader, language(tag), self.files, self._compiled)

    def _compiler(self) -> Environment:
        """Return what compiles the templates."""
        return compiler()

    def _file(self, name: str) -> str:
        """Return the file that a template is read from, or its name where none is there."""
        found = (Path(folder, name) for folder in self._folders)
        return next((str(file) for file in found if file.is_file()), name)

    def _place(self, error: Exception) -> str:
        """Return template and line of an error: the innermost frame of the traceback that is in a template."""
        place, trace = "", error.__traceback__
        while trace is not None:
            filename = trace.tb_frame.f_code.co_filename
            if filename.startswith(self._folders):
                place = f"{filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


def _shared_values(context: Mapping[str, Any]) -> dict[str, Any]:
    """Add the values that all templates get; a page without a list has the default theme, may name a language."""
    masthead: Masthead | None = context.get("masthead")
    tag = masthead.language if masthead else context.get("language") or SOURCE
    title = masthead.title if masthead else words.no_list(language(tag))
    look = theme(masthead.theme if masthead else {}, title=title)
    return {
        "root": _OF_OWN_PAGES,
        **context,
        "masthead": masthead,
        "language": tag,
        "theme": look,
        "colours": "" if masthead is None or not masthead.theme else colours_file(look),
        "direction": direction(tag),
        "of_list": _of_list(masthead.own_language if masthead else tag, tag),
    }


def _of_list(own: str, tag: str) -> str:
    """Return the attribute `lang` for a list's own texts where the words around them are in another language.

    Args:
        own: the list's language.
        tag: that in which it is shown; without a catalogue for it, the words are English.
    """
    return "" if language(tag).code == own else Markup(' lang="{}"').format(own)


def _issue_values(issue: Issue, web_url: str, cite: Callable[[IssueListing], str]) -> dict[str, Any]:
    return _shared_values(
        {
            "masthead": issue.masthead,
            "issue": issue_view(issue, readable, cite),
            "subject": issue.subject,
            "web_url": web_url,
        }
    )


def _marks(markers: Markers, listings: int, only: Collection[int] | None) -> dict[str, Any]:
    """Return the functions with which templates write marks, such as `slot("name")` and `when("name")`.

    Where `only` names positions of listings, forms of other ones are left out.

    `subject` is such a mark too: each reader's is the title of that reader's lead.
    """

    def mark(text: str) -> str:
        return Markup(text) if markers.html else text  # noqa: S704 -- marks hold names of ours and a nonce

    def enclosed(begin: str, inner: str) -> str:
        return mark(begin) + inner + mark(markers.end())

    def slot(name: str) -> str:
        return mark(markers.slot(name))

    def when(name: str, caller: Callable[[], str]) -> str:
        return enclosed(markers.when(name), caller())

    def section(name: str, caller: Callable[[], str]) -> str:
        return enclosed(markers.section(name), caller())

    def run(form: str, caller: Callable[[], str] = lambda: "") -> str:
        return enclosed(markers.run(form), caller())

    def form(name: str, position: int, caller: Callable[[], str]) -> str:
        if position not in range(listings):
            raise ValueError(f"form({name!r}, {position!r}): the issue has no such listing")
        if only is not None and position not in only:
            return ""
        return enclosed(markers.form(name, position), caller())

    return {"slot": slot, "when": when, "section": section, "run": run, "form": form, "subject": slot("subject")}
