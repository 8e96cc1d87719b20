"""Collection (Inkasso): what a person approved is looked at once more, written for the agency, and taken out of all dunning."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from bridge.app.handing import Handing
from bridge.app.opening import PAUSE
from bridge.app.party import SaidHere, contract_of, person_of, said_here
from bridge.app.results import Done, NoticeLine
from bridge.contract import NotSupported, Snapshot
from bridge.deliver import Landing
from bridge.documents.handover import (
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
from bridge.errors import BridgeError, ConfigError, UsageError, WrongState
from bridge.model import Debtor, Reason, Ref
from bridge.plain import free_name
from bridge.policy import Via, words
from bridge.store.choices import Target
from bridge.store.files import NewFile
from bridge.store.mirror import Known
from bridge.store.records import Notice, NoticeClaim
from bridge.store.states import state_words
from bridge.words import Sentence, sentence_of

READY = ("approved", "queued", "waiting")
"""States of a hand-over that a person has approved."""

LEASE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Handed:
    """One case that went to the agency."""

    case: str
    customer: str
    invoices: tuple[str, ...]
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was handed over, where the files are, and why something that was approved stayed here."""

    folder: str
    files: tuple[str, ...]
    handed: tuple[Handed, ...]
    problems: tuple[Sentence, ...]


class _Document(NamedTuple):
    """One file that goes along, and the invoices that it is about."""

    name: str
    data: bytes
    invoices: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Ready:
    notice: Notice
    snapshots: dict[str, Snapshot]
    record: HandOver
    documents: tuple[_Document, ...]


