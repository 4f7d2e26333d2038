"""The JSON Schema of list files knows what the program reads, and marks what it refuses."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from newsletter.lists.json_schema import json_schema
from newsletter.lists.schema import ListTable, SubscriberTable

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "subscribers" / "daily.toml"
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
# Of a commented line of the sample: the key and its value, or a table.
COMMENTED = re.compile(r"# (\w+ = .*|\[[\w.\[\]]+\].*)")

LEAST = {"title": "Daily", "sender": "Daily <daily@example.org>", "sources": ["huggingface"]}


def wrong(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "") -> list[str]:
    """Return where a value breaks a schema, by those words of draft 7 that ours uses."""
    known = {"$ref", "type", "properties", "additionalProperties", "required", "items", "enum", "const", "pattern"}
    known |= {"minimum", "maximum", "allOf", "anyOf", "description", "default", "definitions", "$schema", "title"}
    assert not schema.keys() - known, "a word that this check does not know"
    if "$ref" in schema:
        return wrong(value, whole["definitions"][schema["$ref"].rpartition("/")[2]], whole, at)
    found = [each for part in schema.get("allOf", ()) for each in wrong(value, part, whole, at)]
    if "anyOf" in schema and all(wrong(value, part, whole, at) for part in schema["anyOf"]):
        found.append(at)
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool)):
        return [*found, at]
    if "enum" in schema and value not in schema["enum"]:
        found.append(at)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(at)
    if isinstance(value, int | float):
        least, most = schema.get("minimum", value), schema.get("maximum", value)
        found += [at] * (not least <= value <= most)
    if isinstance(value, list):
        items = schema.get("items", {})
        found += [each for place, one in enumerate(value) for each in wrong(one, items, whole, f"{at}[{place}]")]
    if isinstance(value, dict):
        found += [f"{at}.{name} lacks" for name in schema.get("required", ()) if name not in value]
        for name, one in value.items():
            part = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            found += [f"{at}.{name}"] if part is False else wrong(one, part, whole, f"{at}.{name}")
    return found


def mistakes(table: dict[str, Any]) -> list[str]:
    schema = json.loads(json.dumps(json_schema()))
    return wrong(table, schema, schema)


def test_the_sample_list_is_right_with_all_that_it_shows_in_comments() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert mistakes(tomllib.loads(text)) == []
    shown = [found[1] for line in text.splitlines() if (found := COMMENTED.match(line))]
    head = [line for line in shown if line.startswith("[")]
    assert head
    keys = [each for each in shown[: shown.index(head[0])] if each.split(" ")[0] not in tomllib.loads(text)]
    assert mistakes(LEAST | tomllib.loads("\n".join(keys))) == []


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"titel": "x"}, ".titel"),
        ({"title": " "}, ".title"),
        ({"cadence": "hourly"}, ".cadence"),
        ({"days": ["monday"]}, ".days[0]"),
        ({"hour": "8 o'clock"}, ".hour"),
        ({"max_listings": -1}, ".max_listings"),
        ({"max_listings": "20"}, ".max_listings"),
        ({"signup": "sometimes"}, ".signup"),
        ({"theme": {"accent": "red"}}, ".theme.accent"),
        ({"topics": {"one": {"keyword": []}}}, ".topics.one.keyword"),
        ({"subscribers": [{"name": "Ann"}]}, ".subscribers[0].email lacks"),
        ({"subscribers": [{"email": "ann"}]}, ".subscribers[0].email"),
        ({"subscribers": [{"email": "ann@example.org", "text": "all"}]}, ".subscribers[0].text"),
    ],
)
def test_a_mistake_is_marked_where_it_is(more: dict[str, Any], where: str) -> None:
    assert mistakes(LEAST) == []
    assert mistakes(LEAST | more) == [where]


def test_each_key_is_explained_and_none_is_missing() -> None:
    schema = json_schema()
    tables = {**schema["definitions"], "ListTable": schema}
    assert schema["properties"].keys() == ListTable.model_fields.keys()
    assert tables["SubscriberTable"]["properties"].keys() == SubscriberTable.model_fields.keys()
    unexplained = [
        f"{name}.{key}"
        for name, table in tables.items()
        for key, value in table.get("properties", {}).items()
        if not value["description"].endswith((".", ". "))
    ]
    assert unexplained == []
