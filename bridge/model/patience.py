"""How patiently an account is delivered to: deadlines, leases, settling times."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from bridge.errors import Wrong
from bridge.model.base import Frozen


class Delivery(Frozen):
    """How patiently one account is delivered to; in seconds of the technical clock, except the counts."""

    deadline_seconds: int = Field(60, ge=1, le=600, description="Hard limit of one provider call.")
    margin_seconds: int = Field(10, ge=1, le=300, description="How much longer than the call its lease must last.")
    lease_seconds: int = Field(300, ge=10, le=3600, description="How long a claimed step belongs to one worker.")
    settling_seconds: int = Field(
        180, ge=1, le=86400, description="Wait after a lost answer before the provider is asked whether it was written."
    )
    finds: int = Field(3, ge=1, le=20, description="Reads, spread over a settling time, before absence is believed.")
    retries: int = Field(12, ge=1, le=100, description="Calls that wrote nothing before the step is left to a person.")

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.lease_seconds <= self.deadline_seconds + self.margin_seconds:
            raise Wrong(
                "lease_seconds must be longer than deadline_seconds and margin_seconds together, else a second worker could start"
            )
        if self.settling_seconds <= self.deadline_seconds:
            raise Wrong(
                "settling_seconds must be longer than deadline_seconds, else absence is believed while the call still runs"
            )
        return self

    @property
    def deadline(self) -> timedelta:
        return timedelta(seconds=self.deadline_seconds)

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def settling(self) -> timedelta:
        return timedelta(seconds=self.settling_seconds)

    @property
    def needed(self) -> timedelta:
        """How long a lease must still last when its call begins."""
        return timedelta(seconds=self.deadline_seconds + self.margin_seconds)
