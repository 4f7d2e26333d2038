"""What list files name of their channels without saying it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import NoDecode

from newsletter.settings.group import Group
from newsletter.settings.values import FROM_JSON


class ChannelSettings(Group):
    """Secrets by the names under which list files have them: `secret:<name>`."""

    secrets: Annotated[dict[str, SecretStr], NoDecode, FROM_JSON] = Field(default={})
