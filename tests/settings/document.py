"""Writes docs/settings.md: each setting with its word in `.env.example`, and what its field takes.

python -m tests.settings.document
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from newsletter.settings.groups import NESTED, PREFIX, Settings
from newsletter.settings.secret_files import fields_in_files

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
_WIDTH = 125
_HEAD = """\
# Settings

All settings, by group. This page is made of [`.env.example`](../.env.example) and of what the program takes
(`make settings`).

They are variables, from the environment and from `.env` in the working folder; the environment takes precedence.
An empty value means the default, which stands behind each name here. A value with spaces or `#` needs quotes;
`${NAME}` in a value is replaced by that variable. A typo is an error that names the nearest setting. Paths are
relative to the working folder. `.env` is read when a command starts: restart `newsletter serve` after a change.

A **secret** may stand in a file of its own, as Docker and systemd hand it over: `NEWSLETTER_SMTP__PASSWORD_FILE`
names the file of `NEWSLETTER_SMTP__PASSWORD`, and so for each setting that is called a secret here. Set one of
the two in one place; where the environment has either, it takes the place of what `.env` says.
"""


def document(example: str) -> str:
    """Return the page, made of the text of the example."""
    parts = re.split(r"^# ── (.+?) ─+\n", example, flags=re.MULTILINE)
    sections = "\n".join(
        f"## {title}\n\n" + "\n\n".join(_entries(text)) + "\n"
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    )
    return f"{_HEAD}\n{sections}"


def _entries(section: str) -> Iterator[str]:
    """Yield the paragraphs of a group, and an entry for each setting, or for several that share their words."""
    comment: list[str] = []
    names: list[str] = []
    for line in (*section.strip().splitlines(), "#"):
        if line.startswith("NEWSLETTER_"):
            names.append(line)
        elif names:  # what follows is about other settings
            yield _entry(names, comment)
            names, comment = [], [line]
        else:
            comment.append(line)
        if not names and comment and comment[-1].strip() in {"", "#"}:
            if paragraph := "\n".join(one[2:] for one in comment if one.strip("# ")):
                yield _paragraph(paragraph)
            comment = []


def _entry(lines: list[str], comment: list[str]) -> str:
    """Return the entry of settings that follow each other, with the words above them."""
    names = [line.partition("=")[0] for line in lines]
    shown = ", ".join(f"`{line}`" for line in lines)
    takes = list(dict.fromkeys(filter(None, (takes_of(name) for name in names))))
    words = " ".join(one.removeprefix("#").strip() for one in comment)
    said = " ".join(filter(None, (_plain(words), *(f"*{one}*" for one in takes))))
    body = textwrap.wrap(said, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "\n".join([f"- {shown}  " if body else f"- {shown}", *(f"  {line}" for line in body)])


def _paragraph(text: str) -> str:
    """Return a paragraph; one that is set in columns stays as it is."""
    if re.search(r"\S {2,}\S", text):
        return f"```text\n{text}\n```"
    return "\n".join(textwrap.wrap(_plain(" ".join(text.split())), _WIDTH, break_on_hyphens=False))


def _plain(text: str) -> str:
    """Return a text in which Markdown finds nothing but code in backquotes."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\<>*\[\]])", r"\\\1", part) for part in parts[::2]]
    return re.sub(r"docs/([\w-]+\.md)", r"[docs/\1](\1)", "".join(parts))


def takes_of(name: str) -> str:
    """Return what a setting takes, in a sentence without subject; nothing where any text is right."""
    group, _, field = name.removeprefix(PREFIX).lower().partition(NESTED)
    model = Settings.model_fields[group].default
    sentence = "; ".join(filter(None, (_form(type(model).model_fields[field]), _secret(name))))
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _secret(name: str) -> str:
    return "secret" if f"{name}_FILE" in fields_in_files(Settings) else ""


def _form(field: FieldInfo) -> str:
    """Return the form of a field's value in words."""
    annotation = field.annotation
    kind = next(one for one in (get_args(annotation) or (annotation,)) if one is not NoneType)
    words = {bool: "true or false", timedelta: "a duration such as 90m, 36h or 2d", Path: "a path"}
    if get_origin(annotation) is Literal:
        return _either([str(one) for one in get_args(annotation) if one])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _either([str(one.value) for one in annotation])
    if annotation in {int, float}:
        return _number(field)
    return words.get(kind) or ("JSON" if _holds_models(annotation) else "")


def _holds_models(annotation: Any) -> bool:
    return any(
        isinstance(one, type) and issubclass(one, BaseModel)
        for part in get_args(annotation)
        for one in (part, *get_args(part))
    )


def _number(field: FieldInfo) -> str:
    word = "a whole number" if field.annotation is int else "a number"
    limits = {type(one): one for one in field.metadata if isinstance(one, (Ge, Gt, Le))}
    low, above, high = limits.get(Ge), limits.get(Gt), limits.get(Le)
    start = f"{low.ge:,}" if isinstance(low, Ge) else f"above {above.gt:,}" if isinstance(above, Gt) else ""
    if isinstance(high, Le):
        return (
            f"{word} from {start} to {high.le:,}"
            if isinstance(low, Ge)
            else f"{word} {start}, at most {high.le:,}"
        )
    return f"{word}, at least {start}" if isinstance(low, Ge) else f"{word} {start}".strip()


def _either(words: list[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
