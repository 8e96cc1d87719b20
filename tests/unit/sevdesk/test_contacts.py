"""Which address a reminder goes to."""

import pytest

from connectors.sevdesk.contacts import Way, _person, reminder_email


def mail(value, key="2", *, main=False):
    return Way("EMAIL", value, key, main)


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([], None),
        ([mail("a@x.example")], "a@x.example"),
        ([mail("a@x.example", main=True), mail("b@x.example", "8")], "b@x.example"),
        ([mail("a@x.example"), mail("b@x.example", main=True)], "b@x.example"),
        ([mail("a@x.example"), mail("b@x.example")], None),
        ([mail("a@x.example"), mail("A@x.example", "1")], "a@x.example"),
        ([mail("a@x.example", "8"), mail("b@x.example", "8")], None),
        ([mail("a@x.example", "8"), mail("b@x.example", "8", main=True)], "b@x.example"),
        ([Way("PHONE", "+49 30 1", "8", True), mail("a@x.example")], "a@x.example"),
        ([mail("a@x.example, b@x.example", "8"), mail("c@x.example", main=True)], None),
        ([mail("a@x.example\r\nBcc: b@x.example", "8")], None),
        ([mail("a@x.example\x00")], None),
        ([mail("no address", "8"), mail("a@x.example")], "a@x.example"),
    ],
)
def test_invoicing_then_main_then_only_one(ways, expected):
    """The address for invoices, else the main one, else the only one; where two are equally good a person is asked."""
    assert reminder_email(ways) == expected


@pytest.mark.parametrize(
    ("raw", "born_on"),
    [
        ({"gender": "w", "birthday": "1980-02-29T00:00:00+01:00"}, "1980-02-29"),
        ({"gender": "w", "birthday": "bald"}, None),
    ],
)
def test_a_contact_that_is_a_person_is_told_as_one(raw, born_on):
    """First and family name, salutation and day of birth of a person are told; an organisation is no person."""
    told = _person({"first": "Ada", "last": "Neu"}, raw)
    assert (told.salutation, told.first_name, told.last_name) == ("Frau", "Ada", "Neu")
    assert (told.born_on and told.born_on.isoformat()) == born_on
    assert _person({"name": "Neu GmbH", "first": "Ada"}, raw) is None
