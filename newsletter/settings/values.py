"""The types of settings: what an operator may write as a value, and how it is read."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from newsletter.core.address import AddressError, domain_key
from newsletter.core.durations import read_duration
from newsletter.lists.addresses import normal_address

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_SQLITE = re.compile(r"sqlite(\+\w+)?://(/.*)?")
_PORT = re.compile(r"\d{1,5}", re.ASCII)
# RFC 3986 without ambiguous forms. The password may hold no reserved character: with one, parsers would read
# another address than the operator meant.
_POSTGRESQL = re.compile(
    r"""postgresql(\+\w+)?://
    ([^\s:@/?\#\[\]]+(:[^\s:@/?\#]*)?@)?  # user, password
    ([^\s:@/?\#\[\]]+|\[[0-9A-Fa-f:.]+\])?  # host; none for the local socket
    (:(?P<port>\d{1,5}))?
    (/[^\s@/?\#]*)?  # name
    (\?(?P<query>[\w.-]+=[^\s@?\#&]*(&[\w.-]+=[^\s@?\#&]*)*)?)?""",
    re.VERBOSE | re.ASCII,
)
_HOST = re.compile(r"(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?")  # with underscores, as in container networks
_LIKE_IP = re.compile(r"[\d.]+")
_LONGEST_HOST = 253
_LONGEST_PUBLIC_ADDRESS = 200
_SHORTEST_KEY = 16
_LAST_PORT = 65535


def _duration(value: object) -> object:
    """Read `36h`, `90m`, `45s`, `2d` or a number of seconds."""
    if isinstance(value, timedelta):
        return value
    duration = read_duration(str(value))
    if duration is None:
        raise ValueError("write a duration such as 36h, 90m, 45s or 2d")
    return duration


def _user_agent(value: str) -> str:
    """Return what may stand in a header of HTTP (RFC 9110, 5.5), without the letters that not all servers take."""
    if not (value.strip() and value.isascii() and value.isprintable()):
        raise ValueError("write ASCII letters, digits and signs on one line, as in papers/1.0 (you@example.org)")
    return value.strip()


def web_address(value: str) -> str:
    """Return a base address without a slash at its end; query and fragment are not allowed."""
    if not value.isprintable() or " " in value:
        raise ValueError("holds a space or a control character: remove it")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write an address that begins with https:// or http://")
    if "?" in value or "#" in value:
        raise ValueError("paths are put after it: write it without ? and #, as in https://papers.example.org")
    if not _has_port(value):
        raise ValueError(f"its port is no number from 1 to {_LAST_PORT}")
    return value.rstrip("/")


def _branch_name(value: str) -> str:
    """Return the name of a branch of Git's, of those that need no quoting."""
    if value and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(?<!\.)(?<!\.lock)", value):
        raise ValueError("write the name of a branch with letters, digits, - and _, such as state")
    if ".." in value:
        raise ValueError("no branch may have two dots in its name")
    return value


def _host_name(value: str) -> str:
    """Return a host's name or an address literal, as EHLO requires (RFC 5321, 4.1.2 and 4.1.3)."""
    if not value:
        return value
    if value.startswith("[") and value.endswith("]"):
        try:
            ip_address(value[1:-1].removeprefix("IPv6:"))
        except ValueError:
            raise ValueError("write an address in brackets as in [192.0.2.1] or [IPv6:2001:db8::1]") from None
        return value
    name = value.removesuffix(".")
    if len(name) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError("write a host name such as mail.example.org, or an address in brackets: [192.0.2.1]")
    return name


def _has_port(value: str) -> bool:
    """Return whether the port of an address is valid; no port is valid too."""
    try:
        return urlsplit(value).port != 0
    except ValueError:
        return False


def public_address(value: str) -> str:
    """Return the base of the links in mails, or nothing if there are no public pages."""
    if not value:
        return value
    address = web_address(value)
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password, which every reader would see: remove it")
    if len(address) > _LONGEST_PUBLIC_ADDRESS:
        raise ValueError(
            f"is longer than {_LONGEST_PUBLIC_ADDRESS} characters: it stands in a header of each mail"
        )
    if not parts.path.isascii():
        raise ValueError("its path has letters beyond ASCII: write them percent-encoded")
    if parts.netloc.isascii():
        return address
    name, colon, port = parts.netloc.partition(":")
    host = domain_key(name)
    if not host.isascii():
        raise ValueError("its host is no name that the DNS can have")
    return urlunsplit(parts._replace(netloc=f"{host}{colon}{port}"))


def _host(value: str) -> str:
    """Return the name or address of a server, without URL scheme and port."""
    if "://" in value:
        raise ValueError("write the name of the server alone, as in mail.example.org, without smtp:// or the like")
    if _is_ip(value):
        return value
    name, colon, port = value.rpartition(":")
    if colon and (port.isdecimal() or not port) and name:
        raise ValueError("write the name of the server alone, and what stands after the colon as PORT")
    if "@" in value:
        raise ValueError("write the name of the server alone; a login goes to USERNAME and PASSWORD")
    if len(value) > _LONGEST_HOST or not _HOST.fullmatch(value) or _LIKE_IP.fullmatch(value):
        raise ValueError("is no name or address of a server: write it as in mail.example.org or 192.0.2.1")
    return value


def _host_or_nothing(value: str) -> str:
    return _host(value) if value else value


def _is_ip(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def weakness(key: str) -> str:
    """Return why a key could be guessed, or nothing."""
    text = key.strip()
    if not text:
        return "is empty"
    if not text.isprintable() or "\ufffd" in text:
        return "holds no readable text"
    if len(text) < _SHORTEST_KEY:
        return f"has {len(text)} characters: a key has at least {_SHORTEST_KEY}, chosen by chance"
    return "is one letter again and again" if len(set(text)) == 1 else ""


def _secret_key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    if key and (reason := weakness(key)):
        raise ValueError(f"{reason}, so anybody could forge links: write what `openssl rand -base64 32` prints")
    return value


def _admin_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value()
    if token and (reason := weakness(token)):
        raise ValueError(f"{reason}, so anybody could guess it: write what `openssl rand -base64 32` prints")
    return value


def _database(value: SecretStr) -> SecretStr:
    """Accept only an unambiguous address of a database: else a part of the password could be read as the host."""
    address = value.get_secret_value()
    match address.partition(":")[0].partition("+")[0]:
        case "postgres":
            raise ValueError("write it with postgresql:// at its beginning")
        case "postgresql":
            _check_postgresql(address)
        case _ if not _SQLITE.fullmatch(address):
            raise ValueError("write sqlite:///path/to/file.db or postgresql://user:password@host/name")
    return value


def _check_postgresql(address: str) -> None:
    found = _POSTGRESQL.fullmatch(address)
    if not found:
        raise ValueError(
            "cannot be read: write postgresql://user:password@host:port/name, and write @ of the password as %40, "
            "a colon as %3A (also / as %2F, ? as %3F, # as %23, a space as %20)"
        )
    elsewhere = parse_qs(found["query"] or "").get("port", [])
    ports = [port for port in (found["port"], *",".join(elsewhere).split(",")) if port]
    if not all(_PORT.fullmatch(port) and 0 < int(port) <= _LAST_PORT for port in ports):
        raise ValueError(f"its port is no number from 1 to {_LAST_PORT}")


def _mail_address(value: str) -> str:
    if not value:
        return value
    try:
        return normal_address(value)
    except AddressError as error:
        raise ValueError(f"is not a mail address: {error}") from None


def _json(value: object) -> object:
    """Parse JSON here: errors of pydantic-settings would not name the field."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("is not JSON of the right form: it is nested too deeply") from None
    except _RepeatedError:
        raise
    except ValueError:  # a number with thousands of digits
        raise ValueError("holds a number with too many digits") from None


class _RepeatedError(ValueError):
    """A JSON object has a name twice."""


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; a repeated name, or a domain in two spellings, is an error: a value would be lost."""
    (name, times), *_ = Counter(domain_key(name) for name, _ in pairs).most_common(1) or [("", 0)]
    if times > 1:
        raise _RepeatedError(f"names {name[:_LONGEST_HOST]} twice: remove one of the two")
    return dict(pairs)


def _domain(value: str) -> str:
    """Return a mail domain in the form in which domains are compared."""
    try:
        normal_address(f"reader@{value}")
    except AddressError:
        raise ValueError("is not a mail domain: write it as in gmail.com") from None
    return domain_key(value)


def _networks(value: object) -> object:
    """Read addresses and networks with commas between them."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("write addresses and networks with commas between, as in 127.0.0.1,10.0.0.0/8") from None


def _hosts(value: object) -> object:
    """Read names of servers with commas between them."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
UserAgent = Annotated[str, AfterValidator(_user_agent)]
WebAddress = Annotated[str, AfterValidator(web_address)]
PublicAddress = Annotated[str, AfterValidator(public_address)]  # or an empty text
Host = Annotated[str, AfterValidator(_host)]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(_hosts)]
HostOrNothing = Annotated[str, AfterValidator(_host_or_nothing)]
SecretKey = Annotated[SecretStr, AfterValidator(_secret_key)]  # or an empty text
DatabaseAddress = Annotated[SecretStr, AfterValidator(_database)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]  # or an empty text
HostName = Annotated[str, AfterValidator(_host_name)]  # or an empty text
BranchName = Annotated[str, AfterValidator(_branch_name)]  # or an empty text
MailDomain = Annotated[str, AfterValidator(_domain)]
AdminToken = Annotated[SecretStr, AfterValidator(_admin_token)]  # or an empty text
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
Port = Annotated[int, Field(ge=1, le=65535)]

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))

FROM_JSON = BeforeValidator(_json)
IN_LOWER_CASE = BeforeValidator(_lower)
