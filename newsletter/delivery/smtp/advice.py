"""Which setting to change when a relay turns us away because of how it is set up here.

Pure functions of what the relay said or of what went wrong. Each raises or returns one line for the operator that
names the relay, what happened, and the setting.
"""

from __future__ import annotations

import re
import socket
import ssl

from newsletter.core.errors import RelayError, RelaySetupError
from newsletter.core.relay import Security
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.replies import Kind, Reply, Stage, printable

_BAD_SYNTAX, _BAD_PARAMETER = 501, 504
_LOGIN_FIRST = 530
_LOGIN_FIRST_TOO = re.compile(
    r"auth\w* (?:is )?required|not (?:been )?authenticated|please (?:log in|authenticate)", re.IGNORECASE
)
_TLS_FIRST = re.compile(r"starttls|\btls\b|\bssl\b|encrypt", re.IGNORECASE)
_ABOUT_NAME = re.compile(
    r"\b(?:helo|ehlo)\b\W*(?:command|name|host|argument|domain|string)?s?\W*(?:\w+ )?"
    r"(?:reject|invalid|not |need|refus|must|syntactic)"
    r"|(?:invalid|bad|syntactically invalid|need|require[sd]?|fully.qualified)\W+(?:\w+\W+){0,3}(?:helo|ehlo)\b",
    re.IGNORECASE,
)

_APPLICATION_PASSWORD = re.compile(r"application.specific|app(?:lication)? password", re.IGNORECASE)
_NO_PASSWORD_LOGIN = re.compile(
    r"SmtpClientAuthentication is disabled|basic authentication is disabled", re.IGNORECASE
)
_WANT_APPLICATION_PASSWORD = {  # providers that refuse the account's own password, by the end of their host names
    "gmail.com": "Gmail",
    "google.com": "Gmail",
    "googlemail.com": "Gmail",
    "mail.yahoo.com": "Yahoo",
    "aol.com": "AOL",
    "mail.me.com": "iCloud",
    "icloud.com": "iCloud",
    "fastmail.com": "Fastmail",
    "messagingengine.com": "Fastmail",
    "zoho.com": "Zoho",
    "zoho.eu": "Zoho",
    "yandex.com": "Yandex",
    "yandex.ru": "Yandex",
    "mail.ru": "Mail.ru",
    "gmx.net": "GMX",
    "gmx.com": "GMX",
    "web.de": "WEB.DE",
    "outlook.com": "Outlook",
    "live.com": "Outlook",
}


def check_setup(stage: Stage, reply: Reply, config: RelayConfig, ehlo_name: str) -> None:
    """Look whether a refusal of an envelope is about how we come, and not about its reader.

    Args:
        stage: what was answered.
        reply: the answer.
        config: the relay.
        ehlo_name: what we greeted it with.

    Raises:
        RelaySetupError: it is; names the setting to change.
    """
    if reply.kind not in {Kind.LATER, Kind.NEVER} or stage is Stage.MESSAGE:
        return
    said = f"{config.name} does not take {stage.value}: {reply}"
    if objects_to_name(reply, ehlo_name):
        raise RelaySetupError(f"{said}; {_another_name(config, ehlo_name)}")
    is_login = reply.kind == Kind.NEVER and bool(_LOGIN_FIRST_TOO.search(reply.text))
    if reply.code == _LOGIN_FIRST and _TLS_FIRST.search(reply.text) and config.security is Security.NONE:
        raise RelaySetupError(f"{said}; set {config.setting('security')}=starttls")
    if (reply.code == _LOGIN_FIRST or is_login) and not config.username:
        raise RelaySetupError(f"{said}; set {config.setting('username')} and {config.setting('password')}")


def objects_to_name(reply: Reply, ehlo_name: str) -> bool:
    """Return whether a refusal is about the name that we greeted with."""
    if reply.kind not in {Kind.LATER, Kind.NEVER}:
        return False
    names_it = reply.code == _BAD_PARAMETER and bool(ehlo_name) and ehlo_name.lower() in reply.text.lower()
    return names_it or bool(_ABOUT_NAME.search(reply.text))


def greeting_refused(config: RelayConfig, reply: Reply, ehlo_name: str) -> RelayError:
    """Return the error for a refusal of EHLO or HELO, or of the connection before that."""
    if reply.code < 0:  # aiosmtplib's for what is no reply
        said = f"cannot connect to {config.name}: {printable(reply.text)}"
        return RelaySetupError(f"{said}; no SMTP server answers there: see {_place(config)}")
    said = f"cannot connect to {config.name}: {reply}"
    if reply.code in {_BAD_SYNTAX, _BAD_PARAMETER} or objects_to_name(reply, ehlo_name):
        return RelaySetupError(f"{said}; {_another_name(config, ehlo_name)}")
    return RelayError(said)


def no_starttls(config: RelayConfig) -> RelaySetupError:
    """Return the error for a relay that does not offer STARTTLS where it is asked for."""
    return RelaySetupError(
        f"{config.name} does not offer STARTTLS; nothing was sent in the clear; set "
        f"{config.setting('security')} to tls for a port with TLS from the first byte (465), or to none for a "
        f"server in a network that you trust"
    )


