"""1,000 letters in one run on one core against typst's own pages: `python -m tests.bench.letters`. Ratios of processor time.

Each kind is run alone, in turn, several times, and its least time counts: other work on the machine can only add to it.

`minimal` is one line of text on a page, `same words` the text of the letter as plain paragraphs, both with the letter's PDF standards,
one compiler for all and data of their own by `sys.inputs`, as typst documents it; `in source` are the same with the data in the text
that is compiled, which lets typst keep more from page to page. `letter` is everything: the data, the GiroCode, the table, the file. As in any
run, all letters have one sender.
"""

import json
import os
import sys
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import typst

from bridge.documents.letter import Letter, Sender, render
from bridge.model import Address, ClaimedInvoice, ClaimTable, PaymentDetails
from tests.bench.measure import Stopwatch, alone, table

KINDS = ("minimal", "minimal, in source", "same words", "same words, in source", "letter")
DAY = date(2026, 9, 1)
PAGE = """\
#set document(title: "Mahnung", author: "Muster")
#set text(font: "Libertinus Serif", lang: "de")
#set page(paper: "a4")
#for part in json(bytes(DATA)) { par(part) }
"""
TEXT = (
    "Sehr geehrte Damen und Herren,\n\ntrotz unserer Erinnerung ist der folgende Betrag weiterhin offen:\n\n[[claims]]\n\n"
    "Bitte zahlen Sie bis spätestens 11.09.2026. Mit Ablauf dieser Frist sind Sie spätestens in Verzug.\n\n[[payment]]\n\n"
    "Haben Sie inzwischen bezahlt, betrachten Sie dieses Schreiben bitte als gegenstandslos.\n\nMit freundlichen Grüßen\nMuster GmbH"
)


def letter(number: int) -> Letter:
    """Return one letter with an address, a number and an amount of its own."""
    rest = Decimal(number).scaleb(-2) + 100
    row = ClaimedInvoice(
        invoice_id=str(number),
        number=f"RE-{number:06}",
        issued_on=DAY,
        due_on=DAY,
        level_name="1. Mahnung",
        gross=rest,
        credited=Decimal(0),
        paid=Decimal(0),
        open=rest,
        total=rest,
    )
    sums = {"principal": rest, "ancillary": Decimal(0), "interest": Decimal(0), "total": rest}
    home = Address(lines=(f"Kunde {number} GmbH", "Buchhaltung"), street="Weg 1", postcode="50667", city="Köln")
    own = Address(street="Weg 2", postcode="50667", city="Köln")
    return Letter(
        dated_on=DAY,
        sender=Sender(name="Muster GmbH", address=own, footer=(("Muster GmbH", "Weg 2"), ("HRB 12345",))),
        name=f"Kunde {number} GmbH",
        address=home,
        subject=f"1. Mahnung zur Rechnung {row.number}",
        text=TEXT,
        info=(("Kundennummer", str(number)),),
        claims=ClaimTable(on=DAY, currency="EUR", rows=(row,), **sums),
        payment=PaymentDetails(
            payee="Muster GmbH",
            iban="DE02120300000000202051",
            reference=row.number,
            amount=rest,
            currency="EUR",
            deadline=date(2026, 9, 11),
        ),
    )


def words(number: int) -> list[str]:
    """Return what the letter says, as paragraphs."""
    one = letter(number)
    assert one.payment is not None
    told = (
        one.payment.iban,
        one.payment.payee,
        one.payment.reference,
        str(one.payment.amount),
        "Empfänger IBAN Betrag",
    )
    return [*one.address.lines, one.subject, *TEXT.split("\n\n"), "Rechnung vom fällig am Betrag bezahlt offen", *told]


def run(kind: str, count: int) -> None:
    """Make `count` pages of one kind on one core and tell what it took."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sizes = 0
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.typ"
        page.write_text(PAGE.replace("DATA", "sys.inputs.data"), encoding="utf-8")
        compiler = typst.Compiler(str(page), ignore_system_fonts=True)

        def plain(**given: Any) -> bytes:
            dated = datetime(2026, 9, 1, tzinfo=UTC)
            made = compiler.compile(format="pdf", pdf_standards=["a-3a", "ua-1"], timestamp=dated, **given)
            assert isinstance(made, bytes)
            return made

        def told(parts: list[str]) -> bytes:
            return plain(sys_inputs={"data": json.dumps(parts)})

        def written(parts: list[str]) -> bytes:
            text = json.dumps(parts).replace("\\", "\\\\").replace('"', '\\"')
            return plain(input=PAGE.replace("DATA", f'"{text}"').encode())

        make = {
            "minimal": lambda number: told([f"Seite {number}"]),
            "minimal, in source": lambda number: written([f"Seite {number}"]),
            "same words": lambda number: told(words(number)),
            "same words, in source": lambda number: written(words(number)),
            "letter": lambda number: render(letter(number)),
        }[kind]
        make(0)
        with Stopwatch() as watch:
            for number in range(1, count + 1):
                sizes += len(make(number))
        watch.tell({"count": count, "bytes": sizes // count})


def main(count: int = 1_000, rounds: int = 3) -> None:
    """Print the table."""
    runs = [{kind: alone("tests.bench.letters", kind, str(count)) for kind in KINDS} for _ in range(rounds)]
    found = {kind: min((one[kind] for one in runs), key=lambda told: told["cpu"]) for kind in KINDS}
    least = found["minimal"]
    print(f"{count:,} letters in one run, one core (goals: at most 2x typst's own minimal page, below 60 KB a page)")
    table(
        ("page", "per second", "ms CPU each", "ratio to minimal", "peak MiB", "ratio", "KB each"),
        [
            (
                kind,
                count / one["cpu"],
                one["cpu"] / count * 1000,
                one["cpu"] / least["cpu"],
                one["peak_mib"],
                one["peak_mib"] / least["peak_mib"],
                one["bytes"] / 1000,
            )
            for kind, one in found.items()
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        run(sys.argv[1], int(sys.argv[2]))
    else:
        main()
