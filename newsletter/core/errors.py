"""The errors of the program, each with the one line that its user reads.

::

    Exception
    ├── ConfigurationError        settings or list files are wrong: exit 78, never skipped over
    │   └── ListFileError         … with every mistake found, by file and line
    │       ├── FileChangedError  a file was written while it was read: read it again
    │       └── MassRemovalError  they name so many readers no longer that the operator is asked
    └── NewsletterError           trouble while doing the work
        ├── UsageError            asked for something that is not there: exit 2
        ├── NothingNewError       there is no issue to show
        ├── SourceError           a source cannot be read (now)
        │   └── UnansweredError   … or what was posted to a server got no answer
        ├── StoreError            the ledger cannot be read or written
        │   └── OutdatedError     … by this process, as a newer version has changed its tables
        ├── StaleDraftError       another run has frozen an issue of the list meanwhile: draft anew
        ├── NoReaderError         nobody is to get the issue, so there is none
        ├── MissedError           a list's hour and its deadline passed without an issue
        ├── RenderError           a template is wrong; names template and line
        ├── LintError             the issue must not go out as it is
        ├── StoppedError          the program was asked to end before this was done: exit 75
        │   └── BusyElsewhereError  … or somebody else works with the ledger just now
        ├── InboundError          a mailbox of what comes back cannot be read
        ├── SummarizerError       a model wrote no text (now)
        │   └── SummarizerSetupError  … nor will it, before a setting changes or somebody pays
        ├── NoAnswerError         DNS or a website gave no answer to `newsletter doctor`
        ├── TokenError            nobody gives us an access token for a login
        └── RelayError            trouble that is ours or the relay's, not the reader's: stop, suppress nobody
            └── RelaySetupError   … which stays until a setting is changed: not tried again in this run

`ConfigurationError` stands outside `NewsletterError` on purpose: code that skips over one failing source or
list must never skip over a wrong configuration.
"""

from __future__ import annotations

from dataclasses import dataclass


class ConfigurationError(Exception):
    """Settings or files of the operator are wrong; the text names file, line or field and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a file: where it is and what to do about it."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return `file:line: message`, the form that editors jump to."""
        return f"{self.file}:{self.line}: {self.message}"


class ListFileError(ConfigurationError):
    """List files hold mistakes; `mistakes` names each of them, none was applied."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class FileChangedError(ListFileError):
    """A file was written to while it was read, so what was read may be half of it: to be read again."""


class MassRemovalError(ListFileError):
    """The files of a list name many readers no longer: a file may be cut off, so the operator is to be asked."""

    def __init__(self, place: str, list_name: str, *, removed: int, present: int) -> None:
        message = (
            f"names {removed} of {present} readers no longer, too many to remove unasked: complete it; if that is "
            f"meant, run `newsletter subscribers apply --list {list_name} --allow-mass-removal`"
        )
        self.removed, self.present = removed, present
        super().__init__((Mistake(place, 1, message),))


class NewsletterError(Exception):
    """Trouble while doing the work; the text is one line for the user."""


class UsageError(NewsletterError):
    """The user asked for something that is not there: a list, an issue, a subscriber."""


class NothingNewError(NewsletterError):
    """A list has nothing new on a day, so there is no issue to show."""


class SourceError(NewsletterError):
    """A source could not be read; the text names the source and why."""


class UnansweredError(SourceError):
    """What was posted to a server got no answer; `arrived`: the server may have it all the same."""

    def __init__(self, reason: str, *, arrived: bool) -> None:
        self.arrived = arrived
        super().__init__(reason)


class StoreError(NewsletterError):
    """The ledger could not be read or written."""


class LostWorkerError(StoreError):
    """This process gave no sign of life for so long that others took it for dead: what it held is theirs now."""


class OutdatedError(StoreError):
    """Another version has changed the tables since this process began: it can do nothing more, and has to end."""


class SearchError(NewsletterError):
    """A search found no answer: it took too long, or the database can't search; the text says what to do."""


class StaleDraftError(NewsletterError):
    """The list has got another issue since the draft was made; its listings may be in that one."""


class NoReaderError(NewsletterError):
    """Nobody is to get an issue, so it is not made; its listings are still news for the first reader.

    `suppressed` counts the subscribers whose addresses are not mailed any more.
    """

    def __init__(self, reason: str, *, suppressed: int = 0) -> None:
        self.suppressed = suppressed
        super().__init__(reason)


class MissedError(NewsletterError):
    """A list's hour and its deadline passed without an issue, which is not made any more."""


class RenderError(NewsletterError):
    """A template is wrong; the text names template and line."""


class LintError(NewsletterError):
    """An issue must not go out as it is; the text names the first finding."""


class StoppedError(NewsletterError):
    """The program was asked to end before the work at hand was done; the next run does it."""


class BusyElsewhereError(StoppedError):
    """Somebody elsewhere works with the ledger, or has changed it; the text says what is to be done when."""


class InboundError(NewsletterError):
    """A mailbox of what comes back could not be read; the text names it and says why."""


class SummarizerError(NewsletterError):
    """A model wrote no text.

    Attributes:
        wait: seconds for which its server asks to be left alone; 0: it names none.
        asked: whether the request arrived, so that it may have been paid for.
    """

    def __init__(self, message: str, *, wait: float = 0.0, asked: bool = True) -> None:
        super().__init__(message)
        self.wait, self.asked = wait, asked


class SummarizerSetupError(SummarizerError):
    """A model will write no text before a setting changes or somebody pays; names what to do."""


class NoAnswerError(NewsletterError):
    """DNS or a website gave no answer to what `newsletter doctor` asks; the text says whom it asked and why."""


class TokenError(NewsletterError):
    """An authorization server gives no access token (OAuth 2.0, RFC 6749); the text says what to do.

    `is_final`: trying again is of no use before a setting is changed.
    """

    def __init__(self, reason: str, *, is_final: bool) -> None:
        self.is_final = is_final
        super().__init__(reason)


class RelayError(NewsletterError):
    """The relay cannot take mail now, for a reason that is ours or its own and no reader's.

    Examples are a refused login, missing TLS, a lost connection, a 421, a 5.7.x policy answer. `wait` is how many
    seconds the relay asks to be left alone.
    """

    def __init__(self, reason: str, *, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(reason)


class RelaySetupError(RelayError):
    """The relay cannot be used as it is set up: trying again is of no use; the text names the setting to change.

    Examples are a port that speaks no TLS, a certificate that nobody vouches for, a login that is refused.
    """
