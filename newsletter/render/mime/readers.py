"""Address and name of a reader as they stand in a mail: the field `To`, and the lines of both in its parts."""

from __future__ import annotations

import re
from collections.abc import Callable

from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.pieces import line_of
from newsletter.render.mime.quoted import SOFT

_USUAL_LENGTH = 66  # of name and address: the field and each of the lines stay on one line
_ATOM = r"[A-Za-z0-9_+-]+"
# Name and address that stand as they are wherever a mail shows them: those of nearly each reader. `wire_address`,
# `headers.mailbox` and `line_of` would return the same, each after a look of its own.
_USUAL = re.compile(rf"(?!From )(?:[A-Za-z0-9-]+ ){{0,5}}<{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*>")


def reader_lines(email: str, name: str, shown: Callable[[str], str]) -> tuple[bytes, list[bytes]]:
    """Return the field `To`, and four lines: the address in a text part and in an HTML part, and the name in both.

    Args:
        email: the reader's address.
        name: the reader's name, as the field has it.
        shown: makes of the name what the parts show; a usual name is shown as it is.

    Raises:
        RenderError: the address can't stand in a header.
    """
    whole = f"{name} <{email}>" if name else f"<{email}>"
    if len(whole) <= _USUAL_LENGTH and _USUAL.fullmatch(whole):
        line, name_line = email.encode() + SOFT, name.encode() + SOFT if name else b""
        return b"To: %b\r\n" % whole.encode(), [line, line, name_line, name_line]
    to = headers.mailbox("To", Mailbox(name, wire_address(email)))
    return to, [*line_of(email), *line_of(shown(name))]
