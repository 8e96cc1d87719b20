"""The mirror gives back what a decision needs, in portions, and only what is due."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from bridge.errors import UsageError
from bridge.model import Act, Cursor, WriteBack
from bridge.store.tables import claim, dunning_case, notice_claim, run, step
from bridge.store.tables import notice as notices
from tests.unit.store.made import DAY, NOW, batch, debtor, invoice, notice, payment

LATER = DAY + timedelta(days=3)


@pytest.fixture
def filled(store):
    """Three debtors: d1 with two open invoices, a paid one and a credit note; d2 with one; one invoice without debtor."""
    with store.begin() as conn:
        store.mirror.accounts.ensure(conn, "a", "fake")
        store.mirror.write(
            conn,
            "a",
            batch(
                debtors=[debtor(), debtor("d2"), debtor("d3")],
                invoices=[
                    invoice("1"),
                    invoice("2", due_on=None),
                    invoice("3", status="paid"),
                    invoice("4", kind="credit_note", debtor_id=None, origin_id="1", relation="credits"),
                    invoice("5", debtor_id="d2", open=Decimal("5.50"), currency="CHF"),
                    invoice("6", debtor_id=None),
                    invoice("7", debtor_id="unknown", status="unknown"),
                    invoice("8", debtor_id="d3", status="draft"),
                ],
                payments=[payment("p2", value_on=LATER), payment("p1")],
                notices=[notice("n2", level=2), notice("n1")],
            ),
            business_date=DAY,
            now=NOW,
        )
    return store


def due(store, on, **values):
    with store.reading() as conn:
        return [one for some in store.mirror.due(conn, "a", on, **values) for one in some]


@pytest.mark.parametrize("at_once", [1, 2, 200])
def test_candidates_come_by_debtor(filled, at_once):
    """Each debtor with something due comes once, with all that is open; an invoice without debtor comes alone."""
    found = {one.debtor_id or one.invoices[0].invoice.id: one for one in due(filled, DAY, at_once=at_once)}
    assert {key: [known.invoice.id for known in one.invoices] for key, one in found.items()} == {
        "d1": ["1", "2"] if found["d1"].invoices[0].invoice.id == "1" else ["2", "1"],
        "d2": ["5"],
        "6": ["6"],
        "unknown": ["7"],
    }
    first = found["d1"]
    assert first.debtor == debtor()
    assert found["unknown"].debtor is None
    assert [document.id for document in first.related["1"]] == ["4"]
    assert [known.notice.id for known in first.notices["1"]] == ["n1", "n2"]
    assert [one.id for one in first.payments["1"]] == ["p1", "p2"]


def test_nothing_is_due_before_its_date(filled):
    """Cost follows what is due: before their dates candidates do not come."""
    assert due(filled, DAY - timedelta(days=1)) == []


def test_dates_may_be_set_while_candidates_come(filled):
    """A run that decides as it goes sees each candidate once, and a second one the same day none."""
    seen = []
    with filled.begin() as conn:
        for some in filled.mirror.due(conn, "a", DAY, at_once=1):
            for one in some:
                seen.append(one.debtor_id)
                filled.mirror.set_next(conn, "a", {known.invoice.id: DAY + timedelta(days=7) for known in one.invoices})
    assert sorted(map(str, seen)) == ["None", "d1", "d2", "unknown"]
    assert due(filled, DAY) == []
    assert len(due(filled, DAY + timedelta(days=7))) == 4


def test_what_became_paid_comes_with_its_debtor(filled):
    """A paid invoice that is due for a decision comes with the open ones of its debtor, so that its claim is closed."""
    with filled.begin() as conn:
        filled.mirror.touch(conn, "a", ["3"], DAY)
    (first, *_) = due(filled, DAY)
    assert {known.invoice.id for known in first.invoices} == {"1", "2", "3"}
    with filled.reading() as conn:
        (now,) = filled.mirror.dossiers(conn, "a", ["d1"])
    assert {known.invoice.id for known in now.invoices} == {"1", "2"}


def test_a_debtor_can_be_made_due(filled):
    """What a person changes at a customer makes all of the customer's open invoices due, and nobody else's."""
    with filled.begin() as conn:
        filled.mirror.set_next(conn, "a", dict.fromkeys(["1", "2", "5", "6", "7"]))
        filled.mirror.touch_debtor(conn, "a", "d1", LATER)
    assert [one.debtor_id for one in due(filled, LATER)] == ["d1"]


def test_all_open_ones_stream(filled):
    """Every open invoice, and every one of unknown status, can be walked through for `explain`."""
    with filled.reading() as conn:
        assert [known.invoice.id for known in filled.mirror.unsettled(conn, "a")] == ["1", "2", "4", "5", "6", "7"]
        assert [known.invoice.id for known in filled.mirror.invoices_of(conn, "a", "d1")] == ["1", "2", "3"]
        assert [known.invoice.id for known in filled.mirror.invoices_of(conn, "a", "d1", unsettled=True)] == ["1", "2"]


def test_totals_are_per_currency_and_without_reducing_documents(filled):
    """Count and sum of what is open are kept apart by currency; credit notes and unknown ones do not count."""
    with filled.reading() as conn:
        assert filled.mirror.accounts.totals(conn, "a") == {"EUR": (3, Decimal("357.00")), "CHF": (1, Decimal("5.50"))}


def test_accounts(store):
    """An account's row keeps where reading stands; under a new connector reading starts from the beginning."""
    accounts = store.mirror.accounts
    with store.begin() as conn:
        with pytest.raises(UsageError, match="mahnbridge pull a"):
            accounts.get(conn, "a")
        accounts.ensure(conn, "a", "fake")
        assert accounts.read(conn, "a", Cursor(data={"page": 1}), NOW)
        assert not accounts.read(conn, "a", Cursor(data={"page": 1}), NOW)
        accounts.ensure(conn, "a", "fake")
        assert accounts.get(conn, "a").cursor.data == {"page": 1}
        accounts.suspend_writing(conn, "a", "foreign reminders keep appearing")
        assert accounts.set_state(conn, "a", "stopped", "HTTP 401") == "ok"
        accounts.ensure(conn, "a", "other")
    with store.reading() as conn:
        (row,) = accounts.all(conn)
    assert (row.cursor, row.payments_as_of, row.state, row.state_text) == (None, NOW, "stopped", "HTTP 401")
    assert row.writing_suspended == "foreign reminders keep appearing"


