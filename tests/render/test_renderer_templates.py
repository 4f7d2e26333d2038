from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.core.errors import RenderError
from newsletter.core.text import one_line
from newsletter.render.issue.renderer import TemplateRenderer
from tests import factories
from tests.render.conftest import TEMPLATES


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An operator's folder with one template of its own."""
    write(tmp_path, "daily/subject.txt", "Fresh from {{ masthead.title }}")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_own_templates_come_before_the_packaged_ones_file_by_file(own: Path) -> None:
    renderer = TemplateRenderer(own, TEMPLATES)
    assert renderer.subject(factories.draft()) == "Fresh from Daily Papers"
    assert "Attention Is All You Need" in renderer.issue(factories.issue(), web_url="").html


def test_an_own_piece_changes_the_mails_that_use_it(own: Path) -> None:
    write(own, "_base/inlined.css", ".title { color: #123456 }")
    assert "color:#123456" in TemplateRenderer(own, TEMPLATES).issue(factories.issue(), web_url="").html


def test_a_changed_template_is_read_anew(own: Path) -> None:
    renderer = TemplateRenderer(own, TEMPLATES)
    renderer.subject(factories.draft())
    write(own, "daily/subject.txt", "Now otherwise, and longer")
    assert renderer.subject(factories.draft()) == "Now otherwise, and longer"


def test_a_template_that_is_added_takes_precedence_and_one_that_is_removed_does_no_more(tmp_path: Path) -> None:
    own = tmp_path / "templates"  # is not there yet
    renderer = TemplateRenderer(own, TEMPLATES)
    packaged = renderer.subject(factories.draft())
    write(own, "daily/subject.txt", "Our own")
    renderer.fingerprint(now=True)  # or a second later
    assert renderer.subject(factories.draft()) == "Our own"
    (own / "daily" / "subject.txt").unlink()
    assert renderer.subject(factories.draft()) == packaged


def failure(own: Path) -> str:
    with pytest.raises(RenderError) as caught:
        TemplateRenderer(own, TEMPLATES).issue(factories.issue(), web_url="")
    return str(caught.value)


def test_a_syntax_error_names_template_and_line(own: Path) -> None:
    write(own, "daily/body.html", "fine\n{% if %}\n")
    assert failure(own).startswith(f"{own}/daily/body.html:2: ")


def test_an_unknown_value_names_template_and_line(own: Path) -> None:
    write(own, "daily/body.txt", "fine\n\n{{ masthead.titel }}\n")
    assert failure(own).startswith(f"{own}/daily/body.txt:3: ")
    assert "titel" in failure(own)


def test_an_error_within_an_imported_macro_names_the_macros_line(own: Path) -> None:
    write(
        own,
        "_base/listing.txt",
        "{% macro lead(item) %}\n{{ item.nothing }}\n{% endmacro %}\n{% macro head(title) %}{% endmacro %}",
    )
    assert failure(own).startswith(f"{own}/_base/listing.txt:2: ")


def test_an_error_of_a_filter_names_template_and_line(own: Path) -> None:
    write(own, "daily/body.txt", "{{ masthead.title | long_date }}")
    assert failure(own).startswith(f"{own}/daily/body.txt:1: ")


def test_a_file_in_another_encoding_is_named(own: Path) -> None:
    (own / "daily" / "body.html").write_bytes("<p>Jürgen</p>".encode("latin-1"))
    assert failure(own) == f"{own}/daily/body.html: is not UTF-8 text: save it in that encoding"


@pytest.mark.parametrize("nothing", ["", " \n", "{# Nothing yet. #}\n"])
def test_a_page_or_a_subject_that_is_empty_is_named(own: Path, nothing: str) -> None:
    write(own, "daily/subject.txt", nothing)
    with pytest.raises(RenderError) as caught:
        TemplateRenderer(own, TEMPLATES).subject(factories.draft())
    assert str(caught.value).startswith(f"{own}/daily/subject.txt: makes an empty subject: ")
    write(own, "daily/body.html", nothing)
    assert failure(own).startswith(f"{own}/daily/body.html: makes an empty page: ")


def test_a_loop_that_would_take_hours_is_named(own: Path) -> None:
    write(own, "daily/body.txt", "\n{% for n in range(10 ** 12) %}{% endfor %}")
    assert failure(own).startswith(f"{own}/daily/body.txt:2: range(1000000000000,) is too long: ")
    write(own, "daily/body.txt", "{{ range(9999, -1, -1) | length }}{{ range(2, 2) | length }}")
    assert TemplateRenderer(own, TEMPLATES).issue(factories.issue(), web_url="").text.strip() == "100000"


def test_loops_within_loops_that_would_take_hours_are_named(own: Path) -> None:
    loops = ["{% for a in range(9999) %}", "{% for b in range(9999) %}", "{% for c in range(9999) %}", ""]
    write(own, "daily/body.txt", "\n".join(loops) + "{% endfor %}" * 3)
    assert failure(own).startswith(f"{own}/daily/body.txt:3: its loops take too long: 1,000,000 turns ")
    many = "{% macro some() %}{% for a in range(9999) if a < 0 %}{% endfor %}{% endmacro %}"
    write(own, "daily/body.txt", f"{many}\n{{% for b in range(9999) %}}{{{{ some() }}}}{{% endfor %}}")
    assert failure(own).startswith(f"{own}/daily/body.txt:2: its loops take too long: ")  # where it is called


