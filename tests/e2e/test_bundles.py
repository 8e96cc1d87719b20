"""Bundled reminders on the command line: a plan of the agency's own, what the preview says, and the one mail or letter that goes out."""

from datetime import date

import pypdf
import pytest

pytestmark = pytest.mark.xdist_group("e2e-bundles")

PLAN = """
name: sammel
description: One mail or letter for all invoices of a customer.
bundling: {bundling}
levels:
  - name: Zahlungserinnerung
    trigger: {{after_due: 10}}
    automation: send
    channels: [{channel}]
    texts:
      de: &text
        subject: "Offene Rechnungen {{{{ invoice_number }}}}"
        body: |
          {{% for item in items %}}
          {{{{ item.number }}}} vom {{{{ item.date }}}}, fällig am {{{{ item.due_date }}}}, offen {{{{ item.open }}}}
          {{% endfor %}}
          Summe {{{{ total }}}}
  - name: Letzte Mahnung
    trigger: {{after_previous: 14}}
    type: last
    automation: send
    channels: [{channel}]
    texts:
      de: *text
"""


@pytest.fixture
def group(desk):
    """The desk under a plan that bundles; two more overdue invoices, and one that is not yet due."""

    def write(bundling, channel="mail"):
        text = PLAN.format(bundling=bundling, channel=channel)
        (desk.folder / "plans.yaml").write_text(text, encoding="utf-8")

    desk.write = write
    write("{when: from_first}")
    desk.configure("  default: standard\n", "  default: sammel\n")
    desk.configure("files: [standard.yaml]", "files: [plans.yaml]")
    desk.configure("automation: propose", "automation: send")
    add = desk.sandbox.add_invoice
    desk.second = add(desk.customer, number="RE-2", gross="200.00", issued_on=date(2026, 8, 12))  # 6 days late
    desk.third = add(desk.customer, number="RE-3", gross="300.00", issued_on=date(2026, 8, 3))
    desk.later = add(desk.customer, number="RE-4", gross="400.00", issued_on=date(2026, 8, 31))
    desk("pull")
    desk("go-live", "--yes", "--as", "Erika")
    return desk


@pytest.fixture
def cased(group):
    """The same after a run that queued a first bundle and has not delivered it: every overdue invoice is in a case."""
    group("run", "--no-pull", "--no-deliver")
    return group


def open_case(desk):
    [case] = desk.json("cases")
    return case["number"]


@pytest.mark.feature("S-PAY-11", "S-PAY-1", "S-PAY-2", "S-PAY-3", "S-PAY-4", "S-AGI-12", "S-AGI-17", "S-AGI-29", "P-10")
def test_one_mail_for_all_and_the_preview_says_what_is_in_it(cased):
    """The preview names the trigger and the part of every other invoice; one mail goes out; each claim keeps its own level."""
    cased("case", "block", "RE-3", "--invoice", "RE-3", "--reason", "dispute", "--note", "Ware defekt", "--as", "Erika")
    [planned] = cased.json("plan")["notices"]  # what was queued is decided anew without the disputed one
    assert planned["triggers"] == ["RE-1"]
    assert {one["number"]: (one["part"], one["reason"]) for one in planned["others"]} == {
        "RE-2": ("included", ""),
        "RE-3": ("left_out", "dispute"),
        "RE-4": ("left_out", "not_due"),
    }
    shown = cased("plan")
    assert "triggered by RE-1" in shown
    assert "RE-3 (€300.00): left out: disputed: Ware defekt" in shown
    cased.speak("de")
    assert "ausgelöst von RE-1" in cased("plan")
    assert "RE-2 (200,00 €): mit aufgenommen" in cased("plan")
    cased("run")
    [(_, mail)] = cased.mails.received
    text = mail.get_body(("plain",)).get_content()
    assert "RE-1 vom 03.08.2026" in text
    assert "RE-2 vom 12.08.2026" in text
    assert "1.390,00" in text
    assert "RE-3" not in text
    assert "RE-4" not in text
    assert len(cased.sandbox.ledger.of("mark_sent")) == 0
    told = cased.json("case", "show", open_case(cased))
    assert {one["number"]: one["level"] for one in told["claims"]} == {"RE-1": 1, "RE-2": 0, "RE-3": 0}
    assert "Einwand" in cased("case", "show", open_case(cased))
    cased("run")
    assert len(cased.mails.received) == 1


