"""What each setting accepts, and what it becomes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.core.delivery import Uncertain
from newsletter.core.errors import ConfigurationError
from newsletter.core.relay import Security
from newsletter.settings.alarm import AlarmSettings
from newsletter.settings.groups import (
    DeliverySettings,
    DomainSettings,
    Settings,
)
from newsletter.settings.load import load
from newsletter.settings.relays import RelaySettings, SmtpSettings
from newsletter.settings.sending import domain_limits


def having(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    """Return the settings of an environment with these variables, named without the prefix."""
    for name, value in values.items():
        monkeypatch.setenv(f"NEWSLETTER_{name}", value)
    return load(None)


def mistake(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        having(monkeypatch, **values)
    return str(caught.value)


def test_without_any_setting_mail_goes_to_this_machine_and_only_over_tls() -> None:
    smtp = load(None).smtp
    assert (smtp.host, smtp.port, smtp.security, smtp.relays) == ("localhost", 587, Security.STARTTLS, ())


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_the_security_unless_it_is_given(
    monkeypatch: pytest.MonkeyPatch, security: str, port: int
) -> None:
    assert having(monkeypatch, SMTP__SECURITY=security).smtp.port == port
    assert having(monkeypatch, SMTP__PORT="2525").smtp.port == 2525


def test_further_relays_come_as_json_and_are_no_less_safe_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    relays = '[{"host": "a"}, {"host": "b", "security": "tls", "username": "u", "password": "p", "rate": 2.5}]'
    first, second = having(monkeypatch, SMTP__RELAYS=relays).smtp.relays
    assert (first.host, first.port, first.security) == ("a", 587, Security.STARTTLS)
    assert (second.port, second.rate, second.password.get_secret_value()) == (465, 2.5, "p")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        ("1.5 d", timedelta(hours=36)),
        ("45s", timedelta(seconds=45)),
        ("3600", timedelta(hours=1)),
    ],
)
def test_durations_are_written_with_their_unit_or_in_seconds(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: timedelta
) -> None:
    assert having(monkeypatch, DELIVERY__GIVE_UP_AFTER=text).delivery.give_up_after == expected


def test_values_are_brought_into_one_form(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = having(
        monkeypatch,
        WEB__PUBLIC_URL="https://papers.example.org/",
        LOG__LEVEL="WARNING",
        LOG__FORMAT="json",
        ALARM__TO="ops@Example.org",
        DELIVERY__UNCERTAIN="hold",
        HTTP__ALLOW_PRIVATE="true",
        DATABASE__URL="postgresql+psycopg://u:p@db.example.org/papers",
    )
    assert settings.web.public_url == "https://papers.example.org"
    assert (settings.log.level, settings.log.format) == ("warning", "json")
    assert settings.alarm.to == "ops@example.org"
    assert settings.delivery.uncertain is Uncertain.HOLD
    assert settings.http.allow_private is True
    assert settings.database.url.get_secret_value().endswith("@db.example.org/papers")


def test_a_dkim_key_needs_domain_and_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistake(monkeypatch, DKIM__SELECTOR="papers") == (
        "NEWSLETTER_DKIM__KEY_FILE: domain, selector and key_file go together: set all three or none"
    )
    dkim = having(monkeypatch, DKIM__DOMAIN="example.org", DKIM__KEY_FILE="key.pem").dkim
    assert (dkim.domain, dkim.selector, dkim.key_file) == ("example.org", "papers", Path("key.pem"))


def test_a_second_dkim_key_needs_its_selector_and_a_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "NEWSLETTER_DKIM__ED25519_KEY_FILE"
    assert mistake(monkeypatch, DKIM__ED25519_SELECTOR="second") == (
        f"{variable}: ed25519_selector and ed25519_key_file go together: set both or neither"
    )
    assert mistake(monkeypatch, DKIM__ED25519_KEY_FILE="second.pem") == (
        f"{variable}: signs beside the RSA key, which most receivers need: set key_file as well"
    )
    first = {"DKIM__DOMAIN": "example.org", "DKIM__SELECTOR": "papers", "DKIM__KEY_FILE": "key.pem"}
    assert having(monkeypatch, **first).dkim.ed25519_key_file == Path("second.pem")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SMTP__PORT", "smtp", "write a whole number"),
        ("SMTP__CONNECTIONS", "4.5", "write a whole number"),
        ("HTTP__ALLOW_PRIVATE", "perhaps", "write true or false"),
        ("SMTP__PORT", "70000", "write a number that is at most 65535"),
        ("SMTP__SECURITY", "ssl", "write starttls, tls or none"),
        ("SMTP__RATE", "inf", "should be a finite number"),
        ("SMTP__RATE", "-1", "write a number that is at least 0"),
        ("SMTP__CONNECTIONS", "0", "write a number that is at least 1"),
        ("SMTP__RELAYS", "[{", "is not JSON: Expecting property name enclosed in double quotes at character 3"),
        ("SMTP__RELAYS", "5", "write a list in square brackets"),
        ("SMTP__RELAYS", "[" * 100_000, "is not JSON of the right form: it is nested too deeply"),
        ("SMTP__RELAYS", '{"a":' * 20_000, "is not JSON of the right form: it is nested too deeply"),
        ("DELIVERY__DOMAINS", "[" * 100_000, "is not JSON of the right form: it is nested too deeply"),
        ("SMTP__RELAYS", f'[{{"host": "a", "port": {"9" * 5000}}}]', "holds a number with too many digits"),
        (
            "SMTP__RELAYS",
            '[{"host": "localhost"}]',
            "[0] is a relay that is there already: remove it, it could not take over",
        ),
        (
            "SMTP__RELAYS",
            '[{"host": "a"}, {"host": "b"}, {"host": "A"}]',
            "[2] is a relay that is there already: remove it, it could not take over",
        ),
        (
            "DATABASE__URL",
            "mysql://a:b@c/d",
            "write sqlite:///path/to/file.db or postgresql://user:password@host/name",
        ),
        ("DELIVERY__GIVE_UP_AFTER", "soon", "write a duration such as 36h, 90m, 45s or 2d"),
        ("DELIVERY__GIVE_UP_AFTER", "0", "write a duration such as 36h, 90m, 45s or 2d"),
        ("DELIVERY__GIVE_UP_AFTER", "9" * 30, "write a duration of at most 3660 days"),
        ("DELIVERY__GIVE_UP_AFTER", "9" * 500 + "d", "write a duration of at most 3660 days"),
        ("DELIVERY__GIVE_UP_AFTER", "3661d", "write a duration of at most 3660 days"),
        ("DELIVERY__UNCERTAIN", "drop", "write resend or hold"),
        ("ARXIV__URL", "ftp://example.org", "write an address that begins with https:// or http://"),
        ("WEB__PUBLIC_URL", "papers.example.org", "write an address that begins with https:// or http://"),
        ("LOG__LEVEL", "loud", "write debug, info, warning or error"),
        ("RETENTION__DELIVERIES", "7", "write 0, for ever, or at least 60 days"),
        ("ALARM__TO", "ops", "is not a mail address: An email address must have an @-sign."),
        *(
            (
                "HTTP__USER_AGENT",
                value,
                "write ASCII letters, digits and signs on one line, as in papers/1.0 (you@example.org)",
            )
            for value in ("Näwsletter", "papers\r\nX-More: 1", " ", "a\tb")
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    assert mistake(monkeypatch, **{name: value}) == f"NEWSLETTER_{name}: {expected}"


WRONG_HOSTS = {
    "write the name of the server alone, as in mail.example.org, without smtp:// or the like": [
        "smtp://mail.example.org",
        "https://mail.example.org/x",
        "smtps://user:pw@mail.example.org:465",
    ],
    "write the name of the server alone, and what stands after the colon as PORT": [
        "mail.example.org:587",
        "[2001:db8::1]:25",
        "mail.example.org:",
    ],
    "write the name of the server alone; a login goes to USERNAME and PASSWORD": ["papers@mail.example.org"],
    "is no name or address of a server: write it as in mail.example.org or 192.0.2.1": [
        "mail example org",
        "mail.example.org/x",
        "[2001:db8::1]",
        "a..b",
        "-a.example",
        "127.0.0.256",
        "587",
        "x" * 64,
        "a." * 130 + "org",
    ],
}


@pytest.mark.parametrize(
    ("expected", "value"), [(why, value) for why, them in WRONG_HOSTS.items() for value in them]
)
def test_a_host_is_a_name_or_an_address_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, expected: str, value: str
) -> None:
    assert mistake(monkeypatch, SMTP__HOST=value) == f"NEWSLETTER_SMTP__HOST: {expected}"


@pytest.mark.parametrize(
    "value", ["mail.example.org", "mail", "my_relay", "192.0.2.1", "2001:db8::1", "::1", "bücher.example", "a.b."]
)
def test_names_and_addresses_of_servers_are_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert having(monkeypatch, SMTP__HOST=value).smtp.host == value


WRONG_PUBLIC = {
    "write an address that begins with https:// or http://": [
        "papers.example.org",
        "//x",
        "https://",
        "mailto:a@b",
    ],
    "paths are put after it: write it without ? and #, as in https://papers.example.org": [
        "https://papers.example.org/?a=b",
        "https://papers.example.org?",
        "https://papers.example.org/#top",
    ],
    "holds a space or a control character: remove it": ["https://papers example.org", "https://a.example/\tb"],
    "its port is no number from 1 to 65535": [
        "https://a.example:99999",
        "https://a.example:x",
        "https://a.example:0",
    ],
    "holds a user name or password, which every reader would see: remove it": ["https://u:hunter2@a.example"],
    "its path has letters beyond ASCII: write them percent-encoded": ["https://a.example/bücher"],
    "is longer than 200 characters: it stands in a header of each mail": [f"https://a.example/{'x' * 200}"],
}


@pytest.mark.parametrize(
    ("expected", "value"), [(why, value) for why, them in WRONG_PUBLIC.items() for value in them]
)
def test_the_public_address_is_one_that_paths_can_be_put_after(
    monkeypatch: pytest.MonkeyPatch, expected: str, value: str
) -> None:
    assert mistake(monkeypatch, WEB__PUBLIC_URL=value) == f"NEWSLETTER_WEB__PUBLIC_URL: {expected}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://papers.example.org/", "https://papers.example.org"),
        ("https://example.org/papers/", "https://example.org/papers"),
        ("https://bücher.example:8443/x", "https://xn--bcher-kva.example:8443/x"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_address_is_brought_into_one_form(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: str
) -> None:
    assert having(monkeypatch, WEB__PUBLIC_URL=value).web.public_url == expected


AMBIGUOUS = (
    "cannot be read: write postgresql://user:password@host:port/name, and write @ of the password as %40, "
    "a colon as %3A (also / as %2F, ? as %3F, # as %23, a space as %20)"
)


@pytest.mark.parametrize(
    "rest",
    [
        "app:Canary@Secret@127.0.0.1/x",
        "app:pa@ss:Canary@h/x",
        "app:pa:Canary@h/x",
        "app:12/Canary@h/x",
        "app:12?Canary@h/x",
        "app:12?sslmode=Canary@h/x",
        "app:12#Canary@h/x",
        "app:Can ary@h/x",
        "app:Canary@h:port/x",
        "app:Canary@h:123456/x",
        "app:Canary@h/x?Canary",
        "app:Canary@/x@h",
        "@:Canary",
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_an_address_of_a_database_that_can_be_read_in_two_ways_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, scheme: str, rest: str
) -> None:
    said = mistake(monkeypatch, DATABASE__URL=f"{scheme}://{rest}")
    assert said == f"NEWSLETTER_DATABASE__URL: {AMBIGUOUS}"


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://app:p%40ss%3Aw@db.example.org:5432/papers?sslmode=require&application_name=a",
        "postgresql://app@/papers?host=/var/run/postgresql",
        "postgresql:///papers",
        "postgresql://app:p!$&'()*+,;=~|ss@[2001:db8::1]:5432/papers",
        "sqlite:////var/lib/papers #1@home.db",
        "sqlite://",
    ],
)
def test_addresses_of_databases_that_mean_one_thing_are_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert having(monkeypatch, DATABASE__URL=value).database.url.get_secret_value() == value


@pytest.mark.parametrize("rest", ["h:0/x", "h:65536/x", "h/x?port=Canary", "/x?host=a,b&port=5432,Canary"])
def test_a_port_of_a_database_is_one(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    said = mistake(monkeypatch, DATABASE__URL=f"postgresql://{rest}")
    assert said == "NEWSLETTER_DATABASE__URL: its port is no number from 1 to 65535"


def test_an_address_in_the_form_of_some_hosts_is_told_the_right_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    said = mistake(monkeypatch, DATABASE__URL="postgres://app:Canary@h/x")
    assert said == "NEWSLETTER_DATABASE__URL: write it with postgresql:// at its beginning"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("x", "has 1 characters: a key has at least 16, chosen by chance"),
        ("0123456789abcde", "has 15 characters: a key has at least 16, chosen by chance"),
        ("   ", "is empty"),
        ("a" * 40, "is one letter again and again"),
        ("abcdefghijklmno\x01p", "holds no readable text"),
    ],
)
def test_a_key_that_could_be_guessed_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, key: str, expected: str
) -> None:
    assert mistake(monkeypatch, WEB__SECRET_KEY=key) == (
        f"NEWSLETTER_WEB__SECRET_KEY: {expected}, so anybody could forge links: "
        "write what `openssl rand -base64 32` prints"
    )


def test_thousands_of_mistakes_are_cut_to_a_screenful(monkeypatch: pytest.MonkeyPatch) -> None:
    said = mistake(monkeypatch, SMTP__RELAYS=f"[{','.join(['1'] * 5000)}]").splitlines()
    assert len(said) == 21
    assert said[-1] == "… and 4980 more mistakes"


def test_a_wrong_relay_is_named_by_its_place_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistake(monkeypatch, SMTP__RELAYS='[{"host": "a", "prot": 5}, {"security": "tls"}]').splitlines() == [
        "NEWSLETTER_SMTP__RELAYS[0].prot: unknown key: remove it",
        "NEWSLETTER_SMTP__RELAYS[1].host: is missing: add it",
    ]


def test_limits_of_single_domains_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    domains = '{"Gmail.com": {"connections": 5, "rate": 2}, "bücher.example": {"rate": 0.5}}'
    assert having(monkeypatch, DELIVERY__DOMAINS=domains).delivery.domains == {
        "gmail.com": DomainSettings(connections=5, rate=2),
        "xn--bcher-kva.example": DomainSettings(rate=0.5),
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{", ": is not JSON: Expecting property name enclosed in double quotes at character 2"),
        ("[]", ": write an object in curly brackets"),
        ('{"gmail.com": {"rate": -1}}', ".gmail.com.rate: write a number that is at least 0"),
        ('{"gmail.com": {"rate": Infinity}}', ".gmail.com.rate: should be a finite number"),
        ('{"gmail.com": {"conections": 1}}', ".gmail.com.conections: unknown key: remove it"),
        ('{"ann@gmail.com": {}}', ".ann@gmail.com: is not a mail domain: write it as in gmail.com"),
        ('{"gmail.com": {}, "GMAIL.com": {}}', ": names gmail.com twice: remove one of the two"),
    ],
)
def test_a_wrong_limit_of_a_domain_is_named_by_the_domain(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: str
) -> None:
    assert mistake(monkeypatch, DELIVERY__DOMAINS=value) == f"NEWSLETTER_DELIVERY__DOMAINS{expected}"


async def test_what_is_not_said_of_a_single_domain_is_as_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    domains = '{"a.example": {"connections": 2}, "b.example": {"connections": 0, "rate": 0.01}}'
    limits = domain_limits(
        having(
            monkeypatch,
            DELIVERY__DOMAIN_CONNECTIONS="1",
            DELIVERY__DOMAIN_RATE="1000",
            DELIVERY__DOMAINS=domains,
        ).delivery
    )
    admitted = {name: [limits.admit(name) for _ in range(3)] for name in ("a.example", "b.example", "c.example")}
    assert admitted == {
        "a.example": [True, True, False],
        "b.example": [True, False, False],
        "c.example": [True, False, False],
    }


@pytest.mark.parametrize("name", ["SMTP__USERNAME", "SMTP__PASSWORD"])
def test_half_a_login_is_a_mistake(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    expected = "NEWSLETTER_SMTP__PASSWORD: username and password go together: set both or neither"
    assert mistake(monkeypatch, **{name: "x"}) == expected


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(load(None).smtp, "host", "elsewhere")  # noqa: B010 - mypy knows that it can't be set


def test_groups_can_be_made_in_code_as_well() -> None:
    relay = RelaySettings(host="b", security=Security.TLS)
    assert SmtpSettings(relays=(relay,)).relays == (relay,)
    assert DeliverySettings(give_up_after=timedelta(days=1)).give_up_after == timedelta(days=1)
    assert AlarmSettings(to="") == AlarmSettings()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mail.example.org", "mail.example.org"),
        ("mail.example.org.", "mail.example.org"),
        ("relay-7", "relay-7"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("", ""),
    ],
)
def test_a_relay_may_be_greeted_with_a_name_or_an_address(
    monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    assert having(monkeypatch, SMTP__EHLO_NAME=text).smtp.ehlo_name == name


@pytest.mark.parametrize(
    "text",
    [
        "two words",
        "mail..example.org",
        "-mail.example.org",
        "büro.example.org",
        "[192.0.2]",
        "a/b",
        "x" * 300,
        "<a>",
    ],
)
def test_and_with_nothing_else(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert "NEWSLETTER_SMTP__EHLO_NAME: write " in mistake(monkeypatch, SMTP__EHLO_NAME=text)


def test_each_relay_has_a_name_and_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    relays = '[{"host": "b", "ehlo_name": "b.example.org", "greeting_timeout": 40}]'
    smtp = having(monkeypatch, SMTP__EHLO_NAME="a.example.org", SMTP__RELAYS=relays).smtp
    assert (smtp.ehlo_name, smtp.greeting_timeout) == ("a.example.org", 10)
    assert (smtp.relays[0].ehlo_name, smtp.relays[0].greeting_timeout) == ("b.example.org", 40)
    assert "GREETING_TIMEOUT" in mistake(monkeypatch, SMTP__GREETING_TIMEOUT="0")
