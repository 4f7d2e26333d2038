"""The alarm for the ledger itself: once a machine, by a file, and in spite of a full disk."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.core.errors import StoreError
from newsletter.core.notices import Notice
from newsletter.operations.ledger_trouble import LedgerTrouble
from tests.store.samples import NOW

BROKEN = StoreError("var/newsletter.db: database or disk is full")
MINUTE = timedelta(minutes=1)


@dataclass
class Machine:
    """A machine whose ledger is in trouble, and what its operator was told."""

    mark: Path
    now: datetime = NOW
    told: list[Notice] = field(default_factory=list)
    takes: bool = True  # whether anybody can be told

    async def tell(self, notice: Notice) -> bool:
        self.told += [notice] * self.takes
        return self.takes

    def process(self) -> LedgerTrouble:
        return LedgerTrouble(self.mark, self.tell, lambda: self.now)

    async def fails(self, process: LedgerTrouble, *, minutes: int) -> None:
        for _ in range(minutes):
            await process.failed(BROKEN)
            self.now += MINUTE


async def test_trouble_of_five_minutes_is_told_once_over_restarts_and_so_is_its_end(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "alarms" / "ledger")
    process = machine.process()
    await machine.fails(process, minutes=4)
    await process.worked()
    await machine.fails(process, minutes=5)
    assert machine.told == []
    await machine.fails(process, minutes=3)
    await machine.fails(machine.process(), minutes=9)
    [raised] = machine.told
    assert json.loads(raised.data)["reason"] == str(BROKEN)
    after = machine.process()
    for _ in range(2):
        await after.worked()
    _, over = machine.told
    assert (over.kind, over.id) == ("alarm.over", f"{raised.id}_over")
    assert json.loads(over.data)["since"] == json.loads(raised.data)["since"] == "2026-03-02T08:04:00+00:00"


async def test_it_tries_again_while_nobody_can_be_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "ledger", takes=False)
    process = machine.process()
    await machine.fails(process, minutes=9)
    machine.takes = True
    await machine.fails(process, minutes=9)
    assert len(machine.told) == 1


async def test_without_room_for_a_file_the_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    machine = Machine(tmp_path / "file" / "ledger")
    process = machine.process()
    await machine.fails(process, minutes=20)
    await process.worked()
    assert [notice.kind for notice in machine.told] == ["alarm.raised", "alarm.over"]
