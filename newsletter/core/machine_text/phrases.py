"""Numbers of several words: `three hundred and two`, `2.5 million`, `quatre-vingt-dix`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.core.machine_text.number_words import NumberWord
from newsletter.core.machine_text.values import Value, times

_GAP = re.compile(r"[ -]{0,2}")
_JOINED = re.compile(r" (?:and|y|e|et|und|en) |-et-")
_HUNDRED, _THOUSAND = 100, 1000
_FRENCH_TENS = (60, 80)


@dataclass(slots=True)
class Phrase:
    """A number that may go on with the next word.

    Attributes:
        start: where it begins in a text.
        end: where it ends, so far.
        digits: the readings of its digits; None if it is all words.
        factor: by what the digits are multiplied.
        order: the order of magnitude that it names, or 0.
        is_plain: whether no word is a part of it.
        is_bare: whether no suffix such as `k` or `%` is a part of it.
        parts: numbers of which its digits are made.
    """

    start: int
    end: int
    digits: tuple[frozenset[Value], ...] | None = None
    factor: int = 1
    order: int = 0
    is_plain: bool = False
    is_bare: bool = False
    parts: frozenset[Value] = frozenset()
    _goes_on: bool = True
    _is_french: bool = False
    _total: int = 0  # of what is finished: thousands, millions
    _section: int = 0  # below the next of these
    _power: int = 0  # the last of these; 0: none
    _value: Value | None = None  # of a word that stands by itself
    _share: Value | None = None  # that an ordinal may be

    @classmethod
    def of_word(cls, start: int, end: int, word: NumberWord, language: str) -> Phrase:
        """Begin with a word."""
        phrase = cls(start, end, _is_french=language == "fr")
        if word.is_vague:
            phrase.order, phrase._goes_on = word.value[0], False
        elif word.is_part:
            phrase._add(word.value[0])
        else:
            phrase._value, phrase._goes_on = word.value, False
            phrase._share = (1, word.value[0]) if word.is_ordinal else None
        return phrase

    def takes(self, word: NumberWord, gap: str, end: int) -> bool:
        """Go on with a word, and return whether it is a part of this number.

        Args:
            word: the next one.
            gap: what stands between.
            end: where the word ends.
        """
        if not self._goes_on or not (word.is_part or word.is_vague) or len(gap) > len(" and "):
            return False
        if self.digits is not None:
            is_taken = word.value[0] >= _HUNDRED and bool(_GAP.fullmatch(gap))
            if is_taken:
                self.digits = tuple(frozenset(times(one, word.value) for one in r) for r in self.digits)
                self.factor *= word.value[0]
        else:
            is_taken = bool(_GAP.fullmatch(gap) or _JOINED.fullmatch(gap)) and self._add(word.value[0])
        if is_taken:
            self.end, self.is_plain = end, False
        return is_taken

    def readings(self) -> tuple[frozenset[Value], ...]:
        """Return what the number may mean (see `Quantity`); nothing for an order of magnitude."""
        if self.order:
            return ()
        if self.digits is not None:
            return self.digits
        values = (self._value or (self._total + self._section, 1), self._share)
        return tuple(frozenset((one,)) for one in values if one)

    def _add(self, number: int) -> bool:
        """Add what a word counts, if that makes one number with what is there; return whether it does."""
        if number >= _THOUSAND:
            if number > self._power:
                self._total = (self._total + self._section or 1) * number
            else:
                self._total += (self._section or 1) * number
            self._section, self._power = 0, number
            return True
        if number == _HUNDRED and self._section < _HUNDRED:
            self._section = (self._section or 1) * _HUNDRED
            return True
        if self._is_french and number == 20 and self._section % _HUNDRED == 4:  # noqa: PLR2004
            self._section += 76
            return True
        if not self._fits(number):
            return False
        self._section += number
        return True

    def _fits(self, number: int) -> bool:
        rest = self._section % _HUNDRED
        if rest == 0:
            return number < _HUNDRED and (self._section > 0 or self._power > 0 or not self._total)
        if self._is_french and (rest in _FRENCH_TENS or rest == 10):  # noqa: PLR2004
            return number < 20 and (rest != 10 or number < 10)  # noqa: PLR2004
        return rest % 10 == 0 and rest >= 20 and number < 10  # noqa: PLR2004
