from __future__ import annotations

from datetime import time

from newsletter.core.choice import ReasonKind
from newsletter.core.follows import Follow
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus
from newsletter.core.syncing import SyncCounts
from newsletter.core.topics import TopicsMode

ADA = Follow(ReasonKind.AUTHOR, "Ada Lovelace")


def test_a_member_becomes_an_active_subscriber_of_the_list_that_its_file_brought() -> None:
    member = Member(
        "Ann@Example.org",
        "Ann",
        ("agents",),
        (ADA,),
        Cadence.WEEKLY,
        time(7),
        "Asia/Tokyo",
        TopicsMode.ONLY,
        "graphs",
    )
    assert member.on("daily") == Subscriber(
        list="daily",
        email="Ann@Example.org",
        name="Ann",
        topics=("agents",),
        follows=(ADA,),
        cadence=Cadence.WEEKLY,
        hour=time(7),
        timezone="Asia/Tokyo",
        topics_mode=TopicsMode.ONLY,
        interest="graphs",
        status=SubscriberStatus.ACTIVE,
        origin=Origin.FILE,
    )
    assert member.address_key == member.on("daily").address_key == "ann@example.org"


def test_counts_differ_unless_all_stay_as_they_are() -> None:
    assert not SyncCounts(unchanged=3).differ
    assert all(counts.differ for counts in (SyncCounts(added=1), SyncCounts(changed=1), SyncCounts(removed=1)))
