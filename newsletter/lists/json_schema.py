"""The JSON Schema of a list file (draft 7), for editors: they complete keys, explain them and mark mistakes.

It is made from the models that read list files, so both know the same keys. What depends on other files, such as
whether a source can be read, `newsletter lists check` finds out.
"""

from __future__ import annotations

import re
from typing import Any

from newsletter.lists.schema import ListTable, SubscriberTable

_DRAFT = "http://json-schema.org/draft-07/schema#"
_DEFINITION = "#/definitions/{model}"

# What an editor says of a key, by the model whose key it is.
_WORDS = {
    "ListTable": {
        "title": "What the list is called, in mails and on its pages.",
        "sender": 'From whom the mails come: "Daily Papers <papers@example.org>". Your relay must be allowed to '
        "send for this domain.",
        "sources": 'Where papers come from: "huggingface", "arxiv:cs.CL+cs.LG", "feed:https://…", '
        '"saved_page:listings/*.txt", and those of installed packages.',
        "reply_to": "Where readers' answers go; else to the sender.",
        "postal_address": "Stands in the footer of mails, as bulk-mail law asks.",
        "language": "Of mails and pages, as a tag: en, de, es, fr, ja, pt, zh.",
        "unsubscribe_mailto": "A mailbox that takes unsubscribe mails; else the sender's.",
        "bounces_to": "A mailbox for what comes back. It must take bounces+anything@… too.",
        "cadence": "How often the list has an issue.",
        "days": "On which days it has one.",
        "weekly_day": "On which day weekly issues come out, also those of readers who want one a week.",
        "hour": 'When an issue comes out, in the timezone: "08:00".',
        "timezone": 'An IANA name, such as "Europe/London".',
        "hours": 'When mail may leave: "07:00-21:00". Else at any time.',
        "deadline": 'How late an issue is made and delivered at most: "36h", "4d".',
        "lookback_days": "Pages of so many days are read again: what came or rose late has its chance.",
        "max_listings": "The most papers that one reader gets in an issue; 0: no limit.",
        "min_listings": "With fewer papers there is no issue.",
        "quiet_days": "What happens on a day without news: no mail, or a few lines that say so.",
        "landing": "Where the titles of papers lead.",
        "topics_mode": "What readers with wishes get: what fits them first, or only that.",
        "signup": "Whether people sign up on the web: by themselves, with your approval, or not at all.",
        "members": "A CSV file beside this one with more readers.",
        "theme": "The look of mails and pages.",
        "subject": "Patterns of the subjects of mails.",
        "layout": "How many papers a mail shows as cards and as lines.",
        "ranking": "How much each signal counts.",
        "channels": "Where each issue is posted: Slack, Discord, Telegram, Teams, Feishu, ntfy, or a program.",
        "summaries": "Summaries of papers by a language model: off, unless you ask for them.",
        "topics": "Topics by name, which readers may choose.",
        "subscribers": "The readers, if there is no members file, or beside it.",
    },
    "SubscriberTable": {
        "email": "The reader's mail address.",
        "name": "What mails call the reader.",
        "topics": "Topics of the list that the reader wants.",
        "follows": 'Whom or what the reader follows: "author: Ada Lovelace", "organization: …", "keyword: …".',
        "cadence": "How often the reader wants mail; else as the list has it.",
        "hour": 'When the reader wants mail: "07:30"; else at the list\'s hour.',
        "timezone": "The reader's timezone, an IANA name; else the list's.",
        "topics_mode": "Whether the reader gets what fits first, or only that; else as the list has it.",
        "interest": "What the reader wants to read about, in own words.",
        "examples": "Papers that the reader likes: arXiv ids, links to arXiv, or BibTeX files beside this one.",
        "text": "What the reader wants to read of papers.",
        "days": "On which of the list's days the reader wants issues; else on all.",
        "language": "Of the reader's mails and pages; else the list's.",
    },
    "TopicTable": {
        "keywords": "Words or phrases of titles and abstracts. One with a minus in front excludes.",
        "categories": "arXiv categories, such as cs.CL.",
        "authors": "Names of authors.",
        "organizations": "Names of organizations.",
        "exclude": "Words or phrases of papers that don't belong to the topic.",
    },
    "SignedChannelTable": {
        "url": "Where the program listens: an https address.",
        "secret": "Signs what it is told: whsec_…, or secret: and a name in NEWSLETTER_CHANNELS__SECRETS.",
    },
    "ThemeTable": {
        "intro": "A few words above the papers of every issue.",
        "outro": "A few words below the papers of every issue.",
        "logo": "The text at the head of the mail; else the title.",
        "accent": 'The colour of links, buttons and the logo: "#1a6b4f".',
        "accent_dark": "The same in dark mode.",
        "background": "The colour around the column of papers.",
        "background_dark": "The same in dark mode.",
        "pictures": "Whether the figure of the top paper is shown.",
        "thumbnails": "The former name of pictures.",
    },
    "SubjectTable": {
        "daily": "Of daily mails: any words with {lead}, {title}, {date}, {number} and {count}.",
        "weekly": "Of weekly mails, with the same words in braces.",
    },
    "LayoutTable": {
        "for_you": "Cards of papers that fit the reader's wishes.",
        "also_today": "Cards of papers that everybody gets.",
        "in_brief": "Lines of all others in a daily mail; else as many as max_listings allows.",
    },
    "SummariesTable": {
        "mode": "Of which papers a model writes a summary: none, those without a short text, or all. The model is "
        "set by NEWSLETTER_SUMMARIES__URL and NEWSLETTER_SUMMARIES__MODEL.",
        "language": "In which language, as a tag such as en or de; else the list's.",
        "show": "What a paper with such a summary shows: the summary, or also what it would show without one.",
    },
    "RankingTable": {
        "votes": "Upvotes at the source.",
        "growth": "How fast votes come.",
        "comments": "Comments at the source.",
        "stars": "Stars of the code at GitHub.",
        "hackernews": "Points at Hacker News.",
        "freshness": "How new a paper is.",
    },
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a list file."""
    whole = ListTable.model_json_schema(ref_template=_DEFINITION)
    of_reader = SubscriberTable.model_json_schema(ref_template=_DEFINITION)
    definitions = {**whole.pop("$defs", {}), **of_reader.pop("$defs", {}), "SubscriberTable": of_reader}
    whole["properties"]["subscribers"] = {
        "type": "array",
        "items": {"$ref": _DEFINITION.format(model="SubscriberTable")},
    }
    for model, table in {**definitions, "ListTable": whole}.items():
        table.pop("title", None)
        table.pop("description", None)
        for key, value in table.get("properties", {}).items():
            table["properties"][key] = _explained(value, _WORDS[model][key])
    return {"$schema": _DRAFT, "title": "A list of the newsletter", **whole, "definitions": definitions}


def _explained(value: dict[str, Any], words: str) -> dict[str, Any]:
    """Return the schema of a key with what an editor says of it, and with a default only if a file could say it.

    Draft 7 ignores what stands beside a reference.
    """
    kept = {name: part for name, part in value.items() if name not in {"title", "default", "description"}}
    if "anyOf" in kept:  # with null, which TOML has not
        [kept] = [each for each in kept["anyOf"] if each.get("type") != "null"]
    default = value.get("default")
    is_right = not isinstance(default, str) or re.search(kept.get("pattern", ""), default)
    if default and kept.get("type") in {"string", "integer", "number"} and is_right:
        kept["default"] = default
    if "$ref" in kept:
        kept = {"allOf": [kept]}
    return {**kept, "description": words}
