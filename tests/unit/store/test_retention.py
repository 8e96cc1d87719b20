"""What is over is erased by class, nothing earlier and nothing else; the chain of the journal stays whole."""

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from bridge.app import Bridge
from bridge.model import Act, Content
from bridge.store.choices import Target
from bridge.store.files import CLASSES, NewFile
from bridge.store.records import NewClaim, NewNotice, NewStep
from bridge.store.tables import event, kept_file, notice, override, reject, step
from tests.unit.store.made import NOW, batch
from tests.unit.store.made import reject as bad

OLD, YOUNG = date(2015, 3, 2), date(2025, 3, 2)


def case(bridge, number, closed_on, debtor=None):
    """A case with one notice that names a debtor, closed on a day."""
    store, debtor_id = bridge.store, debtor or f"d{number}"
    stamp = bridge.stamp()
    with store.begin() as conn:
        case_id, _ = store.cases.open_case(conn, "main", debtor_id, stamp)
        claim_id = store.cases.open_claim(conn, case_id, "main", f"i{number}", stamp)
        run_id = store.runs.start(conn, "dun", actor="t", on=closed_on, at=NOW)
        content = Content(subject="Mahnung an Erna Muster", text="Sehr geehrte Frau Muster")
        new = NewNotice(
            account="main", case_id=case_id, run_id=run_id, plan="p", level=1, level_name="M", channel="mail", automation="send",
            debtor_id=debtor_id, currency="EUR", total=Decimal("1.00"), deadline=None, recipient="erna@muster.example", content=content,
            claims=(NewClaim(claim_id=claim_id, invoice_id=f"i{number}", round=1, level=1, open=Decimal("1.00"), fee=Decimal("0.00")),),
            steps=(NewStep(act=Act.MAIL, content=content, claim_id=claim_id),), needs_approval=True,
        )  # fmt: skip
        notice_id = store.outbox.insert(conn, new, now=NOW)
        conn.exec_driver_sql(
            f"update dunning_case set state = 'closed', closed_on = '{closed_on.isoformat()}' where id = {case_id}"
        )
    return case_id, notice_id


def keep(bridge, case_id, on, data):
    digest = bridge.archive.keep(data)
    with bridge.store.begin() as conn:
        bridge.store.files.add(
            conn,
            NewFile(account="main", case_id=case_id, kind="letter", name="x.pdf", media_type="application/pdf", sha256=digest, size=1, kept_at=NOW, on=on, years=6),
        )  # fmt: skip
    return bridge.archive.path(digest)


@pytest.fixture
def bridge(tmp_path):
    text = "accounts: {main: {connector: generic_csv, settings: {inbox: inbox}}}\ncreditor: {name: X}\n"
    (tmp_path / "inbox").mkdir()
    (tmp_path / "bridge.yaml").write_text(text, "utf-8")
    clock = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with Bridge.open(
        tmp_path / "bridge.yaml", actor="Erika", env={}, clock=lambda: clock, technical_clock=lambda: clock
    ) as opened:
        yield opened


def test_each_class_has_its_own_end(bridge, tmp_path):
    """Six calendar years for letters and the texts of closed cases, ten for the journal, days for what no law keeps: shown first, then erased."""
    store = bridge.store
    old, new = case(bridge, 1, OLD), case(bridge, 2, YOUNG)
    gone, stays = keep(bridge, old[0], OLD, b"%PDF-old"), keep(bridge, new[0], YOUNG, b"%PDF-new")
    shared = keep(bridge, old[0], OLD, b"%PDF-both")
    keep(bridge, new[0], YOUNG, b"%PDF-both")
    with store.begin() as conn:
        store.journal.record(conn, "held", at=NOW, on=date(2015, 12, 31), data={"name": "Erna Muster"})
        store.journal.record(conn, "held", at=NOW, on=date(2016, 1, 1), data={"name": "Erna Muster"})
        for number, state in enumerate(("open", "resolved")):
            store.mirror.write(
                conn, "main", batch(rejects=[bad(f"{number}")]), business_date=YOUNG, now=NOW - timedelta(days=200)
            )
            conn.exec_driver_sql(f"update reject set state = '{state}' where provider_id = '{number}'")
    recordings = tmp_path / "data" / "recordings"
    recordings.mkdir(parents=True)
    for name, days in (("old.jsonl", 30), ("new.jsonl", 1)):
        (recordings / name).write_text("{}", "utf-8")
        past = datetime.now(UTC).timestamp() - days * 86400
        os.utime(recordings / name, (past, past))
    bridge.seal()

    wanted = {"rejects": 1, "files": 2, "cases": 1, "trail": 1, "recordings": 1}
    assert bridge.over().counts == wanted
    assert gone.exists()
    assert bridge.erase_over().counts == wanted
    assert (gone.exists(), stays.exists(), shared.exists()) == (False, True, True)
    assert [one.name for one in recordings.iterdir()] == ["new.jsonl"]
    with store.reading() as conn:
        assert conn.scalars(select(reject.c.state)).all() == ["open"]
        assert conn.scalar(select(func.count()).select_from(kept_file)) == 2
        told = {row.id: (row.recipient, str(row.content)) for row in conn.execute(select(notice))}
        assert ("Muster" in told[old[1]][1], told[old[1]][0]) == (False, "")
        assert told[new[1]][0] == "erna@muster.example"
        steps = conn.execute(select(step.c.notice_id, step.c.content)).all()
        assert {row[0]: "Muster" in str(row[1]) for row in steps} == {old[1]: False, new[1]: True}
        assert [data.get("name") for data in conn.scalars(select(event.c.data).where(event.c.kind == "held"))] == [
            None,
            "Erna Muster",
        ]
        noted = conn.scalar(select(event.c.data).where(event.c.kind == "retention_applied"))
        assert noted == wanted
    assert bridge.audit().flaws == ()
    assert set(bridge.erase_over().counts.values()) == {0}
    assert bridge.check_files().damaged == ()


