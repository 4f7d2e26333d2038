"""Words that are numbers, in the languages in which summaries are mostly asked for. Pure.

An article (`one`, `ein`, `un`) is no number here, and neither are words that mostly mean something else
(`segundo`, `media`). Chinese, Japanese and Korean numbers stand in `cjk_numbers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TypeVar

from newsletter.core.machine_text.values import Value

_Number = TypeVar("_Number")
_SECOND, _TEN, _TWENTY = 2, 10, 20


@dataclass(frozen=True, slots=True)
class NumberWord:
    """What a word counts.

    Attributes:
        value: its number.
        is_part: whether it makes larger numbers with its neighbours (`two hundred`); `third` and `half` do not.
        is_vague: whether it names an order of magnitude by itself (`thousands of papers`).
        is_ordinal: whether it may be a part of a whole, too: `a third`, `um quarto`.
        is_article: whether it is a number only after others: `thirty-one`.
    """

    value: Value
    is_part: bool = True
    is_vague: bool = False
    is_ordinal: bool = False
    is_article: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    """The number words of a language, by their numbers; `/` stands between forms of one number, `-` for none.

    Attributes:
        one: the first number, and its articles.
        units: from two to twenty.
        tens: from thirty to ninety.
        compounds: what two-digit numbers in one word look like, such as `{unit}und{ten}`.
        twenties: from 21 to 29, where they are one word and of no other pattern.
        hundreds: from 200 to 900, where they are one word.
        powers: hundred, thousand, million, milliard, billion (10 ** 12).
        ordinals: from first to tenth.
        vague: what names an order of magnitude: tens, hundreds, thousands, millions, milliards, billions.
        others: half, third, quarter, double, triple, fourfold, a dozen, ten of them, a hundred of them, zero.
    """

    one: str
    units: str
    tens: str
    compounds: str = ""
    twenties: str = ""
    hundreds: str = ""
    powers: str
    ordinals: str
    vague: str
    others: str


_POWERS = (100, 1000, 10**6, 10**9, 10**12)
_ORDERS = (10, 100, 1000, 10**6, 10**9, 10**12)
_OTHERS: tuple[Value, ...] = (
    *((1, 2), (1, 3), (1, 4)),
    *((2, 1), (3, 1), (4, 1)),
    *((12, 1), (10, 1), (100, 1), (0, 1)),
)

_ENGLISH = _Language(
    one="one",
    units="two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty",
    tens="thirty forty fifty sixty seventy eighty ninety",
    powers="hundred thousand million/mn billion/bn trillion",
    ordinals="first second third fourth fifth sixth seventh eighth ninth tenth",
    vague="dozens hundreds thousands millions billions trillions",
    others="half/halves/halve/halved/halving thirds quarter/quarters twice/double/doubles/doubled/doubling"
    " thrice/triple/triples/tripled/tripling quadruple/quadruples/quadrupled dozen - - zero",
)
_GERMAN = _Language(
    one="ein",
    units="zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn"
    " achtzehn neunzehn zwanzig",
    tens="dreißig/dreissig vierzig fünfzig sechzig siebzig achtzig neunzig",
    compounds="{unit}und{ten}",
    hundreds="zweihundert dreihundert vierhundert fünfhundert sechshundert siebenhundert achthundert neunhundert",
    powers="hundert tausend million/millionen/mio milliarde/milliarden/mrd billion/billionen",
    ordinals="erste/ersten/erster/erstes/erstem zweite/zweiten/zweiter/zweites/zweitem"
    " dritte/dritten/dritter/drittes vierte/vierten/vierter fünfte/fünften/fünfter sechste/sechsten"
    " siebte/siebten"
    " achte/achten neunte/neunten zehnte/zehnten",
    vague="dutzende/dutzenden hunderte/hunderten tausende/tausenden - - -",
    others="halb/halbe/halben/hälfte/halbiert/halbieren drittel viertel"
    " doppelt/doppelte/doppelten/verdoppelt/verdoppeln/zweimal verdreifacht/dreimal vervierfacht/viermal"
    " dutzend"
    " - - null",
)
_FRENCH = _Language(
    one="un/une",
    units="deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize - - -"
    " vingt/vingts",
    tens="trente quarante cinquante soixante septante huitante/octante nonante",
    powers="cent/cents mille million/millions milliard/milliards/md/mds billion/billions",
    ordinals="premier/première/premiers/premières deuxième/deuxièmes troisième/troisièmes quatrième cinquième"
    " sixième septième huitième neuvième dixième",
    vague="dizaines centaines milliers - - -",
    others="moitié/demi/demie tiers quart/quarts double/doublé/doublant/doubler triple/triplé/triplant quadruple"
    " douzaine dizaine centaine zéro",
)
_SPANISH = _Language(
    one="uno/un/una",
    units="dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete"
    " dieciocho diecinueve veinte",
    tens="treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    twenties="veintiuno/veintiún/veintiuna veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete"
    " veintiocho veintinueve",
    hundreds="doscientos/doscientas trescientos/trescientas cuatrocientos/cuatrocientas quinientos/quinientas"
    " seiscientos/seiscientas setecientos/setecientas ochocientos/ochocientas novecientos/novecientas",
    powers="cien/ciento mil millón/millones millardo/millardos billón/billones",
    ordinals="primer/primero/primera/primeros/primeras - tercer/tercero/tercera cuarto/cuarta quinto/quinta"
    " sexto/sexta séptimo/séptima octavo/octava noveno/novena décimo/décima",
    vague="decenas/docenas cientos/centenares miles/millares - - -",
    others="mitad tercio/tercios - doble/duplica/duplicar/duplicando triple/triplica/triplicar cuádruple docena"
    " decena centenar cero",
)
_PORTUGUESE = _Language(
    one="um/uma",
    units="dois/duas três quatro cinco seis sete oito nove dez onze doze treze catorze/quatorze quinze"
    " dezesseis/dezasseis dezessete/dezassete dezoito dezenove/dezanove vinte",
    tens="trinta quarenta cinquenta sessenta setenta oitenta noventa",
    hundreds="duzentos/duzentas trezentos/trezentas quatrocentos/quatrocentas quinhentos/quinhentas"
    " seiscentos/seiscentas setecentos/setecentas oitocentos/oitocentas novecentos/novecentas",
    powers="cem/cento mil milhão/milhões bilhão/bilhões trilhão/trilhões/bilião/biliões",
    ordinals="primeiro/primeira/primeiros/primeiras - terceiro/terceira quarto/quarta quinto/quinta sexto/sexta"
    " sétimo/sétima oitavo/oitava nono/nona décimo/décima",
    vague="dezenas/dúzias centenas milhares - - -",
    others="metade terço/terços - dobro/duplica/dobra/dobrar triplo/triplica/triplicar quádruplo dúzia dezena"
    " centena zero",
)
_ITALIAN = _Language(
    one="uno",
    units="due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici"
    " diciassette diciotto diciannove venti",
    tens="trenta quaranta cinquanta sessanta settanta ottanta novanta",
    compounds="{ten}{unit}",
    hundreds="duecento trecento quattrocento cinquecento seicento settecento ottocento novecento",
    powers="cento mille/mila milione/milioni miliardo/miliardi bilione/bilioni",
    ordinals="primo/prima/primi/prime - terzo/terza quarto/quarta quinto/quinta sesto/sesta settimo/settima"
    " ottavo/ottava nono/nona decimo/decima",
    vague="decine/dozzine centinaia migliaia - - -",
    others="metà/dimezza/dimezzare terzi - doppio/raddoppia/raddoppiare triplo/triplica quadruplo dozzina decina"
    " centinaio zero",
)
_DUTCH = _Language(
    one="een",
    units="twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien"
    " achttien negentien twintig",
    tens="dertig veertig vijftig zestig zeventig tachtig negentig",
    compounds="{unit}en{ten}",
    powers="honderd duizend miljoen/mln miljard/mld biljoen",
    ordinals="eerste tweede derde vierde vijfde zesde zevende achtste negende tiende",
    vague="tientallen honderden duizenden miljoenen miljarden -",
    others="helft - kwart dubbel/dubbele/verdubbelt/verdubbelen/tweemaal driemaal viermaal dozijn tiental"
    " honderdtal nul",
)
_RUSSIAN = _Language(
    one="один/одна/одно",
    units="два/две/двух/двумя/двум три/трёх/трех/трём/тремя четыре/четырёх/четырех пять/пяти/пятью шесть/шести"
    " семь/семи восемь/восьми девять/девяти десять/десяти одиннадцать/одиннадцати двенадцать/двенадцати"
    " тринадцать четырнадцать пятнадцать/пятнадцати шестнадцать семнадцать восемнадцать девятнадцать"
    " двадцать/двадцати",
    tens="тридцать/тридцати сорок/сорока пятьдесят/пятидесяти шестьдесят семьдесят восемьдесят девяносто",
    hundreds="двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот",
    powers="сто/ста тысяча/тысячи/тысяч/тысячам/тысячами/тысячах/тыс"
    " миллион/миллиона/миллионов/миллионах/миллионами/млн"
    " миллиард/миллиарда/миллиардов/миллиардах/миллиардами/млрд триллион/триллиона/триллионов/трлн",
    ordinals="первый/первая/первое/первые/первого/первой/первых/первым второй/вторая/второе/второго/вторых"
    " третий/третья/третьего четвёртый/четвертый/четвёртого пятый/пятая шестой седьмой восьмой девятый десятый",
    vague="десятки/десятков сотни/сотен - - - -",
    others="половина/половину/половины треть/трети четверть вдвое/дважды втрое/трижды вчетверо дюжина десяток"
    " сотня ноль",
)
_LANGUAGES: Mapping[str, _Language] = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
    "pt": _PORTUGUESE,
    "it": _ITALIAN,
    "nl": _DUTCH,
    "ru": _RUSSIAN,
}


@cache
def number_words(language: str) -> Mapping[str, NumberWord]:
    """Return the number words of a language, in small letters; none of one that is not known.

    Args:
        language: the first part of a language tag, such as `pt`.
    """
    return dict(_words(_LANGUAGES[language])) if language in _LANGUAGES else {}


@cache
def words_of_all() -> Mapping[str, NumberWord]:
    """Return the number words of all languages; where two share one, the English meaning counts."""
    return {word: meaning for one in (*_LANGUAGES, "en") for word, meaning in number_words(one).items()}


def _words(language: _Language) -> Iterator[tuple[str, NumberWord]]:
    units = dict(_numbered(language.units, range(2, 21)))
    tens = dict(_numbered(language.tens, range(30, 100, 10)))
    numbers = units | tens | _compounds(language.compounds, dict(_numbered(language.one, (1,))) | units, tens)
    numbers |= dict(_numbered(language.powers, _POWERS))
    for word, number in _numbered(language.one, (1,)):
        yield word, NumberWord((number, 1), is_article=True)
    for word, number in numbers.items():
        yield word, NumberWord((number, 1))
    for word, number in _numbered(language.twenties, range(21, 30)):
        yield word, NumberWord((number, 1), is_part=False)
    for word, number in _numbered(language.hundreds, range(200, 1000, 100)):
        yield word, NumberWord((number, 1), is_part=False)
    for word, number in _numbered(language.ordinals, range(1, 11)):
        yield word, NumberWord((number, 1), is_part=False, is_ordinal=number > _SECOND)
    for word, number in _numbered(language.vague, _ORDERS):
        yield word, NumberWord((number, 1), is_vague=True)
    for word, value in _numbered(language.others, _OTHERS):
        yield word, NumberWord(value, is_part=False)


def _numbered(words: str, numbers: Iterable[_Number]) -> Iterator[tuple[str, _Number]]:
    """Yield words with their numbers; no words at all are fine."""
    for forms, number in zip(words.split(), numbers, strict=bool(words)):
        for form in forms.split("/"):
            if form != "-":
                yield form, number


def _compounds(pattern: str, units: Mapping[str, int], tens: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers from 21 to 99 that are one word: `dreiundzwanzig`, `trentadue`."""
    ones = {word: number for word, number in units.items() if number < _TEN}
    higher = {word: number for word, number in units.items() if number == _TWENTY} | dict(tens)
    pairs = product(higher.items(), ones.items()) if pattern else ()
    return {pattern.format(unit=unit, ten=ten): first + second for (ten, first), (unit, second) in pairs}
