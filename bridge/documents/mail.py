"""Mails as HTML (Mahnung als HTML): everything is said in words and tables, nothing is fetched from anywhere and nothing is counted.

Made for mail programs that know tables and inline styles alone; the GiroCode is the one picture, and what it says stands beside it.
"""

import re
from collections.abc import Iterable
from html import escape

from bridge.documents import girocode
from bridge.documents.printable import plain as printable
from bridge.documents.words import letter_words
from bridge.model import ClaimTable, Content, PaymentDetails
from bridge.policy import texts
from bridge.policy.claim_text import Form, form_of, parts_of

_FONT = "font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.45;color:#1c1c1c"
_QUIET = "color:#5a5a5a"
_ADDRESS = re.compile(r"https://[^\s<>\"']+")
_LINE = "border-bottom:1px solid #d9d9d9"


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
    foot = "<br>\n".join(escape(line) for line in content.footer)
    if foot:
        parts.append(f'<p style="{_QUIET};font-size:12px;border-top:1px solid #d9d9d9;padding-top:8px">{foot}</p>')
    inner = "\n".join(filter(None, parts))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(form.tag)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(content.subject)}</title></head>\n"
        f'<body style="margin:0;padding:16px;{_FONT}"><div style="max-width:680px">\n{inner}\n</div></body></html>\n'
    )


def _paragraph(text: str) -> str:
    return f"<p>{'<br>'.join(_line(line) for line in text.split(chr(10)))}</p>"


def _line(text: str) -> str:
    """Return one line; an address that stands alone can be followed."""
    shown = escape(text)
    return f'<a href="{shown}">{shown}</a>' if _ADDRESS.fullmatch(text) else shown


def _cell(text: str, style: str = "", *, right: bool = False, span: int = 1, head: bool = False) -> str:
    tag, scope = ("th", ' scope="col"') if head else ("td", "")
    place = "right" if right else "left"
    wide = f' colspan="{span}"' if span > 1 else ""
    shown = escape(text).replace("\u00a0", "&nbsp;")
    return f'<{tag}{scope}{wide} align="{place}" style="padding:4px 6px;text-align:{place};{style}">{shown}</{tag}>'


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>\n"


def _claims(table: ClaimTable, form: Form) -> str:
    words, credited = letter_words(form), any(row.credited for row in table.rows)
    names = ("number", "dated", "due", "gross", *(("credited",) if credited else ()), "paid", "open")
    lines = [_row(_cell(words[name], _LINE, right=at > 2, head=True) for at, name in enumerate(names))]
    for row in table.rows:
        amounts = (row.gross, *((row.credited,) if credited else ()), row.paid, row.open)
        details = list(form.details(row))
        line = "" if details else _LINE
        cells = [_cell(text, line) for text in (printable(row.number), form.day(row.issued_on), form.day(row.due_on))]
        lines.append(_row([*cells, *(_cell(form.number(value), line, right=True) for value in amounts)]))
        for at, (text, value) in enumerate(details, 1):
            style = f"{_QUIET};font-size:13px;{_LINE if at == len(details) else ''}"
            told = _cell(printable(text), f"padding-left:16px;{style}", span=len(names) - 1)
            lines.append(_row((told, _cell(form.number(value), style, right=True))))
    sums = form.sums(table)
    for at, (label, value) in enumerate(sums, 1):
        style = "font-weight:bold" if at == len(sums) else ""
        money = _cell(form.money(value), f"white-space:nowrap;{style}", right=True, span=2)
        lines.append(_row((_cell(label, style, span=len(names) - 2), money)))
    note = " ".join((f"{words['in_currency']}.", *map(printable, form.remarks(table))))
    whole = f'<table cellspacing="0" cellpadding="0" width="100%" style="border-collapse:collapse;{_FONT};font-size:14px">\n'
    return f'{whole}{"".join(lines)}</table>\n<p style="{_QUIET};font-size:12px">{escape(note)}</p>' + _mentions(
        table, form
    )


def _mentions(table: ClaimTable, form: Form) -> str:
    if not table.mentions:
        return ""
    lines = []
    for one in table.mentions:
        due = f", {form.words['due']} {form.day(one.due_on)}" if one.due_on else ""
        why = f" ({one.why})" if one.why else ""
        lines.append(escape(f"{printable(one.number)}{due}, {form.words['open']} {form.money(one.open)}{why}"))
    return f"\n<p>{escape(form.words['mentions'])}:<br>\n" + "<br>\n".join(lines) + "</p>"


def _payment(payment: PaymentDetails, form: Form, giro_cid: str | None) -> str:
    rows = "".join(
        _row((_cell(label, _QUIET), _cell(printable(value), "font-weight:bold")))
        for label, value in form.payment(payment)
    )
    told = f'<table cellspacing="0" cellpadding="0" style="border-collapse:collapse;{_FONT};font-size:14px">\n{rows}</table>'
    if giro_cid is None:
        return told
    words = letter_words(form)
    picture = f'<img src="cid:{giro_cid}" width="160" height="160" alt="{escape(words["scan_alt"])}">'
    caption = f'<br><span style="{_QUIET};font-size:11px">{escape(words["scan"])}</span>'
    return (
        '<table cellspacing="0" cellpadding="0" style="border-collapse:collapse"><tr>'
        f'<td valign="top" style="padding-right:24px">{told}</td><td valign="top" align="center">{picture}{caption}</td></tr></table>'
    )
