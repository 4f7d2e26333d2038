from __future__ import annotations

import pytest

from newsletter.core.machine_text.legible import legible
from newsletter.core.machine_text.quantities import numbers
from newsletter.core.machine_text.values import Value
from tests.core.machine_text.papers import refusal, summarised


def values(text: str, language: str = "en") -> list[set[Value]]:
    """Return all that each number of a text may mean."""
    return [set(number.values) for number in numbers(legible(text), language)]


# Writings of one value each, in a language.
WRITINGS: tuple[tuple[str, Value, str], ...] = (
    ("en", (7, 2), r"3.5 | 3.50 | $3.5$ | ３.５ | \textbf{3.5}"),
    ("en", (1000, 1), "1,000 | 1000 | 1 000 | 1\u202f000 | 1k | 1K | 1{,}000 | 10^3"),
    ("en", (1000, 1), r"1'000 | 1e3 | 10³ | $10^{3}$ | 1\,000 | one thousand | a thousand"),
    ("en", (7 * 10**9, 1), "7B | 7-billion | 7 billion | seven billion | 7bn | 7b | 7e9"),
    ("en", (1500000, 1), r"1.5M | 1.5 million | 1.5 \times 10^6 | 1.5×10⁶ | 1,500,000"),
    ("en", (10, 1), r"10x | 10× | $10\times$ | tenfold | 10-fold | ten | tenth | 10th | ~10 | ≈10"),
    ("en", (1, 1000), "1e-3 | 10^{-3} | 10⁻³ | 0.001 | .001"),
    ("en", (1, 2), r"half | ½ | 1/2 | \frac{1}{2} | 0.5 | 50%"),
    ("en", (2, 1), "two | twice | double | second | 2D | H₂O | n² | two-fold"),
    ("en", (12, 1), "twelve | dozen | १२ | ١٢ | 12nd | １２"),
    ("en", (302, 1), "three hundred and two | 302 | three hundred two"),
    ("de", (1000, 1), "1.000 | 1000 | 1 000 | tausend | 1 Tausend"),
    ("de", (7, 2), "3,5 | 3.5 | 3,50"),
    ("de", (25, 1), "fünfundzwanzig | 25"),
    ("de", (3, 1), "drei | dreistufig | dreifache | dritte"),
    ("de", (7 * 10**9, 1), "7 Milliarden | 7 Mrd. | sieben Milliarden | 7B"),
    ("de", (1, 5), "Fünftel | 20 % | 20 Prozent"),
    ("fr", (97, 1), "quatre-vingt-dix-sept | 97"),
    ("fr", (71, 1), "soixante-et-onze | 71"),
    ("fr", (10_000, 1), "10 000 | 10\u00a0000 | dix mille"),
    ("es", (2 * 10**9, 1), "dos mil millones | 2 mil millones | 2.000 millones"),
    ("es", (35, 1), "treinta y cinco | 35"),
    ("pt", (10**6, 1), "um milhão | 1 milhão | 1.000.000"),
    ("pt", (1, 4), "um quarto | 25 por cento | 25%"),
    ("it", (32, 1), "trentadue | 32"),
    ("nl", (45, 1), "vijfenveertig | 45"),
    ("ru", (5 * 10**6, 1), "пять миллионов | 5 млн | 5 000 000"),
    ("zh", (10_000, 1), "1万 | 一万 | 10000 | 10,000 | 10千"),
    ("zh", (10**6, 1), "一百万 | 100万 | 百万"),
    ("zh", (3, 1), "三个模型 | 第三 | 3倍 | 三维 | 三次元"),
    ("zh", (3, 10), "百分之三十 | 30% | 30％ | 十分之三"),
    ("zh", (2025, 1), "二〇二五年 | 2025年"),
    ("ja", (31_400, 1), "3万1400人 | 3.14万 | 31,400"),
    ("ja", (1, 3), "3分の1 | 三分の一"),
    ("ko", (97_000, 1), "9만 7천 | 9.7만 | 97,000"),
    ("ko", (2, 1), "두 가지 | 2배"),
    ("ar", (7, 2), "٣٫٥ | 3.5 | 3,5"),
)


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [(language, value, written) for language, value, row in WRITINGS for written in row.split(" | ")],
)
def test_a_value_is_the_same_in_each_writing(language: str, value: Value, written: str) -> None:
    assert any(value in one for one in values(written, language))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "one of the models, which once was a single one"),
        ("de", "ein Modell und eine Methode, einzig"),
        ("fr", "un modèle, une méthode"),
        ("es", "un modelo, una media, segundo"),
        ("pt", "segundo os autores, um modelo e uma média"),
        ("zh", "一种统一的方法，进一步提高一致性，十分有效，百科"),
        ("ja", "統一された1つのモデル、一般的な手法"),
        ("en", "the roman numerals IV and XII"),
    ],
)
def test_articles_and_other_words_are_no_numbers(language: str, text: str) -> None:
    assert values(text, language) == []


def test_a_unit_of_time_is_no_ordinal() -> None:
    assert values("30 frames per second and 5-second clips") == [{(30, 1)}, {(5, 1)}]


