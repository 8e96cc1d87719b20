"""What Billomat does with reminders: it chooses the level, adds that level's fee, and writes the history."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from connectors.billomat.sandbox.books import Books, Problem, Row
from connectors.billomat.sandbox.ledger import Sending

ZERO = Decimal(0)
ME = 5
"""Id of the user whose key is used."""


def levels(books: Books) -> list[Row]:
    """Return the dunning levels in their order."""
    return sorted(books.reminder_texts.rows.values(), key=lambda row: int(row["sorting"]))


def next_level(books: Books, before: list[Row]) -> Row | None:
    """Return the level after the highest one so far, None after the last."""
    ordered = levels(books)
    counting = [row for row in before if row["status"] != "CANCELED" or books.behaviour.cancelled_counts]
    reached = max((row["reminder_level"] for row in counting), default=0)
    return ordered[reached] if reached < len(ordered) else None


def create(books: Books, fields: Row, user_id: int | None = ME) -> Row:
    """Create a draft. Raises `Problem`."""
    invoice = books.invoices.rows.get(_int(fields.get("invoice_id")))
    if invoice is None:
        raise Problem("Rechnung nicht gefunden", 404)
    allowed = ("OVERDUE",) if books.behaviour.refuses_open_invoices else ("OPEN", "OVERDUE")
    if invoice["status"] not in allowed:
        raise Problem(f"Zu einer Rechnung mit Status {invoice['status']} kann keine Mahnung erstellt werden")
    if 0 <= books.documents_available <= books.documents_used:
        raise Problem("Die maximale Anzahl an Dokumenten in diesem Monat ist erreicht")
    books.documents_used += 1
    before = books.reminders.by("invoice_id", invoice["id"])
    level = next_level(books, before)
    reached = max((row["reminder_level"] for row in before if row["status"] != "CANCELED"), default=0)
    for row in before:
        books.reminders.change(row, is_old=True)
    day = _date(fields.get("date")) or books.today
    due_days = int(str(fields.get("due_days") or 7))
    texts = level or {}
    keeps = books.behaviour
    reminder = books.reminders.add(
        {
            "created": books.clock.now(),
            "status": "DRAFT",
            "invoice_id": invoice["id"],
            "client_id": invoice["client_id"],
            "contact_id": invoice["contact_id"],
            "address": invoice["address"],
            "currency_code": invoice["currency_code"],
            "reminder_text_id": level["id"] if level else None,
            "reminder_level": level["_position"] if level else reached,
            "reminder_level_name": level["name"] if level else None,
            "date": day,
            "due_date": _date(fields.get("due_date")) or day + timedelta(days=due_days),
            "due_days": due_days,
            "label": str(fields.get("label") or "") if keeps.stores_label else "",
            "subject": fields.get("subject") or texts.get("subject", ""),
            "intro": fields.get("intro") or texts.get("header", ""),
            "note": fields.get("note") or texts.get("footer", ""),
            "total_gross": invoice["open_amount"],
            "paid_amount": ZERO,
            "open_amount": invoice["open_amount"],
            "is_old": False,
            "customerportal_url": None,
            "template_id": fields.get("template_id"),
            "customfield": str(fields.get("customfield") or "") if keeps.customfield_in_post else "",
            "_user": user_id,
        }
    )
    if level and level["charge_amount"] and keeps.draft_has_charge:
        charge = {
            "title": level["charge_name"],
            "description": level["charge_description"],
            "unit_price": level["charge_amount"],
        }
        add_item(books, {"reminder_id": reminder["id"], "quantity": 1, **charge}, charge=True)
    books.note(invoice["id"], "REMINDER_CREATE", f"Mahnung {reminder['id']} erstellt", user_id)
    return reminder


def add_item(books: Books, fields: Row, *, charge: bool = False) -> Row:
    """Add an item to a draft. Raises `Problem`."""
    reminder = found(books, _int(fields.get("reminder_id")))
    _only_draft(reminder)
    quantity, price = Decimal(str(fields.get("quantity") or 0)), Decimal(str(fields.get("unit_price") or 0))
    item = {
        "reminder_id": reminder["id"],
        "position": len(books.reminder_items.by("reminder_id", reminder["id"])) + 1,
        "article_id": None,
        "unit": fields.get("unit"),
        "quantity": quantity,
        "unit_price": price,
        "total": quantity * price,
        "title": fields.get("title"),
        "description": fields.get("description"),
        **({"is_charge": charge} if books.behaviour.charge_is_marked else {}),
    }
    if books.behaviour.amounts_include_charges:
        more = quantity * price
        books.reminders.change(
            reminder, total_gross=reminder["total_gross"] + more, open_amount=reminder["open_amount"] + more
        )
    return books.reminder_items.add(item)


def change(books: Books, reminder: Row, fields: Row) -> None:
    """Edit a draft. Raises `Problem`."""
    _only_draft(reminder)
    texts = {name: str(fields[name] or "") for name in ("subject", "intro", "note", "label") if name in fields}
    dates = {name: _date(fields[name]) for name in ("date", "due_date") if fields.get(name)}
    books.reminders.change(reminder, **texts, **dates)


def complete(books: Books, reminder: Row, user_id: int | None = ME) -> None:
    """Finalise a draft. Raises `Problem`."""
    _only_draft(reminder)
    books.reminders.change(reminder, status="OVERDUE" if reminder["due_date"] < books.today else "OPEN")
    books.note(reminder["invoice_id"], "REMINDER_STATUS", f"Mahnung {reminder['id']} abgeschlossen", user_id)


def delete(books: Books, reminder: Row, user_id: int | None = ME) -> None:
    """Delete a reminder with its items. Raises `Problem`."""
    if not books.behaviour.deletes_completed:
        _only_draft(reminder)
    for item in books.reminder_items.by("reminder_id", reminder["id"]):
        books.reminder_items.remove(item)
    books.reminders.remove(reminder)
    books.note(reminder["invoice_id"], "REMINDER_DELETE", f"Mahnung {reminder['id']} gelöscht", user_id)


def cancel(books: Books, reminder: Row, user_id: int | None = ME) -> None:
    """Cancel a completed reminder. Raises `Problem`."""
    if reminder["status"] not in ("OPEN", "OVERDUE"):
        raise Problem(f"Mahnung mit Status {reminder['status']} kann nicht storniert werden")
    books.reminders.change(reminder, status="CANCELED")
    books.note(reminder["invoice_id"], "REMINDER_CANCEL", f"Mahnung {reminder['id']} storniert", user_id)


def send_mail(books: Books, reminder: Row, fields: Row, user_id: int | None = ME) -> None:
    """Send by e-mail. Raises `Problem`."""
    if reminder["status"] not in ("OPEN", "OVERDUE"):
        raise Problem(f"Mahnung mit Status {reminder['status']} kann nicht versendet werden")
    to = _people(fields.get("recipients"), "to")
    if not to or any("@" not in person for person in to):
        raise Problem("Empfänger fehlt oder ist ungültig", 422)
    if books.behaviour.mail_fails:
        books.note(reminder["invoice_id"], "REMINDER_ERROR_MAIL", "Zustellung fehlgeschlagen", user_id)
        return
    everyone = (*to, *_people(fields.get("recipients"), "cc"), *_people(fields.get("recipients"), "bcc"))
    sending = _sending(
        books,
        reminder,
        "mail",
        user_id,
        to=everyone,
        subject=str(fields.get("subject") or reminder["subject"]),
        body=str(fields.get("body") or ""),
    )
    books.ledger.mails.append(sending)
    books.note(reminder["invoice_id"], "REMINDER_MAIL", f"Mahnung versendet an {', '.join(to)}", user_id)


def send_letter(books: Books, reminder: Row, user_id: int | None = ME) -> None:
    """Send by post. Raises `Problem`."""
    if not books.behaviour.post_is_set_up:
        raise Problem("Das Add-on Pixelletter ist nicht eingerichtet", 403)
    if reminder["status"] not in ("OPEN", "OVERDUE"):
        raise Problem(f"Mahnung mit Status {reminder['status']} kann nicht versendet werden")
    books.ledger.letters.append(_sending(books, reminder, "post", user_id))
    books.note(reminder["invoice_id"], "REMINDER_LETTER", "Mahnung per Post versendet", user_id)


def found(books: Books, reminder_id: int) -> Row:
    """Return a reminder. Raises `Problem` (404)."""
    reminder = books.reminders.rows.get(reminder_id)
    if reminder is None:
        raise Problem("Mahnung nicht gefunden", 404)
    return reminder


def _sending(books: Books, reminder: Row, way: str, user_id: int | None, **more: Any) -> Sending:
    fees = sum((item["total"] for item in books.reminder_items.by("reminder_id", reminder["id"])), ZERO)
    invoice_open = books.invoices.rows[reminder["invoice_id"]]["open_amount"]
    included = books.behaviour.amounts_include_charges
    return Sending(
        str(reminder["invoice_id"]),
        str(reminder["id"]),
        reminder["reminder_level"],
        books.clock.now(),
        way,
        demanded=reminder["open_amount"] + (ZERO if included else fees),
        invoice_open=invoice_open,
        label=reminder["label"],
        user_id=user_id,
        **more,
    )


def _only_draft(reminder: Row) -> None:
    if reminder["status"] != "DRAFT":
        raise Problem(f"Mahnung {reminder['id']} ist kein Entwurf")


def _people(recipients: Any, kind: str) -> tuple[str, ...]:
    value = recipients.get(kind) if isinstance(recipients, dict) else None
    return tuple(value) if isinstance(value, list) else ((value,) if value else ())


def _int(value: Any) -> int:
    return int(str(value)) if str(value).isdigit() else 0


def _date(value: Any) -> date | None:
    if isinstance(value, date) or not value:
        return value or None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Problem(f"{value} ist kein Datum") from error
