"""The account settings that only Billomat has."""

from typing import Literal

from pydantic import Field, field_validator

from bridge.contract import ConnectorSettings, Reason, Wrong

EXCLUSIONS = frozenset(
    {
        Reason.CUSTOMER_EXCLUDED,
        Reason.INVOICE_EXCLUDED,
        Reason.DEFERRED,
        Reason.DISPUTE,
        Reason.PROMISE_TO_PAY,
        Reason.PAYMENT_PLAN,
        Reason.DIRECT_DEBIT_PENDING,
        Reason.PREPAYMENT,
        Reason.INSOLVENCY,
        Reason.COLLECTION,
    }
)
"""Reasons that a tag at the provider may stand for."""


class Settings(ConnectorSettings):
    """Account block of Billomat. The key and the app's id and secret belong to the account's `auth`, not here."""

    page_size: int = Field(1000, ge=1, le=1000, description="Records per page when lists are read.")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$", description="Currency of the account, for records without one.")

    foreign_amounts: Literal["unclear", "invoice"] = Field(
        "unclear",
        description="Billomat does not say in which currency the amounts of an invoice in foreign currency are; `invoice` once you have seen "
        "that they are in the invoice's own, otherwise such invoices are held.",
    )

    write_key: Literal["label", "customfield"] = Field(
        "label",
        description="Where our mark is put on a reminder. `label` is written in the same call that creates the reminder; take "
        "`customfield` (two calls) only where the reminder's template prints the label.",
    )
    template_id: int | None = Field(
        None, description="Template for completing reminders; empty: the account's default."
    )
    email_template_id: int | None = Field(None, description="E-mail template; empty: the account's default.")
    email_from: str | None = Field(None, description="Sender of e-mails; empty: the account's default sender.")
    fee_title: str = Field(
        "Mahngebühr", min_length=1, description="Title of the fee item where the dunning level has none."
    )
    check_amounts: bool = Field(
        True, description="Compare the amount of a reminder draft with ours before it is completed."
    )
    post: bool = Field(
        False, description="The letter add-on (Pixelletter) is set up and has a balance; letters cost money."
    )
    post_color: bool = Field(False, description="Print letters in colour.")
    post_duplex: bool = Field(True, description="Print letters on both sides.")
    post_paper_weight: Literal[80, 90] = Field(90, description="Paper of letters, in grams per square metre.")

    respect_dunning_run: bool = Field(
        True, description="Hold clients that are excluded from Billomat's own dunning run."
    )
    hold_archived: bool = Field(True, description="Hold archived clients.")
    direct_debit: Literal["alone", "listed", "mandate", "off"] = Field(
        "alone",
        description="Which invoices wait for a direct debit: those whose only payment type is DEBIT, those that list it, those that "
        "list it and all of clients with a SEPA mandate, or none.",
    )
    direct_debit_days: int | None = Field(
        None,
        ge=0,
        description="Days after the due date after which a direct debit is no longer waited for; empty: for ever.",
    )
    invoice_tags: dict[str, Reason] = Field(
        default={"mahnstopp": Reason.INVOICE_EXCLUDED},
        description="Tags of invoices that hold them, and the reason each stands for.",
    )
    client_tags: dict[str, Reason] = Field(
        default={"mahnstopp": Reason.CUSTOMER_EXCLUDED},
        description="Tags of clients that hold them, and the reason each stands for.",
    )
    credit_notes: bool = Field(True, description="Read open credit notes, so that they lower a claim.")
    customer_note_property: str = Field(
        "Mahnwesen",
        min_length=1,
        description="Client property for the line about the last reminder; `init` creates it on consent.",
    )

    changes: Literal["full", "updated"] = Field(
        "full",
        description="`full` lists all open invoices each time. `updated` reads what changed by the field `updated` and lists all once "
        "in `refresh_hours`; use it only where a booked payment was seen to change `updated`.",
    )
    refresh_hours: int = Field(
        24, ge=1, le=168, description="Hours after which clients, contacts and all reminders are read again."
    )
    payments_overlap_days: int = Field(
        14, ge=1, le=366, description="Days of payments that are read again, for late bookings."
    )
    payments_first_days: int = Field(400, ge=1, le=3660, description="Days of payments that the first pull reads.")
    contacts_ahead_days: int = Field(
        7,
        ge=0,
        le=366,
        description="Contacts of invoices that are due within so many days are read; at least the `before_due` of your plans, "
        "so that a friendly notice goes to the contact too.",
    )
    client_chunk: int = Field(50, ge=1, le=100, description="Invoices whose clients are asked for in one call.")

    @field_validator("invoice_tags", "client_tags")
    @classmethod
    def _exclusions_only(cls, value: dict[str, Reason]) -> dict[str, Reason]:
        for tag, reason in value.items():
            if reason not in EXCLUSIONS:
                raise Wrong(
                    "{tag!r} cannot mean {reason!r}; use one of {exclusions}",
                    tag=tag,
                    reason=reason.value,
                    exclusions=", ".join(sorted(EXCLUSIONS)),
                )
            if not tag.strip() or "," in tag:
                raise Wrong("{tag!r} is no tag; write one word without a comma", tag=tag)
        return value