def no_login(config: RelayConfig, offered: str) -> RelaySetupError:
    """Return the error for a relay that offers no login, or only kinds that we don't know."""
    if offered:
        said = f"{config.name} offers only logins of the kinds {printable(offered)}, and none with a password"
        return RelaySetupError(f"{said}; see {config.setting('username')}")
    if config.security is Security.NONE:
        way = f"most do so only over TLS: set {config.setting('security')}=starttls, or"
    else:
        way = f"see {config.setting('port')} (587 or 465 for a login), or"
    without = f"remove {config.setting('username')} and {config.setting('password')}"
    return RelaySetupError(f"{config.name} offers no login; {way} {without}")


def login_refused(config: RelayConfig, reply: Reply) -> RelayError:
    """Return the error for a login that was refused; its text holds neither user name nor password."""
    said = f"{config.name} refuses the login: {reply}"
    if reply.kind == Kind.LATER:
        return RelayError(said)
    username, password = config.setting("username"), config.setting("password")
    if _NO_PASSWORD_LOGIN.search(reply.text):
        return RelaySetupError(f"{said}; {username}: the provider has switched logins with a password off for it")
    if _TLS_FIRST.search(reply.text) and config.security is Security.NONE:
        return RelaySetupError(f"{said}; set {config.setting('security')}=starttls")
    host = config.host.lower().rstrip(".")
    provider = next(
        (name for end, name in _WANT_APPLICATION_PASSWORD.items() if f".{host}".endswith(f".{end}")), ""
    )
    if provider or _APPLICATION_PASSWORD.search(reply.text):
        who = provider or "this provider"
        return RelaySetupError(
            f"{said}; {who} wants an application password, made in the account's security settings, as {password}"
        )
    return RelaySetupError(
        f"{said}; check {username} and {password}; many providers want an application password in place of the "
        f"account's own"
    )


def no_token_login(config: RelayConfig, offered: str) -> RelaySetupError:
    """Return the error for a relay that takes no login with a token."""
    kinds = f"only logins of the kinds {printable(offered)}" if offered else "no login"
    return RelaySetupError(
        f"{config.name} offers {kinds}, and none with a token (XOAUTH2); see {config.setting('host')} and "
        f"{config.setting('security')}, or use {config.setting('password')} in place of the oauth_ settings"
    )


def token_refused(config: RelayConfig, reply: Reply, reason: str) -> RelayError:
    """Return the error for a token that was refused; `reason` is what was told beside the reply, or nothing."""
    said = f"{config.name} refuses the access token: {reply}" + (f" ({reason})" if reason else "")
    if reply.kind == Kind.LATER:
        return RelayError(said)
    username = config.setting("username")
    if _NO_PASSWORD_LOGIN.search(reply.text):
        return RelaySetupError(f"{said}; an administrator has to allow Authenticated SMTP for {username}")
    return RelaySetupError(
        f"{said}; check that {username} is the mailbox whose owner agreed to send mail, and "
        f"{config.setting('oauth_scope')}; with client credentials, that the application may use this mailbox"
    )


def silent(config: RelayConfig, seconds: float, *, connected: bool) -> RelaySetupError:
    """Return the error for a relay that never said a word, so far."""
    slow = f"if the server is only slow, raise {config.setting('greeting_timeout')}"
    if not connected:
        what = f"cannot connect to {config.name}: no answer within {seconds:g} seconds"
        return RelaySetupError(f"{what}; see {_place(config)}; {slow}")
    what = f"cannot connect to {config.name}: timed out, no greeting within {seconds:g} seconds"
    return RelaySetupError(
        f"{what}; a port for TLS from the first byte (465) waits so: set {config.setting('security')}=tls, or "
        f"another {config.setting('port')}; {slow}"
    )


def not_ready(config: RelayConfig) -> RelaySetupError:
    """Return the error for a relay that greets us, and was never ready for mail."""
    slow = f"if the server is only slow, raise {config.setting('timeout')}"
    return RelaySetupError(
        f"cannot connect to {config.name}: it greets us, and is not ready for mail within {config.timeout:g} "
        f"seconds; see {_place(config)}; {slow}"
    )


def broken(config: RelayConfig, error: BaseException) -> RelayError:
    """Return the error for a connection that could not be made or was lost before it was ready."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return RelaySetupError(
                    f"the certificate of {config.name} is not trusted: {printable(cause.verify_message)}; see "
                    f"{config.setting('host')} (the name in the certificate) and {config.setting('ca_file')}"
                )
            case ssl.SSLError():
                return RelaySetupError(_no_tls(config, cause))
            case socket.gaierror() if cause.errno != socket.EAI_AGAIN:
                return RelaySetupError(
                    f"cannot connect to {config.name}: no such host; see {config.setting('host')}"
                )
    return RelayError(f"cannot connect to {config.name}: {printable(str(error))}; see {_place(config)}")


def _no_tls(config: RelayConfig, error: ssl.SSLError) -> str:
    reason = (error.reason or "").lower().replace("_", " ") or printable(str(error))
    said = f"cannot connect to {config.name} with TLS: {printable(reason)}"
    if config.security is Security.TLS:
        return (
            f"{said}; a server that begins in the clear answers so: set {config.setting('security')}=starttls, or "
            f"{config.setting('port')}=465"
        )
    return f"{said}; see {_place(config)} and {config.setting('security')}"


def _another_name(config: RelayConfig, ehlo_name: str) -> str:
    said = f" (it was {printable(ehlo_name)})" if ehlo_name else ""
    return f"set {config.setting('ehlo_name')} to a full host name that DNS knows{said}"


def _place(config: RelayConfig) -> str:
    return f"{config.setting('host')} and {config.setting('port')}"


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return an error and what caused it, as far as that is known."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
