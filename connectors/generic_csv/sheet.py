"""One table file: where its header is, how it is encoded and parted, what it holds, and how each of its columns writes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bridge.contract import BadRecord
from connectors.generic_csv.cells import Column, Decimals, fold
from connectors.generic_csv.lines import UNSURE, Fault, Record, detect_encoding, records
from connectors.generic_csv.profiles import Profile, Words

DELIMITERS = (";", ",", "\t", "|")
SEARCHED = 60
"""Records at the top of a file among which the header row must be."""

_ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "cp850")
_AMOUNTS = frozenset({"gross", "open", "amount", "original"})
_DAYS = frozenset({"invoice_date", "due_date", "term", "block", "booked_on", "value_on"})
_NO_DAY = re.compile(r"0000-00-00(?:[ T]00:00:00)?|00\.00\.0000")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file with a known header. `columns` holds for each of our fields the place of its column."""

    path: Path
    profile: Profile
    encoding: str
    delimiter: str
    line: int
    header: tuple[str, ...]
    columns: Mapping[str, int]
    seen: dict[str, Column] = field(default_factory=dict)

    def cell(self, record: Record, name: str) -> str:
        """Return the cell of our field, empty where there is none."""
        at = self.columns.get(name)
        text = record.cells[at].strip() if at is not None and at < len(record.cells) else ""
        return "" if _NO_DAY.fullmatch(text) else text

    def title(self, name: str) -> str:
        """Return the header under which our field stands in this file."""
        at = self.columns.get(name)
        return self.header[at].strip() if at is not None else name

    def decimals(self, name: str) -> Decimals:
        if self.profile.decimals != "auto":
            return Decimals(self.profile.decimals)
        return self.seen[name].writes() if name in self.seen else Decimals.UNKNOWN

    def rows(self, words: Words) -> Iterator[Record | Fault]:
        """Yield the rows below the header; blank rows, repeated headers and totals are left out."""
        head = tuple(fold(cell) for cell in self.header)
        for record in records(self.path, self.encoding, self.delimiter, self.line + 1):
            if isinstance(record, Fault):
                yield record
            elif not any(cell.strip() for cell in record.cells) or (
                fold(record.cells[0]) == head[0] and tuple(map(fold, record.cells)) == head
            ):
                continue
            elif not self._is_total(record, words):
                yield record

    def _is_total(self, record: Record, words: Words) -> bool:
        number = self.cell(record, "invoice_no") or self.cell(record, "booked_on")
        if number:
            return fold(number) in words.totals
        first = next(cell for cell in record.cells if cell.strip())
        return any(fold(first).startswith(word) for word in words.totals)

    def study(self, words: Words) -> None:
        """Read the file once to learn how its columns write amounts, dates and yes or no."""
        flags = words.yes | words.no
        self.seen.update({name: Column(flags) for name in self.columns})
        learn = [
            (name, self.seen[name].see_amount if name in _AMOUNTS else self.seen[name].see_day)
            for name in self.columns
            if name in _AMOUNTS | _DAYS
        ]
        if "paid" in self.columns:
            learn.append(("paid", self.seen["paid"].see))
        for record in self.rows(words):
            if isinstance(record, Record):
                for name, see in learn:
                    see(self.cell(record, name))


def encoding_of(path: Path, wanted: str, profile: Profile | None = None) -> str:
    """Return the encoding to read with: the account's, else the profile's, else what the bytes show."""
    for name in (wanted, *(profile.encoding if profile else ())):
        if name != "auto":
            if name.lower().replace("_", "-") not in _ENCODINGS:
                raise BadRecord(
                    "unknown encoding; there are {encodings}",
                    encodings=", ".join(_ENCODINGS),
                    field="encoding",
                    value=name,
                )
            return name.lower()
    return detect_encoding(path)


def open_sheet(path: Path, profiles: Mapping[str, Profile], wanted: str, encoding: str, words: Words) -> Sheet:
    """Find header and profile of a table file. Raises `BadRecord` where no row of its top is a header."""
    read_as = encoding_of(path, encoding)
    delimiter, head = _header(path, read_as, words, profiles, wanted)
    profile = _profile(head.cells, profiles, wanted, words)
    bank = profile.kind == "bank"
    columns = words.locate(head.cells, {} if bank else profile.columns, bank=bank)
    if bank and profile.columns:
        columns = words.locate(head.cells, profile.columns, bank=True)
    missing = _missing(profile, columns)
    if missing:
        raise BadRecord(
            "profile {profile} needs a column for {missing}; line {line} has {header}",
            profile=profile.name,
            missing=missing,
            line=head.line,
            header=";".join(head.cells)[:200],
        )
    sheet = Sheet(path, profile, read_as, delimiter, head.line, head.cells, columns)
    sheet.study(words)
    return sheet


def _missing(profile: Profile, columns: Mapping[str, int]) -> str:
    """Return the first field without a column that its kind of list needs, or that the profile names."""
    needed: tuple[str, ...] = ("booked_on", "amount")
    if profile.kind != "bank":
        if not {"gross", "open"} & set(columns):
            return "gross or open"
        needed = profile.key
    named = (name for name in profile.columns if name not in profile.optional)
    return next((name for name in (*needed, *named) if name not in columns), "")


def _header(
    path: Path, encoding: str, words: Words, profiles: Mapping[str, Profile], wanted: str
) -> tuple[str, Record]:
    best: tuple[int, str, Record] | None = None
    for delimiter in DELIMITERS:
        if wanted in profiles and profiles[wanted].delimiter not in (None, delimiter):
            continue
        for record in islice(records(path, encoding, delimiter), SEARCHED):
            if isinstance(record, Fault):
                continue
            present = {fold(cell) for cell in record.cells}
            proven = max((p.proves_folded(present) for p in profiles.values()), default=0)
            score = max(words.score(record.cells), proven)
            if score > (best[0] if best else 1):
                best = (score, delimiter, record)
    if best is None and encoding == UNSURE:
        raise BadRecord(
            "no row is a header that we know; some lines look like text in cp850, others like cp1252: save the file in one encoding, "
            "or name it under `encoding`",
            field="encoding",
            value="auto",
            cause="csv_encoding",
        )
    if best is None:
        raise BadRecord(
            "no row of the first {searched} is a header that we know; it needs names such as Rechnungsnummer and Betrag",
            searched=SEARCHED,
            cause="csv_header",
        )
    return best[1], best[2]


def _profile(header: tuple[str, ...], profiles: Mapping[str, Profile], wanted: str, words: Words) -> Profile:
    """Return the profile that the header proves, else the configured one, else plain invoices or payments."""
    if wanted != "auto":
        chosen = profiles.get(wanted)
        if chosen is None:
            raise BadRecord(
                "unknown profile; there are {profiles}",
                profiles=", ".join(sorted(profiles)),
                field="profile",
                value=wanted,
            )
        proven = [p for p in profiles.values() if p.kind == "bank" and p.proves(header)]
        if chosen.kind == "bank" or not proven or "invoice_no" in words.locate(header, chosen.columns):
            return chosen
    ranked = sorted(profiles.values(), key=lambda p: (p.proves(header) > 0, p.priority, p.proves(header), p.name))
    if ranked and ranked[-1].proves(header):
        return ranked[-1]
    is_list = "invoice_no" in words.locate(header, {})
    fallback = "plain" if is_list else "payments"
    if fallback not in profiles:
        raise BadRecord(
            "the header proves no profile and there is none named {fallback}",
            fallback=fallback,
            field="profile",
            value=wanted,
        )
    return profiles[fallback]
