"""Reads subscribers from the exports of other programs: what a column means is known by its name.

The shapes are those of Mailchimp, Substack, listmonk and Buttondown, and of spreadsheets that people keep. Who
left, or whose address was dead there, becomes a suppression here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.core.csv_cells import unmasked
from newsletter.core.errors import ListFileError, Mistake
from newsletter.core.incoming import Incoming
from newsletter.core.subscriber import Member
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import shown
from newsletter.lists.lines import Lines, encoding_of
from newsletter.lists.members import read_days_cell
from newsletter.lists.spreadsheet import Spreadsheet, letters
from newsletter.lists.values import read_line, read_own_language

# What a column of an export can stand for, and the names that it has in exports.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "email address", "e-mail", "mail", "address", "subscriber email"),
    "name": ("name", "full name", "subscriber name", "display name"),
    "first name": ("first name", "given name", "fname"),
    "last name": ("last name", "surname", "family name", "lname"),
    "topics": ("topics", "tags"),
    "days": ("days", "weekdays"),
    "language": ("language", "locale"),
    "status": ("status", "state", "email status", "subscriber type", "subscription status"),
    "left": ("unsub time", "unsubscribed at", "unsubscription date", "unsubscribe date"),
    "bounced": ("clean time", "bounced at"),
    "disabled": ("email disabled",),
}
_IGNORED = "ignore"
# What these programs tell beside that, and nothing here needs: when and from where somebody came, and numbers.
_PASSED_OVER = (
    # Mailchimp
    *("member rating", "optin time", "optin ip", "confirm time", "confirm ip", "latitude", "longitude", "gmtoff"),
    *("dstoff", "timezone", "cc", "region", "last changed", "leid", "euid", "notes", "phone number", "birthday"),
    *("unsub campaign title", "unsub campaign id", "unsub reason", "unsub reason other"),
    *("clean campaign title", "clean campaign id"),
    # Substack
    *("active subscription", "expiry", "plan", "digest enabled", "created at", "first payment at"),
    # listmonk
    *("id", "uuid", "attributes", "updated at"),
    # Buttondown
    *("metadata", "source", "creation date", "secondary id", "referrer url", "utm campaign", "utm medium"),
    "utm source",
)
_EXAMPLE = "“Column=email”"

_READS = {"", "subscribed", "active", "enabled", "confirmed", "regular", "premium", "free", "paid", "gift", "true"}
# Why an address gets no mail, by the words of exports.
_OUT = {
    "unsubscribed": "unsubscribed",
    "unsub": "unsubscribed",
    "opted out": "unsubscribed",
    "inactive": "unsubscribed",
    "disabled": "unsubscribed",
    "blocklisted": "unsubscribed",
    "blacklisted": "unsubscribed",
    "false": "unsubscribed",
    "cleaned": "bounced",
    "bounced": "bounced",
    "undeliverable": "bounced",
    "hard bounced": "bounced",
    "complained": "complained",
    "complaint": "complained",
    "spam": "complained",
}
_WAITING = {"unconfirmed", "unactivated", "pending", "non-subscribed", "nonsubscribed", "not subscribed"}
_MOST_MISTAKES = 1000


@dataclass(slots=True)
class Export:
    """One file of another program.

    Args:
        path: the CSV file, in UTF-8, UTF-16 or Windows-1252.
        topics: those of the list; of a row's topics or tags, these alone count.
        columns: what columns stand for whose names don't say it: a key of `FIELDS`, or "ignore".
        skip_unknown: pass over columns that nobody knows.
        status: of everybody in a file without such a column, such as "cleaned".
        days: the weekdays on which the list comes out.
    """

    path: Path
    topics: Collection[str]
    columns: Mapping[str, str] = field(default_factory=dict)
    skip_unknown: bool = False
    status: str = ""
    days: Collection[int] = range(7)
    mistakes: list[Mistake] = field(default_factory=list)
    _addresses: Addresses = field(default_factory=Addresses)

    def rows(self) -> Iterator[Incoming]:
        """Yield the rows that can be read, each address once; `mistakes` is complete when this ends.

        Raises:
            ListFileError: the file cannot be read.
        """
        synonyms = {
            **dict.fromkeys(_PASSED_OVER, _IGNORED),
            **{other: name for name, others in FIELDS.items() for other in others},
            **self.columns,
        }
        known = (*FIELDS, _IGNORED)
        file = Spreadsheet(
            known,
            needed="email",
            note=self._note,
            synonyms=synonyms,
            repeats=True,
            unknown=self.skip_unknown,
        )
        seen: dict[str, int] = {}
        for line, cells in file.read(Lines(self.path, encoding=encoding_of(self.path))):
            try:
                row = self._row(line, _joined(cells))
            except ValueError as error:
                self._note(line, str(error))
                continue
            first = seen.setdefault(row.member.address_key, line)
            if first != line:
                row = Incoming(line, row.member, skipped=f"the same address as in line {first}")
            yield row

    def whole(self) -> list[Incoming]:
        """Return all rows.

        Raises:
            ListFileError: the file cannot be read, or a row is wrong; with all mistakes by line.
        """
        found = list(self.rows())
        if self.mistakes:
            raise ListFileError(tuple(self.mistakes[:_MOST_MISTAKES]))
        return found

    def _row(self, line: int, cells: Mapping[str, str]) -> Incoming:
        email = cells.get("email", "")
        if not email:
            raise ValueError("has no address: add it, or remove the row")
        name = cells.get("name") or " ".join(filter(None, (cells.get("first name"), cells.get("last name"))))
        tags = {tag.strip().strip('"').casefold() for tag in re.split("[,;]", cells.get("topics", ""))}
        member = Member(
            email=self._addresses.read(email),
            name=read_line(name) if name else "",
            topics=tuple(topic for topic in self.topics if topic.casefold() in tags),
            days=read_days_cell(cells["days"], offered=self.days) if cells.get("days") else None,
            language=read_own_language(cells["language"]) if cells.get("language") else None,
        )
        status = cells.get("status", self.status)
        if cells.get("left"):
            status = "unsubscribed"
        elif cells.get("bounced"):
            status = "cleaned"
        elif cells.get("disabled", "").lower() == "true":
            status = "disabled"
        return _judged(line, member, " ".join(status.lower().replace("_", " ").split()))

    def _note(self, line: int, message: str) -> None:
        if message.startswith("unknown column"):
            message += f"; say what it is with --map {_EXAMPLE} or leave such columns out with --skip-unknown"
        self.mistakes.append(Mistake(shown(self.path), line, message))


def _joined(cells: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what a row says, by field; of two columns for one, the first that says anything."""
    found: dict[str, str] = {}
    for column, cell in cells:
        if text := unmasked(cell.strip()):
            found.setdefault(column, text)
    return found


def _judged(line: int, member: Member, status: str) -> Incoming:
    """Return a row, by the status that it has in the other program.

    Raises:
        ValueError: nobody knows the status.
    """
    if status in _READS:
        return Incoming(line, member)
    if status in _WAITING:
        return Incoming(line, member, skipped=f"was not confirmed there: {status}")
    if status in _OUT:
        return Incoming(line, member, barred=_OUT[status])
    raise ValueError(f"status {status!r} is not known: write subscribed, unsubscribed, cleaned or complained")


def column_meanings(pairs: Collection[str]) -> dict[str, str]:
    """Return what columns stand for, from `COLUMN=FIELD` as the command line has it.

    Raises:
        ValueError: a pair is no such thing.
    """
    meanings = {letters(one): one for one in (*FIELDS, _IGNORED)}
    found = {}
    for pair in pairs:
        column, _, meaning = pair.rpartition("=")
        if not column.strip() or letters(meaning) not in meanings:
            known = ", ".join(meanings.values())
            raise ValueError(f"{pair!r}: write it as COLUMN=FIELD, where FIELD is one of {known}")
        found[column.strip()] = meanings[letters(meaning)]
    return found
