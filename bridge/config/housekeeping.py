"""Keeping house: room on the disk, and how long what is kept."""

from typing import Self

from pydantic import Field, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen


class Disk(Frozen):
    """Room on the disk of the data folder (Speicherplatz), in millions of bytes."""

    warn_megabytes: int = Field(2000, ge=1, le=10_000_000, description="Less free room than this is warned of.")
    hold_megabytes: int = Field(
        200, ge=1, le=10_000_000, description="With less free room than this nothing is sent: it could not be recorded."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.hold_megabytes > self.warn_megabytes:
            raise Wrong(
                "hold_megabytes must not be more than warn_megabytes, else nothing is sent before anybody was warned"
            )
        return self


class Retention(Frozen):
    """How long what is kept (Aufbewahrung), beyond what the law asks for; letters six and the journal ten years are fixed."""

    rejects_days: int = Field(
        90, ge=1, le=3650, description="Days after which the raw form of records set aside, once settled, is erased."
    )
    erase: bool = Field(
        default=True,
        description="Let `serve` erase once a day what is over; else only `mahnbridge retention --apply` does.",
    )
