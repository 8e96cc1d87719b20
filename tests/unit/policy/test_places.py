"""The holidays at the debtor's place: what an address tells about it, and where the agency's own calendar counts instead."""

from datetime import date

import pytest

from bridge.model import Address
from bridge.policy.calendar import Calendar
from bridge.policy.office import Office
from bridge.policy.places import calendar_at, calendar_of, deadline, sending_places, state_of
from tests.unit.policy.helpers import case, claim, rules

OWN, BAVARIA = Calendar("DE", "NW"), Calendar("DE", "BY")
CORPUS_CHRISTI = date(2026, 6, 4)  # a Thursday, a holiday in both
ASSUMPTION = date(2025, 8, 15)  # a Friday, a holiday in Saarland alone as far as whole states go


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("00000", None),
        ("00999", None),  # below the first range
        ("01000", "SN"),
        ("01936", "SN"),
        ("01937", None),
        ("01939", None),
        ("01940", "BB"),
        ("12528", "BE"),
        ("12529", "BB"),  # a range of one
        ("12530", "BE"),
        (" 80331 ", "BY"),
        ("99998", "TH"),
        ("99999", None),
        ("8033", None),
        ("803310", None),
        ("8033a", None),
        ("8033²", None),
        ("", None),
    ],
)
def test_a_postal_code_lies_in_one_state_or_none(code, state):
    """From the first code of a range to its last; what lies between two ranges, or is no code, tells nothing."""
    assert state_of(code) == state


@pytest.mark.parametrize(
    ("country", "postcode", "own", "expected"),
    [
        ("DE", "80331", OWN, BAVARIA),
        ("DE", "80331", Calendar("AT"), BAVARIA),
        ("DE", "99999", OWN, None),
        ("DE", "", OWN, None),
        ("DE", "99999", Calendar("AT"), Calendar("DE")),  # what holds in all of Germany
        ("AT", "1010", OWN, Calendar("AT")),
        ("AT", "80331", OWN, Calendar("AT")),  # no German code there
        ("AT", "1010", Calendar("AT", "9"), None),
        ("XX", "1010", OWN, None),
        ("", "80331", OWN, None),
    ],
)
def test_an_address_gives_the_calendar_of_its_place(country, postcode, own, expected):
    """By country, in Germany by postal code; the agency's own, and no copy of it, where the address tells no more."""
    its = rules(calendar=own)
    found = calendar_at(Address(country=country, postcode=postcode, city="Ort"), its)
    assert found is own if expected is None else found == expected


def test_the_invoice_says_where_the_debtor_is_before_the_customer_does():
    """Without any address the agency's calendar counts."""
    its = rules(calendar=OWN)
    munich, vienna = Address(postcode="80331", city="München"), Address(country="AT", postcode="1010", city="Wien")
    assert calendar_of(case(address=vienna), claim(address=munich), its) == BAVARIA
    assert calendar_of(case(address=vienna), claim(), its) == Calendar("AT")
    assert calendar_of(case(), claim(), its) is calendar_at(None, its) is OWN


@pytest.mark.parametrize(
    ("place", "minded", "expected"),
    [
        (OWN, True, (OWN,)),
        (OWN, False, (OWN,)),
        (BAVARIA, True, (OWN, BAVARIA)),
        (BAVARIA, False, (OWN,)),
    ],
)
def test_the_debtors_holidays_are_minded_where_the_office_minds_them(place, minded, expected):
    """The agency's always; one place is asked once."""
    assert sending_places(rules(calendar=OWN, office=Office(debtor_holidays=minded)), place) == expected


@pytest.mark.parametrize(
    ("own", "place", "day", "expected"),
    [
        ("NW", "NW", CORPUS_CHRISTI, date(2026, 6, 5)),
        ("NW", "HH", CORPUS_CHRISTI, date(2026, 6, 5)),
        ("HH", "NW", CORPUS_CHRISTI, date(2026, 6, 5)),
        ("HH", "HH", CORPUS_CHRISTI, CORPUS_CHRISTI),
        ("NW", "SL", ASSUMPTION, date(2025, 8, 18)),
        ("NW", "NW", ASSUMPTION, ASSUMPTION),
    ],
)
def test_a_term_ends_on_a_working_day_at_both_places(own, place, day, expected):
    """Moved forward over holidays of either and over the weekend after it (BGB 193)."""
    assert deadline(rules(calendar=Calendar("DE", own)), Calendar("DE", place), day) == expected
