"""Holds on the command line: instalments, deferrals, prepayment, exclusions, insolvency, and what is not yet due."""

from datetime import date

import pytest

pytestmark = pytest.mark.xdist_group("e2e-holds")


@pytest.mark.feature("S-PAY-16")
def test_instalments_are_agreed_kept_and_missed(desk):
    """No reminder while rates are kept; payments go to the oldest rate; a missed one lets dunning go on and marks the case."""
    desk("run", "--no-deliver")
    assert len(desk.json("approve")) == 1
    wrong = desk("case", "instalments", "RE-1", "2026-09-15=500,00", "--as", "Erika", code=2)
    assert "the rates reach 500.00, but 1190.00 is open: 690.00 is missing" in wrong
    agreed = desk(
        "case", "instalments", "RE-1", "2026-09-15=500,00", "15.10.2026=690", "--note", "telefonisch", "--as", "Erika"
    )
    assert "payment in 2 instalments until 15 Oct 2026 agreed (Erika)" in agreed
    assert desk.json("plan")["notices"] == []
    desk("run", "--no-deliver")
    assert desk.json("approve") == []  # what was proposed is withdrawn
    desk.on(date(2026, 9, 14))
    desk.sandbox.pay(desk.invoice, "500.00")
    desk.on(date(2026, 10, 1))
    desk("run", "--no-deliver")
    told = desk.json("explain", "RE-1")[0]
    assert (told["reason"], told["set_by"], told["set_on"], told["until"]) == (
        "payment_plan", "Erika", "2026-09-01", "2026-10-15",
    )  # fmt: skip
    assert "rates paid: 1 of 2, next rate EUR\xa0690.00 on 15 October 2026: telefonisch" in told["text"]
    [shown] = desk.json("agreements")
    assert [(one["paid"], one["state"]) for one in shown["rates"]] == [("500.00", "paid"), ("0.00", "open")]
    assert "15 Oct 2026" in desk("agreements")
    desk.on(date(2026, 10, 19))  # due on Thursday, three days of grace over the weekend
    assert len(desk.json("run", "--no-deliver")["planned"]["notices"]) == 1
    assert "the rate of 15 Oct 2026 was missed, 690.00 did not come" in desk("case", "show", "MA-000001")
    assert "no agreement" in desk("agreements")
    desk.speak("de")
    assert "Rate vom 15.10.2026 nicht eingehalten, 690,00 fehlen" in desk("case", "show", "MA-000001")


@pytest.mark.feature("S-AMX-40", "S-AMX-52", "P-9", "S-SEV-6")
def test_settings_of_the_office_decide(desk):
    """Days of a deferral, what is not yet due, terms and methods that exclude, shop orders: each from the configuration."""
    add = desk.sandbox.add_invoice
    add(desk.customer, number="RE-2", gross="200.00", issued_on=date(2026, 8, 24))  # due on 7 September
    add(desk.customer, number="RE-3", gross="300.00", issued_on=date(2026, 7, 1), days=30)
    add(desk.customer, number="RE-4", gross="400.00", issued_on=date(2026, 8, 3), days=0)
    desk("pull")
    desk.on(date(2026, 9, 2))
    text = desk("plan")
    assert "1 invoice is not yet due" in text
    assert "RE-2" not in text
    assert "7 Sep 2026" in desk("plan", "--include-not-due")
    desk.configure("dunning:\n", "dunning:\n  show_not_due: true\n  deferral_days: 21\n")
    assert "7 Sep 2026" in desk("plan")
    assert "RE-2" not in desk("plan", "--no-include-not-due")
    assert "is deferred until 23 Sep 2026" in desk("case", "defer", "RE-1", "--invoice", "RE-1", "--as", "Erika")
    with pytest.MonkeyPatch.context() as terminal:  # at a terminal the day is proposed, and Enter takes it
        terminal.setattr("bridge.cli.session.Session.interactive", True)
        terminal.setattr("click.prompt", lambda text, *, type, default: type.convert(default, None, None))  # noqa: A006
        assert "is deferred until 23 Sep 2026" in desk("case", "defer", "RE-1", "--invoice", "RE-1", "--as", "Erika")
    with (desk.folder / "bridge.yaml").open("a", encoding="utf-8") as file:
        file.write("exclusions:\n  terms_days: [30]\n  prepayment: {terms_days: [0]}\n")
    held = {one["number"]: one for one in desk.json("plan")["held"]}
    assert held["RE-1"]["text"] == "deferred until 23 September 2026 (by Erika, 2 September 2026)"
    assert held["RE-3"]["text"] == "excluded: invoice (payment term in days): 30"
    assert held["RE-4"]["reason"] == "prepayment"
    desk.configure("{terms_days: [0]}", "{terms_days: [0], plan: gentle}")
    assert desk.json("explain", "RE-4")[0]["plan"] == "gentle"
    desk.configure("plan: gentle", "plan: nix")
    assert "exclusions.prepayment.plan = 'nix'" in desk("plan", code=1)


