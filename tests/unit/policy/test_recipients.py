"""Whom people let notices go to, instead of the address in the customer's record."""

from dataclasses import replace
from datetime import date

import pytest

from bridge.model import REACHES_DEBTOR, Act, Address, Contact, Debtor, Invoice, InvoiceStatus, Reason, Snapshot
from bridge.policy import Abilities, LocalView, Via, compose, decide, recheck
from bridge.policy.recipients import address_of, addressed, can_reach, email_of, reaching, recipient_of
from bridge.policy.views import SendTo
from tests.unit.policy.helpers import case, claim, days, level, plan, rules

TODAY = date(2026, 10, 5)
BOTH = Abilities(channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"})
THERE = Address(lines=("Zweigstelle",), street="Weg 5", postcode="20095", city="Hamburg")


def drafts(one, its, **values):
    whole = case(one, **values)
    return compose(whole, decide(whole, its, TODAY), its, BOTH, TODAY)


@pytest.mark.feature("S-AMX-30")
def test_the_choice_for_this_level_wins():
    """An address chosen for one level counts there alone, before that for all levels; without one it is the customer's."""
    one = claim(send_to=(SendTo(2, ("zwei@example.com",)), SendTo(0, ("alle@example.com", "noch@example.com"))))
    its = rules(days(3, 14))
    [first] = drafts(one, its)
    [second] = drafts(replace(one, level=1, level_on=date(2026, 9, 20)), its)
    assert first.content.recipients.to == ("alle@example.com", "noch@example.com")
    assert (second.recipient, second.content.recipients.to) == ("zwei@example.com", ("zwei@example.com",))
    [own] = drafts(claim(), its)
    assert own.recipient == "rechnung@example.com"


def test_a_letter_goes_to_the_chosen_postal_address():
    """Also where the customer's record has none."""
    its = rules(plan(level(1, after_due=3, channels=["letter"])))
    assert drafts(claim(), its) == ()
    [draft] = drafts(claim(send_to=(SendTo(0, address=THERE),)), its)
    assert draft.content.address == THERE
    assert draft.recipient == "Zweigstelle, Weg 5, 20095 Hamburg, DE"


def test_the_recheck_keeps_to_what_a_person_chose():
    """Another address in the customer's record does not stop what a person addressed; without a choice, or with another one, it does."""
    its = rules(days(3))
    moved = Debtor(
        id="d", name="Muster GmbH", number="10017", email="neu@example.com", contacts=(Contact(email="x@example.com"),)
    )
    bill = Invoice(
        id="1", number="RE-1", status=InvoiceStatus.OPEN, debtor_id="d", issued_on=date(2026, 9, 1), due_on=date(2026, 9, 15),
        gross="100.00", open="100.00", sent=True,
    )  # fmt: skip
    seen = Snapshot(invoice_id="1", invoice=bill, debtor=moved, taken_at="2026-10-05T08:00:00Z")
    free = ("frei@example.com",)
    for chosen, now, holds in (((), (), True), (free, free, False), (free, (), True), (free, ("x@example.com",), True)):
        [draft] = drafts(claim(send_to=(SendTo(0, chosen),)), its)
        assert (recheck(draft.claims[0].basis, seen, LocalView(mail_to=now), its, TODAY) is not None) is holds


def test_a_bundle_goes_where_it_was_sent_by_hand():
    """Two invoices of a customer whose recipient was chosen stay in one bundle."""
    its = rules(plan(level(1, after_due=3), bundling={"when": "from_first"}))
    to = (SendTo(1, ("frei@example.com",)),)
    whole = case(claim(invoice_id="1", send_to=to), claim(invoice_id="2", send_to=to))
    [draft] = compose(whole, decide(whole, its, TODAY), its, BOTH, TODAY)
    assert (len(draft.claims), draft.recipient) == (2, "frei@example.com")


def test_what_people_write_as_an_address():
    """Name, street and town in one line; anything else is refused with an example."""
    assert address_of("Muster GmbH; Zweigstelle; Weg 1; AT 1010 Wien") == Address(
        lines=("Muster GmbH", "Zweigstelle"), street="Weg 1", postcode="1010", city="Wien", country="AT"
    )
    wien = Address(lines=("Muster",), street="Ring 1", postcode="1010", city="Wien", country="AT")
    assert address_of("Muster; Ring 1; 1010 Wien; AT") == wien
    assert address_of("Ltd; High St 1; London N1 1AA; GB") == Address(
        lines=("Ltd",), street="High St 1", city="London N1 1AA", country="GB"
    )
    for wrong in (
        "",
        "Hamburg",
        "Muster; Weg 1; Hamburg",
        "Muster;; 20095 Hamburg",
        "Weg 1; 1010 Wien; AT",
        "a; ; b; GB",
    ):
        with pytest.raises(ValueError, match="write name; street; postcode town"):
            address_of(wrong)
    for wrong in ("", "a@b", "a b@example.com", "a@example.com, b@example.com"):
        with pytest.raises(ValueError, match="is no e-mail address"):
            email_of(wrong)
    assert addressed(claim(), 1) == claim()


HOME = Address(street="Weg 1", postcode="50667", city="Köln")


@pytest.mark.feature("P-20")
@pytest.mark.parametrize("channels", [["email"], ["mail"], ["provider_email"], ["mail", "letter"]])
def test_a_customer_without_an_address_for_mail_gets_a_letter(channels):
    """Where the plan writes a mail and the customer has only a postal address, one letter is made, and nothing is held."""
    one = claim()
    whole = case(one, email=None, address=HOME)
    its = rules(plan(level(1, after_due=3, channels=channels)), letter_without_email=True)
    decisions = decide(whole, its, TODAY)
    (made,) = compose(whole, decisions, its, BOTH, TODAY)
    assert (made.channel, made.recipient) == (Via.LETTER, "Muster GmbH, Weg 1, 50667 Köln, DE")
    assert [step.act for step in made.steps if step.act in REACHES_DEBTOR] == [Act.LETTER]
    assert made.content.address is not None


@pytest.mark.parametrize(
    ("changes", "allowed"), [({"address": None}, True), ({"address": HOME}, False), ({"address": Address()}, True)]
)
def test_without_any_address_or_letters_a_person_is_asked(changes, allowed):
    """No address for the post either, or no letters here: the invoice is held with its reason."""
    whole = case(claim(), email=None, **changes)
    its = rules(plan(level(1, after_due=3, channels=["mail"])), letter_without_email=allowed)
    (decision,) = decide(whole, its, TODAY)
    assert decision.reason is Reason.NO_RECIPIENT


def test_who_has_an_address_for_mail_gets_mail():
    """The letter is a substitute, never an addition."""
    whole = case(claim(), address=HOME)
    its = rules(plan(level(1, after_due=3, channels=["mail"])), letter_without_email=True)
    (made,) = compose(whole, decide(whole, its, TODAY), its, BOTH, TODAY)
    assert made.channel is Via.MAIL


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("Muster GmbH; Weg 1; 20095 Hamburg", True),
        ("Muster GmbH; Frau Muster; Weg 1; 20095 Hamburg", True),
        ("Weg 1; 20095 Hamburg", False),
        ("Muster GmbH; Weg 1; 20095 Hamburg; AT", True),
        ("Weg 1; 20095 Hamburg; AT", False),
    ],
)
def test_an_address_has_name_street_and_town(text, good):
    """At least these three, a country is none of them."""
    if good:
        assert address_of(text).street == "Weg 1"
    else:
        with pytest.raises(ValueError, match="is no address"):
            address_of(text)


