"""The endpoints of sevDesk's API v1 that the bridge uses: one short method for each.

Reads return unwrapped records; writes call once. What each promises is in `docs` of the provider where it is documented; the
undocumented ones are named so.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bridge.contract import BadAnswer, BridgeError, Http, NotFound, Refused, Reply, Unclear
from connectors.sevdesk.envelope import error_of, judge_write, one, rows, sentence, unwrap, with_body
from connectors.sevdesk.scan import Scan

HEADERS = {"Accept": "application/json", "X-Version": "default"}
WIDE = 1000
"""Page size of lists with small records, and the largest that sevDesk takes."""

STRICT = frozenset({400, 404, 409, 422})
"""On calls that must not happen twice these statuses prove nothing unless the answer's code does."""

BY_NUMBER = {"orderByInvoiceNumber": "ASC"}
Row = Mapping[str, Any]


def unix(moment: datetime) -> int:
    """Return Unix seconds, the only form of time that filters of invoices understand."""
    return int(moment.timestamp())


def time_of(reply: Reply) -> datetime | None:
    """Return what the provider's clock showed when it answered."""
    try:
        moment = parsedate_to_datetime(reply.headers.get("Date") or "")
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def ref(name: str, of: str, id_: str) -> dict[str, str]:
    """Return the two query parameters that name a referenced record."""
    return {f"{name}[id]": id_, f"{name}[objectName]": of}