def test_an_insolvency_stops_everything_of_the_customer(desk):
    """It holds all invoices; for one invoice alone it cannot be recorded, and the answer names the case."""
    desk.sandbox.add_invoice(desk.customer, number="RE-2", gross="200.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    words = "--reason", "insolvency", "--note", "AG Hamburg", "--as", "Erika"
    for named in (("RE-1",), ("MA-000001", "--invoice", "RE-1")):
        assert "name MA-000001 instead of an invoice" in " ".join(desk("case", "block", *named, *words, code=2).split())
    desk("case", "block", "MA-000001", *words)
    desk("run", "--no-deliver")
    assert desk.json("approve") == []
    texts = {one["number"]: one["text"] for one in desk.json("plan")["held"]}
    assert texts == dict.fromkeys(("RE-1", "RE-2"), "insolvency: AG Hamburg (by Erika, 1 September 2026)")


@pytest.mark.feature("P-4")
@pytest.mark.parametrize(
    ("moment", "today"),
    [
        ("2026-03-28T23:30+00:00", "2026-03-29"),  # half past midnight in Berlin
        ("2026-10-25T02:30", "2026-10-25"),  # one that it has twice
    ],
)
def test_the_date_is_the_senders_in_both_nights_of_the_clock_change(desk, moment, today):
    """Whatever the machine's clock says, it is the Berlin date; the hour that comes twice makes no second notice."""
    desk.configure("dunning:\n", "calendar:\n  weekdays: [mon, tue, wed, thu, fri, sat, sun]\ndunning:\n")
    desk.configure("cutoff: 2026-01-01", "cutoff: 2025-01-01")
    desk.sandbox.add_invoice(desk.customer, number="RE-0", gross="50.00", issued_on=date(2026, 2, 2))
    desk.on(date.fromisoformat(today))
    desk.at(moment)
    planned = desk.json("run", "--no-deliver")["planned"]
    assert planned["today"] == today
    assert "RE-0" in {claim["number"] for one in planned["notices"] for claim in one["claims"]}
    desk.at(today + "T02:30+01:00" if "-10-" in today else today + "T03:30")
    assert desk.json("run", "--no-deliver")["planned"]["notices"] == []


@pytest.mark.feature("N-5", "P-2")
def test_corpus_christi_counts_where_the_agency_or_the_debtor_has_it(desk):
    """An agency in Hamburg: to Munich nothing goes out on 4 June, and no deadline falls on it; to Hamburg it does."""
    munich = desk.sandbox.add_contact(
        "Isar GmbH", email="x@isar.example", number="1002", address=("Weg 1", "80331", "München")
    )
    for contact, number in ((desk.customer, "RE-N"), (munich, "RE-S")):
        desk.sandbox.add_invoice(contact, number=number, gross="80.00", issued_on=date(2026, 5, 18))  # due on 1 June
    desk.configure("connector: sevdesk\n", "connector: sevdesk\n    federal_state: HH\n")
    desk.on(date(2026, 6, 3))
    desk("pull")
    north, south = (desk.json("explain", number)[0]["ahead"][0]["on"] for number in ("RE-N", "RE-S"))
    assert (north, south) == ("2026-06-04", "2026-06-05")
    ahead = {one["invoices"][0]: one for one in desk.json("plan", "--days", "3")["notices"]}
    assert {number: one["on"] for number, one in ahead.items()} == {"RE-N": "2026-06-04", "RE-S": "2026-06-05"}
    told = desk.json("explain", "RE-S", "--on", "2026-06-04")[0]
    assert (told["reason"], told["next_on"]) == ("not_working_day", "2026-06-05")


@pytest.mark.feature("S-BIL-18")
def test_the_hours_of_the_office_hold_what_is_approved(live):
    """From half past nine: a run at nine sends nothing and says when; the one after half past nine sends, on a Saturday neither."""
    live.configure("dunning:\n", "calendar:\n  opens: 09:30\ndunning:\n")
    live.at("2026-08-29T12:00")
    assert live.json("deliver")["opens_at"] == "2026-08-31T07:30:00+00:00"
    live.at("2026-09-01T09:00")
    assert "outside sending hours" in live("run").lower()
    assert live.mails.received == []
    live.at("2026-09-01T09:31")
    live("run")
    assert len(live.mails.received) == 1
