"""What the tables of list files have in common: how texts are read, and that unknown keys are mistakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo

from newsletter.lists.addresses import Addresses
from newsletter.lists.examples import ExampleFiles

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)  # unknown keys and wrong types are mistakes


@dataclass(frozen=True, slots=True)
class Context:
    """What validation needs to know beside the table.

    `check_source` returns what is wrong with a source as a sentence, or "". `days` are those of the list,
    `secrets` those of the settings by name.
    """

    check_source: Callable[[str], str]
    topics: Collection[str]
    addresses: Addresses
    examples: ExampleFiles
    days: Collection[int]
    secrets: Mapping[str, str]


def reads(read: Callable[[str, Context], object], shape: object = str) -> BeforeValidator:
    """Return a validator that takes text and no other type, and has it read in the context of the list.

    `shape` is the type by which an editor checks such text (`newsletter.lists.json_schema`).
    """

    def validate(value: object, info: ValidationInfo[Context]) -> object:
        if isinstance(value, str):
            return read(value, info.context)
        raise ValueError("write it as text, in quotes")

    return BeforeValidator(validate, json_schema_input_type=shape)


def like(pattern: str) -> object:
    """Return the type of a text that looks so, as a regular expression says it."""
    return Annotated[str, Field(pattern=f"^({pattern})$")]
