from datetime import timedelta

import pytest

NAMES = (
    "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto (ohne BU-Schlüssel);Belegdatum;Belegfeld 1;"
    "Belegfeld 2;Buchungstext;Sachverhalt;Fälligkeit;Generalumkehr (GU)"
)


def batch(*rows, created="20260903101500000", label="A", start="20260801", end="20260831", length="4", currency="EUR"):
    head = f'"EXTF";700;21;"B";13;{created};;"RE";"";"";1;2;20260101;{length};{start};{end};"{label}";"";1;0;0;"{currency}"'
    return "\r\n".join([head, NAMES, *rows, ""]).encode("cp1252")


def row(amount, side="S", account="10001", contra="8400", day="0108", number="RE1", **more):
    cells = [amount, side, "", account, contra, day, number]
    cells += [more.get(name, "") for name in ("second", "text", "matter", "due", "reversal")]
    return ";".join(cells)


def opened(desk, *rows, **head):
    desk.drop(batch(*rows, **head))
    return {invoice.id.removeprefix("datev_extf/"): invoice.open for b in desk.pull() for invoice in b.invoices}


@pytest.mark.parametrize(
    ("rows", "rest"),
    [
        ([row("119,00")], 119),
        ([row("119,00"), row("19,00", "H", contra="1200")], 100),
        ([row("119,00", "H", account="8400", contra="10001")], 119),
        ([row("119,00"), row("119,00", "S", account="1200", contra="10001")], 0),
        ([row("119,00"), row("119,00", reversal="1")], 0),
        ([row("119,00"), row("119,00", "H", reversal="G")], 238),
        ([row("119,00"), row("2,50", matter="40"), row("3,00", matter="31")], 119),
        ([row("119,00"), row("200,00", "H", contra="1200")], 0),
    ],
)
def test_open_item_is_debits_less_credits(desk, rows, rest):
    """Open is debit less credit per debtor and number; the side turns in the contra account and on reversal; fees are left out."""
    assert opened(desk, *rows) == {"10001/RE1": rest}


def test_only_debtor_accounts_count(desk):
    """Accounts are debtors by the account length of line 1; others are left out."""
    assert opened(desk, row("1,00", account="70000"), row("1,00", account="9999"), row("1,00", account="100001")) == {}
    assert opened(desk, row("1,00", account="100001"), row("1,00", account="10001"), length="5", label="B") == {
        "100001/RE1": 1
    }


def test_same_number_at_two_debtors_is_two_items(desk):
    """Numbers may recur among debtors."""
    assert opened(desk, row("1,00"), row("2,00", account="10002")) == {"10001/RE1": 1, "10002/RE1": 2}


def test_year_comes_from_the_period(desk):
    """DDMM gets the year that puts it into the period, across New Year too; outside of it the row is rejected."""
    desk.drop(
        batch(
            row("1,00", day="3112"),
            row("2,00", day="101", number="RE2"),
            row("3,00", day="0203", number="RE3"),
            start="20251201",
            end="20260131",
        )
    )
    found = {invoice.number: invoice.issued_on.isoformat() for b in desk.pull() for invoice in b.invoices}
    assert found == {"RE1": "2025-12-31", "RE2": "2026-01-01"}
    assert [reject.field for reject in desk.rejects()] == ["Belegdatum"]


def test_batches_add_up_and_a_newer_export_replaces_its_batch(desk):
    """Payments of another batch lower the item; the same batch exported anew replaces its bookings; an older export does nothing."""
    opened(desk, row("119,00"))
    assert opened(desk, row("19,00", "H", contra="1200"), label="Zahlungen") == {"10001/RE1": 100}
    assert opened(desk, row("219,00"), created="20260903111500000") == {"10001/RE1": 200}
    desk.now += timedelta(hours=1)
    assert opened(desk, row("1,00"), created="20260901101500000") == {"10001/RE1": 200}


def test_withdrawn_bookings_hold_the_item(desk):
    """If a newer export of a batch lacks an item, nobody knows why: it is held."""
    opened(desk, row("119,00"), row("50,00", number="RE2"))
    opened(desk, row("50,00", number="RE2"), created="20260903111500000")
    assert desk.reasons("datev_extf/10001/RE1") == ["stale_data"]
    assert desk.reasons("datev_extf/10001/RE2") == []


@pytest.mark.parametrize(
    ("bad", "held"),
    [
        (row("x", "H", number="RE1"), {"10001/RE1"}),
        (row("5,00", "H", number=""), {"10001/RE1", "10001/RE2"}),
        ('"offen;5,00', {"10001/RE1", "10001/RE2", "10002/RE3"}),
    ],
)
def test_unreadable_booking_holds_what_it_may_concern(desk, bad, held):
    """A booking that cannot be read may be a payment: its item, its debtor's, or all are held, as far as its key is known."""
    opened(desk, row("119,00"), row("50,00", number="RE2"), row("60,00", number="RE3", account="10002"), bad)
    found = {invoice.id.removeprefix("datev_extf/") for b in desk.pull() for invoice in b.invoices if invoice.flags}
    assert found == held
    assert len(desk.rejects()) == 1


def test_due_date_from_its_column_or_the_second_field(desk):
    """The due date stands in its column, else in Belegfeld 2 as DDMMYY; other numbers there are none."""
    desk.drop(
        batch(
            row("1,00", due="15082026"),
            row("1,00", number="RE2", second="160826"),
            row("1,00", number="RE3", second="4711"),
        )
    )
    found = {invoice.number: str(invoice.due_on) for b in desk.pull() for invoice in b.invoices}
    assert found == {"RE1": "2026-08-15", "RE2": "2026-08-16", "RE3": "None"}


@pytest.mark.parametrize(
    ("head", "field"),
    [
        ({"start": "20260230"}, "field 15"),
        ({"end": "2026"}, "field 16"),
        ({"end": "20270831"}, "field 16"),
        ({"end": "20260701"}, "field 16"),
        ({"length": "9"}, "field 14"),
    ],
)
def test_wrong_header_names_its_field(desk, head, field):
    """A header that cannot date the batch is told by the number of its field."""
    assert opened(desk, row("1,00"), **head) == {}
    (reject,) = desk.rejects()
    assert field in reject.reason


def test_mixed_currencies_are_rejected(desk):
    """Bookings of one item in two currencies have no sum."""
    assert opened(desk, row("1,00"), row("1,00").replace(";S;;", ";S;CHF;")) == {}
    assert [reject.field for reject in desk.rejects()] == ["WKZ Umsatz"]
