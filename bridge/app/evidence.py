"""Evidence of a case (Beweispaket): everything about it in one ZIP that can be checked without this program.

Inside: the case as JSON, its timeline as text, every mail and letter that went out, the original invoices of the provider, payments,
proofs of delivery, a list of SHA-256 sums, and a small script that checks them. The journal keeps the sum over that list, so that a
package in which a file and the list were both changed is found out here.
"""

import csv
import dataclasses
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bridge.app.cases import Cases
from bridge.app.filing import Filing, Packed, write_package
from bridge.app.results import CaseDetail
from bridge.documents.archive import FileDamaged
from bridge.errors import BridgeError, UsageError
from bridge.model import Ref
from bridge.plain import cell, file_stem, free_name, on_screen
from bridge.words import Sentence, sentence_of, tell

SUMS = "SHA256SUMS"
EXPORTED = "evidence_exported"
LARGEST_PACKAGE = 500_000_000
"""Bytes that a package may unpack to when it is checked."""

VERIFIER = '''"""Checks this package: every file against SHA256SUMS. Prüft dieses Paket. Needs Python alone: python verify.py"""

import hashlib
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
listed, wrong = set(), []
try:
    sums = (here / "SHA256SUMS").read_bytes()
except OSError:
    sums = b""
    wrong.append("missing / fehlt: SHA256SUMS")
for line in sums.decode("utf-8", "replace").splitlines():
    digest, _, name = line.partition("  ")
    listed.add(name)
    path = here / name
    if not path.is_file():
        wrong.append(f"missing / fehlt: {name}")
    elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        wrong.append(f"changed / verändert: {name}")
for path in sorted(here.rglob("*")):
    name = path.relative_to(here).as_posix()
    if path.is_file() and name not in listed and name != "SHA256SUMS":
        wrong.append(f"not listed / nicht verzeichnet: {name}")
print("\\n".join(wrong) or f"files unchanged: {len(listed)} / unveränderte Dateien: {len(listed)}")
print("seal, to be compared with what its writer names / Siegel, zu vergleichen mit dem, das der Aussteller nennt:")
print(hashlib.sha256(sums).hexdigest())
sys.exit(1 if wrong else 0)
'''


