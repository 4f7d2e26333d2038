from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from newsletter.core.listing import Skipped
from newsletter.sources.reading.parser_process import as_json
from newsletter.sources.reading.records import Seen


@given(st.lists(st.from_type(Seen) | st.from_type(Skipped), max_size=3))
def test_any_result_arrives_unchanged(found: list[Seen | Skipped]) -> None:
    sent = json.loads(as_json(found))
    assert TypeAdapter(list[Seen | Skipped]).validate_python(sent) == found