@pytest.mark.parametrize(
    "slip",
    [
        "{{ '-' * 10 ** 10 }}",
        "{{ 10 ** 10 * [1] }}",
        "{{ 7 ** (10 ** 10) }}",
        "{% set n = namespace(x='x') %}{% for _ in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='x') %}{% for _ in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x='x') %}{% for _ in range(99) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",  # noqa: E501
        "{% for _ in range(9999) %}{{ 'x' * 99999 }}{% endfor %}",
        "{{ 'x' | center(10 ** 9) }}",
        "{{ 'x'.center(10 ** 9) }}",
        "{% set width = 10 ** 9 %}{{ 'x'.ljust(width) | length }}",
        "{{ '\t'.expandtabs(10 ** 9) }}",
        "{{ 'x' | indent(10 ** 9) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '%-1000000000s' % 'x' }}",
        "{{ '%(a).1000000000f' % {'a': 1} }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{% set n = namespace(x='x') %}{% for _ in range(9) %}{% set n.x = n.x | replace('', 'b' * 999) %}{% endfor %}",  # noqa: E501
        "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
        "{{ [1] | batch(10 ** 9, 'x') | list }}",
        "{{ [1] | slice(10 ** 9) | list }}",
        "{{ range(9999) | map('string') | map('center', 10 ** 6) | list | length }}",
        "{{ [1] | tojson(indent=10 ** 9) }}",
        "{{ lipsum(10 ** 6) }}",
    ],
)
def test_a_template_that_would_take_all_memory_is_named(own: Path, slip: str) -> None:
    write(own, "daily/subject.txt", f"\n{slip}")
    with pytest.raises(RenderError) as caught:
        TemplateRenderer(own, TEMPLATES).subject(factories.draft())
    said = str(caught.value)
    place = "" if "99999 }}" in slip else ":2"  # all of the page is too long
    assert said.startswith(f"{own}/daily/subject.txt{place}: ")
    assert said.endswith((" are the most", " is too long"))


def test_a_page_that_is_too_long_is_named(own: Path) -> None:
    write(own, "daily/body.html", "\n{{ 'x' * 20000000 }}")
    assert failure(own).startswith(f"{own}/daily/body.html: it makes too much: 20,000,000 characters ")


def test_what_is_bounded_works_as_ever(own: Path) -> None:
    shown = {
        "'-' * 3": "---",
        "2 * 'ab'": "abab",
        "3 * 4": "12",
        "2 ** 10": "1024",
        "7 % 4": "3",
        "'a' ~ 1 ~ 'b'": "a1b",
        "[1] + [2]": "[1, 2]",
        "1.5 * 2": "3.0",
        "[3, 4] | sum": "7",
        "'x' | center(3)": " x ",
        "'x'.rjust(3, '.')": "..x",
        "'ab'.replace('a', 'c') | replace('b', 'd')": "cd",
        "'%05.1f of %(a)s %%20000' % {'a': 1} if 0 else '%05.1f, 100%% 20000' % 2": "002.0, 100% 20000",
        "'%s of %s' | format(10 ** 9, 12)": "1000000000 of 12",
        "'{:>3}{a}'.format(20000, a='b')": "20000b",
        "[1, 2, 3] | batch(2, 0) | list": "[[1, 2], [3, 0]]",
        "30000 | tojson": "30000",
        "'x' | wordwrap(10 ** 9)": "x",
        "{'replace': 3}.replace": "3",
    }
    write(own, "daily/subject.txt", ";".join(f"{{{{ {expression} }}}}" for expression in shown))
    subject = TemplateRenderer(own, TEMPLATES).subject(factories.draft())
    assert subject == one_line(";".join(shown.values()))


def test_loops_know_where_they_are(own: Path) -> None:
    loop = "{% for a in 'xyz' %}{{ loop.index }}{{ loop.length }}{{ a }}{{ ' ' if not loop.last }}{% endfor %}"
    write(own, "daily/body.txt", loop + "{% for a in [] %}{% else %} none{% endfor %}")
    assert TemplateRenderer(own, TEMPLATES).issue(factories.issue(), web_url="").text.strip() == "13x 23y 33z none"


def test_a_template_that_takes_itself_in_is_named(own: Path) -> None:
    write(own, "daily/body.txt", "\n{% include 'daily/body.txt' %}")
    assert failure(own).startswith(f"{own}/daily/body.txt:2: ")


def test_a_missing_template_names_the_folders(own: Path) -> None:
    write(own, "daily/body.txt", "{% include 'footer.txt' %}")
    assert failure(own) == f"template footer.txt is not in {own} or {TEMPLATES}"


def test_a_wrong_theme_names_list_and_key() -> None:
    issue = factories.issue(masthead=factories.masthead(theme={"accnt": "#000000"}))
    with pytest.raises(RenderError, match=r"theme of 'Daily Papers': 'accnt' is unknown"):
        TemplateRenderer(None, TEMPLATES).issue(issue, web_url="")


def test_a_form_of_no_listing_names_template_and_line(own: Path) -> None:
    write(own, "daily/body.html", "\n{% call form('card', 99) %}x{% endcall %}")
    assert failure(own) == f"{own}/daily/body.html:2: form('card', 99): the issue has no such listing"


def test_a_number_in_a_template_is_written_as_each_language_does(own: Path) -> None:
    write(own, "daily/subject.txt", "{{ 12345 | compact }}, {{ 46 | counted('paper') }}")
    renderer = TemplateRenderer(own, TEMPLATES)
    subjects = [
        renderer.subject(factories.draft(terms=factories.terms(masthead=factories.masthead(language=tag))))
        for tag in ("en", "de", "zh-Hans", "en")
    ]
    assert subjects == ["12.3K, 46 papers", "12.345, 46 Artikel", "1.2万, 46 篇论文", "12.3K, 46 papers"]
