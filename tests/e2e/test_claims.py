"""What is owed on an invoice, through the real command line against a real sandbox: rows, payments, flat fee, total."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("e2e-claims")

OWN = "country: DE\nknown_until: 2027-06-30\nrates:\n  2026-01-01: 1.27\n  2026-07-01: 1.52\n  2027-01-01: 1.77\n"


@pytest.fixture
def agency(near):
    """An agency whose terms are agreed, with an invoice partly paid and one that was due in 2025."""
    sandbox = near.sandbox
    late = sandbox.add_contact("Späth & Söhne GmbH", email="buch@spaeth.example", number="1001")
    part = sandbox.add_invoice(late, number="RE-1", gross="5000.00", issued_on=date(2026, 2, 13))
    near.old = sandbox.add_invoice(late, number="RE-2", gross="100.00", issued_on=date(2025, 2, 14))
    person = sandbox.add_contact(first="Erika", last="Mustermann", email="erika@example.com", number="1003")
    sandbox.add_invoice(person, number="RE-3", gross="1000.00", issued_on=date(2026, 5, 15), days=16)
    sandbox.pay(part, "1000.00", on=date(2026, 5, 15))
    sandbox.add_transaction("5.00", status=400)
    near.init()
    settle(near, "due_source: contract")
    near("pull")
    return near


def settle(office, claims):
    """Write the `claims:` block anew."""
    path = office.folder / "bridge.yaml"
    text = path.read_text(encoding="utf-8").split("\nclaims:")[0]
    path.write_text(f"{text}\nclaims: {{{claims}}}\n", encoding="utf-8")


@pytest.mark.feature("P-17")
def test_a_claim_with_its_computation(agency):
    """The command prints each row of interest, what the payment settled, and a total to the cent, on any day."""
    (claim,) = agency.json("claim", "RE-1", "--on", "2026-07-31")
    assert [(one["days"], one["rate"], one["principal"], one["interest"]) for one in claim["interest_rows"]] == [
        (77, "10.27", "5000.00", "108.33"),
        (46, "10.27", "4108.33", "53.17"),
        (31, "10.52", "4108.33", "36.71"),
    ]
    assert claim["payments"] == [
        {"on": "2026-05-15", "amount": "1000.00", "costs": "0.00", "interest": "108.33", "principal": "891.67", "surplus": "0.00"}
    ]  # fmt: skip
    assert (claim["principal_open"], claim["ancillary_open"]) == ("4108.33", "89.88")
    assert (claim["total"], claim["open_at_provider"]) == ("4198.21", "4000.00")
    assert claim["default_from"] == "2026-02-28"
    (private,) = agency.json("claim", "RE-3", "--on", "2026-07-31")
    assert [(one["days"], one["rate"], one["interest"]) for one in private["interest_rows"]] == [
        (29, "6.27", "4.98"),
        (31, "6.52", "5.54"),
    ]
    assert private["flat_fee"] == ""
    agency.language = "de"
    shown = agency("claim", "RE-1", "--on", "31.07.2026").out
    for text in ("BGB 288(2)", "(1,27 % + 9,00 %) x 77/365", "53,17 €", "89,88 €", "4.198,21 €", "Unternehmen"):
        assert text in shown.replace("\u00a0", " "), shown


def test_a_month_of_interest(agency):
    """100.00 for 30 days at 11.27 % is 0.93, with the formula."""
    (claim,) = agency.json("claim", "RE-2", "--on", "2025-03-30")
    (row,) = claim["interest_rows"]
    assert (row["days"], row["interest"]) == (30, "0.93")
    assert row["formula"].replace("\u00a0", " ") == "EUR 100.00 x (2.27 % + 9.00 %) x 30/365"


def test_the_flat_fee_comes_with_the_level_that_asks_for_it(agency):
    """A level with interest and flat fee: the plan, the approval and the claim show them, and the mail has each with its computation."""
    office = agency
    shipped = (ROOT / "bridge" / "policy" / "plans" / "standard.yaml").read_text(encoding="utf-8")
    first = "    trigger: {after_due: 3}\n"
    assert shipped.count(first) == 1
    asking = shipped.replace(first, first + "    interest: true\n    flat_fee: true\n")
    (office.folder / "own.yaml").write_text(asking, encoding="utf-8")
    office.env["MAHNBRIDGE__PLANS__FILES"] = '["own.yaml"]'
    assert office.json("claim", "RE-1")[0]["ancillaries"] == []
    (planned,) = [one for one in office.json("plan")["notices"] if one["claims"][0]["number"] == "RE-1"]
    assert any("flat fee" in line for line in planned["statement"])
    office("run", "--no-pull")
    office("approve", "--all", "--as", "Erika")
    office("go-live", "--yes", "--as", "Erika")
    office("deliver")
    (claim,) = office.json("claim", "RE-1")
    (fee,) = claim["ancillaries"]
    assert (fee["kind"], fee["amount"], fee["vat"], fee["on"]) == ("flat_fee", "40.00", None, "2026-09-01")
    assert claim["flat_fee"] == "owed"


@pytest.mark.feature("S-AMX-8")
@pytest.mark.feature("S-AMX-27")
@pytest.mark.feature("S-AMX-28")
def test_what_a_case_adds_up_to(agency):
    """Rows name the days since issue; the header is the sum of the overdue rows, and of the two of three that are chosen; `claim` agrees."""
    office = agency
    contact = office.sandbox.add_contact("Gut AG", email="buch@gut.example", number="1002")
    for number, gross in (("RE-7", "4512.48"), ("RE-8", "100.00"), ("RE-9", "50.00")):
        office.sandbox.add_invoice(contact, number=number, gross=gross, issued_on=date(2026, 8, 9), days=10)
    office("pull")
    office("run", "--no-pull")
    detail = office.json("case", "show", "RE-7", "--invoice", "RE-7", "--invoice", "RE-9")
    owed = {number: Decimal(office.json("claim", number)[0]["total"]) for number in ("RE-7", "RE-8", "RE-9")}
    assert {one["number"]: Decimal(one["total"]) for one in detail["claims"]} == owed
    assert detail["overdue"] == detail["line"]["total"] == {"EUR": str(sum(owed.values()))}
    assert (detail["chosen"], detail["chosen_total"]) == (["RE-7", "RE-9"], {"EUR": str(owed["RE-7"] + owed["RE-9"])})
    (listed,) = [one for one in office.json("cases") if one["number"] == detail["line"]["number"]]
    assert listed["total"] == detail["line"]["total"]
    assert "RE-77" in office("case", "show", "RE-7", "--invoice", "RE-77", code=2).err
    office.language = "de"
    shown = office("case", "show", "RE-7").out.replace("\u00a0", " ")
    assert "4.512,48 € (23 Tage)" in shown


def test_a_paid_claim_is_still_one_of_its_customer(agency):
    """Paid and out of the run, a business is still a business: the interest until the payment stands where it is kept.

    A person has the task about what is left; waived it is done, and when the waiver is taken back it is there again.
    """
    settle(agency, "due_source: contract, keep_ancillaries: true")
    contact = agency.sandbox.add_contact("Gut AG", email="buch@gut.example", number="1002")
    invoice = agency.sandbox.add_invoice(contact, number="RE-7", gross="100.00", issued_on=date(2026, 8, 1), days=10)
    agency("run")
    agency("case", "charge", "RE-7", "15,00", "--as", "Erika")
    agency.sandbox.pay(agency.old, "100.00", on=date(2026, 8, 31))
    agency.sandbox.pay(invoice, "100.00", on=date(2026, 8, 31))
    agency("run")
    (claim,) = agency.json("claim", "RE-2")
    assert (claim["customer"], claim["kind"], claim["open_at_provider"]) == ("Späth & Söhne GmbH", "business", "0.00")
    assert Decimal(claim["total"]) > 0
    (before,) = agency.json("tasks", "list")
    agency("case", "waive", "RE-7", "--note", "Kulanz", "--as", "Erika")
    assert agency.json("tasks", "list") == []
    agency("case", "waive", "RE-7", "--take-back", "--as", "Erika")
    (after,) = agency.json("tasks", "list")
    assert (after["kind"], after["id"] > before["id"]) == (before["kind"], True)


@pytest.mark.feature("S-AMX-4")
@pytest.mark.feature("S-AMX-5")
@pytest.mark.feature("S-AMX-6")
@pytest.mark.feature("S-AMX-7")
@pytest.mark.feature("S-BIL-7")
@pytest.mark.feature("P-18")
def test_a_return_charge_in_the_total_and_in_the_next_letter(agency):
    """4,512.48 and a bank's 15.00 are 4,527.48, itemised in the case and in the next letter, with the level's fee of 5.00; taken back, a charge is gone."""
    office = agency
    shipped = (ROOT / "bridge" / "policy" / "plans" / "standard.yaml").read_text(encoding="utf-8")
    second = "    trigger: {after_due: 14}\n"
    assert shipped.count(second) == 1
    (office.folder / "own.yaml").write_text(shipped.replace(second, second + "    fee: 5.00\n"), encoding="utf-8")
    office.env["MAHNBRIDGE__PLANS__FILES"] = '["own.yaml"]'
    settle(office, "due_source: contract, interest: false")
    contact = office.sandbox.add_contact(
        "Gut AG", email="buch@gut.example", number="1002", address=("Weg 2", "20095", "Hamburg")
    )
    office.sandbox.add_invoice(contact, number="RE-9", gross="4512.48", issued_on=date(2026, 8, 3))
    office("pull")
    office("run", "--no-pull")
    office("case", "charge", "RE-9", "15,00", "--on", "2026-08-31", "--as", "Erika", "--note", "Sparkasse")
    office("case", "charge", "RE-9", "5.00", "--kind", "cost")
    (claim,) = office.json("claim", "RE-9")
    assert [(one["kind"], one["amount"], one["on"]) for one in claim["ancillaries"]] == [
        ("return_charge", "15.00", "2026-08-31"),
        ("cost", "5.00", "2026-09-01"),
    ]
    assert (claim["principal_open"], claim["ancillary_open"], claim["total"]) == ("4512.48", "20.00", "4532.48")
    office("case", "charge", "RE-9", "5.00", "--kind", "cost", "--take-back")
    assert "no charge" in office("case", "charge", "RE-9", "5.00", "--kind", "cost", "--take-back", code=2).err
    detail = office.json("case", "show", "RE-9")
    (held,) = detail["claims"]
    assert (held["principal"], held["ancillary"], held["total"]) == ("4512.48", "15.00", "4527.48")
    assert office.json("claim", "RE-9")[0]["total"] == "4527.48"
    assert "--note" in office("case", "waive", "RE-9", code=2).err
    office("case", "waive", "RE-9", "--note", "Kulanz", "--as", "Erika")
    assert "left to waive" in office("case", "waive", "RE-9", "--note", "Kulanz", code=2).err
    (claim,) = office.json("claim", "RE-9")
    assert (claim["total"], [text for text in claim["notes"] if "Kulanz" in text and "Erika" in text] != []) == (
        "4512.48",
        True,
    )
    assert any("Kulanz" in text for text in office.json("explain", "RE-9")[0]["notes"])
    office("case", "waive", "RE-9", "--take-back", "--note", "doch")
    assert "taken back" in office("case", "waive", "RE-9", "--take-back", code=2).err
    office.language = "de"
    shown = office("case", "show", "RE-9").out
    assert "verzichtet. Kulanz" in shown
    for text in ("4.512,48 €", "15,00 € (Rücklastschriftgebühr Sparkasse 15,00 €)", "4.527,48 €", "Erika"):
        assert text in shown, shown
    # the proposal is made anew with the charge; the next letter asks for the charge and for its own fee, each once
    office("run", "--no-pull")
    office("approve", "--all", "--as", "Erika")
    office("go-live", "--yes", "--as", "Erika")
    office("deliver")
    office.on(date(2026, 9, 17))
    office.sandbox.add_transaction("7.00", status=400)
    office("run")
    office("approve", "--all", "--as", "Erika")
    office("deliver")
    last = [mail for to, mail in office.mails.received if to == ["buch@gut.example"]][-1]
    text = last.get_body(("plain",)).get_content().replace("\u00a0", " ")
    for words in ("debit Sparkasse (outside VAT): EUR 15.00", "letter (outside VAT): EUR 5.00", "Total: EUR 4,532.48"):
        assert text.count(words) == 1, text
    (held,) = office.json("case", "show", "RE-9")["claims"]
    assert (held["ancillary"], held["total"]) == ("20.00", "4532.48")
    assert sorted(held["parts"].values()) == ["15.00", "5.00"]
    (claim,) = office.json("claim", "RE-9")
    assert [(one["kind"], one["amount"], one["vat"]) for one in claim["ancillaries"]] == [
        ("return_charge", "15.00", None),
        ("reminder_fee", "5.00", None),
    ]
    assert claim["total"] == "4532.48"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("RE-1", "1.234"), "write 15.00"),
        (("RE-1", "0"), "more than 0"),
        (("RE-1", "15", "--on", "2026-12-24"), "in the future"),
        (("RE-77", "15"), "RE-77"),
    ],
)
def test_a_wrong_charge_is_refused(agency, words, said):
    """An amount that is none, a day to come, an unknown invoice: refused with what would be right; nothing is changed."""
    agency("run", "--no-pull")
    assert said in agency("case", "charge", *words, code=2).err


def test_what_an_operator_sets(agency):
    """Points of a contract, other rounding, no interest at all, and an own table for a new half-year take effect."""
    settle(agency, 'due_source: contract, points: "12.00", day_count: act/act, rounding: total')
    (claim,) = agency.json("claim", "RE-2", "--on", "2025-03-30")
    assert claim["interest_rows"][0]["rate"] == "14.27"
    settle(agency, "due_source: contract, interest: false")
    assert agency.json("claim", "RE-1", "--on", "2026-07-31")[0]["total"] == "4000.00"
    settle(agency, "due_source: invoice_only")
    assert agency.json("claim", "RE-2", "--on", "2025-03-30")[0]["total"] == "100.00"


def test_a_missing_half_year_is_warned_of(agency):
    """In a half-year without a base rate `check` warns and the claim says which days are left out; an own table ends both."""
    agency.on(date(2027, 1, 15))
    assert "base_rate_missing" in [one["code"] for one in agency.json("check", "--offline")["remarks"]]
    assert "2027" in " ".join(agency.json("claim", "RE-2")[0]["notes"])
    (agency.folder / "rates.yaml").write_text(OWN, encoding="utf-8")
    settle(agency, "due_source: contract, base_rates: [rates.yaml]")
    assert "base_rate_missing" not in [one["code"] for one in agency.json("check", "--offline")["remarks"]]
    assert agency.json("claim", "RE-1")[0]["interest_rows"][-1]["last"] == "2027-01-15"
    (agency.folder / "rates.yaml").write_text(OWN.replace("1.77", "1,77"), encoding="utf-8")
    wrong = agency("claim", "RE-1", code=1)
    assert "rates.yaml:6" in wrong.err


def test_a_deferral_bears_no_interest(agency):
    """The days of a deferral are left out of the computation; afterwards it goes on. A credit note is no claim."""
    note = agency.sandbox.add_credit_note(None, "50.00")
    agency.sandbox.add_transaction("9.00", status=400)
    agency("run")
    agency("case", "defer", "RE-3", "--until", "2026-09-10", "--invoice", "RE-3", "--as", "Erika")
    (claim,) = agency.json("claim", "RE-3", "--on", "2026-09-30")
    assert [(one["first"], one["last"]) for one in claim["interest_rows"][-2:]] == [
        ("2026-07-01", "2026-08-31"),
        ("2026-09-11", "2026-09-30"),
    ]
    assert "no invoice" in agency("claim", note, code=2).err


def test_an_invoice_that_nobody_knows(agency):
    """An unknown invoice or account is a wrong call."""
    assert "RE-77" in agency("claim", "RE-77", code=2).err
    assert "other" in agency("claim", "RE-1", "--account", "other", code=2).err
