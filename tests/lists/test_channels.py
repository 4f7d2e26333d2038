"""`[channels]` of list files: mistakes are said with their lines, and without URLs, which may hold secrets."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from newsletter.core.channels import Channel
from newsletter.core.errors import ListFileError
from newsletter.lists.files import ListFiles

SECRET = "whsec_" + b64encode(bytes(32)).decode()
SECRETS = {"lab": "discord://4174216298/hidden", "key": SECRET, "wrong": "mailto://hidden"}
LIST = """title = "Daily"
sender = "Daily <daily@example.org>"
sources = ["huggingface"]

[channels]
"""


def read(folder: Path, *lines: str) -> tuple[Channel, ...]:
    (folder / "daily.toml").write_text(LIST + "\n".join(lines))
    files = ListFiles(folder, check_source=lambda _: "", secrets=SECRETS)
    return files.load()["daily"].list.channels


def test_channels_are_read_and_secrets_of_the_settings_put_in(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'team = "https://hooks.slack.com/services/a/b/hidden"',
        'lab = "secret:lab"',
        'site = { url = "https://example.org/hook?hidden", secret = "secret:key" }',
    )

    assert found == (
        Channel("team", "https://hooks.slack.com/services/a/b/hidden"),
        Channel("lab", SECRETS["lab"]),
        Channel("site", "https://example.org/hook?hidden", bytes(32)),
    )
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('team = "mailto://hidden"', "channels.team: is no URL of a service that is known"),
        ('team = "secret:wrong"', "channels.team: is no URL of a service that is known"),
        ('team = "secret:none"', "has no secret 'none': add it there; there are: key, lab, wrong"),
        ("team = 7", "channels.team: write the URL of a channel"),
        ('team = { url = "https://example.org/hidden" }', "channels.team: write the URL of a channel"),
        (
            f'team = {{ url = "http://example.org/hidden", secret = "{SECRET}" }}',
            "url: write an address that begins",
        ),
        ('team = { url = "https://example.org/", secret = "hidden" }', "secret: is no secret of a webhook"),
        ('"a b" = "secret:lab"', "'a b' cannot be a channel's name"),
    ],
)
def test_mistakes_name_the_line_and_no_secret(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ListFileError, match=r"daily\.toml:[56]: ") as refused:
        read(tmp_path, line)

    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)
