"""Reads the settings from `.env` and the environment; names each mistake with its variable and place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from io import StringIO
from math import inf
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic_settings import SettingsError

from newsletter.core.errors import ConfigurationError
from newsletter.settings.groups import NESTED, PREFIX, Settings
from newsletter.settings.secret_files import fields_in_files, read_secret_files, set_variables
from newsletter.settings.summaries import OTHER_NAMES

_MOST_MISTAKES = 20  # to show; a broken list of relays may have thousands
# Variables that Kubernetes sets in each pod for a service named newsletter, newsletter-web and the like.
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_OF_KUBERNETES = re.compile(
    r"NEWSLETTER_(PORT|(PORT|SERVICE)_\w+|(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?))"
)


def load(env_file: Path | None = Path(".env")) -> Settings:
    """Return the settings of the environment and of `env_file`, which need not be there.

    Raises:
        ConfigurationError: one line for each mistake, with the name of the variable and never its value.
    """
    places = _places(env_file)
    mistakes = [*places.mistakes, *_mistakes_in_environment()]

    def mistaken(name: str, what: str) -> None:
        mistakes.append(f"{places.of(name, '')}{name}: {what}")

    in_file = dotenv_values(env_file) if env_file else {}
    secrets: dict[str, Any] = read_secret_files(Settings, set_variables(Settings, os.environ, in_file), mistaken)
    try:
        settings = Settings(_env_file=env_file, **secrets)
    except ValidationError as error:
        mistakes += _explained(error, places)
    except SettingsError as error:
        mistakes.append(str(error))
    except RecursionError:  # nested JSON in a variable for a whole group
        mistakes.append("a value is nested too deeply")
    else:
        if not mistakes:
            return settings
    mistakes.sort(key=partial(_line_of, env_file))
    more = [f"… and {len(mistakes) - _MOST_MISTAKES} more mistakes"] if len(mistakes) > _MOST_MISTAKES else []
    raise ConfigurationError("\n".join([*mistakes[:_MOST_MISTAKES], *more]))


def _line_of(env_file: Path | None, mistake: str) -> float:
    """Return the line of a mistake in the file; of one in the environment, infinity."""
    found = re.match(rf"{re.escape(str(env_file))}:(\d+): ", mistake)
    return int(found[1]) if found else inf


def variables() -> list[str]:
    """Return the names of all variables, without those that only name the file of a secret."""
    return [
        f"{PREFIX}{group}{NESTED}{field}".upper()
        for group, info in Settings.model_fields.items()
        for field in type(info.default).model_fields
    ]


def _is_known(name: str) -> bool:
    return name in variables() or name in fields_in_files(Settings)


@dataclass(slots=True)
class _Places:
    """The lines of variables in a settings file, and the mistakes in their names."""

    lines: dict[str, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def of(self, variable: str, said: str) -> str:
        """Return the place of a variable, such as `.env:3: `, or nothing if the environment sets it.

        One that is not set is where the file sets another one of its group that the message names.
        """
        group, _, _ = variable.rpartition(NESTED)
        beside = [f"{group}{NESTED}{word}".upper() for word in re.findall(r"\w+", said)]
        for name in (variable, *beside):
            if any(known.upper() == name and value for known, value in os.environ.items()):
                return ""
            if name in self.lines:
                return f"{self.lines[name]}: "
        return ""


def _places(env_file: Path | None) -> _Places:
    """Read the names in a file; a line that python-dotenv would skip is an error."""
    places = _Places()
    if env_file is None or not env_file.exists():
        return places
    try:
        text = env_file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{env_file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{env_file}: cannot be read: it is not UTF-8 text") from None
    for binding in parse_stream(StringIO(text)):
        string, first = binding.original
        blank_lines = string[: len(string) - len(string.lstrip())].count("\n")
        place, name = f"{env_file}:{first + blank_lines}", (binding.key or "").upper()
        if binding.error or (name and binding.value is None):
            raise ConfigurationError(f"{place}: write NAME=value, with quotes around a value with spaces or #")
        if name in places.lines:
            places.mistakes.append(f"{place}: {name}: is set a second time: remove one of the two")
        elif name and not _is_known(name):
            places.mistakes.append(f"{place}: {_unknown(name)}")
        if name:
            places.lines[name] = place
    return places


def _mistakes_in_environment() -> Iterator[str]:
    """Find variables with our prefix that are no setting; pydantic-settings ignores them silently."""
    for name, value in sorted(os.environ.items()):
        ours = name.upper().startswith(PREFIX) and not _is_of_kubernetes(name.upper(), value)
        if ours and not _is_known(name.upper()):
            yield _unknown(name)


def _is_of_kubernetes(name: str, value: str) -> bool:
    of_another_service = name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    return of_another_service or _OF_KUBERNETES.fullmatch(name) is not None


_PLAINER = {
    "missing": "is missing: add it",
    "extra_forbidden": "unknown key: remove it",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "bool_parsing": "write true or false",
    "tuple_type": "write a list in square brackets",
    "dict_type": "write an object in curly brackets",
    "model_type": "write an object in curly brackets",
    "string_type": "write it as text, in quotes",
    "enum": "write {expected}",
    "literal_error": "write {expected}",
    "less_than_equal": "write a number that is at most {le}",
    "greater_than_equal": "write a number that is at least {ge}",
    "greater_than": "write a number above {gt}",
}


def _unknown(name: str) -> str:
    known = [variable.removeprefix(PREFIX) for variable in (*variables(), *fields_in_files(Settings))]
    written = name.upper().removeprefix(PREFIX)
    near = [OTHER_NAMES[written]] if written in OTHER_NAMES else get_close_matches(written, known, n=1)
    advice = f"did you mean {PREFIX}{near[0]}?" if near else "remove it; .env.example names all"
    return f"{name}: unknown setting: {advice}"


def _explained(error: ValidationError, places: _Places) -> Iterator[str]:
    """Yield a line for each mistake that pydantic found, without unknown variables: those are found by name."""
    for detail in error.errors(include_url=False, include_input=False):
        variable, inner = detail["loc"][:2], detail["loc"][2:]
        if detail["type"] == "extra_forbidden" and not inner:
            continue
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inner if step != "[key]")
        said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
        plainer = _plainer(detail["type"], said, detail.get("ctx", {}))
        name = f"{PREFIX}{NESTED.join(map(str, variable))}".upper()
        yield f"{places.of(name, said)}{name}{place}: {plainer}"


def _plainer(kind: str, said: str, context: Mapping[str, object]) -> str:
    """Return what to write instead, for a kind of mistake, with the words that may be written or the limits."""
    limits = {
        name: f"{value:g}" if isinstance(value, float) else str(value).replace("'", "")
        for name, value in context.items()
    }
    return _PLAINER[kind].format_map(limits) if kind in _PLAINER else said
