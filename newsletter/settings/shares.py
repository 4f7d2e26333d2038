"""What of the settings falls to one of the processes that deliver together."""

from __future__ import annotations

from typing import TypeVar

from newsletter.core.processes import Processes, processes_for, share
from newsletter.settings.groups import DeliverySettings, DomainSettings, Settings
from newsletter.settings.relays import RelaySettings

_Relay = TypeVar("_Relay", bound=RelaySettings)


def processes_of(settings: Settings, cores: int) -> Processes:
    """Return how many processes deliver at most, on so many cores; see `core.processes`."""
    smtp, delivery = settings.smtp, settings.delivery
    relays = (smtp, *smtp.relays)
    rates = [relay.rate for relay in ([relay for relay in relays if relay.weight] or [smtp])]  # of those that work
    limits = (delivery.domain_connections, *(limit.connections or 0 for limit in delivery.domains.values()))
    return processes_for(
        delivery.processes,
        cores=cores,
        connections=[relay.connections for relay in relays],
        at_once=[limit for limit in limits if limit],
        rate=sum(rates) if all(rates) else 0,
    )


def share_of(settings: Settings, place: int, count: int) -> Settings:
    """Return the settings of the process at a place (from 0) among `count`, which delivers alone by them.

    Connections are divided: all shares together make what the operator has set. Rates and quotas are not: the
    ledger keeps them over all processes.
    """
    smtp = settings.smtp
    further = tuple(_relay(relay, place, count) for relay in smtp.relays)
    return settings.model_copy(
        update={
            "smtp": _relay(smtp, place, count).model_copy(update={"relays": further}),
            "delivery": _delivery(settings.delivery, place, count),
        }
    )


def _relay(relay: _Relay, place: int, count: int) -> _Relay:
    return relay.model_copy(update={"connections": share(relay.connections, place, count)})


def _delivery(delivery: DeliverySettings, place: int, count: int) -> DeliverySettings:
    divided = {
        "processes": 1,
        "domain_connections": share(delivery.domain_connections, place, count),
        "domains": {name: _domain(limit, place, count) for name, limit in delivery.domains.items()},
    }
    return delivery.model_copy(update=divided)


def _domain(limit: DomainSettings, place: int, count: int) -> DomainSettings:
    return limit.model_copy(update={"connections": limit.connections and share(limit.connections, place, count)})
