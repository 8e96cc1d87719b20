"""Bank statements (Kontoauszüge) as camt.053.001.02 to .08: one XML file, or a ZIP of such files. All of it is hostile.

No entities, no DTD, no network; sizes are limited by what really comes out of the file, not by what it says of itself.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from lxml import etree

from bridge.contract import BadRecord
from connectors.generic_csv.bank import Entry

LARGEST_XML = 300_000_000
MOST_FILES = 2000
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


@dataclass(frozen=True, slots=True)
class Flaw:
    """An entry that does not fit, with its place."""

    place: str
    error: BadRecord
    raw: str


@dataclass(frozen=True, slots=True)
class Closing:
    """The bank's own time of a statement (naive where the bank gives no offset)."""

    at: datetime


def is_statement(path: Path) -> bool:
    """Return whether a file looks like XML or a ZIP."""
    with path.open("rb") as file:
        start = file.read(200).lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"<?xml", b"<\0?\0", b"<Document", b"<!DOCTYPE"))


def entries(path: Path, name: str, zone: ZoneInfo) -> Iterator[Entry | Flaw | Closing]:
    """Yield the booked entries of a file. Raises `BadRecord` where the file as a whole cannot be trusted."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            file.seek(0)
            yield from _statement(_Limited(file), name, zone)
            return
    yield from _zipped(path, name, zone)


def _zipped(path: Path, name: str, zone: ZoneInfo) -> Iterator[Entry | Flaw | Closing]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_FILES:
                raise BadRecord("more than {most_files} files in one ZIP", most_files=MOST_FILES, field=name)
            documents = [member for member in members if member.filename.lower().endswith(".xml")]
            if not documents:
                raise BadRecord("the ZIP holds no XML file", field=name)
            left = LARGEST_XML
            for member in documents:
                with archive.open(member) as file:
                    limited = _Limited(file, left)
                    yield from _statement(limited, f"{name}/{member.filename[-80:]}", zone)
                    left -= limited.taken
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise BadRecord("the ZIP cannot be read: {error}", error=error, field=name) from error


class _Limited(BufferedIOBase):
    """A file that ends in an error when more comes out of it than is allowed."""

    def __init__(self, file: IO[bytes], limit: int = LARGEST_XML) -> None:
        self._file, self._limit, self.taken = file, limit, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        data = self._file.read(1 << 16 if size is None or size < 0 else min(size, 1 << 16))
        self.taken += len(data)
        if self.taken > self._limit:
            raise BadRecord("more than {largest_xml} bytes of XML", largest_xml=LARGEST_XML, cause="camt_size")
        return data


@contextmanager
def _typed(name: str) -> Iterator[None]:
    try:
        yield
    except etree.XMLSyntaxError as error:
        raise BadRecord(
            "{file}, line {line}: the XML is broken: {msg}", file=name, line=error.lineno, msg=error.msg
        ) from error


def _statement(file: _Limited, name: str, zone: ZoneInfo) -> Iterator[Entry | Flaw | Closing]:
    with _typed(name):
        parser = etree.iterparse(
            file,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        account, root = "", None
        for event, node in parser:
            if root is None:
                root = node
                _trusted(node, name)
            tag = _local(node)
            if event == "start":
                continue
            if tag == "Acct" and _local(node.getparent()) == "Stmt":
                account = _text(node, "Id/IBAN") or _text(node, "Id/Othr/Id")
            elif tag == "CreDtTm" and (at := _moment(node.text)):
                yield Closing(at)
            elif tag == "Ntry":
                place = f"{name}:{node.sourceline}"
                try:
                    yield from _entry(node, account, place, zone)
                except BadRecord as error:
                    yield Flaw(place, error, etree.tostring(node, encoding="unicode")[:2000])
                node.clear()
                while (before := node.getprevious()) is not None and _local(before) == "Ntry":
                    node.getparent().remove(before)


def _trusted(root: Any, name: str) -> None:
    if root.getroottree().docinfo.doctype:
        raise BadRecord(
            "{file}: a bank statement has no document type; entities are refused", file=name, cause="camt_doctype"
        )
    space = str(root.tag).rpartition("}")[0].lstrip("{")
    if _local(root) != "Document" or not space.startswith(_NAMESPACE):
        raise BadRecord(
            "{file}: expected a camt.053.001 statement, not {found!r}",
            file=name,
            found=space[:100],
            cause="camt_namespace",
        )


def _entry(node: Any, account: str, place: str, zone: ZoneInfo) -> Iterator[Entry]:
    status = _text(node, "Sts/Cd") or _text(node, "Sts")
    if status != "BOOK":
        return
    total, currency = _amount(node)
    total *= _sign(node)
    booked_on = _day(node, "BookgDt", zone) or _day(node, "ValDt", zone)
    if booked_on is None:
        raise BadRecord("an entry needs its booking day", field="BookgDt", value="")
    value_on = _day(node, "ValDt", zone) or booked_on
    whole = Entry(
        account, booked_on, value_on, total, currency, text="", bank_id=_text(node, "AcctSvcrRef"), place=place
    )
    details = _all(node, "NtryDtls/TxDtls")
    if len(details) < 2:
        yield _movement(details[0] if details else node, node, whole)
        return
    amounts = [_own_amount(detail, _sign(node)) for detail in details]
    known = [amount for amount in amounts if amount is not None]
    if len(known) != len(details) or sum(known) != total:
        raise BadRecord("the parts of a collective entry do not add up to it", field="NtryDtls", value=str(total))
    for number, (detail, amount) in enumerate(zip(details, known, strict=True), 1):
        yield _movement(detail, node, replace(whole, amount=amount, bank_id=f"{whole.bank_id}#{number}"))


def _movement(detail: Any, entry: Any, whole: Entry) -> Entry:
    """Return the movement with what its details say of payer and purpose."""
    returned = bool(_all(detail, "RtrInf")) or (whole.amount < 0 and _text(entry, "RvslInd") == "true")
    other = "Dbtr" if whole.amount >= 0 or returned else "Cdtr"
    name = _text(detail, f"RltdPties/{other}/Pty/Nm") or _text(detail, f"RltdPties/{other}/Nm")
    text = " ".join(part.text or "" for part in _all(detail, "RmtInf/Ustrd")) or _text(entry, "AddtlNtryInf")
    original = _text(detail, "AmtDtls/InstdAmt/Amt")
    return replace(
        whole,
        text=" ".join(text.split())[:2000],
        reference=_text(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
        end_to_end=_text(detail, "Refs/EndToEndId"),
        name=name[:140],
        iban=_text(detail, f"RltdPties/{other}Acct/Id/IBAN"),
        returned=returned,
        original=_decimal(original) if original and returned else None,
    )


def _own_amount(detail: Any, sign: int) -> Decimal | None:
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if text := _text(detail, path):
            own = _text(detail, "CdtDbtInd")
            return _decimal(text) * ({"CRDT": 1, "DBIT": -1}.get(own, sign))
    return None


def _amount(node: Any) -> tuple[Decimal, str]:
    found = _all(node, "Amt")
    if not found:
        raise BadRecord("an entry needs its amount", field="Amt", value="")
    return _decimal(found[0].text), str(found[0].get("Ccy") or "EUR")[:3]


def _decimal(text: str | None) -> Decimal:
    try:
        value = Decimal((text or "").strip())
        exact = value.quantize(Decimal("0.01"))
    except InvalidOperation as error:
        raise BadRecord("expected an amount such as 119.00", field="Amt", value=text) from error
    if exact != value or not 0 <= value < Decimal("1e11"):
        raise BadRecord("expected an amount such as 119.00", field="Amt", value=text)
    return exact


def _sign(node: Any) -> int:
    word = _text(node, "CdtDbtInd")
    if word not in ("CRDT", "DBIT"):
        raise BadRecord("expected CRDT or DBIT", field="CdtDbtInd", value=word)
    return 1 if word == "CRDT" else -1


def _day(node: Any, name: str, zone: ZoneInfo) -> date | None:
    text = _text(node, f"{name}/Dt") or _text(node, f"{name}/DtTm")
    if not text:
        return None
    moment = _moment(text)
    if moment is None or not 1970 <= moment.year <= 2100:
        raise BadRecord("expected a day such as 2026-09-01", field=name, value=text)
    return moment.date() if moment.tzinfo is None else moment.astimezone(zone).date()


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or "").strip()[:40])
    except ValueError:
        return None


def _local(node: Any) -> str:
    """Return an element's name without its namespace; a name that XML allows and namespaces do not is as it stands."""
    return str(node.tag).rpartition("}")[2] if node is not None else ""


def _all(node: Any, path: str) -> list[Any]:
    found = [node]
    for step in path.split("/"):
        found = [child for parent in found for child in parent if _local(child) == step]
    return found


def _text(node: Any, path: str) -> str:
    found = _all(node, path)
    return (found[0].text or "").strip()[:2000] if found else ""
