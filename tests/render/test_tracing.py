"""Elements of a mail lead back to the lines of the templates that wrote them."""

from __future__ import annotations

from pathlib import Path

from newsletter.core.choice import Choice
from newsletter.core.tokens import Links
from newsletter.pipeline.check import for_nobody
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.issue.tracing import TracedTemplates, untraced
from newsletter.render.lint import lint
from newsletter.render.lint.mail import Mail
from tests.render import mails as make
from tests.render.conftest import TEMPLATES

BODY = (TEMPLATES / "daily" / "body.html").read_text(encoding="utf-8")
LINKS = Links("https://papers.example.org", "key")


def mail(templates: TemplateRenderer, name: str = "twenty") -> Mail:
    renderer, issue = MailRenderer(templates, LINKS), make.issues()[name]
    message = renderer.message(issue, renderer.render(issue))
    delivery = for_nobody(issue)._replace(choice=Choice.first(issue.length))
    return Mail(message.for_reader(delivery)[1], issue)


def test_a_traced_mail_is_the_mail_itself_but_for_the_places() -> None:
    for name in ("twenty", "weekly"):
        real, traced = mail(TemplateRenderer(None, TEMPLATES), name), mail(TracedTemplates(None, TEMPLATES), name)
        assert traced.html != real.html
        assert untraced(traced.html) == real.html
        assert traced.text == real.text


def test_an_element_leads_to_its_line_that_of_a_macro_too_and_what_no_template_wrote_to_what_holds_it() -> None:
    templates = TracedTemplates(None, TEMPLATES)
    page = mail(templates).page

    def line(element: object) -> str:
        name, _, number = templates.line_of(element).rpartition(":")
        return Path(name).read_text(encoding="utf-8").splitlines()[int(number) - 1]

    assert line(page).startswith('<html lang="{{ masthead.language }}"')
    [lead] = (one for one in page.iter("h2") if "lead-title" in (one.get("class") or ""))
    assert '<h2 class="lead-title serif"' in line(lead)
    assert '<a class="link plain"' in line(lead.find("a"))
    lead.find("a").attrib.pop("data-line-of")
    assert '<h2 class="lead-title serif"' in line(lead.find("a"))


def test_findings_have_spots_that_lead_to_elements_fields_and_lines(tmp_path: Path) -> None:
    (tmp_path / "daily").mkdir()
    wrong = '{% block head %}<p style="color: #aaaaaa">pale</p><img src="x.png"><a href="javascript:x()">x</a>'
    (tmp_path / "daily" / "body.html").write_text(BODY.replace("{% block head %}", wrong), encoding="utf-8")
    shown = mail(TemplateRenderer(tmp_path, TEMPLATES))
    templates = TracedTemplates(tmp_path, TEMPLATES)
    traced = mail(templates)
    line = BODY[: BODY.index("{% block head %}")].count("\n") + 1

    found = {one.rule: one for one in lint(shown.raw, shown.issue)}
    for rule, tag in (("image-alt", "img"), ("image-source", "img"), ("link-target", "a"), ("contrast", "p")):
        spot = found[rule].spot
        assert spot is not None
        assert spot.tag == tag
        element = list(traced.page.iter(tag))[spot.index]
        assert templates.line_of(element) == f"{tmp_path / 'daily' / 'body.html'}:{line}"

    headless = shown.raw.replace(b"List-Unsubscribe-Post:", b"X-Nothing:")
    [header] = [one.spot for one in lint(headless, shown.issue) if one.rule == "unsubscribe-post"]
    assert header is not None
    assert header.header == "List-Unsubscribe-Post"
    long = shown.raw + b"x" * 2000
    [source] = [one.spot for one in lint(long, shown.issue) if one.rule == "line-length"]
    assert source is not None
    assert source.source_line == shown.raw.count(b"\n") + 1


def test_a_message_is_the_same_when_only_what_it_shows_is_rendered() -> None:
    renderer = MailRenderer(TemplateRenderer(None, TEMPLATES), LINKS)
    for name in ("sixty", "weekly"):
        issue = make.issues()[name]
        positions = tuple(range(len(issue.listings)))[::2][:12]
        choice = Choice(positions, ((),) * len(positions))
        delivery = for_nobody(issue)._replace(choice=choice, subject="Papers")
        for_all, for_some = renderer.render(issue), renderer.render_for(issue, choice)
        whole, part = (renderer.message(issue, one).for_reader(delivery)[1] for one in (for_all, for_some))
        assert part == whole
        assert len(for_some.html.page) < len(for_all.html.page) * 0.8