@pytest.mark.parametrize("length", [254, 255])
def test_the_longest_mail_address(length):
    """254 signs are one, more are none (RFC 5321)."""
    text = "a" * (length - 12) + "@example.com"
    if length > 254:
        with pytest.raises(ValueError, match="is no e-mail address"):
            email_of(text)
    else:
        assert email_of(text) == text


SALES, BOOKS = Contact(email="s@example.com", role="sales"), Contact(email="b@example.com", role="billing")


@pytest.mark.parametrize(
    ("rule", "whole", "to"),
    [
        ({}, {}, ("rechnung@example.com",)),
        ({"roles": ["billing"]}, {}, ("b@example.com",)),
        ({"roles": ["legal"]}, {}, ("rechnung@example.com",)),
        ({"roles": ["legal"]}, {"email": None}, ()),
        ({"roles": ["billing", "sales"]}, {}, ("s@example.com", "b@example.com")),
        ({"all_addresses": True}, {}, ("rechnung@example.com", "s@example.com", "b@example.com")),
        ({"all_addresses": True}, {"email": None}, ("s@example.com", "b@example.com")),
        ({"all_addresses": True}, {"email": "b@example.com"}, ("b@example.com", "s@example.com")),
        ({"all_addresses": True, "roles": ["billing"]}, {}, ("rechnung@example.com", "b@example.com", "s@example.com")),
    ],
)
def test_who_gets_the_mail(rule, whole, to):
    """The main address first, contacts of the roles in its place, all of them where wanted; nobody twice."""
    one = plan(level(1, recipients=rule)).levels[0]
    its = case(contacts=(SALES, BOOKS), **whole)
    assert recipient_of(its, its.claims[0], one, Via.MAIL) == ", ".join(to)
    assert can_reach(its, its.claims[0], one, Via.MAIL) is bool(to)


@pytest.mark.parametrize(
    ("mine", "whole", "reached"),
    [(None, None, False), ("a@example.com", None, True), (None, "a@example.com", True), ("a@example.com", "b@example.com", True)],
)  # fmt: skip
def test_either_address_reaches_a_debtor_by_mail(mine, whole, reached):
    """The invoice's or the customer's; a letter goes by neither."""
    its = case(claim(email=mine), email=whole)
    one = plan(level(1)).levels[0]
    assert can_reach(its, its.claims[0], one, Via.MAIL) is reached
    assert not can_reach(its, its.claims[0], one, Via.LETTER)


@pytest.mark.parametrize(
    ("values", "channels"),
    [
        ({"channels": ["mail"]}, ("letter",)),
        ({"channels": ["email"]}, ("letter",)),
        ({"channels": ["letter"]}, ("letter",)),
        ({"channels": ["post"]}, ("post",)),
        ({"channels": ["mail"], "document": "silent", "automation": "create"}, ("mail",)),
        ({"channels": ["mail"], "document": "silent", "automation": "complete"}, ("mail",)),
    ],
)
def test_only_a_mail_that_leaves_becomes_a_letter(values, channels):
    """Without an address, where letters may stand in; what makes a record only, and what is a letter, stays as planned."""
    one = plan(level(1, **values)).levels[0]
    found = reaching(case(email=None, address=THERE), claim(), one, one.standard, rules(letter_without_email=True))
    assert tuple(via.value for via in found.channels) == channels