@pytest.mark.feature("S-PAY-11")
def test_whoever_approves_sees_the_parts(group):
    """A proposed bundle shows each invoice with its own level and amount, what goes along, and what was left out and why."""
    group.configure("automation: send", "automation: propose")
    group.write("{when: from_first}")
    text = (group.folder / "plans.yaml").read_text(encoding="utf-8")
    (group.folder / "plans.yaml").write_text(text.replace("automation: send", "automation: propose"), encoding="utf-8")
    group.speak("de")
    group("run", "--no-deliver")
    [proposal] = group.json("approve")
    assert proposal["triggers"] == ["RE-1", "RE-3"]
    assert [(one["number"], one["level"], one["level_name"], one["along"]) for one in proposal["claims"]] == [
        ("RE-1", 1, "Zahlungserinnerung", False),
        ("RE-3", 1, "Zahlungserinnerung", False),
        ("RE-2", 0, "", True),
    ]
    assert {one["number"]: one["part"] for one in proposal["others"]} == {"RE-2": "included", "RE-4": "left_out"}
    shown = group("approve")
    assert "RE-3 (300,00 €): Stufe 1 Zahlungserinnerung" in shown
    assert "RE-2 (200,00 €): mit aufgenommen" in shown
    assert "RE-4 (400,00 €): nicht aufgenommen: noch nicht fällig" in shown
    group.speak("en")
    assert "RE-4 (€400.00): left out: not yet due" in group("approve")
    group("approve", "--all", "--yes")
    group("deliver")
    assert len(group.mails.received) == 1


@pytest.mark.feature("S-PAY-20", "S-AGI-15", "S-PAY-18")
def test_what_is_listed_but_not_asked_for(cased):
    """Scope `unpaid` and parked invoices: a second block in the mail, the total stays that of what is due."""
    cased("case", "block", "RE-3", "--invoice", "RE-3", "--reason", "parked", "--as", "Erika")
    cased.write("{when: from_first, scope: unpaid, include_parked: true}")
    [planned] = cased.json("plan")["notices"]
    assert planned["total"] == "1390.00"
    assert {one["number"]: one["part"] for one in planned["others"]} == {
        "RE-2": "included",
        "RE-3": "mentioned",
        "RE-4": "mentioned",
    }
    cased("run")
    text = cased.mails.received[0][1].get_body(("plain",)).get_content()
    asked, apart = text.split("nicht Teil dieser Zahlungsaufforderung")
    assert "RE-4" not in asked
    assert "RE-3" not in asked
    assert "RE-4" in apart
    assert "RE-3" in apart