@pytest.mark.parametrize(
    "digits", ["9" * 19_000, "9," * 9_000 + "9", "1e999", "9^999", "1/0", "1.000" * 4_000, "0" * 5_000]
)
def test_endless_digits_are_no_value_and_no_trouble(digits: str) -> None:
    assert len(values(digits)) <= len(digits)


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "It gains 3.5 percent on 1000 tasks."),
        ("en", "It gains 3,5 % on 1k tasks."),
        ("en", "It uses 100,000 runs and 12345 rows of data."),
        ("en", "It uses thousands of tasks and millions of images."),
        ("en", "It doubles the speed with 5M images."),
        ("en", "It works on 2-5 million images, and on 2,000,000 images."),
        ("en", "It works on 2–5M images."),
        ("en", "It reaches 71.30 on MATH-500, and works with GPT-4o."),
        ("en", "Gains of >71.3, ≈3.5% and ±10 on state-of-the-art tasks."),
        ("en", "It has 8 billion parameters, and uses 10<sup>5</sup> runs."),
        ("en", "It is three times as fast with one model."),
        ("de", "Das Verfahren gewinnt 3,5 % bei 1.000 Aufgaben und ist doppelt so schnell."),
        ("de", "Es nutzt 2 bis 5 Millionen Bilder, zehn Seeds und 8B-Modelle."),
        ("fr", "La méthode double la vitesse avec 100 000 exécutions et 12 345 lignes."),
        ("es", "El método usa la mitad de los datos y mil tareas, y un tercio de las imágenes."),
        ("pt", "O método usa 1.000 tarefas e é duas vezes mais rápido em 3D."),
        ("ru", "Метод ускоряет обучение вдвое на 1000 задач, используя три слоя."),
        ("zh", "该方法在一千个任务上提高了3.5%，使用十个种子和三层。"),
        ("zh", "该方法使用200万至500万张图像，速度提高一倍。"),
        ("ja", "この手法は1000件のタスクで3.5%向上し、三層を用いる。"),
        ("ko", "이 방법은 1,000개 과제에서 3.5% 향상되며 세 개의 층을 사용한다."),
        ("ar", "تستخدم الطريقة ١٠٠٠ مهمة بنسبة ٣٫٥٪ من البيانات."),
    ],
)
def test_numbers_that_the_paper_holds_are_held(language: str, answer: str) -> None:
    assert summarised(answer, language)


@pytest.mark.parametrize(
    ("language", "answer", "number"),
    [
        ("en", "It gets 71 on MATH-500.", "71"),
        ("en", "It gets seventy-one on MATH-500.", "seventy-one"),
        ("en", "It gets 71.4 on MATH-500.", "71.4"),
        ("en", "It gains 74.8, the sum of both.", "74.8"),
        ("en", "It has 4 layers.", "4"),
        ("en", "It has 80B parameters.", "80B"),
        ("en", "It has 8 trillion parameters.", "8 trillion"),
        ("en", "It has 8 layers.", "8"),
        ("en", "It uses trillions of images.", "trillions"),
        ("en", "It quadruples the speed.", "quadruples"),
        ("en", "It improves by 7/8 on the tasks.", "7/8"),
        ("en", "It uses 10<sup>6</sup> runs.", "10^6"),
        ("en", "It uses n⁷ runs.", "7"),
        ("en", "It uses 1.234 rows.", "1.234"),
        ("en", "It is the first method with half of the runs cached.", "first"),
        ("de", "Es nutzt 2 bis 5 Milliarden Bilder.", "5 Milliarden"),
        ("de", "Es hat 8 Billionen Parameter.", "8 Billionen"),
        ("de", "Es nutzt siebzehn Schichten.", "siebzehn"),
        ("de", "Es ist ein sechsstufiges Verfahren.", "sechsstufiges"),
        ("fr", "La méthode utilise quatre couches pour la moitié des exécutions.", "quatre"),
        ("es", "El método usa una cuarta parte de los datos.", "cuarta"),
        ("ru", "Метод использует пять слоёв.", "пять"),
        ("zh", "该方法在两千个任务上提高了3.5%。", "2000"),
        ("zh", "该方法在百分之四十的任务上有效。", "40%"),
        ("ja", "この手法は四層を用いる。", "4"),
        ("ko", "이 방법은 네 개의 층을 사용한다.", "4"),
        ("ar", "تستخدم الطريقة ٩٠٠ مهمة من البيانات.", "900"),
        ("hi", "यह विधि ९०० कार्यों पर काम करती है।", "900"),
    ],
)
def test_numbers_that_the_paper_does_not_hold_are_named(language: str, answer: str, number: str) -> None:
    assert refusal(answer, language) == f"it holds a number that the paper does not: {number}"


def test_a_point_is_read_by_the_language() -> None:
    abstract = "We use 1,234 of the images, which is the most that there are."
    assert summarised("Es nutzt 1.234 Bilder.", "de", abstract=abstract)
    assert summarised("Es nutzt 1,234 Bilder.", "de", abstract=abstract)  # as it is written in the paper
    assert "1.234" in refusal("It uses 1.234 images.", "en", abstract=abstract)
    assert "1,23" in refusal("Es nutzt 1,23 Bilder.", "de", abstract=abstract)


def test_both_readings_count_where_the_papers_language_is_not_clear() -> None:
    assert summarised("It uses 1,234 images.", "en", title="Bilder", abstract="Wir nutzen 1.234 Bilder.")
    assert summarised("It uses seventeen images.", "en", title="Bilder", abstract="Wir nutzen siebzehn Bilder.")
