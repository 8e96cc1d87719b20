"""Mails as HTML (Mahnung als HTML): everything is said in words and tables, nothing is fetched from anywhere and nothing is counted.

Made for mail programs that know tables and inline styles alone, on telephones too: tables have two columns, and the GiroCode, the one
picture, stands below what it says where there is no room beside it. Colours are left to the reader's program, light or dark. What
programs are known to drop is listed, with its reason, in `tests/unit/documents/test_mail_programs.py`.
"""

import re
from collections.abc import Iterable
from html import escape

from bridge.documents import girocode
from bridge.documents.printable import plain as printable
from bridge.documents.words import letter_words
from bridge.model import ClaimedInvoice, ClaimTable, Content, PaymentDetails
from bridge.policy import texts
from bridge.policy.claim_text import Form, form_of, parts_of

_FONT = "font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.45"
_QUIET = "color:#767676"
_WIDE = ' width="100%"'
_SMALL = f"{_QUIET};font-size:13px"
_ADDRESS = re.compile(r"https://[^\s<>\"']+")
_NEXT = "<br>\n"
"""A new line. Where elements are taken out, as for previews, what they parted stays apart by the line's end; so it is with cells."""

_LINE = "border-bottom:1px solid #a6a6a6"


def giro_png(content: Content) -> bytes | None:
    """Return the GiroCode of `content` as a picture of about 4 cm; None where there is none."""
    found = girocode.code(content.payment) if content.payment else None
    return found.png(scale=4) if found else None


def html(content: Content, *, giro_cid: str | None = None) -> str:
    """Return the mail of `content` as a page; `giro_cid` is the Content-ID of the GiroCode that goes with it."""
    form = form_of(content)
    fills = {
        texts.CLAIMS: _claims(content.table, form) if content.table else "",
        texts.PAYMENT: _payment(content.payment, form, giro_cid) if content.payment else "",
    }
    parts = [fills[part] if part in fills else _paragraph(part) for part in parts_of(content.text)]
    if giro_cid and texts.PAYMENT not in content.text:
        parts.append(fills[texts.PAYMENT])
    rows = [_wide_row("\n".join(filter(None, parts)))]
    if content.footer:
        foot = _NEXT.join(escape(line) for line in content.footer)
        rows.append(_wide_row(foot, f"{_QUIET};font-size:12px;border-top:1px solid #a6a6a6;padding-top:8px"))
    tag = escape(form.tag)
    return (
        f'<!DOCTYPE html>\n<html lang="{tag}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(content.subject)}</title></head>\n"
        f'<body style="margin:0"><table role="presentation" lang="{tag}" cellspacing="0" cellpadding="12"{_WIDE}'
        f' style="border-collapse:collapse;overflow-wrap:anywhere;max-width:680px;{_FONT}">\n{"".join(rows)}</table></body></html>\n'
    )


def _wide_row(inner: str, style: str = "") -> str:
    return f'<tr><td align="left" style="{_FONT};{style}">\n{inner}\n</td></tr>\n'


def _paragraph(text: str) -> str:
    return f"<p>{_NEXT.join(_line(line) for line in text.split(chr(10)))}</p>"


def _line(text: str) -> str:
    """Return one line; an address that stands alone can be followed."""
    shown = escape(text)
    return f'<a href="{shown}">{shown}</a>' if _ADDRESS.fullmatch(text) else shown


def _cell(text: str, style: str = "", *, right: bool = False, head: bool = False, below: str = "") -> str:
    """Return one cell; `below` is a quieter line under its text."""
    tag, scope = ("th", ' scope="col"') if head else ("td", "")
    place, kept = ("right", "padding:4px 0 4px 8px;white-space:nowrap") if right else ("left", "padding:4px 8px 4px 0")
    shown = _shown(text) + (f'{_NEXT}<span style="{_SMALL}">{_shown(below)}</span>' if below else "")
    told = f"{kept};{style}".strip(";")
    return f'<{tag}{scope} align="{place}" style="{told}">{shown}</{tag}>'