@pytest.mark.feature("S-PAY-5")
def test_levels_go_out_one_by_one_and_only_the_last_is_bundled(group):
    """`from_last`: two mails at level 1, one at the last level, never both on one day; what was read too long ago is read before that is shown."""
    group.write("{when: from_last}")
    assert len(group.json("plan")["notices"]) == 2
    group("run")
    assert len(group.mails.received) == 2
    group.on(date(2026, 9, 15))
    assert group.json("plan")["notices"] == []  # nobody has read since: who has paid meanwhile is not known
    [told] = group.json("explain", "RE-1")
    assert (told["reason"], told["change"]) == (
        "stale_data", "read anew (pull); if that changes nothing, refresh the bank account at the provider or put a newer list into the inbox",
    )  # fmt: skip
    group("pull")
    [first] = group.json("plan")["notices"]
    assert (first["level"], [one["number"] for one in first["claims"]]) == (1, ["RE-2"])
    [told] = group.json("explain", "RE-1")
    assert (told["reason"], told["text"]) == (
        "minimum_interval",
        "minimum interval: notices about single invoices go to the customer on the same day (RE-2), earliest 22 September 2026",
    )
    assert told["ahead"][0]["on"] == "2026-09-22"
    group("run")
    group.on(date(2026, 9, 22))
    group("pull")
    [last] = group.json("plan")["notices"]
    assert (last["level"], last["triggers"]) == (2, ["RE-1", "RE-3"])
    assert [(one["number"], one["part"], one["reason"]) for one in last["others"]] == [
        ("RE-2", "mentioned", "deadline_running"), ("RE-4", "included", ""),
    ]  # fmt: skip
    group("run")
    assert len(group.mails.received) == 4
    text = group.mails.received[3][1].get_body(("plain",)).get_content()
    assert all(number in text for number in ("RE-1", "RE-3", "RE-4"))
    assert "RE-2 vom 12.08.2026, fällig am 26.08.2026, offen 200,00 EUR (bereits angemahnt, Frist bis 25.09.2026)" in (
        " ".join(text.split())
    )
    told = group.json("case", "show", open_case(group))
    assert {one["number"]: (one["level"], one["deadline"]) for one in told["claims"]} == {
        "RE-1": (2, "2026-10-02"), "RE-2": (1, "2026-09-25"), "RE-3": (2, "2026-10-02"), "RE-4": (0, "2026-10-02"),
    }  # fmt: skip


@pytest.mark.feature("S-AGI-19", "S-AGI-11")
def test_a_grouped_letter_is_one_pdf_with_one_table_and_one_total(group):
    """Three invoices, one PDF, one total, waiting to be posted; nothing is mailed."""
    group.write("{when: from_first}", "letter")
    group("run")
    assert len(group.json("letters", "list")) == 1
    found = (group.folder / "data" / "letters").rglob("*.pdf")
    [letter] = [path for path in found if "_anlage" not in path.name]  # the invoices lie beside it
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(letter).pages)
    for number in ("RE-1", "RE-2", "RE-3"):
        assert number in text
    assert "1.690,00" in text
    assert group.mails.received == []


@pytest.mark.feature("S-AGI-13", "S-AGI-14")
def test_a_group_plan_has_a_start_and_a_frequency(group):
    """Before its start the plan waits, and says until when; weekly, the day after a check nothing happens for it."""
    group.write("{when: from_first, start_on: 2026-09-07, every_days: 7}")
    assert group.json("plan")["notices"] == []
    assert "group plan is waiting until 7 September 2026" in " ".join(group("explain", "RE-1").split())
    group.on(date(2026, 9, 7))
    group("run")
    assert len(group.mails.received) == 1
    other = group.sandbox.add_contact("Zweite GmbH", email="zwei@example.com", number="1002")
    group.sandbox.add_invoice(other, number="RE-9", gross="90.00", issued_on=date(2026, 8, 3))
    group.on(date(2026, 9, 8))
    group("run")
    assert len(group.mails.received) == 1
    assert group.json("explain", "RE-9")[0]["reason"] == "group_waiting"
    group.on(date(2026, 9, 14))
    group("run")
    assert [recipients for recipients, _ in group.mails.received][1] == ["zwei@example.com"]


@pytest.mark.feature("S-PAY-17", "S-PAY-15")
def test_instalments_and_collection_leave_the_bundle(cased):
    """An invoice in an instalment plan or with collection vanishes from the next bundle, with its reason."""
    cased("case", "block", "RE-3", "--invoice", "RE-3", "--reason", "payment_plan", "--as", "Erika")
    cased("case", "block", "RE-2", "--invoice", "RE-2", "--reason", "collection", "--as", "Erika")
    [planned] = cased.json("plan")["notices"]
    assert [one["number"] for one in planned["claims"]] == ["RE-1"]
    assert {one["number"]: one["reason"] for one in planned["others"]} == {
        "RE-2": "collection",
        "RE-3": "payment_plan",
        "RE-4": "not_due",
    }