@dataclass(frozen=True, slots=True)
class Evidence:
    """A package that was written, and what could not be put into it."""

    package: Packed
    seal: str
    missing: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of a package found. `known`: this installation wrote it with exactly this list of sums."""

    ok: bool
    files: int
    problems: tuple[Sentence, ...]
    known: bool


class EvidencePackages(Cases, Filing):
    """Packages of evidence, written and checked."""

    def export_case(self, case: str, path: Path, *, provider: bool = True) -> Evidence:
        """Write the evidence of a case to `path` as a ZIP; `provider` False: without asking the provider for invoices.

        Raises `UsageError` where there is no such case or the file cannot be written.
        """
        detail = self.case(case, whole=True)
        with self.store.reading() as conn:
            case_id = self.store.cases.by_number(conn, detail.line.number)["id"]
            kept = self.store.files.listing(conn, case_id=case_id)
            payments = self._payments(conn, detail)
            proofs = self._proofs(conn, case_id)
        files: list[tuple[str, bytes]] = []
        missing: list[Sentence] = []
        for one in reversed(kept):
            try:
                files.append((f"files/{one.name}", self.archive.read(one.sha256)))
            except FileDamaged as error:
                missing.append(sentence_of(error))
        if provider:
            files += self._invoices(detail, missing)
        files += [
            ("case.json", _json({"case": detail, "proofs": proofs, "missing": missing})),
            ("timeline.txt", _timeline(detail, self.language).encode()),
            ("payments.csv", _csv(payments)),
            ("verify.py", VERIFIER.encode()),
        ]
        files = _named_apart(files)
        sums = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in files)
        seal = sha256(sums.encode()).hexdigest()
        package = write_package(path, [(SUMS, sums.encode()), *files])
        with self.store.begin() as conn:
            data = {"seal": seal, "files": len(files)}
            self.record(conn, EXPORTED, account=detail.line.account, case_id=case_id, data=data)
        return Evidence(package, seal, tuple(missing))

    def verify_package(self, path: Path) -> Verdict:
        """Check a package of evidence: every file against its sum, and the list of sums against the journal.

        Raises `UsageError` where it is no such package.
        """
        try:
            with zipfile.ZipFile(path) as package:
                if sum(one.file_size for one in package.infolist()) > LARGEST_PACKAGE:
                    raise UsageError(
                        "{path} unpacks to more than {largest_package} bytes; that is no package of ours",
                        path=path,
                        largest_package=LARGEST_PACKAGE,
                    )
                files = {one.filename: package.read(one) for one in package.infolist() if not one.is_dir()}
        except zipfile.BadZipFile as error:
            raise UsageError("{path} is no package of evidence: it is no ZIP, or a damaged one", path=path) from error
        except (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error) as error:
            raise UsageError("{path} is no package of evidence: {error}", path=path, error=error) from error
        if SUMS not in files:
            raise UsageError("{path} is no package of evidence: it has no {sums}", path=path, sums=SUMS)
        sums = files.pop(SUMS)
        problems = _differences(sums.decode("utf-8", "replace"), files)
        with self.store.reading() as conn:
            known = self.store.overview.noted(conn, EXPORTED, "seal", sha256(sums).hexdigest())
        return Verdict(not problems and known, len(files), tuple(problems), known)

    def _invoices(self, detail: CaseDetail, missing: list[Sentence]) -> Iterable[tuple[str, bytes]]:
        connector = self.port(detail.line.account).connector
        for claim in detail.claims:
            number = claim.number or claim.invoice
            try:
                yield f"invoices/{file_stem(number)}.pdf", connector.document(Ref.invoice(claim.invoice, claim.number))
            except BridgeError as error:
                missing.append(Sentence("invoice {number}: {why}", number=number, why=sentence_of(error)))

    def _payments(self, conn: Connection, detail: CaseDetail) -> list[tuple[str, ...]]:
        account = detail.line.account
        numbers = {one.invoice: one.number or one.invoice for one in detail.claims}
        found = self.store.mirror.payments(conn, account, numbers)
        return [
            (numbers[invoice], one.value_on.isoformat(), f"{one.amount:.2f}", one.currency, one.kind.value, one.text)
            for invoice in numbers
            for one in found.get(invoice, ())
        ]

    def _proofs(self, conn: Connection, case_id: int) -> list[dict[str, Any]]:
        return [
            {"notice": notice, "act": step.act.value, "state": step.state, "key": step.key, "proof": step.proof}
            for notice in self.store.questions.notices_of_case(conn, case_id)
            for step in self.store.outbox.steps.of_notice(conn, notice)
            if step.proof is not None
        ]


def _named_apart(files: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return the files under names of their own; the list of sums, which names them, keeps its own too."""
    taken = {SUMS.lower()}
    return [(free_name(name, taken), data) for name, data in files]


def _differences(sums: str, files: dict[str, bytes]) -> list[Sentence]:
    lines = [line.partition("  ") for line in sums.splitlines()]
    listed = {name: digest for digest, _, name in lines if name}
    problems = [Sentence("missing: {name}", name=name) for name in listed if name not in files]
    problems += [Sentence("not listed: {name}", name=name) for name in files if name not in listed]
    problems += [
        Sentence("changed: {name}", name=name)
        for name, data in files.items()
        if name in listed and sha256(data).hexdigest() != listed[name]
    ]
    return problems


def _json(value: object) -> bytes:
    return (json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n").encode()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump else str(value)


def _timeline(detail: CaseDetail, language: str) -> str:
    head = f"{detail.line.number}  {detail.line.customer}  {detail.line.customer_number or ''}".rstrip()
    lines = [head, "", *(f"{one.on.isoformat()}  {tell(one.actor, language)}  {one.text}" for one in detail.timeline)]
    return "".join(on_screen(line, lines=False) + "\n" for line in lines)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows as CSV; a text that a spreadsheet would run as a formula is made plain."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(("invoice", "value_on", "amount", "currency", "kind", "text"))
    for *facts, text in rows:
        number, *others = facts
        writer.writerow([cell(number), *others, cell(text)])
    return out.getvalue().encode()
