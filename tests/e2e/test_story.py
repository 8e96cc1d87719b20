"""One agency's first two weeks, told by date, through the real command line against a real sandbox.

What changes something is a process of its own (`office`); what only looks is asked inside this one (`near`).
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.xdist_group("e2e-story")


@pytest.fixture
def world(office):
    """Two customers; of the first, one invoice is overdue by 15 days and one is not due yet."""
    sandbox = office.sandbox
    late = sandbox.add_contact(
        "Späth & Söhne GmbH", email="buch@spaeth.example", number="1001", address=("Weg 1", "20095", "Hamburg")
    )
    good = sandbox.add_contact("Gut AG", email="buch@gut.example", number="1002", address=("Weg 2", "20095", "Hamburg"))
    sandbox.add_transaction("5.00", status=400)
    return {
        "late": sandbox.add_invoice(late, number="RE-1", gross="1190.00", issued_on=date(2026, 8, 3)),
        "new": sandbox.add_invoice(late, number="RE-2", gross="238.00", issued_on=date(2026, 9, 1)),
        "paid": sandbox.add_invoice(good, number="RE-3", gross="119.00", issued_on=date(2026, 8, 3)),
    }


@pytest.mark.feature("S-AMX-11")
@pytest.mark.feature("S-AMX-12")
@pytest.mark.feature("S-AMX-13")
@pytest.mark.feature("S-AMX-20")
@pytest.mark.feature("S-AMX-24")
@pytest.mark.feature("S-AMX-25")
@pytest.mark.feature("S-AMX-49")
@pytest.mark.feature("S-BIL-4")
@pytest.mark.feature("S-SEV-5")
@pytest.mark.feature("P-37")
def test_from_init_to_a_closed_case(office, near, world):
    """A fresh installation is harmless; after go-live exactly what was approved goes out, and a payment closes the case."""
    # Tuesday, 1 September: set up, look, nothing can happen to anybody
    office.init()
    assert "sending: after_go_live" in (office.folder / "bridge.yaml").read_text(encoding="utf-8")
    assert office.json("check")["ok"] is True
    assert office.json("pull")[0]["state"] == "done"
    planned = near.json("plan")
    assert [(one["customer"], one["level"], one["recipient"]) for one in planned["notices"]] == [
        ("Späth & Söhne GmbH", 1, "buch@spaeth.example"),
        ("Gut AG", 1, "buch@gut.example"),
    ]
    assert {one["number"]: one["reason"] for one in planned["held"]} == {"RE-2": "not_due"}
    assert near.json("status")["ready"] == 2
    assert near.json("cases", "--view", "all") == []

    # the run proposes, and sends nothing: not even after an approval, because sending is off
    ran = office.json("run", "--no-pull")
    assert [one["state"] for one in ran["planned"]["notices"]] == ["proposed", "proposed"]
    assert office.json("approve", "--all", "--as", "Erika")["count"] == 2
    assert office.json("deliver")["sending"] is False
    assert office.mails.received == []

    # go-live shows what would go out, then switches sending on in a person's name
    preview = office("go-live", "--yes", "--as", "Erika")
    assert "RE-1" in preview.out
    assert "Sending is on (switched on by Erika)" in preview.out

    # Gut AG has paid meanwhile: their approved reminder is dropped by the look right before the call
    office.sandbox.pay(world["paid"], "119.00")
    delivered = office.json("deliver")
    assert (delivered["counts"]["landed"] or delivered["counts"]["done"]) >= 1, delivered
    assert [recipients for recipients, _ in office.mails.received] == [["buch@spaeth.example"]]
    assert "RE-1" in office.mails.received[0][1]["Subject"]

    # everyone can see when, at which level, to whom, by which way, with what result
    found = near.json("search", "RE-1")["sent"]
    assert [(one["level"], one["recipient"], one["channel"], one["state"]) for one in found] == [
        (1, "buch@spaeth.example", "mail", "landed")
    ]
    at = datetime.fromisoformat(found[0]["at"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert at.date() == date(2026, 9, 1)
    assert near.json("search", "RE-3")["sent"][0]["state"] == "dropped"

    # Tuesday, 15 September: the next level is due by itself; the case says why, in German too
    near.on(date(2026, 9, 15))
    office.sandbox.add_transaction("7.00", status=400)
    ran = office.json("run")
    assert [(one["level"], [claim["number"] for claim in one["claims"]]) for one in ran["planned"]["notices"]] == [
        (2, ["RE-1"])
    ]
    why = near.json("explain", "RE-2", "--on", "2026-09-22")[0]  # a week after what RE-1 gets today
    assert (why["outcome"], why["level"], why["on"]) == ("escalate", 1, "2026-09-22")
    near.language = "de"
    shown = near("case", "show", "MA-000001")
    for words in (
        "Mahnakte MA-000001: Späth & Söhne GmbH",
        "1001",
        "Hauptforderung",
        "1.190,00 €",
        "01.09.2026",
        "Erika",
    ):
        assert words in shown.out, shown

    # the payment comes in: the case closes at the level it had reached, the open proposal is dropped, nothing more is sent
    office.sandbox.pay(world["late"], "1190.00")
    office.sandbox.pay(world["new"], "238.00")
    office("run")
    assert near.json("cases", "--view", "open") == []
    closed = {one["customer"]: one for one in near.json("cases", "--view", "closed")}
    assert closed["Späth & Söhne GmbH"]["closed_level"] == 1
    assert closed["Späth & Söhne GmbH"]["close_reason"] == "paid"
    assert len(office.mails.received) == 1
