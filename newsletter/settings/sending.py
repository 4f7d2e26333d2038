"""What the settings say of sending, in the terms of delivery."""

from __future__ import annotations

from dataclasses import fields
from random import SystemRandom

from newsletter.core.delivery import RetryPolicy
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig
from newsletter.ports import Clock
from newsletter.settings.groups import DeliverySettings
from newsletter.settings.relays import RelaySettings


def delivery_rules(delivery: DeliverySettings, clock: Clock, *, each_turn: int, cores: int) -> Rules:
    """Return how deliveries go on that don't go through at once, how many leave in a turn, and the cores."""
    return Rules(
        retry=RetryPolicy(max_attempts=delivery.max_attempts, give_up_after=delivery.give_up_after),
        uncertain=delivery.uncertain,
        clock=clock,
        jitter=SystemRandom().random,
        each_turn=each_turn,
        cores=cores,
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


def relay_config(relay: RelaySettings, further: int | None) -> RelayConfig:
    """Return how an SMTP server is used; `further` is its number among the further relays, None for the first."""
    names = {field.name for field in fields(RelayConfig)} - {"password", "further"}
    return RelayConfig(
        **relay.model_dump(include=names), password=relay.password.get_secret_value(), further=further
    )
