"""Reading an account: resumable at every point, nothing written that did not change, failures kept in the account's state."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from bridge import pull as pulling
from bridge.contract import BadRecord, ConfigError, Refused, RetryLater
from bridge.errors import AlreadyRunning
from bridge.pull import JumpLimits, Outcome, approve_jump, joined, jump, pull
from bridge.store.tables import event as journal
from bridge.store.tables import invoice as invoices
from bridge.store.tables import listing, run
from tests.unit.pull.fake import Fake, Killed, Port
from tests.unit.store.made import DAY, NOW, batch, debtor, invoice, notice, payment, reject, snapshot

LATER = DAY + timedelta(days=1)


def pages(count, *, per_page=3, full=True, **values):
    """Return a full listing of `count` pages."""
    return [
        batch(
            cursor=page,
            invoices=[invoice(f"{page:02}-{i}", **values) for i in range(per_page)],
            full=full,
            complete=full and page == count,
            done=page * per_page,
            total=count * per_page,
        )
        for page in range(1, count + 1)
    ]


def read(store, connector, *, on=DAY, **values):
    return pull(store, Port(connector), business_date=on, **values)


def stored(store):
    with store.reading() as conn:
        return {
            row.id: (row.status, row.open_cents)
            for row in conn.execute(select(invoices).where(invoices.c.account == "a").order_by(invoices.c.id))
        }


def events(store):
    """Return what the audit trail says of the account: kind and run of each event."""
    with store.reading() as conn:
        query = select(journal.c.kind, journal.c.run_id).where(journal.c.account == "a").order_by(journal.c.id)
        return [tuple(row) for row in conn.execute(query)]


def account(store):
    with store.reading() as conn:
        return store.mirror.accounts.get(conn, "a")


def settle(store):
    with store.begin() as conn:
        conn.execute(invoices.update().values(next_on=None))


@pytest.fixture(params=[1, 500], ids=["each batch alone", "batches in groups"])
def grouped(request, monkeypatch):
    monkeypatch.setattr(pulling, "GROUP", request.param)


@pytest.mark.feature("S-SEV-7")
def test_a_first_pull_has_equal_count_and_sum(store, grouped):
    """After a first pull the number and the sum of open invoices equal what the provider listed, per currency."""
    listed = pages(4)
    dollars = [invoice(f"usd-{i}", currency="USD", open=Decimal("0.10")) for i in range(3)]
    paid = invoice("paid", status="paid", open=Decimal("0.00"))
    result = read(
        store, Fake([*listed[:3], listed[3].model_copy(update={"invoices": (*listed[3].invoices, *dollars, paid)})])
    )
    assert result.outcome is Outcome.DONE
    assert result.open == {"EUR": (12, Decimal("1428.00")), "USD": (3, Decimal("0.30"))}
    assert (result.counts.invoices, result.counts.looked) == (16, 0)
    assert account(store).open_totals == result.open
    assert account(store).cursor.data == {"page": 4}
    assert account(store).full_at is not None


def test_progress_is_told(store):
    """A person sees how far reading is."""
    told = []
    read(store, Fake(pages(2)), progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 6), (6, 6)]


@pytest.mark.parametrize("at", range(5))
def test_a_crash_between_batches_loses_nothing(store, grouped, at):
    """Killed after any batch, the next pull ends with the same rows as an undisturbed one, and looks at the same missing invoice."""
    old = [invoice("old", status="open")]
    with store.begin() as conn:
        store.mirror.write(conn, "a", batch(invoices=old), business_date=DAY, now=NOW)
    listed = pages(4)
    with pytest.raises(Killed):
        read(store, Fake([*listed[:at], Killed(), *listed[at:]]))
    assert len(stored(store)) in (1, 1 + 3 * at)
    again = Fake(listed)
    result = read(store, again)
    assert result.outcome is Outcome.DONE
    assert stored(store) == {**{i.id: ("open", 11900) for b in listed for i in b.invoices}, "old": ("cancelled", 11900)}
    assert again.looked == [["old"]]
    if pulling.GROUP == 1 and at:
        assert again.cursors[0].data == {"page": at}


def test_a_crash_while_looking_is_made_good(store):
    """Killed between the complete listing and the looks, the next pull looks at what was missing, though it lists nothing."""
    read(store, Fake(pages(2)))
    full = [pages(2)[0], pages(1)[0].model_copy(update={"cursor": pages(2)[1].cursor, "invoices": ()})]
    with pytest.raises(Killed):
        read(store, Fake(full, {"02-0": Killed()}), full=True)
    nothing = Fake(
        [batch(cursor=3)], {f"02-{i}": snapshot(f"02-{i}", invoice=invoice(f"02-{i}", status="paid")) for i in range(3)}
    )
    result = read(store, nothing)
    assert nothing.looked == [["02-0", "02-1", "02-2"]]
    assert result.counts.looked == 3
    assert [status for status, _ in stored(store).values()] == ["open"] * 3 + ["paid"] * 3
    with store.reading() as conn:
        assert conn.execute(select(listing)).all() == []


def test_missing_invoices_are_looked_at(store, monkeypatch):
    """What a complete listing lacks is looked at: paid, cancelled and unknown ones are stored as such, open ones stay."""
    monkeypatch.setattr(pulling, "LOOKS", 2)
    read(store, Fake(pages(1, per_page=5)))
    settle(store)
    looks = {
        "01-0": snapshot("01-0", invoice=invoice("01-0", status="paid", paid=Decimal("119.00"), open=Decimal("0.00"))),
        "01-1": snapshot(
            "01-1",
            invoice=invoice("01-1"),
            related=(invoice("s1", kind="cancellation", origin_id="01-1", relation="cancels", status="paid"),),
        ),
        "01-2": snapshot(
            "01-2",
            invoice=invoice("01-2"),
            payments=(payment(invoice_id="01-2"),),
            notices=(notice(invoice_id="01-2"),),
        ),
    }
    connector = Fake([batch(cursor=1, invoices=[invoice("01-4")], full=True, complete=True)], looks)
    result = read(store, connector, on=LATER, full=True)
    assert connector.looked == [["01-0", "01-1"], ["01-2", "01-3"]]
    assert (result.counts.looked, result.counts.gone, result.open) == (4, 1, {"EUR": (3, Decimal("357.00"))})
    with store.reading() as conn:
        (due,) = store.mirror.due(conn, "a", LATER)
        assert {known.invoice.id for known in due[0].invoices if known.next_on} == {"01-0", "01-1", "01-2", "01-3"}
        assert set(due[0].related) == {"01-1"}
        assert set(due[0].payments) == set(due[0].notices) == {"01-2"}


def test_an_incremental_pull_looks_at_nothing(store):
    """A batch that is no complete listing says nothing about what it lacks."""
    read(store, Fake(pages(2)))
    changes = Fake([batch(cursor=3, invoices=[invoice("01-0", status="paid")])])
    assert read(store, changes).counts.looked == 0
    assert changes.looked == []


@pytest.mark.feature("P-31")
def test_a_bad_record_does_not_stop_the_rest(store):
    """A record that does not fit is set aside; it counts as listed, so its last good state stays and nothing is looked up."""
    read(store, Fake(pages(2)))
    bad = reject("01-1", field="invoiceDate", value="2026-02-31", raw='{"invoiceDate": "2026-02-31"}')
    listed = pages(2, tags=("neu",))
    listed[0] = listed[0].model_copy(
        update={"invoices": (listed[0].invoices[0], listed[0].invoices[2]), "rejects": (bad,)}
    )
    connector = Fake(listed)
    result = read(store, connector, full=True)
    assert (result.outcome, result.counts.invoices, result.counts.rejects) == (Outcome.DONE, 5, 1)
    assert connector.looked == []
    assert stored(store)["01-1"] == ("open", 11900)


@pytest.mark.feature("P-31")
def test_a_look_that_does_not_fit_is_set_aside(store):
    """One missing invoice whose answer does not fit is set aside by itself, the others are stored."""
    read(store, Fake(pages(1)))
    looks = {"01-1": BadRecord("no such day", field="invoiceDate", value="2026-02-31")}
    result = read(store, Fake([batch(cursor=1, full=True, complete=True)], looks), full=True)
    assert (result.counts.looked, result.counts.gone, result.counts.rejects) == (3, 2, 1)
    with store.reading() as conn:
        (kept,) = store.mirror.rejects.list(conn)
    assert (kept.reject.provider_id, kept.reject.field, kept.reject.source) == ("01-1", "invoiceDate", "look")


@pytest.mark.feature("P-32")
def test_nothing_changed_writes_no_invoice(store):
    """A cycle in which nothing changed writes no debtor, invoice, payment, reminder or reject row, only where reading stands."""
    first = [
        batch(cursor=0.5, debtors=[debtor()], payments=[payment()], notices=[notice()], rejects=[reject()]),
        *pages(5),
    ]
    read(store, Fake(first))
    settle(store)
    written = []

    def remember(conn, cursor, statement, *rest):
        words = statement.lower().split()
        if words[0] in ("insert", "update", "delete") and "listing_seen" not in words:  # that one is temporary
            written.append(words[1] if words[0] == "update" else words[2])

    event.listen(store.engine, "before_cursor_execute", remember)
    result = read(store, Fake(first), full=True)
    assert result.outcome is Outcome.DONE
    assert set(written) <= {"account", "run", "lease", "listing"}
    assert len(written) < 12
    with store.reading() as conn:
        assert list(store.mirror.due(conn, "a", LATER)) == []


@pytest.mark.feature("P-27")
def test_an_overlapping_pull_is_refused(store):
    """While an account is being read, a second start is refused with a clear message and changes nothing."""
    refused = []

    class Slow(Fake):
        def pull(self, cursor):
            with pytest.raises(AlreadyRunning) as caught:
                read(store, Fake(pages(1)))
            refused.append(str(caught.value))
            assert pull(store, Port(Fake(), name="b"), business_date=DAY).outcome is Outcome.DONE
            yield from super().pull(cursor)

    assert read(store, Slow(pages(1))).outcome is Outcome.DONE
    assert refused[0].startswith("reading account a is already running (process ")
    assert read(store, Fake(pages(1))).outcome is Outcome.DONE


def test_a_pull_that_lost_its_lease_stops(store):
    """A process that was asleep for longer than its lease, and was replaced, writes nothing more."""

    class Sleepy(Fake):
        def pull(self, cursor):
            yield from self.batches[:1]
            with store.begin() as conn:
                store.leases.release(conn, "pull:a", store.leases.holder(conn, "pull:a")[0])
                assert store.leases.acquire(conn, "pull:a", "somebody else", 60)
            yield from self.batches[1:]

    with pytest.raises(AlreadyRunning, match="taken over"):
        read(store, Sleepy(pages(2)))
    assert stored(store) == {}
    with store.reading() as conn:
        assert store.leases.holder(conn, "pull:a")[0] == "somebody else"
        assert conn.execute(select(run.c.state)).scalar_one() == "failed"


@pytest.mark.parametrize(
    ("error", "outcome", "state"),
    [
        (RetryLater("no answer", cause="connection"), Outcome.UNREACHABLE, "unreachable"),
        (Refused("HTTP 400", cause="http_400"), Outcome.UNREACHABLE, "unreachable"),
        (RetryLater("wait", after=timedelta(minutes=9), cause="http_429"), Outcome.WAITING, "ok"),
        (ConfigError("HTTP 401", cause="http_401"), Outcome.STOPPED, "stopped"),
        (ConfigError("consent was revoked", cause="reconnect"), Outcome.STOPPED, "reconnect"),
    ],
    ids=lambda value: getattr(value, "cause", ""),
)
def test_a_failure_keeps_what_was_read(store, error, outcome, state):
    """Whatever stops reading, what came before is stored, the account says why, and the next pull goes on from there."""
    listed = pages(3)
    result = read(store, Fake([*listed[:2], error]))
    assert (result.outcome, result.cause, result.error) == (outcome, error.cause, str(error))
    assert result.retry_after == getattr(error, "after", None)
    now = account(store)
    assert (now.state, now.pulled_at) == (state, None)
    assert now.state_text == ("" if state == "ok" else str(error))
    assert len(stored(store)) == 6

    again = Fake(listed)
    assert read(store, again).outcome is Outcome.DONE
    assert again.cursors[0].data == {"page": 2}
    assert (account(store).state, account(store).state_text, len(stored(store))) == ("ok", "", 9)
    with store.reading() as conn:
        rows = conn.execute(select(run.c.state, run.c.cause, run.c.error).order_by(run.c.id)).all()
    assert [tuple(row) for row in rows] == [("failed", error.cause, str(error)), ("done", None, None)]
    halted = state in ("stopped", "reconnect")
    assert events(store) == ([("account_stopped", 1), ("account_resumed", 2)] if halted else [])


def test_an_outage_is_told_once_and_its_end_once(store):
    """Of many failing pulls in a row the first says that an outage began, the first good one that it is over."""
    down = RetryLater("no answer", cause="connection")
    told = []
    for batches in ([down], [down], pages(1), pages(1)):
        result = read(store, Fake(batches))
        told.append((result.outage_began, result.recovered))
    assert told == [(True, False), (False, False), (False, True), (False, False)]


def test_a_mistake_of_ours_is_not_swallowed(store):
    """An unexpected exception ends the run as failed and comes through; the account can be read again at once."""
    with pytest.raises(ZeroDivisionError):
        read(store, Fake([ZeroDivisionError("oops")]))
    with store.reading() as conn:
        row = conn.execute(select(run)).one()
    assert (row.state, row.cause, row.error) == ("failed", "crash", "ZeroDivisionError: oops")
    assert read(store, Fake(pages(1))).outcome is Outcome.DONE


def test_a_jump_waits_for_one_approval(store):
    """When count or total moves beyond its limit, the account is held until a person approves, then compared with the new state."""
    read(store, Fake(pages(10)))
    assert account(store).held_jump is None
    result = read(store, Fake([batch(cursor=11, invoices=[invoice(f"new-{i}") for i in range(12)])]))
    assert result.jump == {"count": [30, 42]}
    assert account(store).held_jump == {"count": [30, 42]}
    with store.reading() as conn:
        assert conn.execute(select(run.c.state).order_by(run.c.id.desc()).limit(1)).scalar_one() == "waiting"

    assert read(store, Fake([batch(cursor=12)])).jump == {"count": [30, 42]}
    assert approve_jump(store, "a", actor="Erika", business_date=LATER, at=NOW)
    assert not approve_jump(store, "a", actor="Erika", business_date=LATER, at=NOW)
    assert account(store).held_jump is None
    assert read(store, Fake([batch(cursor=13)])).jump is None
    assert not waiting(store)
    assert events(store) == [("jump_held", 2), ("jump_approved", None)]


def test_a_jump_that_went_back_holds_nobody(store):
    """When a provider's hiccup is over by the next pull, nobody has to approve anything."""
    read(store, Fake(pages(10)))
    read(
        store,
        Fake(
            [
                batch(
                    cursor=11,
                    invoices=[invoice(f"0{p}-{i}", open=Decimal("9999.00")) for p in range(1, 9) for i in range(3)],
                )
            ]
        ),
    )
    assert set(account(store).held_jump) == {"EUR"}
    assert len(waiting(store)) == 1
    read(store, Fake([batch(cursor=12, invoices=[invoice(f"0{p}-{i}") for p in range(1, 9) for i in range(3)])]))
    assert account(store).held_jump is None
    assert not waiting(store)
    assert events(store) == [("jump_held", 2), ("jump_over", 3)]


