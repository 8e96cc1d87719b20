"""What a plan may say about bundled reminders (Sammelmahnungen): from when, for whom, how often, and what is listed beside."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen


class Inclusion(Frozen):
    """What a bundle lists besides overdue invoices. It is listed separately and never demanded.

    `scope: unpaid` lists every unpaid invoice, as `include_not_due` does. Invoices in an instalment plan, with a collection agency, waiting
    for a direct debit, disputed or not sent are never listed.
    """

    scope: Literal["overdue", "unpaid"] = Field(
        "overdue", description="unpaid: also list invoices that are not yet due"
    )
    include_parked: bool = Field(default=False, description="list parked invoices")
    include_ready_for_collection: bool = Field(default=False, description="list invoices whose plan is complete")
    include_not_due: bool = Field(default=False, description="list invoices that are not yet due")

    @property
    def not_due(self) -> bool:
        """Return whether invoices that are not yet due are listed."""
        return self.include_not_due or self.scope == "unpaid"


class Bundling(Inclusion):
    """Bundled reminders (Sammelmahnung): when the due claims of one debtor go into one mail or letter.

    `tags` restricts it to customers with one of these tags; invoices with a payment term in `except_terms` stay single. `every_days`
    and `start_on` say how often, and from when, such a plan is checked at all. `last` replaces what is listed in the last reminder. Two
    currencies, languages, recipients or accounts, and with them creditors, never share one message.
    """

    when: Literal["never", "from_first", "from_last"] = "never"
    tags: tuple[str, ...] = ()
    except_terms: tuple[Annotated[int, Field(ge=0, le=365)], ...] = ()
    every_days: Annotated[int, Field(ge=1, le=92)] | None = Field(None, description="check the plan every so many days")
    start_on: date | None = Field(None, description="first day on which the plan is checked")
    last: Inclusion | None = Field(None, description="what the last reminder lists, where it differs")

    @model_validator(mode="after")
    def _used(self) -> Self:
        if self.when == "never" and self.model_fields_set - {"when"}:
            raise Wrong(
                "write when: from_first or from_last; without it nothing is bundled and the other keys mean nothing"
            )
        return self

    def inclusion(self, *, last: bool) -> Inclusion:
        """Return what is listed beside, in a normal or in the last bundle."""
        return self.last if last and self.last is not None else self
