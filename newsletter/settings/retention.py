"""How long the ledger keeps what it does not need for ever."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from newsletter.core.retention import KeepFor
from newsletter.settings.group import Group

_MOST_DAYS = 36_500
# A paper competes for two weeks, and for as long as sources show it to be of interest.
_LEAST_DAYS_OF_DELIVERIES = 60


class RetentionSettings(Group):
    """Days for which things are kept; 0: for ever. See `core.retention.KeepFor`."""

    delivery_details: int = Field(default=90, ge=0, le=_MOST_DAYS)
    deliveries: int = Field(default=0, ge=0, le=_MOST_DAYS)
    inbound: int = Field(default=365, ge=0, le=_MOST_DAYS)
    sightings: int = Field(default=30, ge=0, le=_MOST_DAYS)

    @field_validator("deliveries")
    @classmethod
    def _long_enough(cls, days: int) -> int:
        if 0 < days < _LEAST_DAYS_OF_DELIVERIES:
            raise ValueError(f"write 0, for ever, or at least {_LEAST_DAYS_OF_DELIVERIES} days")
        return days


def keep_for(settings: RetentionSettings) -> KeepFor:
    """Return how long things are kept."""

    def days(number: int) -> timedelta | None:
        return timedelta(days=number) if number else None

    return KeepFor(
        delivery_details=days(settings.delivery_details),
        deliveries=days(settings.deliveries),
        inbound=days(settings.inbound),
        sightings=days(settings.sightings),
    )
