"""When default begins: each rule, for businesses and consumers, in three countries."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import DueFacts, DueSource, LegalDunning, Sent, assumed_receipt, default_of

NW = Calendar("DE", "NW")
MINUTE = timedelta(minutes=1)
OFFICE_HOURS = (time(9), time(17))
BUSINESS, CONSUMER, UNKNOWN = DebtorKind.BUSINESS, DebtorKind.CONSUMER, DebtorKind.UNKNOWN
PRINTED = DueFacts(
    kind=BUSINESS,
    due_source=DueSource.INVOICE_ONLY,
    due_on=date(2026, 6, 15),
    issued_on=date(2026, 6, 1),
    invoice_received_on=date(2026, 6, 2),
)


def start(facts, calendar=NW):
    found = default_of(facts, calendar)
    return (found.rule, found.first_day, found.interest_from) if found else None


def test_a_date_agreed():
    """Rule a: in default, and interest, from the day after a date agreed, consumers too."""
    for kind in (BUSINESS, CONSUMER, UNKNOWN):
        facts = replace(PRINTED, kind=kind, due_source=DueSource.CONTRACT)
        assert start(facts) == ("a", date(2026, 6, 16), date(2026, 6, 16))


def test_a_letter_without_a_deadline():
    """Rule b: default on the day of receipt, interest from the next."""
    facts = replace(PRINTED, kind=CONSUMER, dunned=(LegalDunning(date(2026, 6, 20)),))
    assert start(facts) == ("b", date(2026, 6, 20), date(2026, 6, 21))


def test_a_letter_with_a_deadline():
    """Rule c: default after the deadline, moved to a working day (Saturday, 4 July 2026, becomes Monday)."""
    facts = replace(PRINTED, kind=CONSUMER, dunned=(LegalDunning(date(2026, 6, 20), date(2026, 7, 4)),))
    assert start(facts) == ("c", date(2026, 7, 7), date(2026, 7, 7))


def test_a_letter_before_the_claim_is_due_has_no_effect():
    """A letter that arrives on the due date or before creates no default."""
    for day in (date(2026, 6, 10), date(2026, 6, 15)):
        assert start(replace(PRINTED, kind=CONSUMER, dunned=(LegalDunning(day),))) is None


@pytest.mark.parametrize("kind", [CONSUMER, UNKNOWN])
def test_a_date_printed_on_the_invoice_alone_does_not_bind_a_consumer(kind):
    """Rules d and e: thirty days after the later of due date and receipt; a consumer only where the invoice said so."""
    assert start(PRINTED) == ("d", date(2026, 7, 16), date(2026, 7, 16))
    assert start(replace(PRINTED, kind=kind)) is None
    assert start(replace(PRINTED, kind=kind, consumer_notice=True)) == ("e", date(2026, 7, 16), date(2026, 7, 16))
    late = replace(PRINTED, invoice_received_on=date(2026, 6, 30))
    assert start(late) == ("d", date(2026, 7, 31), date(2026, 7, 31))


def test_no_date_at_all_counts_from_the_invoice():
    """Without a date the claim is due at once, and thirty days run from the receipt of the invoice."""
    facts = replace(PRINTED, due_source=DueSource.STATUTORY, due_on=None)
    assert start(facts) == ("d", date(2026, 7, 3), date(2026, 7, 3))


def test_receipt_that_cannot_be_proven():
    """Rule f: the receipt of the service counts for a business; not for a consumer."""
    facts = replace(PRINTED, invoice_received_on=None, served_on=date(2026, 6, 20))
    assert start(facts) == ("f", date(2026, 7, 21), date(2026, 7, 21))
    assert start(replace(facts, kind=CONSUMER, consumer_notice=True)) is None
    assert start(replace(facts, served_on=None)) is None


def test_a_refusal_is_default_at_once():
    """Rule g: default on the day of the refusal, interest from the next; the earliest rule wins."""
    facts = replace(PRINTED, refused_on=date(2026, 6, 18))
    assert start(facts) == ("g", date(2026, 6, 18), date(2026, 6, 19))


@pytest.mark.parametrize(
    ("country", "source", "expected"),
    [
        ("AT", DueSource.INVOICE_ONLY, ("a", date(2026, 6, 16), date(2026, 6, 16))),
        ("CH", DueSource.INVOICE_ONLY, None),
        ("CH", DueSource.CONTRACT, ("a", date(2026, 6, 16), date(2026, 6, 16))),
    ],
)
def test_austria_and_switzerland(country, source, expected):
    """In Austria the due date is enough, in Switzerland an agreed date or a letter; neither knows the thirty days."""
    facts = replace(PRINTED, country=country, due_source=source)
    assert start(facts, Calendar(country)) == expected


@pytest.mark.parametrize(
    ("sent", "how", "kind", "received"),
    [
        (datetime(2026, 9, 30, 10, 0), Sent.MAIL, BUSINESS, date(2026, 9, 30)),
        (datetime.combine(date(2026, 9, 30), OFFICE_HOURS[0]), Sent.MAIL, BUSINESS, date(2026, 9, 30)),
        (datetime.combine(date(2026, 9, 30), OFFICE_HOURS[1]), Sent.MAIL, BUSINESS, date(2026, 9, 30)),
        (datetime.combine(date(2026, 9, 30), OFFICE_HOURS[0]) - MINUTE, Sent.MAIL, BUSINESS, date(2026, 10, 1)),
        (datetime.combine(date(2026, 9, 30), OFFICE_HOURS[1]) + MINUTE, Sent.MAIL, BUSINESS, date(2026, 10, 1)),
        (datetime(2026, 9, 30, 20, 0), Sent.MAIL, BUSINESS, date(2026, 10, 1)),
        (datetime(2026, 10, 2, 18, 0), Sent.MAIL, BUSINESS, date(2026, 10, 5)),  # Friday evening
        (datetime(2026, 10, 3, 10, 0), Sent.MAIL, BUSINESS, date(2026, 10, 5)),  # a holiday
        (datetime(2026, 9, 30, 10, 0), Sent.MAIL, CONSUMER, date(2026, 10, 1)),
        (date(2026, 9, 30), Sent.MAIL, UNKNOWN, date(2026, 10, 1)),
        (date(2026, 9, 30), Sent.LETTER, BUSINESS, date(2026, 10, 6)),
    ],
)
def test_assumed_receipt(sent, how, kind, received):
    """E-mail counts when a business reads it, the next day for others; a letter four working days after posting."""
    assert assumed_receipt(sent, how, kind, NW) == received