def write_back(store, *, reminder_id=None):
    """A write-back of ours on invoice 1, as delivery stores it."""
    with store.begin() as conn:
        case = conn.execute(
            insert(dunning_case)
            .values(number="MA-1", account="a", debtor_id="d1", state="open", opened_on=DAY)
            .returning(dunning_case.c.id)
        ).scalar_one()
        its_claim = conn.execute(
            insert(claim).values(case_id=case, account="a", invoice_id="1", state="open").returning(claim.c.id)
        ).scalar_one()
        its_run = conn.execute(
            insert(run)
            .values(kind="dun", actor="x", business_date=DAY, started_at=NOW, state="done", counts={})
            .returning(run.c.id)
        ).scalar_one()
        its_notice = conn.execute(
            insert(notices)
            .values(
                account="a",
                case_id=case,
                run_id=its_run,
                state="queued",
                plan="p",
                level=1,
                level_name="",
                channel="email",
                automation="send",
                debtor_id="d1",
                currency="EUR",
                total_cents=1,
                content={},
                hash="",
                created_at=NOW,
            )
            .returning(notices.c.id)
        ).scalar_one()
        conn.execute(
            insert(notice_claim).values(
                notice_id=its_notice,
                claim_id=its_claim,
                invoice_id="1",
                round=1,
                level=1,
                repetition=0,
                channel="email",
                live=True,
                open_cents=1,
                fee_cents=0,
                reminder_id=reminder_id,
            )
        )
        conn.execute(
            insert(step).values(
                notice_id=its_notice,
                seq=1,
                account="a",
                key="a/1/1/1/0/create",
                act="create",
                state="done",
                content={},
                updated_at=NOW,
            )
        )


@pytest.mark.feature("P-26")
def test_our_reminders_are_told_from_foreign_ones(store):
    """A reminder at the provider is ours by the marker that we left, or by the id that we noted; all others are foreign."""
    write_back(store, reminder_id="by-id")
    marker = WriteBack(key="a/1/1/1/0/create", account="a", act=Act.CREATE).marker
    held = [
        notice("by-id"),
        notice("by-marker", marker=marker),
        notice("other"),
        notice("forged", marker="mb:000000000000"),
    ]
    held.append(notice("elsewhere", "2", marker=marker))
    with store.begin() as conn:
        store.mirror.write(conn, "a", batch(notices=held), business_date=DAY, now=NOW)
    with store.reading() as conn:
        read = store.mirror.notices(conn, "a", ["1", "2"])
    assert {known.notice.id: known.ours for known in (*read["1"], *read["2"])} == {
        "by-id": True,
        "by-marker": True,
        "other": False,
        "forged": False,
        "elsewhere": False,
    }


def test_a_reminder_is_ours_once_that_is_known(store):
    """A reminder pulled before its write-back was proven is ours as soon as the proof is there, and stays ours when it changes."""
    with store.begin() as conn:
        store.mirror.write(conn, "a", batch(notices=[notice("r1"), notice("r2")]), business_date=DAY, now=NOW)
    write_back(store, reminder_id="r1")
    with store.begin() as conn:
        store.mirror.own(conn, "a", "r2")
        store.mirror.write(conn, "a", batch(notices=[notice("r2", level=2)]), business_date=DAY, now=NOW)
    with store.reading() as conn:
        assert [known.ours for known in store.mirror.notices(conn, "a", ["1"])["1"]] == [True, True]
