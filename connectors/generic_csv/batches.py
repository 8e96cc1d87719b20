"""A DATEV booking batch on its way into the state: bookings of all batches of a key add up to its open item."""

import json
from datetime import UTC
from pathlib import Path

from bridge.contract import BadRecord, Debtor, Sentence
from connectors.generic_csv import datev
from connectors.generic_csv.cells import fold
from connectors.generic_csv.intake import Intake, Report
from connectors.generic_csv.lines import Fault
from connectors.generic_csv.profiles import Profile
from connectors.generic_csv.rows import invoice_id
from connectors.generic_csv.state import cents, plain, stamped


def import_batch(intake: Intake, path: Path, encoding: str, profile: Profile, report: Report) -> None:
    """Read one batch. A newer export of a batch replaces it, an older one is ignored. Raises `BadRecord` for the file as a whole."""
    state = intake.state
    report.origin = profile.origin
    header = datev.read_header(path, encoding, intake.zone)
    if header.created:
        report.as_of = min(report.as_of, header.created.astimezone(UTC))
    known = state.run("select value from meta where name = ?", (f"batch:{header.batch}",)).fetchone()
    if known and known[0] > stamped(report.as_of):
        return
    touched = {row[0] for row in state.run("select invoice_id from booking where batch = ?", (header.batch,))}
    state.run("delete from booking where batch = ?", (header.batch,))
    state.run("delete from payment where entry_id = ?", (header.batch,))
    state.run("insert or replace into meta values (?, ?)", (f"batch:{header.batch}", stamped(report.as_of)))
    doubts: list[tuple[str, Sentence]] = []
    for item in datev.bookings(path, encoding, header, intake.zone):
        if isinstance(item, Fault):
            intake.fault(report, item)
            doubts.append(
                (
                    f"{profile.origin}/",
                    Sentence("{file}:{line}: {why}", file=report.name, line=item.line, why=item.reason),
                )
            )
        elif isinstance(item, datev.Unfit):
            doubts.append(_unfit(intake, profile, report, item))
        else:
            report.rows += 1
            identity = invoice_id(profile.origin, [item.account, item.number])
            touched.add(identity)
            row = (header.batch, identity, item.line, plain(item.as_json()))
            state.run("insert into booking values (?, ?, ?, ?)", row)
    for identity in sorted(touched):
        _open_item(intake, identity, profile, report)
    for prefix, why in doubts:
        _doubt(intake, prefix, why)
    state.set_source(profile.origin, report.as_of, profile.fresh_days, profile.meaning, bank=False)


def _unfit(intake: Intake, profile: Profile, report: Report, item: datev.Unfit) -> tuple[str, Sentence]:
    """Set a row aside and return what it makes doubtful: its open item, its debtor, or all, as far as its key could be read."""
    why = Sentence("{file}:{line}: {why}", file=report.name, line=item.line, why=item.error.reason)
    if item.account and item.number:
        identity = invoice_id(profile.origin, [item.account, item.number])
        intake.reject(report, "booking", identity, item.error, line=item.line, raw=item.raw)
        return identity, why
    intake.reject(report, "booking", None, item.error, line=item.line, raw=item.raw)
    return f"{profile.origin}/{item.account}/" if item.account else f"{profile.origin}/", why


def _doubt(intake: Intake, prefix: str, why: Sentence) -> None:
    wanted = "id >= ? and id < ?" if prefix.endswith("/") else "id = ? and ? <> ''"
    values = (prefix, prefix[:-1] + "0")  # the character after the slash
    for (identity,) in intake.state.run(f"select id from invoice where live = 1 and {wanted}", values).fetchall():  # noqa: S608
        intake.state.doubt(identity, why)


def _open_item(intake: Intake, identity: str, profile: Profile, report: Report) -> None:
    state = intake.state
    rows = state.run("select batch, doc from booking where invoice_id = ? order by batch, line", (identity,)).fetchall()
    booked = [(batch, datev.Booking.from_json(json.loads(doc))) for batch, doc in rows]
    if not booked:
        state.doubt(identity, Sentence("{file}: its bookings were withdrawn", file=report.name))
        return
    account = booked[0][1].account
    debtor = Debtor(id=f"{profile.origin}/{account}", number=account, name=account)
    try:
        invoice = datev.open_item(identity, debtor.id, [booking for _, booking in booked])
    except BadRecord as error:
        intake.reject(report, "invoice", identity, error, line=booked[0][1].line, raw=identity)
        return
    intake.debtor(debtor)
    for batch in sorted({batch for batch, _ in booked}):
        for payment in datev.payments_of(identity, batch, [booking for own, booking in booked if own == batch]):
            day, amount, doc = payment.value_on.isoformat(), cents(payment.amount), payment.model_dump_json()
            state.run(
                "insert or ignore into payment values (?, ?, ?, ?, ?, ?, ?)",
                (payment.id, batch, identity, amount, day, doc, state.next_seq()),
            )
    intake.put(invoice, profile.origin, fold(invoice.number or ""), report, booked[0][1].line)
