"""Letters (Briefe) as PDF after DIN 5008, set by typst from data alone; nothing in the data can become markup.

The files are PDF/A-3 and PDF/UA-1 and, for the same letter, the same bytes on every machine: no clock, no fonts of the system.
"""

import json
from datetime import date
from functools import lru_cache
from textwrap import shorten
from typing import Any

from bridge.documents import girocode, typeface, typesetting
from bridge.documents.form import FORMS, Style
from bridge.documents.printable import breakable, lines_of, plain
from bridge.documents.words import letter_words
from bridge.errors import Refused
from bridge.model import Address, ClaimTable, Frozen, PaymentDetails
from bridge.policy import texts
from bridge.policy.claim_text import Form, parts_of

_INFO_SIGNS = 14
"""Signs that stand beside a label of the information block in any writing; whether more do, the template measures."""

_INFO_LINE, _INFO_LINES = 20, 11
"""Signs in a line of it, rather less than more, and the lines that it has room for."""

ADDRESS_LINES = 6
"""Lines that fit into the address field of DIN 5008 (27.3 mm)."""

_LONGEST_LINE = 160


class Sender(Frozen):
    """Who writes (Absender, the creditor). `footer` are the columns of particulars that business letters must carry (GmbHG 35a, HGB 37a)."""

    name: str
    address: Address
    footer: tuple[tuple[str, ...], ...] = ()


class Letter(Frozen):
    """One letter over one or more claims. Paragraphs of `text` are parted by empty lines; `[[claims]]` and `[[payment]]` are places.

    Where `text` does not name them, they follow at its end. `info` are lines of the information block beside
    the address, label first; `country` is the creditor's.
    """

    language: str = "de"
    country: str = "DE"
    dated_on: date
    sender: Sender
    name: str
    address: Address
    subject: str
    text: str = ""
    info: tuple[tuple[str, str], ...] = ()
    claims: ClaimTable | None = None
    payment: PaymentDetails | None = None
    style: Style = Style()
    posted: bool = True  # False: a file that goes with a mail, whose address may be incomplete


def render(letter: Letter) -> bytes:
    """Return the letter as PDF.

    Raises `Refused` where the address cannot be delivered to, does not fit the window, or has letters that the font lacks;
    `ConfigError` where the logo cannot be read any more.
    """
    pdf = _compile(letter, format="pdf", pdf_standards=["a-3a", "ua-1"])
    assert isinstance(pdf, bytes)
    return pdf


def pictures(letter: Letter, *, dots_per_inch: int = 144) -> list[bytes]:
    """Return the pages of the letter as PNG. Errors as `render`."""
    found = _compile(letter, format="png", ppi=dots_per_inch)
    assert found is not None
    return [found] if isinstance(found, bytes) else found


def _compile(letter: Letter, **options: Any) -> bytes | list[bytes] | None:
    own = _data(letter)
    sheet = typesetting.Sheet(
        house=_house(letter.sender, letter.style, letter.language, letter.country, _currency(letter)),
        own=json.dumps(own, ensure_ascii=False),
        name=letter.name,
        style=letter.style,
        dated_on=letter.dated_on,
        long=own["table"] is not None and own["table"]["long"],
    )
    return typesetting.compose(sheet, **options)


def address_lines(name: str, address: Address, country: str = "DE", *, posted: bool = True) -> tuple[str, ...]:
    """Return the lines of the address field, seen from `country`.

    Raises `Refused` where street or town is missing or it does not fit the window.
    """
    upper = address.lines or (name,)
    town = f"{address.postcode} {address.city}".strip()
    lines = [plain(line) for line in (*upper, address.street, town) if plain(line)]
    if posted and (not plain(address.city) or not (plain(address.street) or len(upper) > 1)):
        raise Refused(
            "the address of {name} is not complete: street and town are needed", name=name, cause="letter_address"
        )
    if town and address.country not in ("", country):
        lines.append(_country(address.country))
    if len(lines) > ADDRESS_LINES:
        raise Refused(
            "the address of {name} has {lines} lines, the window {address_lines}",
            name=name,
            lines=len(lines),
            address_lines=ADDRESS_LINES,
            cause="letter_address",
        )
    if any(len(line) > _LONGEST_LINE for line in lines):
        raise Refused(
            "a line of the address of {name} is too long for the window", name=name[:40], cause="letter_address"
        )
    return tuple(breakable(line) for line in lines)


def _country(code: str) -> str:
    """Return the country as the postal union wants it: in capitals, in the language of the country of posting (German)."""
    from babel import Locale  # noqa: PLC0415  only for letters abroad

    return str(Locale("de").territories.get(code, code)).upper()


@lru_cache(maxsize=64)
def _house(sender: Sender, style: Style, language: str, country: str, currency: str) -> str:
    """Return, as JSON, what all letters of this sender in this language have in common."""
    form = Form(language, country, currency)
    found = {
        "words": letter_words(form),
        "language": form.language,
        "region": country,
        "place": FORMS[style.form].model_dump(),
        "style": style.model_dump(mode="json", exclude={"fonts", "bottom"}),
        "bottom": max(style.bottom, particulars := 11 + 3.2 * _footer_lines(sender, style)),
        "bottom_numbered": max(style.bottom, particulars + 3.8),
        "fonts": typeface.names(style.fonts),
        "sender": plain(sender.name),
        "head": breakable(plain(sender.name)),
        "return_line": breakable(_return_line(sender)),
        "footer": [[breakable(plain(line)) for line in column] for column in sender.footer],
    }
    return json.dumps(found, ensure_ascii=False)


