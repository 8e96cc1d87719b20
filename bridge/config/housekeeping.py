"""Keeping house: room on the disk, and how long what is kept."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen


class Years(NamedTuple):
    """Calendar years of retention: commercial letters and other records, and vouchers."""

    letters: int
    vouchers: int


LEAST: Mapping[str, Years] = MappingProxyType({"DE": Years(6, 8), "AT": Years(7, 7), "CH": Years(10, 10)})
"""What the law asks for: HGB 257(4), AO 147(3) with eight years for vouchers since 2025; BAO 132; OR 958f."""


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
    """How long what is kept (Aufbewahrung). What the law of `creditor.country` asks for is the least; ten years of the journal are fixed."""

    letter_years: int | None = Field(
        None, ge=1, le=30, description="Calendar years for letters and mails; default: DE 6 (HGB 257), AT 7, CH 10."
    )
    voucher_years: int | None = Field(
        None, ge=1, le=30, description="Calendar years for copies of invoices (vouchers); default: DE 8, AT 7, CH 10."
    )

    rejects_days: int = Field(
        90, ge=1, le=3650, description="Days after which the raw form of records set aside, once settled, is erased."
    )
    erase: bool = Field(
        default=True,
        description="Let `serve` erase once a day what is over; else only `mahnbridge retention --apply` does.",
    )

    def years(self, country: str) -> Years:
        """Return how long what is kept in that country: never shorter than its law; elsewhere the German terms."""
        least = LEAST.get(country, LEAST["DE"])
        return Years(max(self.letter_years or 0, least.letters), max(self.voucher_years or 0, least.vouchers))
