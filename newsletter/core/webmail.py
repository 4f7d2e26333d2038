"""Where the readers of large mail providers read their mail on the web, by the domain of their address. Pure."""

from __future__ import annotations

from typing import NamedTuple

from newsletter.core.address import domain_of


class Webmail(NamedTuple):
    """A provider's mail on the web."""

    name: str
    url: str


_GMAIL = Webmail("Gmail", "https://mail.google.com/mail/")
_OUTLOOK = Webmail("Outlook", "https://outlook.live.com/mail/")
_YAHOO = Webmail("Yahoo Mail", "https://mail.yahoo.com/")
_ICLOUD = Webmail("iCloud Mail", "https://www.icloud.com/mail/")
_PROTON = Webmail("Proton Mail", "https://mail.proton.me/")
_GMX = Webmail("GMX", "https://www.gmx.net/")
_FASTMAIL = Webmail("Fastmail", "https://app.fastmail.com/mail/")
_YANDEX = Webmail("Yandex Mail", "https://mail.yandex.com/")
_MAIL_RU = Webmail("Mail.ru", "https://e.mail.ru/")
_QQ = Webmail("QQ Mail", "https://mail.qq.com/")

_BY_DOMAIN = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GMAIL),
    **dict.fromkeys(("outlook.com", "outlook.de", "outlook.fr", "hotmail.com", "hotmail.co.uk"), _OUTLOOK),
    **dict.fromkeys(("hotmail.de", "hotmail.fr", "live.com", "live.de", "live.fr", "msn.com"), _OUTLOOK),
    **dict.fromkeys(("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "ymail.com"), _YAHOO),
    "yahoo.co.jp": Webmail("Yahoo! JAPAN", "https://mail.yahoo.co.jp/"),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _ICLOUD),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me"), _PROTON),
    **dict.fromkeys(("gmx.de", "gmx.net", "gmx.at", "gmx.ch"), _GMX),
    "gmx.com": Webmail("GMX", "https://www.gmx.com/"),
    "web.de": Webmail("WEB.DE", "https://web.de/"),
    "t-online.de": Webmail("Telekom Mail", "https://email.t-online.de/"),
    "mailbox.org": Webmail("mailbox.org", "https://app.mailbox.org/"),
    "posteo.de": Webmail("Posteo", "https://posteo.de/"),
    "tuta.com": Webmail("Tuta", "https://app.tuta.com/"),
    **dict.fromkeys(("fastmail.com", "fastmail.fm"), _FASTMAIL),
    "hey.com": Webmail("HEY", "https://app.hey.com/"),
    "aol.com": Webmail("AOL Mail", "https://mail.aol.com/"),
    **dict.fromkeys(("zoho.com", "zohomail.com"), Webmail("Zoho Mail", "https://mail.zoho.com/")),
    **dict.fromkeys(("orange.fr", "wanadoo.fr"), Webmail("Orange", "https://messagerie.orange.fr/")),
    "laposte.net": Webmail("La Poste", "https://www.laposte.net/"),
    "libero.it": Webmail("Libero Mail", "https://mail.libero.it/"),
    "uol.com.br": Webmail("UOL", "https://email.uol.com.br/"),
    **dict.fromkeys(("yandex.ru", "yandex.com", "ya.ru"), _YANDEX),
    **dict.fromkeys(("mail.ru", "bk.ru", "inbox.ru", "list.ru"), _MAIL_RU),
    **dict.fromkeys(("qq.com", "foxmail.com"), _QQ),
    "163.com": Webmail("163 Mail", "https://mail.163.com/"),
    "126.com": Webmail("126 Mail", "https://mail.126.com/"),
    "sina.com": Webmail("Sina Mail", "https://mail.sina.com.cn/"),
    "naver.com": Webmail("Naver Mail", "https://mail.naver.com/"),
}


def webmail_of(email: str) -> Webmail | None:
    """Return where mail to an address is read on the web, or None for a domain that is not known."""
    return _BY_DOMAIN.get(domain_of(email))