class Collection(Handing):
    """What people do with hand-overs. A hand-over is proposed by a level of a plan and approved like a notice."""

    def handovers(self) -> tuple[NoticeLine, ...]:
        """Return the hand-overs that wait: for approval, or approved for the export."""
        with self.store.reading() as conn:
            return self.lines(conn, self._approved(conn, ("proposed", *READY)))

    def _approved(self, conn: Connection, states: Sequence[str] = READY) -> list[Notice]:
        found = self.store.outbox.listing(conn, states=states, limit=None)
        mine = [one for one in found if one.channel == Via.COLLECTION.value and one.account in self.accounts]
        return sorted(mine, key=lambda one: one.id)

    def export_collection(self, cases: Sequence[str] = (), *, folder: Path | None = None) -> Exported:
        """Write the approved hand-overs, all or those of these cases, for the agency; they are in collection from now on.

        Each is looked at right before: what was paid, disputed or changed meanwhile is dropped and told. Nothing is half handed over:
        the files are there exactly if the claims are marked. Raises `WrongState` where nothing is approved or all sending is paused.
        """
        with self.store.leases.holding("collection", seconds=LEASE_SECONDS, what=Sentence("the export to collection")):
            with self.store.reading() as conn:
                if self.store.settings.get(conn, PAUSE):
                    raise WrongState(words.told(Reason.GLOBAL_PAUSE))
                wanted = {self._row(conn, case).id for case in cases}
                notices = [one for one in self._approved(conn) if not wanted or one.case_id in wanted]
            if not notices:
                raise WrongState(
                    "no hand-over is approved; `mahnbridge collection list` shows what waits, `approve` approves"
                )
            problems: list[Sentence] = []
            taken: set[str] = set()
            ready = [one for notice in notices if (one := self._prepare(notice, problems, taken)) is not None]
            return self._export(ready, folder or self._folder(), problems)

    def _folder(self) -> Path:
        return self.config.collection.folder or self.loaded.data / "collection"

    def _prepare(self, notice: Notice, problems: list[Sentence], taken: set[str]) -> _Ready | None:
        """Look at the claims at the provider and collect what the agency needs; None, and why, where that fails now.

        `taken`: names of files in this export, where two accounts may have an invoice of the same number.
        """
        port = self.port(notice.account)
        refs = [Ref.invoice(one.invoice_id, one.invoice_number) for one in notice.claims]
        try:
            snapshots = {one.invoice_id: one for one in port.connector.look(refs)}
            found = (
                (*self._letter_files(notice), *self._invoice_files(notice)) if self.config.collection.documents else ()
            )
            documents = tuple(one._replace(name=free_name(one.name, taken)) for one in found)
            with self.store.reading() as conn:
                made = self._handover(conn, notice, documents)
            table([made], self._format())
        except BridgeError as error:
            problems.append(Sentence("{case}: {why}", case=self._case_number(notice.case_id), why=sentence_of(error)))
            return None
        return _Ready(notice, snapshots, made, documents)

    def _invoice_files(self, notice: Notice) -> Iterator[_Document]:
        """Yield the invoices as PDFs; a provider without documents has none."""
        connector = self.port(notice.account).connector
        for one in notice.claims:
            try:
                data = connector.document(Ref.invoice(one.invoice_id, one.invoice_number))
            except NotSupported:
                return
            yield _Document(_file_of(one), data, frozenset({one.invoice_id}))

    def _letter_files(self, notice: Notice) -> Iterator[_Document]:
        """Yield the letters and mails about these claims as they left the house, oldest first."""
        about: dict[int, set[str]] = {}
        with self.store.reading() as conn:
            for one in notice.claims:
                for notice_id in self.store.questions.notices_of(conn, notice.account, one.invoice_id):
                    about.setdefault(notice_id, set()).add(one.invoice_id)
            kept = self.store.files.listing(conn, kinds=("letter", "mail", "provider"), notices=about)
        for file in reversed(kept):
            if file.notice_id is not None:
                yield _Document(file.name, self.archive.read(file.sha256), frozenset(about[file.notice_id]))

    def _export(self, ready: Sequence[_Ready], folder: Path, problems: list[Sentence]) -> Exported:
        handed: list[_Ready] = []
        target = folder
        try:
            with self.store.begin() as conn:
                handed = [one for one in ready if self._hand_over(conn, one, problems)]
                if handed:
                    target = folder / f"{handed[0].record.handed_over_on}-{handed[0].notice.id:06d}"
                    files = self._write(target, handed)
        except BaseException:
            if target != folder:
                shutil.rmtree(target, ignore_errors=True)
            raise
        if not handed:
            return Exported("", (), (), tuple(problems))
        lines = tuple(
            Handed(
                one.record.reference,
                one.record.debtor.name,
                tuple(claim.invoice_number for claim in one.record.claims),
                one.record.total,
                one.notice.currency,
            )
            for one in handed
        )
        return Exported(str(target), files, lines, tuple(problems))

    def _hand_over(self, conn: Connection, one: _Ready, problems: list[Sentence]) -> bool:
        """Judge one hand-over again, on the fresh look and on what is known here by now, and mark it; all in one transaction."""
        notice = self.store.outbox.get(conn, one.notice.id, lock=True)
        landing = Landing(self.desk, self.port(notice.account))
        case, stamp = one.record.reference, self.stamp(notice.account)
        if notice.state not in READY:
            problems.append(
                Sentence("{case}: the hand-over is {state} by now", case=case, state=state_words(notice.state))
            )
            return False
        if self.store.outbox.hash_of(conn, notice.id) != notice.approved_hash:
            problems.append(Sentence("{case}: what is stored is not what was approved", case=case))
            return False
        for claim in notice.claims:
            taken, number = one.snapshots.get(claim.invoice_id), claim.invoice_number or claim.invoice_id
            if taken is None:
                problems.append(
                    Sentence("{case}: the look at invoice {invoice} was not answered", case=case, invoice=number)
                )
                return False
            hold = self.desk.rules.recheck(conn, notice, claim, taken, stamp.on)
            if hold is not None:
                landing.drop(conn, notice, reason=hold.reason, text=hold.text, invoice_id=claim.invoice_id)
                problems.append(Sentence("{case}, {invoice}: {why}", case=case, invoice=number, why=hold.text))
                return False
        if notice.state == "approved":
            self.store.outbox.queue(conn, notice.id, now=self.store.now())
            notice = self.store.outbox.get(conn, notice.id, lock=True)
        landing.land(conn, notice, on=stamp.on, at=stamp.at, actor=self.actor)
        totals = {claim.invoice_id: its for claim, its in zip(notice.claims, one.record.claims, strict=True)}
        amounts = {key: f"{its.total:.2f}" for key, its in totals.items()}
        agency = self.config.collection.agency
        for claim in notice.claims:
            self.store.choices.withdraw(
                conn, Target(account=notice.account, invoice_id=claim.invoice_id), "hand_over", stamp
            )
        self.store.handovers.hand_over(conn, notice.account, notice.case_id, amounts, stamp, agency=agency)
        self._keep_report(conn, notice, one.record, stamp.on)
        return True

    def _keep_report(self, conn: Connection, notice: Notice, made: HandOver, on: date) -> None:
        """Keep the report of one hand-over with the files that left the house."""
        data = report([made], self.language).encode()
        self.store.files.add(
            conn,
            NewFile(
                account=notice.account,
                case_id=notice.case_id,
                notice_id=notice.id,
                kind="collection",
                name=f"{on.isoformat()}_{made.reference}_{notice.id}_inkasso.txt",
                media_type="text/plain",
                sha256=self.archive.keep(data),
                size=len(data),
                kept_at=self.store.now(),
                on=on,
                years=self.years_kept("collection"),
            ),
        )

    # -------------------------------------------------------------------------------------------------------- writing

    def _format(self) -> Format:
        own = self.config.collection
        return Format(own.columns, own.delimiter, own.encoding, own.decimal, own.dates == "yyyy-mm-dd")

    def _write(self, target: Path, handed: Sequence[_Ready]) -> tuple[str, ...]:
        """Write all files into a folder of their own, which appears complete or not at all. Raises `ConfigError`."""
        records = [one.record for one in handed]
        plain = json.dumps({"handovers": [record(one) for one in records]}, ensure_ascii=False, indent=2)
        files = {
            "handover.csv": table(records, self._format()),
            "handover.json": plain.encode(),
            "report.txt": report(records, self.language).encode(),
        }
        files |= {f"documents/{its.name}": its.data for one in handed for its in one.documents}
        part = target.with_name(f".{target.name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            for name, data in files.items():
                path = part / name
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.write_bytes(data)
            part.replace(target)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise ConfigError(
                "{target}: cannot be written: {strerror}", target=target, strerror=error.strerror, cause="not_written"
            ) from error
        return tuple(sorted(files))

    def _handover(self, conn: Connection, notice: Notice, documents: Sequence[_Document]) -> HandOver:
        debtor = self.store.mirror.debtor(conn, notice.account, notice.debtor_id)
        own, today = self.config.collection, self.today(notice.account)
        ids = [one.invoice_id for one in notice.claims]
        said = said_here(self.store, conn, notice.account, notice.debtor_id, ids)
        return HandOver(
            reference=self.store.questions.case_number(conn, notice.case_id),
            handed_over_on=today,
            agency=own.agency,
            client_number=own.client_number,
            route=own.route,
            creditor=self._creditor(),
            debtor=_party(debtor, notice.debtor_id, said),
            claims=tuple(self._handed(conn, notice.account, one, today, documents, said) for one in notice.claims),
        )

    def _creditor(self) -> Creditor:
        own = self.config.creditor
        return Creditor(
            name=own.name,
            street=own.street,
            postcode=own.postcode,
            city=own.city,
            country=own.country,
            register_entry=own.register_entry,
            vat_id=own.vat_id,
            iban=own.iban or "",
            email=str(own.email or ""),
            phone=own.phone,
            legal_form=own.legal_form or None,
            deducts_vat=own.deducts_vat,
        )

    def _handed(  # noqa: PLR0917  one call site
        self,
        conn: Connection,
        account: str,
        one: NoticeClaim,
        today: date,
        documents: Sequence[_Document],
        said: SaidHere,
    ) -> HandedClaim:
        known = self.store.mirror.invoice(conn, account, one.invoice_id)
        if known is None:
            raise UsageError(
                "there is no invoice {invoice_number!r} any more", invoice_number=one.invoice_number or one.invoice_id
            )
        told, invoice, own = self.claimed(conn, known, today), known.invoice, self.config.collection
        return HandedClaim(
            invoice_number=invoice.number or invoice.id,
            invoice_date=invoice.issued_on,
            due_date=invoice.due_on,
            subject_matter=own.subject or ("Rechnung" if self.language == "de" else "invoice"),
            currency=told.currency,
            principal=told.gross,
            principal_open=told.principal_open,
            interest=told.interest,
            charges=tuple(Charge(its.kind, its.on, its.amount) for its in told.ancillaries),
            total=told.total,
            default_from=told.default_from,
            reminders=tuple(self._reminders(conn, known)),
            payments=tuple(Received(its.on, its.amount) for its in told.payments),
            documents=tuple(its.name for its in documents if one.invoice_id in its.invoices),
            contract_date=contract_of(invoice, said.invoices[one.invoice_id]),
            obligation_fulfilled=own.obligation_fulfilled,
            interest_rows=tuple(Interest.of(its) for its in told.interest_rows),
            interest_law=told.law or None,
            higher_rate_reason=own.higher_rate_reason or None if self.rules[account].money.points is not None else None,
        )

    def _reminders(self, conn: Connection, known: Known) -> Iterator[Reminder]:
        """Yield the reminders that reached the debtor, oldest first."""
        for notice_id in self.store.questions.notices_of(conn, known.account, known.invoice.id):
            notice = self.store.outbox.get(conn, notice_id)
            for one in notice.claims:
                mine = one.invoice_id == known.invoice.id and one.level and not Via(notice.channel).in_house
                if mine and one.landed_on is not None:
                    legal = bool(one.basis.get("legal"))
                    name = one.level_name or notice.level_name
                    yield Reminder(one.level, name, one.landed_on, notice.channel, legal)

    # --------------------------------------------------------------------------------------------------------- recall

    def call_back(self, case: str, *, invoice: str | None = None, note: str = "") -> Done:
        """Take a case, or one of its invoices, back from the agency. Its plan is complete; a person decides what comes next.

        `hand_over` hands it over once more; closing the case by hand and reopening it begins a new round before level 1.
        """
        with self.store.begin() as conn:
            row = self._row(conn, case)
            invoice = self._invoice_meant(conn, case, invoice)
            ids = [
                one.invoice_id
                for one in self.store.overview.claims(conn, row.id)
                if invoice in (one.number, one.invoice_id)
            ]
            if invoice is not None and not ids:
                raise UsageError("case {number} has no invoice {invoice!r}", number=row.number, invoice=invoice)
            stamp = self.stamp(row.account)
            found = self.store.handovers.call_back(conn, row.account, row.id, ids, stamp, note=note)
        return Done("called_back", row.number, self.actor, count=len(found))


def _file_of(one: NoticeClaim) -> str:
    number = one.invoice_number or one.invoice_id
    kept = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in number).strip("-")
    return f"{kept[:80] or one.claim_id}.pdf"


def _party(debtor: Debtor | None, debtor_id: str, said: SaidHere) -> Party:
    if debtor is None or debtor.address is None:
        raise UsageError("customer {debtor_id} has no postal address", debtor_id=debtor_id)
    address = debtor.address
    used = next((one for one in debtor.contacts if one.name and one.email == debtor.email), None)
    person = used or next((one for one in debtor.contacts if one.name), None)
    return Party(
        number=debtor.number or "",
        kind=debtor.kind.value,
        name=debtor.name,
        person=person.name if person else "",
        lines=address.lines,
        street=address.street,
        postcode=address.postcode,
        city=address.city,
        country=address.country,
        email=debtor.email or "",
        phone=next((one.phone for one in debtor.contacts if one.phone), "") or "",
        iban=debtor.iban or "",
        **person_of(debtor, said.customer),
    )