def _data(letter: Letter) -> dict[str, Any]:
    """Return what is this letter's own."""
    table, payment = letter.claims, letter.payment
    form = Form(letter.language, letter.country, _currency(letter))
    lines = address_lines(letter.name, letter.address, letter.country, posted=letter.posted)
    dated = form.day(letter.dated_on)
    blocks = _blocks(letter)
    info = [(plain(label), breakable(plain(value), _INFO_SIGNS)) for label, value in letter.info if value]
    info.append((letter_words(form)["date"], dated))
    return {
        "title": plain(letter.subject),
        "subject": breakable(plain(letter.subject)),
        "keywords": payment.reference if payment else "",
        "address": lines,
        "tight": len(lines) > 5 or any(len(line) > 36 for line in lines),
        "info": info,
        "crowded": sum(lines_of(value, _INFO_LINE) for _, value in info) > _INFO_LINES,
        "running": " · ".join((plain(letter.sender.name), shorten(plain(letter.subject), 60, placeholder=" …"), dated)),
        "blocks": blocks,
        "sticky": _sticky(blocks),
        "table": _table(table, form) if table else None,
        "mentions": _mentions(table, form) if table else [],
        "payment": _payment(payment, form) if payment else None,
    }


def _currency(letter: Letter) -> str:
    if letter.claims:
        return letter.claims.currency
    return letter.payment.currency if letter.payment else "EUR"


def _return_line(sender: Sender) -> str:
    own = sender.address
    return " · ".join(filter(None, map(plain, (sender.name, own.street, f"{own.postcode} {own.city}"))))


def _blocks(letter: Letter) -> list[str | list[str]]:
    """Return paragraphs as their lines, and the places of the table and of how to pay by name.

    How to pay comes last where the text does not name it, and before it the table where it names neither: a text that names how
    to pay alone says in words what is owed (`compose` sees to it).
    """
    found: list[str | list[str]] = []
    for part in parts_of(letter.text):
        if part in _PLACES:
            found.append(_PLACES[part])
        else:
            found.append([breakable(plain(line)) for line in part.split("\n")])
    if "payment" in found:
        return found
    return [*found, "payment"] if "claims" in found else [*found, "claims", "payment"]


def _sticky(blocks: list[str | list[str]]) -> list[int]:
    """Return the paragraphs that stay with what follows: the one before the table, and the last but one, so that no greeting stands alone."""
    paragraphs = [at for at, part in enumerate(blocks) if isinstance(part, list)]
    before = [*(at - 1 for at, part in enumerate(blocks) if part == "claims"), *paragraphs[-2:-1]]
    return sorted({at for at in before if at in paragraphs})


def _footer_lines(sender: Sender, style: Style) -> int:
    """Return how many lines the particulars take at most; a column's share of the width holds so many characters."""
    columns = sender.footer
    wide = (210 - style.left - style.right + 4) / max(1, len(columns)) - 4
    signs = max(1, int(wide / _FOOTER_SIGN))
    return max((sum(lines_of(breakable(plain(line)), signs) for line in column) for column in columns), default=0)


_FOOTER_SIGN = 1.27
"""Mean width of a letter in the footer, in mm, rather more than less."""

_PLACES = {texts.CLAIMS: "claims", texts.PAYMENT: "payment"}


def _table(table: ClaimTable, form: Form) -> dict[str, Any]:
    credited = any(row.credited for row in table.rows)
    rows = []
    for row in table.rows:
        cells = [breakable(plain(row.number)), form.day(row.issued_on), form.day(row.due_on), form.number(row.gross)]
        cells += [form.number(row.credited)] if credited else []
        cells += [form.number(row.paid), form.number(row.open)]
        details = [(breakable(plain(text)), form.number(value)) for text, value in form.details(row)]
        rows.append({"cells": cells, "details": details})
    sums = [(label, form.money(value)) for label, value in form.sums(table)]
    lines = len(rows) + sum(len(row.ancillaries) + len(row.interest_rows) for row in table.rows)
    law = breakable(plain(" ".join(form.remarks(table))))
    return {"credited": credited, "rows": rows, "sums": sums, "law": law, "long": lines > _ONE_PAGE}


_ONE_PAGE = 12
"""Lines of a table that stand on the first page in any case."""


def _mentions(table: ClaimTable, form: Form) -> list[tuple[str, str, str, str]]:
    return [
        (breakable(plain(one.number)), form.day(one.due_on), plain(one.why), form.number(one.open))
        for one in table.mentions
    ]


_CODE_SCALE = 2
"""Pixels of a module: a viewer that smooths pictures softens their edges alone."""


def _payment(payment: PaymentDetails, form: Form) -> dict[str, Any]:
    picture = girocode.code(payment)
    return {
        "rows": [(label, breakable(plain(value))) for label, value in form.payment(payment)],
        "code": list(picture.png(scale=_CODE_SCALE, quiet=0)) if picture else None,
    }
