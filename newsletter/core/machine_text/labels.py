"""What models say before and after a summary or a title: labels, preambles, notes. Pure."""

from __future__ import annotations

import re

_LABELS = (
    r"(?:one[- ]sentence |short |brief |plain[- ]language |concise |english |german "
    r"|translated )?(?:summary|title|translation)"
    r"|abstract|tl;?\s?dr|answer|output|response|final answer"
    r"|(?:kurz)?zusammenfassung|kurzfassung|titel|(?:deutsche )?übersetzung|antwort"
    r"|résumé|titre(?: traduit)?|traduction|réponse|en bref"
    r"|resumen|título(?: traducido| traduzido)?|traducción|respuesta|resumo|tradução|resposta"
    r"|riassunto|sintesi|titolo|traduzione|samenvatting|vertaling"
    r"|резюме|краткое содержание|аннотация|заголовок|название|перевод|ответ"
    r"|要約|概要|まとめ|タイトル|題名|翻訳|訳|摘要|概述|总结|總結|一句话总结|标题|標題|翻译|翻譯|译文|요약|제목|번역|ملخص|العنوان|סיכום|περίληψη|τίτλος"
)
_LABEL = re.compile(
    rf"(?:[*_#\s]{{0,6}})(?:{_LABELS})(?:\s?[(\uff08][^()\uff08\uff09]{{0,30}}[)\uff09])?"
    rf"[*_\s]{{0,4}}(?:[:\uff1a][*_]{{0,3}}|\s[-\u2013\u2014]\s|\n)\s*",
    re.IGNORECASE,
)
_BRACKETED = re.compile(rf"[\[\u3010]\s?(?:{_LABELS})\s?[\]\u3011]\s*[:\uff1a]?\s*", re.IGNORECASE)
_COURTESY = re.compile(
    r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|gern(?:e)?|natürlich|bien sûr"
    r"|certainement|claro"
    r"|por supuesto|certo|certamente|好的|当然|當然|もちろん(?:です)?|承知しました|はい|네"
    r"|конечно)[!,.:;\uff0c\u3002\uff01\u3001]\s*",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"(?:here(?:'s|\u2019s| is| are)|below is|this is|hier ist|hier eine?|voici|aquí (?:está|tienes|tiene)"
    r"|aqui está|ecco|вот|以下|这是|這是|これは|다음은)"
    r"(?=[^:\uff1a\n]{0,100}(?:summary|sentence|title|translat|zusammenfass|satz|titel|übersetz|résumé"
    r"|phrase|titre|traduc"
    r"|resumen|frase|título|resumo|tradu|riassunto|titolo|резюме|перевод|предложени|摘要|总结|總結|概括|标题|標題|翻译|翻譯"
    r"|要約|タイトル|訳|요약|제목))"
    r"[^:\uff1a\n]{0,100}(?:[:\uff1a]|\n)\s*",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\n[ \t]*[(\[*_]{0,3}(?:note|hinweis|anmerkung|remarque|nota|osservazione|примечание|注|注意|备注"
    r"|word count|character count|let me know|i hope|hope this)\b[^\n]*\Z"
    r"|\n[ \t]*[(\[]\d{1,3} (?:words|characters|wörter|zeichen|mots|palabras|palavras)[)\]]\s*\Z",
    re.IGNORECASE,
)


def without_label(text: str, like: str) -> str:
    """Return a text without what introduces or follows it, such as `Summary:`.

    Args:
        text: an answer.
        like: a text that it translates; where that has a label itself (`TL;DR: …`), one stays.
    """
    if (courtesy := _COURTESY.match(text)) and not _COURTESY.match(like):
        text = text[courtesy.end() :]
    text = text[introduced.end() :] if (introduced := _PREAMBLE.match(text)) else text
    if not _LABEL.match(f"{like}\n"):
        label = _LABEL.match(text) or _BRACKETED.match(text)
        text = text[label.end() :] if label else text
    return _NOTE.sub("", text)
