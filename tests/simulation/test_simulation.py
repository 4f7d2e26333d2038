"""Some days around a change of the clocks, with all kinds of trouble; `make simulate` runs a whole year."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.simulation.expected import at, due
from tests.simulation.results import judged, table
from tests.simulation.run import log_of, simulated
from tests.simulation.story import EUROPE, READERS, SPRING


@pytest.mark.parametrize(
    ("day", "hour", "zone", "moment"),
    [
        (date(2027, 3, 28), "01:30", "Europe/London", "2027-03-28 01:30"),  # 02:30 by the clocks
        (date(2027, 10, 31), "01:30", "Europe/London", "2027-10-31 00:30"),  # the first of two
        (date(2027, 10, 3), "02:15", "Australia/Lord_Howe", "2027-10-02 15:45"),  # 02:45 by the clocks
        (date(2027, 9, 5), "00:30", "America/Santiago", "2027-09-05 04:30"),  # 01:30 by the clocks
        (date(2027, 7, 1), "06:15", "Asia/Kolkata", "2027-07-01 00:45"),
    ],
)
def test_the_simulation_knows_the_hours_of_days_on_which_clocks_change(
    day: date, hour: str, zone: str, moment: str
) -> None:
    assert at(day, hour, zone) == datetime.fromisoformat(f"{moment}Z")


def test_a_readers_copy_is_due_at_the_next_time_that_it_is_their_hour() -> None:
    [auckland] = [one for one in READERS if one.address == "auckland@europe.example"]
    slot = datetime(2027, 6, 1, 6, 30, tzinfo=UTC)
    assert due(auckland, EUROPE, slot) == datetime(2027, 6, 1, 20, tzinfo=UTC)


@pytest.mark.timeout(600)  # a minute, on a machine with nothing else to do it takes ten seconds
async def test_each_reader_gets_each_issue_once_and_in_time_whatever_happens(tmp_path: Path) -> None:
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # of the relay
    async with simulated(SPRING, tmp_path) as simulation:
        await simulation.run()
    results = judged(simulation)
    assert not results.wrong, table(simulation, results)
    assert results.after_trouble, "nobody had to wait"
    assert len(simulation.died) == len(SPRING.deaths)
    unknown = {event for event in log_of(tmp_path) if not event.startswith(("warning ", "error alarm"))}
    assert not unknown
    alarms = Counter(subject for _, subject in simulation.relay.alarms)
    assert set(alarms.values()) <= {1}, alarms
