"""The endpoints of the sandbox, with Billomat's paging, filters and quirks."""

import base64
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from bridge.testing.server import Request, Response, Server
from connectors.billomat.sandbox import encoding, reminding
from connectors.billomat.sandbox.books import Books, Problem, Row, Table

LARGEST_PAGE = 1000
PARTS = frozenset(
    {"invoice_number", "credit_note_number", "label", "subject", "intro", "note", "customfield", "name", "email"}
)
"""Filters that match a part of the field, in any case."""

KNOWN = {
    "clients": frozenset(
        {
            "name",
            "client_number",
            "email",
            "first_name",
            "last_name",
            "country_code",
            "note",
            "invoice_id",
            "tags",
            "customfield",
        }
    ),
    "invoices": frozenset(
        {
            "client_id",
            "contact_id",
            "invoice_number",
            "status",
            "payment_type",
            "from",
            "to",
            "label",
            "intro",
            "note",
            "tags",
            "customfield",
        }
    ),
    "reminders": frozenset(
        {
            "client_id",
            "contact_id",
            "invoice_number",
            "status",
            "from",
            "to",
            "subject",
            "label",
            "intro",
            "note",
            "tags",
            "customfield",
        }
    ),
    "credit-notes": frozenset(
        {"client_id", "contact_id", "credit_note_number", "status", "from", "to", "label", "intro", "note", "tags"}
    ),
    "invoice-payments": frozenset({"invoice_id", "from", "to", "type", "user_id"}),
    "contacts": frozenset({"client_id"}),
    "invoice-comments": frozenset({"invoice_id", "actionkey"}),
    "reminder-items": frozenset({"reminder_id"}),
}
"""The filters that exist; all others are ignored without a word."""


