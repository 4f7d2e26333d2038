"""The settings of what comes back."""

from __future__ import annotations

import pytest

from newsletter.settings.load import load
from tests.settings.test_groups import having, mistake

LOGIN = {"INBOUND__IMAP_USERNAME": "bounces@example.org", "INBOUND__IMAP_PASSWORD": "opensesame"}


def test_without_any_setting_nothing_is_read_and_no_webhook_answers() -> None:
    inbound = load(None).inbound
    assert (inbound.maildir, inbound.imap_host, inbound.imap_port) == (None, "", 993)
    assert not any(str(getattr(inbound, name)) for name in type(inbound).model_fields if name.endswith("_secret"))


def test_a_mailbox_has_a_login_and_one_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    imap = having(
        monkeypatch, INBOUND__IMAP_HOST="imap.example.org", INBOUND__IMAP_SECURITY="starttls", **LOGIN
    ).inbound
    assert (imap.imap_port, imap.imap_password.get_secret_value()) == (143, "opensesame")
    assert "opensesame" not in repr(imap)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"IMAP_HOST": "imap.example.org"}, "IMAP_USERNAME: is missing: the mailbox at imap_host needs a login"),
        ({"IMAP_HOST": "imap.example.org", "IMAP_USERNAME": "me"}, "IMAP_TOKEN_FILE: of imap_password, imap_"),
        ({"IMAP_PASSWORD": "secret"}, "set one, beside imap_host"),
        (
            {"IMAP_HOST": "https://imap.example.org", "IMAP_USERNAME": "me"},
            "IMAP_HOST: write the name of the server",
        ),
        ({"WEBHOOK_SES_TOPICS": '["bounces"]'}, "WEBHOOK_SES_TOPICS[0]: write the ARN of a topic"),
        ({"WEBHOOK_POSTMARK_LOGIN": "opensesame"}, "WEBHOOK_POSTMARK_LOGIN: write a name and a password"),
        ({"WEBHOOK_BREVO_TOKEN": "short"}, "WEBHOOK_BREVO_TOKEN: has 5 characters"),
        ({"WEBHOOK_RESEND_SECRET": "re_123"}, "WEBHOOK_RESEND_SECRET: write the webhook's signing secret"),
        ({"EVERY": "0"}, "EVERY: write a number that is at least 1"),
    ],
)
def test_a_mistake_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], said: str) -> None:
    assert said in mistake(monkeypatch, **{f"INBOUND__{name}": value for name, value in values.items()})
