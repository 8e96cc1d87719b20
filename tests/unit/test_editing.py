"""What a person writes into a notice is what every step of it says."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from bridge.app.editing import rewritten
from bridge.model import Act, Content, PaymentDetails, Recipients
from bridge.policy.claim_text import plain
from bridge.store.records import Notice, Step

PAYMENT = PaymentDetails(
    payee="Muster Agentur", iban="DE02120300000000202051", amount=Decimal("119.00"), currency="EUR", reference="RE-1"
)
WHOLE = Content(
    subject="Erinnerung",
    text="Guten Tag,\n\n[[payment]]",
    payment=PAYMENT,
    recipients=Recipients(to=("a@example.com",)),
)
"""As the shipped plans write it: with a place for how to pay."""


def _notice(content: Content) -> Notice:
    return Notice(
        id=1, account="main", case_id=1, run_id=1, state="proposed", version=1, plan="p", plan_version="", level=1,
        level_name="Erinnerung", channel="email", automation="propose", debtor_id="d", currency="EUR",
        total=Decimal("119.00"), deadline=date(2026, 9, 11), recipient="a@example.com", content=content, hash="h",
        approved_hash=None, approved_by=None, reason=None, reason_text=None, created_at=datetime(2026, 9, 1, tzinfo=UTC),
        landed_at=None, undelivered=False, claims=(),
    )  # fmt: skip


def _step(act: Act, content: Content) -> Step:
    return Step(
        id=1, notice_id=1, seq=1, account="main", key="k", act=act, channel=None, claim_id=None, state="waiting",
        content=content, lease_owner=None, lease_until=None, not_before=None, started_at=None, acted_at=None,
        attempts=0, looks=0, baseline=(), proof=None, cause=None, error=None,
    )  # fmt: skip


STEPS = [
    _step(Act.CREATE, Content(subject=WHOLE.subject, text=plain(WHOLE))),
    _step(Act.SEND_EMAIL, WHOLE.model_copy(update={"text": plain(WHOLE)})),
    _step(Act.MAIL, WHOLE),
    _step(Act.NOTE, Content(line="Zeile")),
]


@pytest.mark.parametrize("act", [Act.CREATE, Act.SEND_EMAIL, Act.MAIL])
def test_an_edited_text_is_what_every_step_says(act: Act) -> None:
    """Providers get plain text made of the template; a person's text takes its place there too, also the second time."""
    once = rewritten(_notice(WHOLE), STEPS, "Neu", "Bitte zahlen.")
    said = {one.act: one.content for one in once.steps}
    assert (said[act].subject, said[act].text) == ("Neu", "Bitte zahlen.")
    assert said[Act.NOTE] == STEPS[-1].content
    steps = [_step(one.act, one.content) for one in once.steps]
    twice = {one.act: one.content for one in rewritten(_notice(once.content), steps, None, "Doch noch anders.").steps}
    assert (twice[act].subject, twice[act].text) == ("Neu", "Doch noch anders.")


def test_an_edited_text_keeps_the_places_of_its_tables() -> None:
    """How to pay stands in the mail where the person put it, as lines for the provider and as a table in our own."""
    said = {one.act: one.content.text for one in rewritten(_notice(WHOLE), STEPS, None, "Hallo\n\n[[payment]]").steps}
    assert said[Act.MAIL] == "Hallo\n\n[[payment]]"
    assert "DE02 1203 0000 0000 2020 51" in said[Act.SEND_EMAIL]
    assert said[Act.CREATE] == said[Act.SEND_EMAIL]