def test_a_case_with_a_letter_that_must_be_kept_stays_whole(bridge):
    """The end of the case is not the end of its letters: what was posted later is kept with the texts about it."""
    case_id, notice_id = case(bridge, 1, OLD)
    keep(bridge, case_id, YOUNG, b"%PDF-late")
    assert bridge.erase_over().counts["cases"] == 0
    with bridge.store.reading() as conn:
        assert bridge.store.outbox.get(conn, notice_id).recipient == "erna@muster.example"


def test_what_was_said_of_a_customer_goes_with_their_last_case(bridge):
    """A day of birth said for a hand-over is erased with the texts, and stays while another case of the customer does."""
    stamp, store = bridge.stamp(), bridge.store
    case(bridge, 1, OLD), case(bridge, 2, OLD), case(bridge, 3, YOUNG, debtor="d2")
    customers = [Target(account="main", debtor_id=f"d{number}") for number in (1, 2)]
    with store.begin() as conn:
        for one in customers:
            store.choices.choose(conn, one, "fact:birth_date", "1980-02-29", stamp)
        store.choices.choose(conn, Target(account="main", invoice_id="i1"), "fact:contract_date", "2010-01-01", stamp)
        store.choices.choose(conn, customers[0], "plan", "none", stamp)
    bridge.erase_over()
    with store.reading() as conn:
        assert [list(store.choices.said(conn, one)) for one in customers] == [[], ["birth_date"]]
        assert conn.scalars(select(override.c.setting).order_by(override.c.id)).all() == ["fact:birth_date", "plan"]


@pytest.mark.parametrize(
    ("country", "own", "letters", "vouchers"),
    [
        ("DE", {}, 6, 8),
        ("AT", {}, 7, 7),
        ("CH", {}, 10, 10),
        ("NL", {}, 6, 8),
        ("DE", {"letter_years": 9}, 9, 8),
        ("DE", {"letter_years": 2, "voucher_years": 3}, 6, 8),
    ],
)
def test_each_kind_of_file_has_its_class_and_its_years(bridge, country, own, letters, vouchers):
    """Letters, copies of invoices and other records are kept as long as the creditor's law asks, longer where set, never shorter."""
    bridge.config = bridge.config.model_copy(
        update={
            "creditor": bridge.config.creditor.model_copy(update={"country": country}),
            "retention": bridge.config.retention.model_copy(update=own),
        }
    )
    wanted = dict.fromkeys(CLASSES, letters) | {"enclosure": vouchers}
    assert {kind: bridge.years_kept(kind) for kind in CLASSES} == wanted


def test_the_job_erases_each_file_by_its_own_class(bridge):
    """Eight years after, the letter is gone and the copy of the invoice that went with it still there."""
    case_id, _ = case(bridge, 1, date(2018, 3, 2))
    for kind, data in (("letter", b"%PDF-letter"), ("enclosure", b"%PDF-invoice")):
        with bridge.store.begin() as conn:
            bridge.store.files.add(
                conn,
                NewFile(
                    account="main", case_id=case_id, kind=kind, name=f"{kind}.pdf", media_type="application/pdf",
                    sha256=bridge.archive.keep(data), size=1, kept_at=NOW, on=date(2018, 3, 2), years=bridge.years_kept(kind),
                ),
            )  # fmt: skip
    bridge.erase_over()
    assert [(one.kind, one.retention) for one in bridge.files()] == [("enclosure", "voucher")]
