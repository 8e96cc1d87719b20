from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.generic_csv.matching import creditor_references, numbers_in


def row(number, open_="119,00", customer="K1", name="Kunde Eins GmbH", gross=None):
    return f"{number};{customer};{name};01.08.2026;15.08.2026;{gross or open_};{open_}"


def standing(desk, *numbers):
    """Return for each invoice its open amount and the reasons that hold it."""
    found = desk.invoices()
    return [(found[number].open, [flag.reason.value for flag in found[number].flags]) for number in numbers]


HELD = ["payment_unmatched"]


@pytest.mark.parametrize(
    "text",
    ["RE-2026-0042", "re 2026 0042", "Rechnung RE2026-0042 vom 1.8.", "Zahlung RE/2026/0042, danke", "RE-2026- 0042"],
)
def test_invoice_number_and_amount_match(desk, text):
    """A number in the purpose, however it is parted, with exactly the open amount pays the invoice."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043"))
    desk.bank(("03.09.26", text, "119,00"))
    assert standing(desk, "RE-2026-0042", "RE-2026-0043") == [(0, []), (119, [])]
    assert [(payment.invoice_id, payment.amount, payment.value_on) for payment in desk.payments()] == [
        ("plain/RE-2026-0042", 119, date(2026, 9, 3))
    ]


@pytest.mark.parametrize("text", ["RE-2026-00421", "XRE-2026-0042", "2026-0042x"])
def test_a_number_inside_a_longer_one_is_no_number(desk, text):
    """Numbers count between word borders only."""
    desk.items(row("RE-2026-0042"))
    desk.bank(("03.09.26", text, "77,00"))
    assert standing(desk, "RE-2026-0042") == [(119, [])]


def test_longer_number_wins_over_the_shorter_in_it(desk):
    """`RE-12 3` names invoice RE-123 if there is one, not RE-12."""
    desk.items(row("RE-12", customer="K1"), row("RE-12-3", customer="K2", name="Zwei"))
    desk.bank(("03.09.26", "RE-12-3", "119,00"))
    assert standing(desk, "RE-12", "RE-12-3") == [(119, []), (0, [])]


def test_number_with_another_amount_holds_the_invoice(desk):
    """A part payment that the list does not know yet is not booked by guess: the invoice is held."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043"))
    desk.bank(("03.09.26", "RE-2026-0042", "100,00"))
    assert standing(desk, "RE-2026-0042", "RE-2026-0043") == [(119, HELD), (119, [])]


def test_hold_ends_when_a_newer_list_knows_the_payment(desk):
    """When the next list shows exactly this payment, the hold ends and nothing is taken off twice."""
    desk.items(row("RE-2026-0042"))
    desk.bank(("03.09.26", "RE-2026-0042", "100,00"))
    desk.pull()
    desk.now += timedelta(days=1)
    desk.items(row("RE-2026-0042", open_="19,00", gross="119,00"))
    desk.bank(("03.09.26", "RE-2026-0042", "100,00"), ("04.09.26", "anderes", "1,00"))
    assert standing(desk, "RE-2026-0042") == [(19, [])]


def test_list_that_knows_the_payment_already(desk):
    """A payment that the list has taken off already is recognised and not taken off again."""
    desk.items(row("RE-2026-0042", open_="19,00", gross="119,00"))
    desk.bank(("03.09.26", "RE-2026-0042", "100,00"))
    assert standing(desk, "RE-2026-0042") == [(19, [])]
    assert [payment.amount for payment in desk.payments()] == [100]


def test_several_numbers_and_their_sum(desk):
    """Several numbers whose open amounts add up to the payment are all paid; otherwise all are held."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043", open_="81,00"), row("RE-2026-0044"), row("RE-2026-0045"))
    desk.bank(
        ("03.09.26", "RE-2026-0042 und RE-2026-0043", "200,00"), ("03.09.26", "RE-2026-0044, RE-2026-0045", "150,00")
    )
    assert standing(desk, *(f"RE-2026-004{n}" for n in (2, 3, 4, 5))) == [(0, []), (0, []), (119, HELD), (119, HELD)]


@pytest.mark.parametrize("text", ["RF56RE20260004", "RF56 RE20 2600 04", "Ref RF56RE20260004 danke"])
def test_creditor_reference_pays_any_amount(desk, text):
    """A valid RF reference is exact: it pays its invoice, in part too."""
    desk.items(row("RE-2026-0004"), row("RE-2026-0005"))
    desk.bank(("03.09.26", text, "100,00"))
    assert standing(desk, "RE-2026-0004", "RE-2026-0005") == [(19, []), (119, [])]


def test_wrong_check_digits_are_no_reference():
    """A reference with a slip of the pen is none."""
    assert creditor_references("RF55RE20260004") == []
    assert creditor_references("RF18 5390 0754 7034") == ["539007547034"]


def test_customer_number_and_amount(desk):
    """The customer's number with the amount of exactly one open invoice pays it; of two, both are held."""
    desk.items(
        row("RE-2026-0042", customer="KD-10017"),
        row("RE-2026-0043", customer="KD-10017", open_="50,00"),
        row("RE-2026-0044", customer="KD-10018", name="Zwei"),
        row("RE-2026-0045", customer="KD-10018", name="Zwei"),
    )
    desk.bank(("03.09.26", "Kunde KD-10017", "50,00"), ("03.09.26", "KD-10018", "119,00"))
    assert standing(desk, *(f"RE-2026-004{n}" for n in (2, 3, 4, 5))) == [(119, []), (0, []), (119, HELD), (119, HELD)]


