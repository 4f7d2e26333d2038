"""The composition of delivery: in one process, or in several where the settings and the machine allow it."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from newsletter.settings.shares import processes_of, share_of

if TYPE_CHECKING:
    from newsletter.delivery.processes.child import Child
    from newsletter.delivery.processes.many import ManyProcesses
    from newsletter.delivery.service import DeliveryService
    from newsletter.parts.relaying import Relaying
    from newsletter.ports import Clock, Store
    from newsletter.settings import Settings

log = structlog.get_logger(__name__)

# How many deliveries must be due, so that several processes are worth it: they take about a second to start, and
# one process hands over some ten thousand messages in that time where nothing else holds it up.
_WORTH = 20_000
_WORTH_WHERE_ASKED_FOR = 500
_MODULE = "newsletter.composition.delivery_process"  # which stands above, and is another process's program
_CODE = """
import sys, json
from importlib import import_module
sys.path[:] = json.loads(sys.argv[1])
import_module(sys.argv[2]).main()
"""


@dataclass(frozen=True, kw_only=True)
class DeliveryParts:
    """What delivery is made of.

    Args:
        settings: the operator's.
        store: the ledger.
        clock: the present moment.
        relaying_of: makes relays as some settings say.
        cores: how many cores this program may use; 0: all.
        has_visitors: this process answers visitors, so that it delivers little at a time, or leaves it to others.
    """

    settings: Settings
    store: Store
    clock: Clock
    relaying_of: Callable[[Settings], Relaying]
    cores: int
    has_visitors: bool

    def delivery(self) -> DeliveryService | ManyProcesses:
        """Return what delivers, in as many processes as the settings allow."""
        count = self._count()
        alone = self._service(self.settings, self.cores)
        return alone if count == 1 else self._many(alone, count)

    @property
    def _cores(self) -> int:
        from newsletter.delivery.messages.signatures import cores

        return self.cores or cores()

    def _count(self) -> int:
        """Return how many processes deliver at most."""
        from newsletter.store import is_shared

        wanted = self.settings.delivery.processes
        if wanted == 1 or not is_shared(self.settings.database.url.get_secret_value()):
            return 1
        found = processes_of(self.settings, self._cores)
        if found.reason:
            log.warning("fewer_delivery_processes", asked_for=wanted, are=found.count, reason=found.reason)
        return found.count

    def _many(self, alone: DeliveryService, count: int) -> ManyProcesses:
        from newsletter.delivery.processes.child import Child
        from newsletter.delivery.processes.lines import LENGTH
        from newsletter.delivery.processes.many import ManyProcesses

        of_each = max(1, self._cores // count)

        async def start(place: int) -> Child:
            greeting = pickle.dumps((share_of(self.settings, place, count), of_each))
            command = [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path), _MODULE]
            return await Child.start(command, LENGTH.pack(len(greeting)) + greeting, place)

        sharing = None if self.has_visitors else self._service(share_of(self.settings, 0, count), of_each)
        return ManyProcesses(
            self.store.outbox,
            self.clock,
            alone=alone,
            sharing=sharing,
            start=start,
            places=range(1 if sharing else 0, count),
            worth=_WORTH_WHERE_ASKED_FOR if self.settings.delivery.processes else _WORTH,
        )

    def _service(self, settings: Settings, of_cores: int) -> DeliveryService:
        from newsletter.delivery.service import DeliveryService
        from newsletter.delivery.turns import BESIDE_VISITORS
        from newsletter.settings.sending import delivery_rules, domain_limits
        from newsletter.store import sqlite_file

        # Where it is a file, all who use it run on this machine.
        ledger = sqlite_file(settings.database.url.get_secret_value())
        each_turn = BESIDE_VISITORS if self.has_visitors else 0
        return DeliveryService(
            self.store.outbox,
            self.relaying_of(settings).relays,
            delivery_rules(settings.delivery, self.clock, each_turn=each_turn, cores=of_cores),
            batch=settings.delivery.batch,
            journals=ledger and ledger.with_name(f"{ledger.name}.journals"),
            limits=domain_limits(settings.delivery),
            slow_downs=self.store.slow_downs,
            rates=self.store.rates,
        )
