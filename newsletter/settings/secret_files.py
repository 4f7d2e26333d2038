"""Secrets in files of their own, as Docker and systemd hand them over: `NAME_FILE` names the file of `NAME`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

_SUFFIX = "_FILE"
_MOST_BYTES = 64 * 1024


def fields_in_files(settings: type[BaseSettings]) -> dict[str, tuple[str, str]]:
    """Return the names of all variables that name the file of a secret, each with the secret's group and field.

    A field that is no secret itself but holds some, such as the list of relays, may stand in a file, too. Where a
    group has a field of this name itself, that one decides.
    """
    prefix, nested = settings.model_config["env_prefix"], settings.model_config["env_nested_delimiter"]
    return {
        f"{prefix}{group}{nested}{field}{_SUFFIX}".upper(): (group, field)
        for group, info in settings.model_fields.items()
        for field, described in type(info.default).model_fields.items()
        if _is_secret(described.annotation) and f"{field}{_SUFFIX}".lower() not in type(info.default).model_fields
    }


def _is_secret(annotation: Any) -> bool:
    """Return whether a type is a secret or holds one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_is_secret(field.annotation) for field in annotation.model_fields.values())
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def without_files(settings: type[BaseSettings], source: PydanticBaseSettingsSource) -> PydanticBaseSettingsSource:
    """Return a source of variables without those that name files: to pydantic they would be unknown fields."""
    if isinstance(source, EnvSettingsSource):
        named = fields_in_files(settings)
        source.env_vars = {name: value for name, value in source.env_vars.items() if name.upper() not in named}
    return source


def read_secret_files(
    settings: type[BaseSettings], variables: Mapping[str, str | None], mistake: Callable[[str, str], None]
) -> dict[str, dict[str, str]]:
    """Read the files that variables name.

    Args:
        settings: the class of the settings.
        variables: all that are set, by their names in capitals.
        mistake: is called with the name of a variable and what is wrong with it.

    Returns:
        The secrets by group and field. A line break at the end of a file is no part of the secret.
    """
    found: dict[str, dict[str, str]] = {}
    for name, (group, field) in fields_in_files(settings).items():
        path = variables.get(name)
        if not path:
            continue
        if variables.get(name.removesuffix(_SUFFIX)):
            mistake(name, f"{name.removesuffix(_SUFFIX)} is set as well: set one of the two")
            continue
        try:
            found.setdefault(group, {})[field] = _content(Path(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            mistake(name, f"{path}: cannot be read: {reason}")
    return found


def set_variables(
    settings: type[BaseSettings], environment: Mapping[str, str], file: Mapping[str, str | None]
) -> dict[str, str]:
    """Return the variables of a settings file and of the environment, whose word counts more; names in capitals.

    A secret that the environment sets, or names the file of, takes the place of the settings file's, whether that
    sets it or names a file.
    """
    ours = {name.upper(): value for name, value in environment.items() if value}
    both = [{name, name.removesuffix(_SUFFIX)} for name in fields_in_files(settings)]
    overruled = {name for pair in both if not pair.isdisjoint(ours) for name in pair}
    return {name.upper(): value for name, value in file.items() if value and name.upper() not in overruled} | ours


def _content(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // 1024} KB")
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    if not text:
        raise ValueError("it is empty")
    return text
