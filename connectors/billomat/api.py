"""Billomat's endpoints, one short method each. Facts and sources: https://www.billomat.com/api/.

Paths are below the account's base URL, `https://{billomatId}.billomat.net/api`. Reads return cleaned records; writes return the
record of the answer, or `{}` where the answer is empty.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bridge.contract import BadAnswer, Http, Refused, Reply, Unclear
from connectors.billomat import wire

OPEN_STATES = ("OPEN", "OVERDUE")
Record = dict[str, Any]


class Page(NamedTuple):
    """One page of a list; `last` where no page with new records follows in the order of reading."""

    records: list[Record]
    number: int
    pages: int
    total: int
    last: bool


class Api:
    """One account's endpoints."""

    def __init__(self, http: Http, page_size: int) -> None:
        self.http = http
        self.page_size = page_size

    # ------------------------------------------------------------------------------------------------------- the account

    def account(self) -> Reply:
        return self._get("/clients/myself")

    def user(self) -> Record:
        return wire.one(self._get("/users/myself").data, "user")

    def role(self, role_id: str) -> Record:
        return wire.one(self._get(f"/roles/{role_id}").data, "role")

    def levels(self) -> list[Record]:
        return self.all("/reminder-texts", "reminder-texts", "reminder-text")

    # --------------------------------------------------------------------------------------------------------- the lists

    def invoice_pages(self, start: int | None = None, **filters: Any) -> Iterator[Page]:
        return self.pages("/invoices", "invoices", "invoice", filters, start)

    def reminder_pages(self, start: int | None = None, **filters: Any) -> Iterator[Page]:
        return self.pages("/reminders", "reminders", "reminder", filters, start)

    def client_pages(self, start: int | None = None, **filters: Any) -> Iterator[Page]:
        return self.pages("/clients", "clients", "client", filters, start)

    def invoices(self, **filters: Any) -> list[Record]:
        return self.all("/invoices", "invoices", "invoice", **filters)

    def reminders(self, **filters: Any) -> list[Record]:
        return self.all("/reminders", "reminders", "reminder", **filters)

    def payments(self, **filters: Any) -> list[Record]:
        return self.all("/invoice-payments", "invoice-payments", "invoice-payment", **filters)

    def credit_notes(self, **filters: Any) -> list[Record]:
        return self.all("/credit-notes", "credit-notes", "credit-note", **filters)

    def clients_of(self, invoice_ids: Sequence[str]) -> list[Record]:
        return self.all("/clients", "clients", "client", invoice_id=",".join(invoice_ids))

    def payment_pages(self, start: int | None = None, **filters: Any) -> Iterator[Page]:
        return self.pages("/invoice-payments", "invoice-payments", "invoice-payment", filters, start)

    def tagged(self, kind: str, tag: str, **filters: Any) -> list[Record]:
        """Return the invoices or clients with `tag`; the caller checks each, for a filter may match more."""
        return self.all(f"/{kind}s", f"{kind}s", kind, tags=tag, **filters)

    def tag_cloud(self, kind: str) -> list[Record]:
        """Return the tags in use on invoices or clients, with their counts."""
        return self.all(f"/{kind}-tags", f"{kind}-tags", f"{kind}-tag")

    def count(self, path: str, **filters: Any) -> int | None:
        """Return the number of records of a list, without reading them; None where the answer does not say."""
        reply = self._get(path, filters, method="HEAD")
        text = str(reply.headers.get("X-Total-Count", ""))
        return int(text) if text.isdigit() else None

    def newest_reminders(self, page: int) -> list[Record]:
        """Return one page of reminders, the newest first."""
        params = {"order_by": "id DESC", "per_page": self.page_size, "page": page}
        return wire.rows(self._get("/reminders", params).data, "reminders", "reminder")

    def latest_changes(self, page: int) -> list[Record]:
        """Return one page of invoices of any status, the last changed first where the provider sorts by `updated`."""
        params = {"order_by": "updated DESC", "per_page": self.page_size, "page": page}
        return wire.rows(self._get("/invoices", params).data, "invoices", "invoice")

    # ------------------------------------------------------------------------------------------------------ single records

    def invoice(self, invoice_id: str) -> Record:
        return self._record("invoices", "invoice", invoice_id)

    def credit_note(self, credit_note_id: str) -> Record:
        return wire.one(self._get(f"/credit-notes/{credit_note_id}").data, "credit-note")

    def client(self, client_id: str) -> Record:
        return wire.one(self._get(f"/clients/{client_id}").data, "client")

    def contact(self, contact_id: str) -> Record:
        return wire.one(self._get(f"/contacts/{contact_id}").data, "contact")

    def reminder(self, reminder_id: str) -> Record:
        return self._record("reminders", "reminder", reminder_id)

    def payment(self, payment_id: str) -> Record:
        return wire.one(self._get(f"/invoice-payments/{payment_id}").data, "invoice-payment")

    def _record(self, path: str, item: str, record_id: str) -> Record:
        """Return the record of this id. Raises `BadAnswer` for another one, which a cache or gateway may have kept."""
        found = wire.one(self._get(f"/{path}/{record_id}").data, item)
        if wire.text(found, "id") != record_id:
            raise BadAnswer(
                "/{path}/{record_id}: the answer is another record, {found!r}",
                path=path,
                record_id=record_id,
                found=wire.text(found, "id"),
            )
        return found

    def reminder_items(self, reminder_id: str) -> list[Record]:
        found = self.all("/reminder-items", "reminder-items", "reminder-item", reminder_id=reminder_id)
        return [row for row in found if wire.text(row, "reminder_id") in (None, reminder_id)]

    def comments(self, invoice_id: str, *actions: str) -> list[Record]:
        """Return the history of an invoice, only entries of `actions` where given; every row is checked again."""
        filters = {"invoice_id": invoice_id, **({"actionkey": ",".join(actions)} if actions else {})}
        found = self.all("/invoice-comments", "invoice-comments", "invoice-comment", **filters)
        return [
            row
            for row in found
            if wire.text(row, "invoice_id") in (None, invoice_id)
            and (not actions or wire.text(row, "actionkey") in actions)
        ]

    def tag_names(self, kind: str, record_id: str) -> tuple[str, ...]:
        """Return the tags of one record; `kind` is `invoice` or `client`."""
        found = self.all(f"/{kind}-tags", f"{kind}-tags", f"{kind}-tag", **{f"{kind}_id": record_id})
        mine = (row for row in found if wire.text(row, f"{kind}_id") in (None, record_id))
        return tuple(name for row in mine if (name := wire.text(row, "name")))

    def properties(self) -> list[Record]:
        return self.all("/client-properties", "client-properties", "client-property")

    def property_values(self, client_id: str, property_id: str) -> list[Record]:
        found = self.all(
            "/client-property-values",
            "client-property-values",
            "client-property-value",
            client_id=client_id,
            client_property_id=property_id,
        )
        return [
            row
            for row in found
            if wire.text(row, "client_id") in (None, client_id) and wire.text(row, "client_property_id") == property_id
        ]

    def pdf(self, kind: str, record_id: str) -> bytes:
        """Return a document's PDF; `kind` is `invoices`, `reminders` or `credit-notes`. Raises `BadAnswer`."""
        record = wire.one(self._get(f"/{kind}/{record_id}/pdf").data, "pdf")
        try:
            content = base64.b64decode(
                str(record.get("base64file", "")).replace("\n", "").replace("\r", ""), validate=True
            )
        except (binascii.Error, ValueError) as error:
            raise BadAnswer("the PDF of {kind}/{record_id} is no base64", kind=kind, record_id=record_id) from error
        if not content.startswith(b"%PDF"):
            raise BadAnswer("the file of {kind}/{record_id} is no PDF", kind=kind, record_id=record_id)
        return content

    # ------------------------------------------------------------------------------------------------------------- writes

    def create_reminder(self, fields: Record) -> Record:
        return self._write("POST", "/reminders", "reminder", fields)

    def change_reminder(self, reminder_id: str, fields: Record) -> Record:
        return self._write("PUT", f"/reminders/{reminder_id}", "reminder", fields)

    def mark_reminder(self, reminder_id: str, marker: str) -> Record:
        return self._write("PUT", f"/reminders/{reminder_id}/customfield", "reminder", {"customfield": marker})

    def delete_reminder(self, reminder_id: str) -> Record:
        return self._write("DELETE", f"/reminders/{reminder_id}", "reminder", None)

    def complete_reminder(self, reminder_id: str, template_id: int | None) -> Record:
        fields = {} if template_id is None else {"template_id": template_id}
        return self._write("PUT", f"/reminders/{reminder_id}/complete", "complete", fields)

    def email_reminder(self, reminder_id: str, fields: Record) -> Record:
        return self._write("POST", f"/reminders/{reminder_id}/email", "email", fields)

    def post_reminder(self, reminder_id: str, fields: Record) -> Record:
        return self._write("POST", f"/reminders/{reminder_id}/mail", "mail", fields)

    def add_item(self, fields: Record) -> Record:
        return self._write("POST", "/reminder-items", "reminder-item", fields)

    def add_comment(self, invoice_id: str, comment: str) -> Record:
        """Add an entry to the invoice's history that the customer portal does not show."""
        fields = {"invoice_id": int(invoice_id), "comment": comment, "public": 0}
        return self._write("POST", "/invoice-comments", "invoice-comment", fields)

    def add_invoice_tag(self, invoice_id: str, name: str) -> Record:
        return self._write("POST", "/invoice-tags", "invoice-tag", {"invoice_id": int(invoice_id), "name": name})

    def set_property(self, client_id: str, property_id: str, value: str) -> Record:
        fields = {"client_id": int(client_id), "client_property_id": int(property_id), "value": value}
        return self._write("POST", "/client-property-values", "client-property-value", fields)

    def add_property(self, name: str) -> Record:
        return self._write("POST", "/client-properties", "client-property", {"name": name, "type": "TEXTFIELD"})

    # ------------------------------------------------------------------------------------------------------------ the wire

    def all(self, path: str, container: str, item: str, **filters: Any) -> list[Record]:
        """Return all records of a list, each once."""
        found = [row for page in self.pages(path, container, item, filters) for row in page.records]
        return list(wire.distinct(found))

    def pages(
        self,
        path: str,
        container: str,
        item: str,
        filters: Mapping[str, Any],
        start: int | None = None,
    ) -> Iterator[Page]:
        """Yield the pages of a list sorted by id, from the last to the first; `start` is the page to resume at.

        Offset paging is no snapshot. Read backwards, a record that drops out of the list moves others onto pages still to be read,
        so that they come twice and never not at all; what is new has the highest id and comes with the next reading.
        """
        params = {"order_by": "id ASC", "per_page": self.page_size, **filters}
        size = self.page_size
        if start is None:
            first = self._page((path, container, item), params, 1)
            if first.pages <= 1:
                yield first
                return
            start = first.pages
        while start > 1:
            page = self._page((path, container, item), params, start)
            if page.records:
                yield page._replace(last=False)
            start = min(start - 1, max(1, -(-page.total // size)))
        yield self._page((path, container, item), params, 1)._replace(last=True)

    def _page(self, what: tuple[str, str, str], params: Mapping[str, Any], number: int) -> Page:
        path, container, item = what
        data = self._get(path, {**params, "page": number}).data
        records = [wire.without_unset_dates(row) for row in wire.rows(data, container, item)]
        total = wire.total(data, container)
        if total is None:  # a list that is not paged does not say
            total = (number - 1) * self.page_size + len(records)
        pages = max(1, -(-total // self.page_size))
        due = min(self.page_size, total - (number - 1) * self.page_size)
        if (
            len(records) < due
        ):  # nothing, or smaller pages than were asked for: the pages in between would never be read
            raise BadAnswer(
                "{path}: page {number} of {pages} has {records} of {total} {total|record|records}, {due} should be on it; is page_size too large?",
                path=path,
                number=number,
                pages=pages,
                records=len(records),
                total=total,
                due=due,
                cause="bad_answer",
            )
        return Page(records, number, pages, total, last=pages <= 1)

    def _get(self, path: str, params: Mapping[str, Any] | None = None, method: str = "GET") -> Reply:
        reply = self.http.read(path, params={"format": "json", **(params or {})}, method=method)
        if (error := wire.failure(reply.data)) is not None:
            raise Refused("{path}: {error}", path=path, error=error, cause="billomat_error")
        return reply

    def _write(self, method: str, path: str, root: str, fields: Record | None) -> Record:
        body = None if fields is None else {root: fields}
        reply = self.http.write(method, path, params={"format": "json"}, body=body)
        if (said := wire.failure(reply.data)) is not None:
            raise Unclear(
                "{path}: HTTP {status} with an error: {said}",
                path=path,
                status=reply.status,
                said=said,
                cause="billomat_error",
            )
        found = reply.data.get(root) if isinstance(reply.data, dict) else None
        return wire.without_unset_dates(found) if isinstance(found, dict) else {}