class Api:
    """sevDesk's API over one account's session."""

    def __init__(self, http: Http, page_size: int) -> None:
        self.http = http
        self._size = page_size
        self.server_time: datetime | None = None
        """What sevDesk's clock showed on the first answer of this object."""

    # -------------------------------------------------------------------------------------------------------- reads

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Read once (passing faults are retried by the session)."""
        reply = self.http.read(path, params=params, headers=HEADERS)
        if self.server_time is None:
            self.server_time = time_of(reply)
        return reply

    def _one(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return one(self.read(path, params).data, path)

    def scan(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        size: int | None = None,
        start: int = 0,
        total: int | None = None,
    ) -> Scan:
        """Return a list as pages."""
        return Scan(
            lambda query: self.read(path, query).data, params or {}, size or self._size, start=start, total=total
        )

    def _all(self, path: str, params: Mapping[str, Any] | None = None) -> list[Any]:
        return self.whole(self.scan(path, params, size=WIDE))

    def whole(self, scan: Scan) -> list[Any]:
        """Return the rows of all pages. Raises `BadAnswer` where some may be missing: what is not seen here cannot stop a reminder."""
        found = [row for page in scan for row in page.rows]
        if not scan.stable:
            raise BadAnswer("a list changed while it was read, again and again, or is shorter than its total")
        return found

    def version(self) -> tuple[str, Reply]:
        """Return the bookkeeping system version, `1.0` or `2.0`, and the whole answer."""
        reply = self.read("/Tools/bookkeepingSystemVersion")
        return str(one(reply.data, "/Tools/bookkeepingSystemVersion").get("version", "")), reply

    def any_invoice(self) -> None:
        """Read one invoice, to see whether invoices can be read."""
        rows(self.read("/Invoice", {"limit": 1, "offset": 0}).data, "/Invoice")

    def invoices(self, params: Mapping[str, Any], *, start: int = 0, total: int | None = None) -> Scan:
        """Return invoices (of all types that the filter lets through) as pages in the order of their numbers."""
        return self.scan("/Invoice", {**BY_NUMBER, **params}, start=start, total=total)

    def documents_of_type(self, kind: str, params: Mapping[str, Any] | None = None) -> Scan:
        """Return all reminders (`MA`) or cancellations (`SR`) as pages; rows of other types are to be left out."""
        return self.scan("/Invoice", {**BY_NUMBER, "invoiceType": kind, **(params or {})}, size=WIDE)

    def invoice(self, id_: str) -> dict[str, Any]:
        found = self._one(f"/Invoice/{_number(id_)}")
        if str(found.get("id")) != id_:
            raise BadAnswer(
                "/Invoice/{id}: the answer is another record, {found!r}", id=id_, found=str(found.get("id"))[:40]
            )
        return found

    def credit_notes(self, params: Mapping[str, Any] | None = None) -> Scan:
        return self.scan("/CreditNote", params, size=WIDE)

    def credit_note(self, id_: str) -> dict[str, Any]:
        return self._one(f"/CreditNote/{_number(id_)}")

    def contacts(self, params: Mapping[str, Any] | None = None, *, start: int = 0, total: int | None = None) -> Scan:
        """Return organisations and persons as pages; without `depth=1` the persons are missing."""
        order = {"depth": "1", "orderByCustomerNumber": "ASC"}
        return self.scan("/Contact", {**order, **(params or {})}, start=start, total=total)

    def contact(self, id_: str) -> dict[str, Any]:
        return self._one(f"/Contact/{_number(id_)}")

    def communication_ways(self, contact: str | None = None) -> list[Any]:
        """Return e-mail addresses and phone numbers, of one contact or of all. Other filters are unreliable."""
        return self._all("/CommunicationWay", ref("contact", "Contact", contact) if contact else None)

    def addresses(self, contact: str | None = None) -> list[Any]:
        return self._all("/ContactAddress", ref("contact", "Contact", contact) if contact else None)

    def custom_field_settings(self) -> list[Any]:
        return self._all("/ContactCustomFieldSetting")

    def custom_fields(self) -> list[Any]:
        return self._all("/ContactCustomField")

    def tags(self) -> list[Any]:
        return self._all("/Tag")

    def tag_relations(self) -> list[Any]:
        """Return all relations of tags and records; there is no filter."""
        return self._all("/TagRelation")

    def payment_methods(self) -> list[Any]:
        """Return the payment methods (undocumented)."""
        return self._all("/PaymentMethod")

    def countries(self) -> list[Any]:
        """Return the countries with their codes (undocumented)."""
        return self._all("/StaticCountry")

    def check_accounts(self) -> list[Any]:
        return self._all("/CheckAccount")

    def transactions(self, params: Mapping[str, Any]) -> list[Any]:
        return self._all("/CheckAccountTransaction", params)

    def payment_log(self, *, start: int = 0) -> Scan:
        """Return which transaction was booked on which document (undocumented; no filter by document works)."""
        return self.scan("/CheckAccountTransactionLog", size=WIDE, start=start)

    def pdf(self, model: str, id_: str) -> bytes:
        """Return the PDF of a document. `preventSendBy` always: without it a draft would be marked as sent."""
        path = f"/{model}/{_number(id_)}/getPdf"
        found = unwrap(self.read(path, {"download": "false", "preventSendBy": "true"}).data, path)
        content = found.get("content") if isinstance(found, Mapping) else None
        try:
            pdf = base64.b64decode(str(content or ""), validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadAnswer("{path}: the content is not base64", path=path) from error
        if not pdf.startswith(b"%PDF-"):
            raise BadAnswer("{path}: the content is no PDF", path=path)
        return pdf

    # ------------------------------------------------------------------------------------------------------- writes

    def _write(
        self, method: str, path: str, body: Any = None, *, params: Mapping[str, Any] | None = None, strict: bool = False
    ) -> Any:
        """Call once. With `strict` whatever is not proven to be refused is `Unclear`."""
        try:
            reply = self.http.write(
                method, path, params=params, body=body, headers=HEADERS, unclear_on=STRICT if strict else frozenset()
            )
        except BridgeError as error:
            raise judge_write(error, path, strict=strict) from error
        if error_of(reply.data) is not None:
            inside = Unclear(
                "{path}: HTTP {status}: {said}",
                path=path,
                status=reply.status,
                said=sentence(reply.data),
                cause="sevdesk_error_in_200",
            )
            raise judge_write(with_body(inside, reply.data), path, strict=strict)
        return reply.data

    def create_reminder(self, invoice: str) -> dict[str, Any]:
        """Create the draft of the next reminder (MA). Not harmless to repeat: each call makes one."""
        path = "/Invoice/Factory/createInvoiceReminder"
        body = {"invoice": {"id": _number(invoice), "objectName": "Invoice"}}
        data = self._write("POST", path, body, params=ref("invoice", "Invoice", invoice), strict=True)
        try:
            return one(data, path)
        except (BadAnswer, Refused) as error:
            raise Unclear("{error}: the answer is no reminder", error=error, cause="bad_answer") from error

    def update_invoice(self, id_: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a draft (undocumented); what came of it must be read back."""
        self._write("PUT", f"/Invoice/{_number(id_)}", {"id": _number(id_), "objectName": "Invoice", **fields})

    def send_by(self, id_: str, way: str) -> None:
        """Mark as sent by `VM` (mail), `VP` (post), `VPR` (print) or `VPDF` (download)."""
        self._write("PUT", f"/Invoice/{_number(id_)}/sendBy", {"sendType": way, "sendDraft": False})

    def send_via_email(self, id_: str, mail: Mapping[str, Any]) -> dict[str, Any]:
        """Let sevDesk send the document. Not harmless to repeat: each call sends a mail."""
        path = f"/Invoice/{_number(id_)}/sendViaEmail"
        data = self._write("POST", path, dict(mail), strict=True)
        try:
            return one(data, path)
        except (BadAnswer, Refused) as error:
            raise Unclear("{error}: the answer is no e-mail", error=error, cause="bad_answer") from error

    def delete_invoice(self, id_: str) -> None:
        """Delete a draft (undocumented); anything else is refused with 409."""
        self._write("DELETE", f"/Invoice/{_number(id_)}")

    def create_tag(self, name: str, invoice: str) -> None:
        """Put a tag on an invoice, creating the tag if need be."""
        self._write(
            "POST", "/Tag/Factory/create", {"name": name, "object": {"id": _number(invoice), "objectName": "Invoice"}}
        )

    def create_custom_field_setting(self, name: str, description: str) -> None:
        body = {"name": name, "description": description, "objectName": "ContactCustomFieldSetting"}
        self._write("POST", "/ContactCustomFieldSetting", body)

    def create_custom_field(self, contact: str, setting: str, value: str) -> None:
        self._write("POST", "/ContactCustomField", _field(contact, setting, value))

    def update_custom_field(self, id_: str, contact: str, setting: str, value: str) -> None:
        self._write("PUT", f"/ContactCustomField/{_number(id_)}", _field(contact, setting, value))


def _field(contact: str, setting: str, value: str) -> dict[str, Any]:
    return {
        "contact": {"id": _number(contact), "objectName": "Contact"},
        "contactCustomFieldSetting": {"id": _number(setting), "objectName": "ContactCustomFieldSetting"},
        "value": value,
        "objectName": "ContactCustomField",
    }


def _number(id_: str) -> int:
    """Return an id as the integer that paths and request bodies want. Raises `NotFound` for what is none."""
    if not (id_.isascii() and id_.isdigit() and len(id_) < 20):
        raise NotFound("{id!r} is no id of sevDesk", id=id_[:40], cause="sevdesk_no_id")
    return int(id_)
