"""Numbers that Chinese, Japanese and Korean write in words, rewritten in digits. Pure.

A numeral counts where it makes a number with others (`三百万`), before what it counts (`三个`, `二段階`), and
after `第`: by itself it is a part of many words (`統一`, `百科`, `十分`). `一` alone is an article.
"""

from __future__ import annotations

import math
import re

VAGUE = "\ue000"  # stands before an order of magnitude (`数千`)
_DIGITS = {**{char: number for number, char in enumerate("零一二三四五六七八九")}, "\u3007": 0, "两": 2, "兩": 2}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
_KOREAN_LARGE = {"만": 10**4, "억": 10**8, "조": 10**12}
POWERS = {**_SMALL, **_LARGE, **_KOREAN_LARGE, "천": 1000, "백": 100}  # after digits: `1.5万`, `5천만`
_NUMERAL = "〇零一二三四五六七八九十百千万萬亿億兆两兩"
_COUNTED = (  # a counter, or the first character of one
    "次元|[个個种種类類项項倍层層阶階维維年月天日名条條组組轮輪步篇张張大つ段位台套幅份只枚本件秒小時间間週周号級级"
    "章节節款国國语語所家场場款轴軸路跳]"
)
_IDIOMS = re.compile(
    "万一|千万(?!个|条|张|级|参|规)|十分(?!之)|百分点|三三|一一|千变万化|成千上万|万能|万物|百科|十字|八卦|统一|統一|唯一|第一人称"
)
_PERCENT = re.compile(rf"百分之(?=[{_NUMERAL}\d])([{_NUMERAL}]{{1,12}}|[\d.]{{1,12}})")
_PARTS = re.compile(rf"([{_NUMERAL}\d]{{1,6}})分[之の]([{_NUMERAL}\d]{{1,6}})")
_UNITS = "万萬만亿億억兆조千천百백"
_MIXED = re.compile(
    rf"(?<![\d.,])\d{{1,4}}(?:\s?[{_UNITS}]{{1,2}}\s?\d{{1,4}}){{1,3}}(?:\s?[{_UNITS}]{{1,2}})?(?![\d.,]\d)"
)
_MIXED_PART = re.compile(rf"(\d+)\s?([{_UNITS}]*)")
_ORDERS = re.compile("[数數几幾上]([十百千万萬亿億]{1,2})")
_NUMBER = re.compile(
    rf"(?<!\d)(?<!\d )(第)?([{_NUMERAL}]{{1,20}})(?:点([〇零一二三四五六七八九]{{1,8}}))?(?=({_COUNTED})?)"
)
_HALF = re.compile("一半|半数|半數|半减|半減|减半|減半")
_DOUBLED = re.compile("翻倍|翻番|倍増")
# An article that is written as a number: one of them.
_ARTICLE = re.compile("(?<![\\d.])1\\s?(?=つ|个|個|개의|가지의)")
_KOREAN = {"두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10}
_KOREAN_COUNTED = re.compile(
    rf"(?<![가-힣])({'|'.join(_KOREAN)})\s?(?=(?:가지|개|종|단계|배|명|번|차원|편|시간|년|층|쌍|축)(?![가-힣]{{4}}))"
)
_KOREAN_ORDERS = re.compile("수\\s?(십|백|천|만|억)")
_KOREAN_POWERS = {"십": 10, **{word: power for word, power in POWERS.items() if "가" <= word <= "힣"}}
_HAN_OR_HANGUL = re.compile("[〇一-鿿가-힣]")


def with_digits(text: str) -> str:
    """Return a text in which Chinese, Japanese and Korean numbers are digits; articles are left out."""
    if not _HAN_OR_HANGUL.search(text):
        return text
    text = _IDIOMS.sub(" ", _ARTICLE.sub(" ", text))
    text = _ORDERS.sub(lambda order: f" {VAGUE}{value(order[1])} ", text)
    text = _PERCENT.sub(lambda percent: f" {_number(percent[1])}% ", text)
    text = _PARTS.sub(lambda parts: f" {_number(parts[2])}/{_number(parts[1])} ", text)
    text = _MIXED.sub(_joined, text)
    text = _DOUBLED.sub(" 2 ", _HALF.sub(" 1/2 ", text))
    text = _NUMBER.sub(_rewritten, text)
    text = _KOREAN_ORDERS.sub(lambda order: f" {VAGUE}{_KOREAN_POWERS[order[1]]} ", text)
    return _KOREAN_COUNTED.sub(lambda number: f" {_KOREAN[number[1]]} ", text)


def value(numeral: str) -> int:
    """Return what a Chinese numeral counts: `三百五十万` is 3,500,000, and `二〇二五` is 2025."""
    if not set(numeral) & (_SMALL.keys() | _LARGE.keys()):
        return int("".join(str(_DIGITS[char]) for char in numeral))
    total = section = digit = 0
    for char in numeral:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _SMALL:
            section += (digit or 1) * _SMALL[char]
            digit = 0
        else:
            total = (
                (total + (section + digit or 1)) * _LARGE[char]
                if not total
                else total + (section + digit) * _LARGE[char]
            )
            section = digit = 0
    return total + section + digit


def _number(numeral: str) -> str:
    is_numeral = set(numeral) <= set(_NUMERAL)
    return str(value(numeral)) if is_numeral else numeral


def _joined(number: re.Match[str]) -> str:
    """Return one number for `3万1400` and `9만 7천`."""
    parts = [
        (int(digits), math.prod(POWERS[unit] for unit in units))
        for digits, units in _MIXED_PART.findall(number[0])
    ]
    powers = [power for _, power in parts]
    if powers != sorted(set(powers), reverse=True):
        return number[0]
    return f" {sum(digits * power for digits, power in parts)} "


def _rewritten(number: re.Match[str]) -> str:
    ordinal, numeral, part, counted = number.groups()
    is_article = numeral == "一" and not ordinal and part is None
    if is_article or not (ordinal or part or counted or len(numeral) > 1):
        return number[0]
    return f" {value(numeral)}{f'.{value(part)}' if part else ''} "
