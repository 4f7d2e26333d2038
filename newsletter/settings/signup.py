"""Signing up on the web: how many requests a client may make, and how many mails they may cause."""

from __future__ import annotations

from pydantic import Field

from newsletter.settings.group import Group


class SignUpSettings(Group):
    """What sign-ups may cause.

    `per_client` is how many requests a client, which is an IPv4 address or an IPv6 network (/64), may make in an
    hour. The others are ceilings on mails that ask for confirmation: `per_address` to one address in a week,
    `per_domain` to one domain and `per_hour` in all in an hour. `tell_operator`: write to the operator of each new
    reader. `altcha`: ask clients for a proof of work, which takes a script in their browser.
    """

    per_client: int = Field(default=10, ge=1)
    per_address: int = Field(default=3, ge=1)
    per_domain: int = Field(default=100, ge=1)
    per_hour: int = Field(default=300, ge=1)
    tell_operator: bool = False
    altcha: bool = False