def _shown(text: str) -> str:
    return escape(text).replace("\u00a0", "&nbsp;")


def _row(*cells: str) -> str:
    inner = "\n".join(cells)
    return f'<tr valign="top">{inner}</tr>\n'


def _table(rows: Iterable[str], width: str = "") -> str:
    style = f"border-collapse:collapse;{_FONT};font-size:14px"
    return f'<table cellspacing="0" cellpadding="0"{width} style="{style}">\n{"".join(rows)}</table>'


def _claims(table: ClaimTable, form: Form) -> str:
    words = letter_words(form)
    lines = [_row(_cell(words["number"], _LINE, head=True), _cell(words["open"], _LINE, right=True, head=True))]
    for row in table.rows:
        details = list(form.details(row))
        line = "" if details else _LINE
        number = _cell(printable(row.number), line, below=_how_it_came(row, form))
        lines.append(_row(number, _cell(form.number(row.open), line, right=True)))
        for at, (text, value) in enumerate(details, 1):
            style = f"{_SMALL};{_LINE if at == len(details) else ''}"
            told = _cell(printable(text), f"padding-left:16px;{style}")
            lines.append(_row(told, _cell(form.number(value), style, right=True)))
    sums = form.sums(table)
    for at, (label, value) in enumerate(sums, 1):
        style = "font-weight:bold" if at == len(sums) else ""
        lines.append(_row(_cell(label, style), _cell(form.money(value), style, right=True)))
    note = " ".join((f"{words['in_currency']}.", *map(printable, form.remarks(table))))
    told = f'{_table(lines, _WIDE)}\n<p style="{_QUIET};font-size:12px">{escape(note)}</p>'
    return told + _mentions(table, form)


def _how_it_came(row: ClaimedInvoice, form: Form) -> str:
    """Return the dates of an invoice, and from its amount to what is open of it."""
    words = form.words
    days = [f"{words['of']} {form.day(row.issued_on)}"] if row.issued_on else []
    days += [f"{words['due']} {form.day(row.due_on)}"] if row.due_on else []
    amounts = [f"{words['amount']} {form.number(row.gross)}"]
    amounts += [f"{words['credited']} {form.number(row.credited)}"] if row.credited else []
    amounts += [f"{words['paid']} {form.number(row.paid)}"] if row.paid else []
    return " · ".join(filter(None, (", ".join(days), ", ".join(amounts))))


def _mentions(table: ClaimTable, form: Form) -> str:
    if not table.mentions:
        return ""
    lines = []
    for one in table.mentions:
        due = f", {form.words['due']} {form.day(one.due_on)}" if one.due_on else ""
        why = f" ({one.why})" if one.why else ""
        lines.append(escape(f"{printable(one.number)}{due}, {form.words['open']} {form.money(one.open)}{why}"))
    return "\n<p>" + _NEXT.join((f"{escape(form.words['mentions'])}:", *lines)) + "</p>"


def _payment(payment: PaymentDetails, form: Form, giro_cid: str | None) -> str:
    told = _table(
        _row(
            _cell(label, f"{_SMALL};overflow-wrap:normal"),
            _cell(printable(value), "padding-right:20px;font-weight:bold"),
        )
        for label, value in form.payment(payment)
    )
    if giro_cid is None:
        return told
    words = letter_words(form)
    picture = f'<img src="cid:{giro_cid}" width="160" height="160" alt="{escape(words["scan_alt"])}">'
    caption = f'{_NEXT}<span style="{_QUIET};font-size:11px">{escape(words["scan"])}</span>'
    code = f'<table role="presentation" cellspacing="0" cellpadding="4"><tr><td align="center" style="{_FONT}">{picture}{caption}</td></tr></table>'
    beside = "display:inline-block;vertical-align:top;max-width:100%"
    return f'<div><div style="{beside}">{told}</div>\n<div style="{beside}">{code}</div></div>'