def test_known_account_and_the_sum_of_all(desk):
    """A payer known by an earlier payment's account pays all open invoices with their sum."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043", open_="50,00"), row("RE-2026-0044", open_="70,00"))
    desk.bank(
        ("01.09.26", "RE-2026-0042", "119,00", "E. Muster", "DE89370400440532013000"),
        ("03.09.26", "alles", "120,00", "E. Muster", "DE89370400440532013000"),
    )
    assert standing(desk, *(f"RE-2026-004{n}" for n in (2, 3, 4))) == [(0, [])] * 3


def test_known_account_with_an_odd_amount_holds_all(desk):
    """A known payer whose amount fits nothing holds everything that is open for them."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043", open_="50,00"), row("RE-2026-0044", customer="K2", name="Zwei"))
    desk.bank(("01.09.26", "RE-2026-0042", "119,00", "E. M.", "DE89"), ("03.09.26", "Akonto", "33,00", "E. M.", "DE89"))
    assert standing(desk, *(f"RE-2026-004{n}" for n in (2, 3, 4))) == [(0, []), (50, HELD), (119, [])]


def test_payers_name_holds(desk):
    """A payer with the debtor's name, and nothing else, holds what is open for them."""
    desk.items(row("RE-2026-0042", name="Müller & Söhne GmbH"), row("RE-2026-0043", customer="K2", name="Zwei"))
    desk.bank(("03.09.26", "Danke", "10,00", "MUELLER & SOEHNE GMBH"))
    assert standing(desk, "RE-2026-0042", "RE-2026-0043") == [(119, HELD), (119, [])]


