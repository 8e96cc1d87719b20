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
    assert "payment in 2 instalments until 15.10.2026 agreed (Erika)" in agreed
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
    assert "1 of 2 rates paid, next rate EUR\xa0690.00 on 15 October 2026: telefonisch" in told["text"]
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
    assert "is deferred until 23.09.2026" in desk("case", "defer", "RE-1", "--invoice", "RE-1", "--as", "Erika")
    with pytest.MonkeyPatch.context() as terminal:  # at a terminal the day is proposed, and Enter takes it
        terminal.setattr("bridge.cli.session.Session.interactive", True)
        terminal.setattr("click.prompt", lambda text, *, type, default: type.convert(default, None, None))  # noqa: A006
        assert "is deferred until 23.09.2026" in desk("case", "defer", "RE-1", "--invoice", "RE-1", "--as", "Erika")
    with (desk.folder / "bridge.yaml").open("a", encoding="utf-8") as file:
        file.write("exclusions:\n  terms_days: [30]\n  prepayment: {terms_days: [0]}\n")
    held = {one["number"]: one for one in desk.json("plan")["held"]}
    assert held["RE-1"]["text"] == "deferred until 23 September 2026 (by Erika, 2 September 2026)"
    assert held["RE-3"]["text"] == "excluded: invoice (payment term): 30 days"
    assert held["RE-4"]["reason"] == "prepayment"
    desk.configure("{terms_days: [0]}", "{terms_days: [0], plan: gentle}")
    assert desk.json("explain", "RE-4")[0]["plan"] == "gentle"
    desk.configure("plan: gentle", "plan: nix")
    assert "exclusions.prepayment.plan = 'nix'" in desk("plan", code=1)


def test_an_insolvency_stops_everything_of_the_customer(desk):
    """Named by one invoice it holds all of them; for one invoice alone it cannot be recorded."""
    desk.sandbox.add_invoice(desk.customer, number="RE-2", gross="200.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    words = "case", "block", "RE-1", "--reason", "insolvency", "--note", "AG Hamburg", "--as", "Erika"
    assert "leave --invoice out" in desk(*words, "--invoice", "RE-1", code=2)
    desk(*words)
    desk("run", "--no-deliver")
    assert desk.json("approve") == []
    texts = {one["number"]: one["text"] for one in desk.json("plan")["held"]}
    assert texts == dict.fromkeys(("RE-1", "RE-2"), "insolvency: AG Hamburg (by Erika, 1 September 2026)")