class Routes:
    """Adds the endpoints to a server."""

    def __init__(
        self, server: Server, books: Books, account: Callable[[], Row], user: Callable[[Request], Row]
    ) -> None:
        self.books = books
        self.server = server
        self._user = user
        self.single_as_array = False
        self.action_body = b""
        add = self._add
        add("GET", r"/clients/myself", lambda _: encoding.record("client", account()))
        add("GET", r"/users/myself", lambda request: encoding.record("user", user(request)))
        add("GET", r"/roles/(\d+)", self._role)
        for path, item, table in (
            ("clients", "client", books.clients),
            ("contacts", "contact", books.contacts),
            ("invoices", "invoice", books.invoices),
            ("reminders", "reminder", books.reminders),
            ("credit-notes", "credit-note", books.credit_notes),
            ("invoice-payments", "invoice-payment", books.payments),
            ("invoice-comments", "invoice-comment", books.comments),
            ("reminder-items", "reminder-item", books.reminder_items),
        ):
            add("GET", f"/{path}", self._lister(path, item, table))
            add("GET", rf"/{path}/(\d+)", self._getter(item, table))
        for path, item, table in (
            ("invoices", "invoice", books.invoices),
            ("reminders", "reminder", books.reminders),
            ("credit-notes", "credit-note", books.credit_notes),
        ):
            add("GET", rf"/{path}/(\d+)/pdf", self._pdf(item, table))
        for kind in ("invoice", "client"):
            add("GET", f"/{kind}-tags", self._tags(kind))
        add(
            "GET",
            "/reminder-texts",
            lambda _: encoding.unpaged("reminder-texts", "reminder-text", reminding.levels(books)),
        )
        add(
            "GET",
            "/client-properties",
            lambda _: encoding.unpaged("client-properties", "client-property", [*books.properties.rows.values()]),
        )
        add("GET", "/client-property-values", self._property_values)
        self._writes()

    def _add(self, method: str, pattern: str, handler: Callable[[Request], Response]) -> None:
        def guarded(request: Request) -> Response:
            try:
                return handler(request)
            except Problem as problem:
                return encoding.failure(problem.status, str(problem))

        self.server.add(method, pattern, guarded)

    # -------------------------------------------------------------------------------------------------------------- reads

    def _lister(self, path: str, item: str, table: Table) -> Callable[[Request], Response]:
        parent = {"contacts": "client_id", "invoice-comments": "invoice_id", "reminder-items": "reminder_id"}.get(path)

        def answer(request: Request) -> Response:
            if parent is not None and not request.arg(parent):
                return encoding.failure(400, f"{parent} fehlt")
            filters = {name: value for name in KNOWN[path] if (value := request.arg(name)) is not None}
            order = request.arg("order_by") or "id ASC"
            question = (order, *sorted(filters.items()))
            rows = table.listed(question, lambda: self._sorted(self._filtered(path, table, filters), order))
            size = max(1, min(LARGEST_PAGE, int(request.arg("per_page") or 100)))
            page = max(1, int(request.arg("page") or 1))
            part = rows[(page - 1) * size : page * size]
            return encoding.listing(
                path, item, part, page=page, per_page=size, total=len(rows), array=self.single_as_array
            )

        return answer

    def _filtered(self, path: str, table: Table, filters: Mapping[str, str]) -> Iterable[Row]:
        rows: Iterable[Row] = table.rows.values()
        rest = dict(filters)
        if path == "clients" and "invoice_id" in rest:
            wanted = {
                self.books.invoices.rows[key]["client_id"]
                for key in _ids(rest.pop("invoice_id"))
                if key in self.books.invoices.rows
            }
            rows = [table.rows[key] for key in wanted]
        elif "status" in rest and path in ("invoices", "reminders", "credit-notes") and "client_id" not in rest:
            rows = [row for status in rest.pop("status").split(",") for row in table.by("status", status.strip())]
        elif path == "reminders" and "invoice_number" in rest:
            part = rest.pop("invoice_number").casefold()
            numbers = table.listed("numbers", self._numbers)
            keys = [row["id"] for row in numbers if part in row["invoice_number"].casefold()]
            rows = [row for key in keys for row in table.by("invoice_id", key)]
        else:
            for name in ("invoice_id", "reminder_id", "client_id"):
                if name in rest and path not in ("reminders", "clients") and table.indexed(name):
                    rows = table.by(name, int(rest.pop(name)) if rest[name].isdigit() else None)
                    break
        return [row for row in rows if all(self._fits(path, row, name, value) for name, value in rest.items())]

    def _numbers(self) -> list[Row]:
        """Return the invoices that have reminders; the only ones whose number matters for a reminder."""
        keys = {row["invoice_id"] for row in self.books.reminders.rows.values()}
        return [self.books.invoices.rows[key] for key in sorted(keys)]

    def _fits(self, path: str, row: Row, name: str, value: str) -> bool:
        if name in ("status", "actionkey", "type"):
            return row.get(name) in [word.strip() for word in value.split(",")]
        if name == "payment_type":
            return bool(
                {word.strip() for word in value.split(",")} & set(str(row.get("payment_types") or "").split(","))
            )
        if name in ("from", "to"):
            day = row["date"].isoformat() if row["date"] else ""
            return day >= value if name == "from" else day <= value
        if name == "tags":
            return path in ("invoices", "clients") and row["id"] in self.books.tagged_ids(path[:-1], value.split(","))
        if name == "invoice_number" and path == "reminders":
            return value.casefold() in self.books.invoices.rows[row["invoice_id"]]["invoice_number"].casefold()
        if name in PARTS:
            return value.casefold() in str(row.get(name) or "").casefold()
        return bool(encoding.scalar(row.get(name)) == value)

    @staticmethod
    def _sorted(rows: Iterable[Row], order: str) -> list[Row]:
        found = list(rows)
        for term in reversed([part.strip().split() for part in order.split(",") if part.strip()]):
            name, down = term[0], len(term) > 1 and term[1].upper() == "DESC"
            found.sort(key=lambda row, name=name: (row.get(name) is not None, row.get(name)), reverse=down)  # type: ignore[misc]
        return found

    def _getter(self, item: str, table: Table) -> Callable[[Request], Response]:
        return lambda request: encoding.record(item, _row(table, request.groups[0]))

    def _pdf(self, item: str, table: Table) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            row = _row(table, request.groups[0])
            content = f"%PDF-1.4\n% {item} {row['id']} {row.get('invoice_number') or row.get('subject') or ''}\n%%EOF\n".encode()
            file = {
                "id": row["id"],
                "created": row["created"],
                f"{item.replace('-', '_')}_id": row["id"],
                "filename": f"{item}_{row['id']}.pdf",
                "mimetype": "application/pdf",
                "filesize": len(content),
                "base64file": base64.b64encode(content).decode(),
            }
            return encoding.record("pdf", file)

        return answer

    def _role(self, request: Request) -> Response:
        role = self._user(request)["_role"]
        if str(role["id"]) != request.groups[0]:
            raise Problem("Rolle nicht gefunden", 404)
        return encoding.record("role", role)

    def _tags(self, kind: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            key = request.arg(f"{kind}_id")
            rows = list(self.books.cloud(kind)) if key is None else self.books.tags(kind).by(f"{kind}_id", int(key))
            return encoding.listing(
                f"{kind}-tags",
                f"{kind}-tag",
                rows,
                page=1,
                per_page=100,
                total=len(rows),
                array=self.single_as_array,
            )

        return answer

    def _property_values(self, request: Request) -> Response:
        rows = list(self.books.property_values.rows.values())
        for name in ("client_id", "client_property_id"):
            if value := request.arg(name):
                rows = [row for row in rows if str(row[name]) == value]
        return encoding.unpaged("client-property-values", "client-property-value", rows)

    # ------------------------------------------------------------------------------------------------------------- writes

    def _writes(self) -> None:
        books = self.books
        self._add("POST", "/reminders", self._create_reminder)
        self._add("PUT", r"/reminders/(\d+)", self._change_reminder)
        self._add("PUT", r"/reminders/(\d+)/customfield", self._mark_reminder)
        self._add("DELETE", r"/reminders/(\d+)", self._on_reminder(lambda row, _: reminding.delete(books, row)))
        self._add(
            "PUT",
            r"/reminders/(\d+)/complete",
            self._on_reminder(lambda row, _: reminding.complete(books, row), root="complete"),
        )
        self._add("PUT", r"/reminders/(\d+)/cancel", self._on_reminder(lambda row, _: reminding.cancel(books, row)))
        self._add(
            "POST",
            r"/reminders/(\d+)/email",
            self._on_reminder(lambda row, body: reminding.send_mail(books, row, body), root="email"),
        )
        self._add(
            "POST",
            r"/reminders/(\d+)/mail",
            self._on_reminder(lambda row, _: reminding.send_letter(books, row), root="mail"),
        )
        self._add("POST", "/reminder-items", self._create_item)
        self._add("POST", "/invoice-comments", self._create_comment)
        self._add("POST", "/invoice-tags", self._create_tag)
        self._add("POST", "/client-properties", self._create_property)
        self._add("POST", "/client-property-values", self._set_property)

    def _create_reminder(self, request: Request) -> Response:
        return encoding.record("reminder", reminding.create(self.books, _body(request, "reminder")), 201)

    def _change_reminder(self, request: Request) -> Response:
        reminder = reminding.found(self.books, int(request.groups[0]))
        reminding.change(self.books, reminder, _body(request, "reminder"))
        return encoding.record("reminder", reminder)

    def _mark_reminder(self, request: Request) -> Response:
        reminder = reminding.found(self.books, int(request.groups[0]))
        self.books.reminders.change(reminder, customfield=str(_body(request, "reminder").get("customfield") or ""))
        return encoding.record("reminder", {"id": reminder["id"], "customfield": reminder["customfield"]})

    def _on_reminder(self, act: Callable[[Row, Row], None], root: str | None = None) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            reminder = reminding.found(self.books, int(request.groups[0]))
            act(reminder, _body(request, root) if root else {})
            return Response(200, self.action_body, {"Content-Type": "application/json; charset=utf-8"})

        return answer

    def _create_item(self, request: Request) -> Response:
        return encoding.record("reminder-item", reminding.add_item(self.books, _body(request, "reminder-item")), 201)

    def _create_comment(self, request: Request) -> Response:
        fields = _body(request, "invoice-comment")
        invoice = _row(self.books.invoices, fields.get("invoice_id"))
        public = str(fields.get("public", 0)) in ("1", "True")
        return encoding.record(
            "invoice-comment",
            self.books.note(invoice["id"], "COMMENT", str(fields.get("comment") or ""), reminding.ME, public),
            201,
        )

    def _create_tag(self, request: Request) -> Response:
        fields = _body(request, "invoice-tag")
        invoice = _row(self.books.invoices, fields.get("invoice_id"))
        row = self.books.invoice_tags.add({"invoice_id": invoice["id"], "name": str(fields.get("name") or "")})
        self.books.invoices.forget()
        return encoding.record("invoice-tag", row, 201)

    def _create_property(self, request: Request) -> Response:
        fields = _body(request, "client-property")
        if fields.get("type") not in ("TEXTFIELD", "TEXTAREA", "CHECKBOX"):
            raise Problem("type ist ungültig")
        row = {
            "name": str(fields["name"]),
            "type": fields["type"],
            "default_value": fields.get("default_value"),
            "is_nvl": False,
        }
        return encoding.record("client-property", self.books.properties.add(row), 201)

    def _set_property(self, request: Request) -> Response:
        fields = _body(request, "client-property-value")
        client, kind = (
            _row(self.books.clients, fields.get("client_id")),
            _row(self.books.properties, fields.get("client_property_id")),
        )
        values = self.books.property_values
        known = next(
            (row for row in values.by("client_id", client["id"]) if row["client_property_id"] == kind["id"]), None
        )
        if known is None:
            known = values.add(
                {
                    "client_id": client["id"],
                    "client_property_id": kind["id"],
                    "type": kind["type"],
                    "name": kind["name"],
                    "value": "",
                }
            )
        values.change(known, value=str(fields.get("value") or ""))
        return encoding.record("client-property-value", known, 201)


def _row(table: Table, key: Any) -> Row:
    row = table.rows.get(int(str(key))) if str(key).isdigit() else None
    if row is None:
        raise Problem("Nicht gefunden", 404)
    return row


def _ids(text: str) -> list[int]:
    return [int(word) for word in text.split(",") if word.strip().isdigit()]


def _body(request: Request, root: str) -> Row:
    if "json" not in request.headers.get("content-type", ""):
        raise Problem("Content-Type muss application/json sein")
    try:
        data = request.json()
    except ValueError as error:
        raise Problem("kein JSON") from error
    fields = data.get(root) if isinstance(data, dict) else None
    if not isinstance(fields, dict):
        raise Problem(f"Wurzelelement {root} fehlt")
    return {key: Decimal(value) if isinstance(value, float) else value for key, value in fields.items()}
