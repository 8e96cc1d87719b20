"""Names and addresses as providers write them are one line each: nobody makes up lines of a mail, a letter or a timeline with them."""

import pytest

from bridge.model import Address, Contact, Debtor


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Späth & Söhne\r\nBcc: alle@welt.example", "Späth & Söhne Bcc: alle@welt.example"),
        ("Muster\x1b[31m\tGmbH\x00", "Muster [31m GmbH"),
        ("A  B GmbH", "A  B GmbH"),
        ("مثال GmbH", "مثال GmbH"),
    ],
)
def test_a_name_is_one_line(written, kept):
    """Line breaks and control characters become spaces; everything else stays as it was written."""
    address = Address(lines=(written,), street=written, postcode="20095", city=written)
    one = Debtor(id="1", name=written, contacts=(Contact(name=written),), address=address)
    assert {one.name, one.contacts[0].name, *address.lines, address.street, address.city} == {kept}
