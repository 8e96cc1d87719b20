"""The settings of a sevDesk account, beyond address and token."""

from pydantic import Field, field_validator

from bridge.contract import ConnectorSettings, Reason, Wrong

TAG_REASONS: dict[str, Reason] = {
    "Mahnsperre": Reason.INVOICE_EXCLUDED,
    "nicht mahnen": Reason.INVOICE_EXCLUDED,
    "Reklamation": Reason.DISPUTE,
    "Streitfall": Reason.DISPUTE,
    "Vorkasse": Reason.PREPAYMENT,
    "Ratenzahlung": Reason.PAYMENT_PLAN,
    "Zahlungszusage": Reason.PROMISE_TO_PAY,
    "Zahlungsaufschub": Reason.DEFERRED,
    "Insolvenz": Reason.INSOLVENCY,
    "Inkasso": Reason.COLLECTION,
}

HOLDING: frozenset[Reason] = frozenset(TAG_REASONS.values()) | {Reason.CUSTOMER_EXCLUDED, Reason.DIRECT_DEBIT_PENDING}


class SevDeskSettings(ConnectorSettings):
    """What differs from agency to agency. Names of tags and fields are compared without regard to case."""

    overlap_minutes: int = Field(
        60, ge=1, le=1440, description="How far a read of changes reaches back before the newest change that was seen."
    )
    full_every_hours: int = Field(
        24, ge=1, le=168, description="Hours between two full readings of open invoices, reminders and cancellations."
    )
    home_currency: str = Field(
        "EUR",
        pattern=r"^[A-Z]{3}$",
        description="Invoices in another currency are held, as sevDesk does not say in which one its amounts are.",
    )
    tag_reasons: dict[str, Reason] = Field(
        default_factory=lambda: dict(TAG_REASONS),
        description="Tags on invoices (and contacts) that stop dunning, and the reason that each stands for.",
    )
    block_field: str | None = Field(
        "Mahnsperre",
        description="Contact custom field that stops dunning of the customer: 1, ja, or a date until when. Null: none.",
    )
    note_field: str | None = Field(
        "Mahnstatus",
        description="Contact custom field, ours alone, that receives the line after each reminder. Null: none.",
    )
    line_as_tag: bool = Field(
        False, description="Put the line of each reminder on the invoice as a tag of its own (one tag per reminder)."
    )
    direct_debit_methods: tuple[str, ...] = Field(
        ("lastschrift", "bankeinzug", "direct debit"),
        description="Words in the name of a payment method that mean direct debit.",
    )
    direct_debit_days: int | None = Field(
        None,
        ge=0,
        le=365,
        description="Days after the due date after which a direct debit is no longer waited for; empty: for ever.",
    )
    bank_transactions: bool = Field(
        True, description="Read unbooked bank transactions; switch off only where the account has no bank side."
    )
    unmatched_days: int = Field(
        60, ge=1, le=365, description="How old an unbooked incoming payment may be to hold a claim that it matches."
    )
    reread_limit: int = Field(
        2000,
        ge=0,
        le=100_000,
        description="Up to so many open invoices all are read again when unbooked payments have changed.",
    )
    address_categories: tuple[str, ...] = Field(
        ("47", "43"), description="Categories of contact addresses in the order in which they are preferred."
    )
    clock_skew_seconds: int = Field(
        120,
        ge=0,
        le=3600,
        description="By how much sevDesk's clock and ours may differ when a lost write is looked for.",
    )

    @field_validator("tag_reasons")
    @classmethod
    def _reasons_that_hold(cls, value: dict[str, Reason]) -> dict[str, Reason]:
        for tag, reason in value.items():
            if reason not in HOLDING:
                known = ", ".join(sorted(HOLDING))
                raise Wrong(
                    "tag {tag!r}: {reason} is no reason to hold a claim; write one of {known}",
                    tag=tag,
                    reason=reason.value,
                    known=known,
                )
        return value

    @property
    def reasons(self) -> dict[str, Reason]:
        """Return the table of tags with names that compare."""
        return {tag.strip().casefold(): reason for tag, reason in self.tag_reasons.items()}
