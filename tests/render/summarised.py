"""Issues with summaries by a model, in four languages (true titles; texts in our own words)."""

from __future__ import annotations

from dataclasses import replace

from newsletter.core.issue import Issue
from newsletter.core.machine_summary import MachineSummary, SummaryShow

# By arXiv id: the title in that language where it is translated, and the summary.
_ENGLISH = {
    "1706.03762": ("", "Replaces recurrence with attention alone, and so trains translation models much faster."),
    "2304.02643": (
        "",
        "Cuts out any object in a picture that a point, a box or a rough mask marks, without training for it.",
    ),
    "2305.18290": ("", "Learns from preferred answers with a simple loss, without a reward model."),
    "2312.00752": ("", "Lets a state space model choose what to keep and what to forget, in linear time."),
    "2106.09685": ("", "Adapts a large model by training small low-rank matrices beside its frozen weights."),
    "2210.03629": ("", "Lets a language model write down its thoughts between actions, so that it plans better."),
    "1710.10903": ("", "Lets each node of a graph weigh its neighbours by attention."),
    "2003.08934": (
        "",
        "Stores a scene in a small network that maps directions to colours, and shows it from new angles.",
    ),
}
_GERMAN = {
    "1706.03762": (
        "Aufmerksamkeit ist alles, was man braucht",
        "Ersetzt Rekurrenz durch Aufmerksamkeit; Übersetzungsmodelle lernen so in einem Bruchteil der Zeit.",
    ),
    "2304.02643": (
        "Alles segmentieren",
        "Schneidet jedes Objekt aus, das ein Punkt, ein Kasten oder eine grobe Maske im Bild markiert.",
    ),
    "2305.18290": (
        "Direkte Präferenzoptimierung: Dein Sprachmodell ist insgeheim ein Belohnungsmodell",
        "Lernt aus verglichenen Antworten mit einer einfachen Verlustfunktion, ohne ein Belohnungsmodell.",
    ),
    "2312.00752": (
        "Mamba: Sequenzen in linearer Zeit mit selektiven Zustandsraummodellen",
        "Ein Zustandsraummodell entscheidet anhand der Eingabe, was es behält und was es vergisst.",
    ),
    "2308.04079": (
        "3D Gaussian Splatting: Strahlungsfelder in Echtzeit darstellen",
        "Stellt Szenen aus kleinen farbigen Gauß-Funktionen in Echtzeit dar, so gut wie langsamere Verfahren.",
    ),
    "2106.09685": (
        "LoRA: Große Sprachmodelle mit Matrizen niedrigen Rangs anpassen",
        "Passt große Modelle an, indem nur kleine Matrizen neben den eingefrorenen Gewichten lernen.",
    ),
}
_ARABIC = {
    "1706.03762": (
        "الانتباه هو كل ما تحتاجه",
        "يستغني هذا العمل عن الطبقات التكرارية ويعتمد على الانتباه وحده، فتتدرب النماذج في جزء يسير من الوقت.",
    ),
    "2304.02643": ("تجزئة أي شيء", "يقص النموذج أي كائن في الصورة تشير إليه نقطة أو إطار أو قناع تقريبي."),
    "2305.18290": (
        "",
        "DPO: دالة خسارة بسيطة على أزواج من الإجابات تحل محل نموذج المكافأة والتعلم المعزز.",
    ),
}
_CHINESE = {
    "1706.03762": ("注意力就是一切", "该模型完全用注意力取代循环和卷积，训练翻译模型所需的时间大大缩短。"),
    "2304.02643": ("分割一切", "只需一个点、一个框或一个粗略的掩码，模型就能从图像中分割出它从未学过的物体。"),
    "2305.18290": (
        "直接偏好优化：你的语言模型其实是一个奖励模型",
        "用一个简单的分类损失从成对的回答中学习偏好，不再需要奖励模型和强化学习。",
    ),
    "2312.00752": (
        "Mamba：用选择性状态空间实现线性时间的建模",
        "状态空间模型的参数随输入而变，从而选择记住什么。",
    ),
    "2106.09685": ("LoRA：大语言模型的低秩适配", "冻结大模型的权重，只训练旁边的小型低秩矩阵，就足以完成微调。"),
}
_TEXTS = {"en": _ENGLISH, "de": _GERMAN, "ar": _ARABIC, "zh-CN": _CHINESE}


def summarised(
    issue: Issue, language: str, model: str = "gpt-5-mini", show: SummaryShow = SummaryShow.SUMMARY
) -> Issue:
    """Return an issue with the summaries that there are in a language."""
    texts = _TEXTS[language]
    listings = []
    for one in issue.listings:
        title, text = texts.get(one.listing.arxiv_id, ("", ""))
        machine = MachineSummary(text=text, language=language, model=model, title=title, show=show)
        listings.append(replace(one, machine=machine) if text else one)
    return replace(issue, listings=tuple(listings))
