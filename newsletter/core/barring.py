"""Who gets no mail of a list, whatever its files say: looked up for each address that a file names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.core.erasure import Erased
from newsletter.core.suppression import whole_domain
from newsletter.core.syncing import Barred

ERASED = "erased"  # the reason of a person whose data was erased


@dataclass(frozen=True, slots=True)
class Barring:
    """Who left a list or is suppressed on it, by address and by domain, and whose data was erased.

    Keys are those of addresses, or `@example.org`.
    """

    suppressed: Mapping[str, Barred] = field(default_factory=dict)
    erased: Erased = field(default_factory=Erased)
    _any_domain: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_any_domain", any(key.startswith("@") for key in self.suppressed))

    def __bool__(self) -> bool:
        """Return whether there is anybody."""
        return bool(self.suppressed) or bool(self.erased)

    def __contains__(self, address_key: object) -> bool:
        """Return whether an address gets no mail."""
        return isinstance(address_key, str) and self.of(address_key) is not None

    def of(self, address_key: str) -> Barred | None:
        """Return why an address gets no mail, and since when; None if it may get mail.

        What is said of the address itself is told before what is said of its domain.
        """
        barred = self.suppressed.get(address_key)
        if barred is None and self._any_domain:
            domain = whole_domain(address_key)
            found = self.suppressed.get(domain)
            barred = found and Barred(f"{domain}: {found.reason}", found.since)
        if barred is None and self.erased:
            since = self.erased.of(address_key)
            barred = None if since is None else Barred(ERASED, since)
        return barred