def waiting(store):
    with store.reading() as conn:
        return store.runs.listing(conn, kind="pull", states=("waiting",))


def money(count, total):
    return {"EUR": (count, Decimal(total))}


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (None, money(5000, "1.00"), None),
        (money(100, "1000.00"), money(130, "1500.00"), None),
        (money(100, "1000.00"), money(131, "1000.00"), {"count": [100, 131]}),
        (money(100, "1000.00"), money(69, "1000.00"), {"count": [100, 69]}),
        (money(100, "1000.00"), money(100, "1500.01"), {"EUR": ["1000.00", "1500.01"]}),
        (money(3, "1000.00"), money(19, "9000.00"), None),
        (money(0, "0.00"), money(20, "1.00"), {"count": [0, 20], "EUR": ["0.00", "1.00"]}),
        (money(20, "20.00"), {}, {"count": [20, 0], "EUR": ["20.00", "0.00"]}),
    ],
)
def test_what_is_a_jump(before, now, moved):
    """A jump is more than the limit in per cent, up or down; small accounts and first pulls have none."""
    assert jump(before, now, JumpLimits()) == moved


def test_an_account_that_may_be_another_one_renamed():
    """The first pull of an account, while the configuration lost another one with open invoices: a person is asked, however few there are."""
    assert jump(None, money(2, "20.00"), JumpLimits(left=("main",))) == {"left": ["main"]}
    assert jump(None, {}, JumpLimits(left=("main",))) is None
    assert jump(money(2, "20.00"), money(2, "20.00"), JumpLimits(left=("main",))) is None


def test_joined_batches_are_the_same_records(store):
    """Several batches written in one transaction are all their records, the last cursor, and complete if one was."""
    listed = pages(2)
    one = joined([*listed, batch(cursor=3, debtors=[debtor()], payments_as_of=NOW), batch(cursor=4)])
    assert [i.id for i in one.invoices] == [i.id for b in listed for i in b.invoices]
    assert (one.debtors, one.cursor.data, one.complete, one.payments_as_of) == ((debtor(),), {"page": 4}, True, NOW)
