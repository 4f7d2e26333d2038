"""What the settings say of sending, in the terms of delivery."""

from __future__ import annotations

from random import SystemRandom

from newsletter.core.delivery import RetryPolicy
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig
from newsletter.ports import Clock
from newsletter.settings.groups import DeliverySettings, RelaySettings, SmtpSettings


def delivery_rules(delivery: DeliverySettings, clock: Clock, *, each_turn: int) -> Rules:
    """Return how deliveries go on that don't go through at once, and how many leave in a turn of the loop."""
    return Rules(
        retry=RetryPolicy(max_attempts=delivery.max_attempts, give_up_after=delivery.give_up_after),
        uncertain=delivery.uncertain,
        clock=clock,
        jitter=SystemRandom().random,
        each_turn=each_turn,
    )


def domain_limits(delivery: DeliverySettings) -> DomainLimits:
    """Return what each recipient domain is sent; what is not said of a single domain is as for all."""
    general = Limit(at_once=delivery.domain_connections, rate=delivery.domain_rate)
    own = {
        domain: Limit(
            at_once=general.at_once if limit.connections is None else limit.connections,
            rate=general.rate if limit.rate is None else limit.rate,
        )
        for domain, limit in delivery.domains.items()
    }
    return DomainLimits(general, own)


def relay_configs(smtp: SmtpSettings) -> list[RelayConfig]:
    """Return the first relay, and the further ones with their numbers, in the order in which they are tried."""
    return [_config(smtp, None), *(_config(relay, number) for number, relay in enumerate(smtp.relays))]


def _config(relay: RelaySettings, further: int | None) -> RelayConfig:
    password = relay.password.get_secret_value()
    return RelayConfig(**relay.model_dump(exclude={"relays", "password"}), password=password, further=further)
