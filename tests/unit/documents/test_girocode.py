from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.documents import girocode, qr
from tests.unit.documents.samples import a_row, a_table, to_pay
from tests.unit.documents.scanner import pixels, read, scan

TABLE = a_table(a_row(1))


def test_lines_of_the_code():
    """The lines of EPC069-12 version 002, nothing after the last used one."""
    assert girocode.payload(to_pay(TABLE, bic="", reference="RE-1")) == (
        b"BCD\n002\n1\nSCT\n\nMuster Agentur GmbH\nDE02120300000000202051\nEUR1000.00\n\n\nRE-1"
    )
    assert girocode.payload(to_pay(TABLE, reference="")).endswith(b"EUR1000.00")


@pytest.mark.parametrize(
    "changes",
    [{"currency": "CHF"}, {"iban": ""}, {"amount": Decimal("0.00")}, {"amount": Decimal("1000000000.00")}],
)
def test_no_code_where_none_can_be_right(changes):
    """Another currency, no account, nothing to pay or more than a transfer carries: there is no code."""
    assert girocode.code(to_pay(TABLE, **changes)) is None


def test_a_payee_cannot_add_lines():
    """Control characters in the name do not move the IBAN; a long name is cut at 70 characters."""
    lines = girocode.payload(to_pay(TABLE, payee="Muster\nDE00\r" + "x" * 100)).decode().split("\n")
    assert lines[6] == "DE02120300000000202051"
    assert len(lines[5]) == 70


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=qr.CAPACITY))
def test_every_code_reads_back(data):
    """Whatever is encoded is read back from the modules, with every correction word right."""
    code = qr.encode(data)
    grid = [[code.dark(y, x) for x in range(code.size)] for y in range(code.size)]
    assert read(grid) == data


@pytest.mark.parametrize("length", [1, 14, 15, 26, 27, 106, 107, 122, 180, 213, 331])
def test_sizes_at_their_limits(length):
    """At each limit the smallest version that holds the data is taken, and its picture reads back."""
    code = qr.encode(b"x" * length)
    assert scan(pixels(code.png())) == b"x" * length
    room = {14: 21, 15: 25, 26: 25, 27: 29, 331: 69}
    assert code.size == room.get(length, code.size)


def test_more_than_fits_is_refused():
    """EPC069-12 ends at version 13."""
    with pytest.raises(ValueError, match="331"):
        qr.encode(b"x" * 332)