def test_equal_amount_alone_holds_for_a_while(desk):
    """An equal amount from an unknown payer holds the invoices of that amount for two weeks, and pays none."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043", customer="K2", name="Zwei"), row("RE-2026-0044", open_="50,00"))
    desk.bank(("03.09.26", "Danke", "119,00", "Unbekannt"))
    assert standing(desk, *(f"RE-2026-004{n}" for n in (2, 3, 4))) == [(119, HELD), (119, HELD), (50, [])]
    (flag,) = desk.invoices()["RE-2026-0042"].flags
    assert flag.until == date(2026, 9, 17)
    assert flag.source.startswith("datei-002.csv:2")


def test_money_that_left_concerns_nobody(desk):
    """Outgoing money is not compared, unless it is a returned direct debit."""
    desk.items(row("RE-2026-0042"))
    desk.bank(("03.09.26", "Gutschrift zu RE-2026-0042", "-119,00", "Kunde Eins GmbH"))
    assert standing(desk, "RE-2026-0042") == [(119, [])]


def test_payment_that_came_before_its_list(desk):
    """A payment that is imported before the invoice is known is matched when the list comes."""
    desk.bank(("03.09.26", "RE-2026-0042", "119,00"))
    desk.pull()
    desk.items(row("RE-2026-0042"))
    assert standing(desk, "RE-2026-0042") == [(0, [])]


def test_overlapping_bank_files_count_a_movement_once(desk):
    """Bank files overlap; two equal movements of one file stay two, the same one in two files stays one."""
    desk.items(row("RE-2026-0042", open_="119,00"), row("RE-2026-0043", open_="30,00"))
    twice = [("02.09.26", "RF56RE20260004 x", "1,00")] * 2
    desk.items(row("RE-2026-0004", open_="10,00"))
    desk.bank(*twice)
    desk.bank(*twice, ("03.09.26", "RE-2026-0042", "119,00"))
    assert standing(desk, "RE-2026-0042", "RE-2026-0004") == [(0, []), (8, [])]


def test_part_payments_that_list_and_bank_tell_differently_are_held(desk):
    """If the list knows another amount than the bank shows, the larger counts and the rest is held."""
    desk.items(row("RE-2026-0004", open_="69,00", gross="119,00"))
    desk.bank(("01.09.26", "RF56RE20260004", "80,00"))
    assert standing(desk, "RE-2026-0004") == [(39, HELD)]


def test_overpayment_leaves_nothing_open(desk):
    """More money than is open closes the invoice and opens no other."""
    desk.items(row("RE-2026-0004"), row("RE-2026-0005"))
    desk.bank(("03.09.26", "RF56RE20260004", "500,00"))
    assert standing(desk, "RE-2026-0004", "RE-2026-0005") == [(0, []), (119, [])]


def test_foreign_currency_never_matches_by_amount(desk):
    """119 CHF do not pay 119 EUR."""
    desk.items(row("RE-2026-0042"))
    path = desk.bank(("03.09.26", "RE-2026-0042", "119,00"))
    path.write_bytes(path.read_bytes().replace(b";EUR;", b";CHF;"))
    assert standing(desk, "RE-2026-0042") == [(119, HELD)]


def test_bank_feed_tells_up_to_when(desk):
    """The snapshot says up to when the bank account is known, and `check` that there is a bank feed."""
    desk.items(row("RE-2026-0042"))
    assert desk.look("plain/RE-2026-0042")[0].payments_as_of is None
    desk.bank(("03.09.26", "x", "1,00"))
    assert desk.look("plain/RE-2026-0042")[0].payments_as_of == desk.now - timedelta(minutes=5) + timedelta(seconds=2)
    assert desk.connector().check().has_bank_feed


def test_numbers_in_a_text():
    """Neighbouring words are joined in every way up to six."""
    assert "re20260042" in numbers_in("RE-2026/0042")
    assert numbers_in("") == {}
    assert Decimal(len(numbers_in("x " * 5000))) < 1000


def test_same_movement_in_two_formats_counts_once(desk):
    """A movement that comes as CSV and again in a bank statement is booked once."""
    desk.items(row("RE-2026-0004"))
    desk.bank(("03.09.26", "RF56RE20260004", "100,00"))
    desk.pull()
    desk.drop(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>DE02</IBAN></Id>'
        '</Acct><Ntry><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-09-03</Dt>'
        "</BookgDt><NtryDtls><TxDtls><RmtInf><Strd><CdtrRefInf><Ref>RF56RE20260004</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"
        "</NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>",
        name="a.xml",
    )
    assert standing(desk, "RE-2026-0004") == [(19, [])]


def test_hold_by_the_payers_name_ends_with_the_next_list(desk):
    """A payment that only the payer's name points to holds until a list takes exactly its amount off."""
    desk.items(row("RE-2026-0042"), row("RE-2026-0043", customer="K2", name="Zwei"))
    desk.bank(("03.09.26", "Danke", "10,00", "Kunde Eins GmbH"))
    assert standing(desk, "RE-2026-0042") == [(119, HELD)]
    desk.now += timedelta(days=1)
    desk.items(row("RE-2026-0042"), row("RE-2026-0043", open_="99,00", gross="119,00", customer="K2", name="Zwei"))
    assert standing(desk, "RE-2026-0042") == [(119, HELD)]
    desk.items(row("RE-2026-0042", open_="109,00", gross="119,00"))
    assert standing(desk, "RE-2026-0042") == [(109, [])]


def test_list_of_the_same_day_cannot_end_a_hold(desk):
    """A list made on the booking day may not know the movement yet: what it took off may be another payment."""
    desk.items(row("RE-2026-0042"), at=desk.now - timedelta(days=1))
    desk.bank(("04.09.26", "Danke", "10,00", "Kunde Eins GmbH"))
    desk.pull()
    desk.items(row("RE-2026-0042", open_="109,00", gross="119,00"))
    assert standing(desk, "RE-2026-0042") == [(109, HELD)]


def test_number_of_a_paid_invoice_beside_an_open_one(desk):
    """A payment that the list shows on one of two named invoices, now paid, leaves the other alone."""
    desk.items(row("RE-2026-0042", open_="0,00", gross="119,00"), row("RE-2026-0043", open_="50,00"))
    desk.bank(("03.09.26", "RE-2026-0042 nicht RE-2026-0043", "119,00"))
    assert standing(desk, "RE-2026-0042", "RE-2026-0043") == [(0, []), (50, [])]
