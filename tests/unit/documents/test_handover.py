"""What a collection agency gets: the neutral record, the list in its own columns, the report."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from bridge.app.collection import Collection
from bridge.config.people import CollectionExport
from bridge.documents.handover import (
    COLUMNS,
    FIELDS,
    Charge,
    Creditor,
    Format,
    HandedClaim,
    HandOver,
    Interest,
    Party,
    Received,
    Reminder,
    record,
    report,
    table,
)
from bridge.errors import Refused
from bridge.model import Invoice, InvoiceStatus

CREDITOR = Creditor(
    "Lichtblick GmbH", "Weg 1", "20095", "Hamburg", "DE", "HRB 1", "DE1", "DE89370400440532013000", "", ""
)


def claim(number="RE-1", **values):
    base = {
        "invoice_number": number, "invoice_date": date(2026, 9, 1), "due_date": date(2026, 9, 15),
        "subject_matter": "Rechnung", "currency": "EUR", "principal": Decimal("1190.00"),
        "principal_open": Decimal("1000.00"), "interest": Decimal("12.34"),
        "charges": (
            Charge("reminder_fee", date(2026, 10, 1), Decimal("5.00")),
            Charge("return_charge", date(2026, 10, 2), Decimal("4.10")),
            Charge("flat_fee", date(2026, 10, 3), Decimal("40.00")),
        ),
        "total": Decimal("1061.44"), "default_from": date(2026, 9, 16),
        "reminders": (
            Reminder(1, "Zahlungserinnerung", date(2026, 9, 20), "mail", legal=False),
            Reminder(2, "Mahnung", date(2026, 10, 1), "letter", legal=True),
        ),
        "payments": (Received(date(2026, 9, 30), Decimal("190.00")),), "documents": ("RE-1.pdf",),
    }  # fmt: skip
    return HandedClaim(**{**base, **values})


def handover(*claims, name="Muster & Söhne", phone="+49 40 (12) 3", **values):
    party = Party(
        "10017",
        "business",
        name,
        "Frau Kurz",
        ("Muster",),
        "Am Kai 2",
        "20457",
        "Hamburg",
        "DE",
        "m@e.example",
        phone,
        "",
    )
    base = {
        "reference": "MA-000001", "handed_over_on": date(2026, 11, 2), "agency": "Inkasso Muster", "client_number": "4711",
        "route": "extrajudicial", "creditor": CREDITOR, "debtor": party, "claims": claims or (claim(),),
    }  # fmt: skip
    return HandOver(**{**base, **values})


PERIOD = Interest(
    date(2026, 9, 16), date(2026, 11, 2), 48, Decimal("1.52"), Decimal("9.00"), Decimal("10.52"), Decimal("1000.00"), Decimal("13.83")
)  # fmt: skip


def rows(data, how):
    return list(csv.DictReader(io.StringIO(data.decode(how.encoding), newline=""), delimiter=how.delimiter))


def test_the_list_has_one_row_per_claim_in_the_columns_that_are_set():
    """Titles, order, delimiter, decimal mark, dates and encoding are those of the configuration."""
    columns = {"Nr": "invoice_number", "Summe": "total", "Fällig": "due_date", "Briefe": "reminders"}
    how = Format(columns, "\t", "cp1252", ".", iso_dates=True)
    data = table([handover(claim(), claim("RE-2"))], how)
    assert data.decode("cp1252").splitlines()[0] == "Nr\tSumme\tFällig\tBriefe"
    letters = "Zahlungserinnerung 2026-09-20, Mahnung 2026-10-01"
    assert rows(data, how)[1] == {"Nr": "RE-2", "Summe": "1061.44", "Fällig": "2026-09-15", "Briefe": letters}


def test_the_usual_list_says_everything_a_form_asks_for():
    """German titles, decimal comma, German dates: parts of the claim itemised, the first dunning letter in the sense of the law."""
    how = Format()
    [row] = rows(table([handover()], how), how)
    assert list(row) == list(COLUMNS)
    assert (row["Rechnungsbetrag"], row["Offene Hauptforderung"], row["Gezahlt"]) == ("1190,00", "1000,00", "190,00")
    assert (row["Mahngebühren"], row["Rücklastschriftgebühren"], row["Verzugspauschale"]) == ("5,00", "4,10", "40,00")
    assert (row["Erste Mahnung"], row["Letzte Mahnung"]) == ("01.10.2026", "01.10.2026")
    assert row["Mahnungen"] == "Zahlungserinnerung 20.09.2026, Mahnung 01.10.2026"
    assert row["Telefon"] == "+49 40 (12) 3"


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+49=1", "-1+2", "@SUM(1)", " =1", "\uff1d1", "a\r\nb;c", '"quoted"']
)
def test_no_cell_of_a_debtor_is_a_formula_or_a_second_row(name):
    """Names that a spreadsheet would compute become text, line breaks spaces; a row stays a row."""
    how = Format({"Name": "debtor_name", "Nr": "invoice_number"})
    [row] = rows(table([handover(name=name)], how), how)
    assert not row["Name"].startswith(("=", "+", "-", "@", "\uff1d"))
    assert (row["Nr"], "\n" in row["Name"]) == ("RE-1", False)


def test_a_name_that_the_encoding_lacks_is_told():
    """Nothing is replaced by question marks: the case and the field are named, and what to set."""
    with pytest.raises(Refused, match=r"MA-000001, debtor_name = 'Łukasz' .* collection\.encoding"):
        table([handover(name="Łukasz")], Format({"Name": "debtor_name"}, encoding="cp1252"))


def test_the_record_is_plain_json_with_exact_amounts():
    """Amounts and dates are text; reminders with their days, the first dunning letter, payments and charges are all there."""
    told = json.loads(json.dumps(record(handover())))
    [one] = told["claims"]
    assert (told["total"], one["principal_open"], one["first_dunning_on"]) == ("1061.44", "1000.00", "2026-10-01")
    assert [its["legal"] for its in one["reminders"]] == [False, True]
    assert (one["disputed"], one["payments"]) == (False, [{"on": "2026-09-30", "amount": "190.00"}])
    assert told["creditor"]["iban"] == "DE89370400440532013000"


def test_the_record_holds_what_the_agency_must_tell_a_private_person():
    """RDG 13a(1): legal form, input tax, subject, each period of interest with its rate and statute, why the rate is higher."""
    creditor = replace(CREDITOR, legal_form="GmbH", deducts_vat=True)
    own = claim(
        interest_rows=(PERIOD,), interest_law="BGB 288(2)", higher_rate_reason="Vertrag", obligation_fulfilled=False
    )
    told = json.loads(json.dumps(record(handover(own, creditor=creditor, route="judicial"))))
    [one] = told["claims"]
    assert (told["creditor"]["legal_form"], told["creditor"]["deducts_vat"], told["route"]) == (
        "GmbH",
        True,
        "judicial",
    )
    assert one["interest_rows"] == [
        {
            "first": "2026-09-16", "last": "2026-11-02", "days": 48, "base_rate": "1.52", "points": "9.00", "rate": "10.52",
            "principal": "1000.00", "amount": "13.83",
        }
    ]  # fmt: skip
    assert (one["interest_law"], one["higher_rate_reason"], one["obligation_fulfilled"]) == (
        "BGB 288(2)",
        "Vertrag",
        False,
    )
    how = Format({name: name for name in FIELDS})
    [row] = rows(table([handover(own, creditor=creditor)], how), how)
    assert (row["creditor_deducts_vat"], row["obligation_fulfilled"], row["creditor_register"]) == (
        "ja",
        "nein",
        "HRB 1",
    )
    assert row["interest_computation"] == "16.09.2026-02.11.2026: 48 x 10,52 % x 1000,00 = 13,83"


def test_what_nobody_told_is_null_and_never_guessed():
    """What no provider told is there, empty, and `unknown` names what the agency will ask for: of a company other things than of a person."""
    told = json.loads(json.dumps(record(handover())))
    asked = ("legal_form", "representative", "salutation", "first_name", "last_name", "birth_date", "death_date")
    assert {name: told["debtor"][name] for name in asked} == dict.fromkeys(asked)
    assert (told["creditor"]["legal_form"], told["creditor"]["deducts_vat"]) == (None, None)
    [one] = told["claims"]
    unknown = ("contract_date", "obligation_fulfilled", "interest_law", "higher_rate_reason")
    assert {name: one[name] for name in unknown} == dict.fromkeys(unknown)
    assert told["unknown"] == ["legal_form", "representative", "contract_date"]
    person = replace(handover().debtor, kind="consumer", salutation="Frau", first_name="Ada", last_name="Neu")
    assert record(replace(handover(), debtor=person))["unknown"] == ["birth_date", "contract_date"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Übergeben am 02.11.2026", "Zusammen: 2.122,88 EUR", "Mahnung 01.10.2026")),
        ("en", ("Handed over on 2 November 2026", "In all: EUR 2,122.88", "Mahnung 1 October 2026")),
    ],
)
def test_the_report_is_for_people(language, words):
    """One block per case: customer, agency, claims with their letters, sum."""
    text = report([handover(claim(), claim("RE-2"))], language)
    for said in (*words, "Muster & Söhne (10017)", "Inkasso Muster", "RE-2"):
        assert said in text.replace("\u00a0", " ")


def test_every_field_can_be_a_column():
    """The usual columns name known fields, and each known field has a value."""
    assert set(COLUMNS.values()) <= set(FIELDS)
    how = Format({name: name for name in FIELDS})
    assert list(rows(table([handover()], how), how)[0]) == list(FIELDS)


def test_a_payment_without_a_day_has_none_in_the_record():
    """The provider says how much was paid and not when: the agency is told the sum, and no day that nobody named."""
    invoice = Invoice(
        id="1", number="RE-1", status=InvoiceStatus.OPEN, issued_on=date(2026, 9, 1), gross=Decimal("100.00"),
        open=Decimal("60.00"), debtor_id="d1", sent=True,
    )  # fmt: skip
    told = SimpleNamespace(
        currency="EUR", gross=Decimal("100.00"), principal_open=Decimal("60.00"), interest=Decimal("0.00"), ancillaries=(),
        total=Decimal("60.00"), default_from=None, interest_rows=(), law="",
        payments=(SimpleNamespace(on=None, amount=Decimal("40.00")),),
    )  # fmt: skip
    desk = SimpleNamespace(
        store=SimpleNamespace(mirror=SimpleNamespace(invoice=lambda *_: SimpleNamespace(invoice=invoice))),
        claimed=lambda *_: told, language="de", config=SimpleNamespace(collection=CollectionExport()), _reminders=lambda *_: (),
        rules={"main": SimpleNamespace(money=SimpleNamespace(points=None))},
    )  # fmt: skip
    of = SimpleNamespace(invoice_id="1", invoice_number="RE-1")
    said = SimpleNamespace(invoices={"1": {}})
    claim = Collection._handed(desk, None, "main", of, date(2026, 11, 2), (), said)
    assert record(handover(claim))["claims"][0]["payments"] == [{"on": None, "amount": "40.00"}]
