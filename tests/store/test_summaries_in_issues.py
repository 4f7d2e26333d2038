"""What models wrote of papers stands in the issues that are closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from newsletter.core.machine_summary import MachineSummary, SummaryShow
from newsletter.ports import Store
from tests.store.samples import DAY, LIST, NOW, draft, due, in_issue, keys, paper, record

OLD = MachineSummary(text="Ein „Satz“.", language="de", model="qwen3:8b", title="Titel", show=SummaryShow.BOTH)
NEW = replace(OLD, text="Ein neuer Satz.")
NEVER = 10**9


async def test_what_a_model_wrote_is_kept_with_the_issue_and_the_newest_counts(store: Store) -> None:
    await record(store, paper(1), paper(2), paper(3))
    one, two, three = (await keys(store)).values()
    first = (
        replace(in_issue(one, 1), machine=OLD),
        replace(in_issue(two, 2), machine=OLD),
        in_issue(three, 3, replace(paper(3), title='a "machine":{ of words')),
    )
    second = (replace(in_issue(one), machine=NEW), in_issue(two, 2))
    for made in (draft(*first), draft(*second, day=DAY + timedelta(days=1), number=2)):
        await store.issues.freeze(made, "Papers", due(), now=NOW)
    issue = await store.issues.find(LIST, DAY)

    assert issue is not None
    assert [each.machine for each in issue.listings] == [OLD, OLD, None]
    assert await store.issues.machine_summaries([LIST], [one, two, three, NEVER]) == {one: NEW, two: OLD}
    assert await store.issues.machine_summaries(["other"], [one, two]) == {}
    assert await store.issues.machine_summaries([LIST], []) == {}
    found = await store.papers.find(paper(1).id)
    assert found is not None
    assert [each.machine for each in found.issues] == [NEW, OLD]
