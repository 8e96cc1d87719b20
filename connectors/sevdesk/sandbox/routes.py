"""The routes of the API: authentication, lists, records, and what can be done to them."""

import base64
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bridge.testing.server import Request, Response, Server
from bridge.testing.wire import BERLIN
from connectors.sevdesk.sandbox.lists import Lists
from connectors.sevdesk.sandbox.records import CLIENT, Document, Plain, moment, money, ref
from connectors.sevdesk.sandbox.world import ApiError, World

PLAIN_LISTS = (
    "CommunicationWay", "ContactAddress", "ContactCustomField", "ContactCustomFieldSetting", "Tag", "TagRelation",
    "CheckAccount", "CheckAccountTransactionLog", "PaymentMethod", "StaticCountry",
)  # fmt: skip
WAYS = ("VPR", "VP", "VM", "VPDF")
ID = r"(\d+)"


def error(status: int, code: int | None, message: str) -> Response:
    """Return sevDesk's error body; the HTTP status may be 200 all the same."""
    body: dict[str, Any] = {
        "message": message,
        "code": code,
        "errorCode": 0,
        "responseCode": status,
        "data": [],
        "exceptionUUID": str(uuid.uuid4()),
    }
    return Response.json({"objects": None, "error": body}, status)


class Routes:
    """Handlers on one server for one world."""

    def __init__(self, server: Server, world: World, token: str) -> None:
        self._world = world
        self._token = token
        self._lists = Lists(world)
        self._count = 0
        self.left: int | None = None
        """Requests that are still answered before 429; None for no limit."""
        self.retry_after: str | None = "1"
        server.before(self._guard)
        self._add(server)

    def _add(self, server: Server) -> None:
        def on(method: str, pattern: str, handler: Callable[[Request], Response]) -> None:
            server.add(method, pattern, self._handled(handler))

        on("GET", "/Tools/bookkeepingSystemVersion", self._version)
        on("GET", "/Invoice", self._lists.invoices)
        on("POST", "/Invoice/Factory/createInvoiceReminder", self._create_reminder)
        on("GET", f"/Invoice/{ID}", lambda request: _answer([self._document(request).row()]))
        on("PUT", f"/Invoice/{ID}", self._update_invoice)
        on("DELETE", f"/Invoice/{ID}", self._delete_invoice)
        on("PUT", f"/Invoice/{ID}/sendBy", self._send_by)
        on("POST", f"/Invoice/{ID}/sendViaEmail", self._send_via_email)
        on("GET", f"/Invoice/{ID}/getPdf", self._pdf)
        on("PUT", f"/Invoice/{ID}/bookAmount", self._book_amount)
        on("POST", f"/Invoice/{ID}/cancelInvoice", self._cancel)
        on("GET", "/CreditNote", self._lists.credit_notes)
        on("GET", f"/CreditNote/{ID}", lambda request: self._by_id(self._world.credit_notes, "CreditNote", request))
        on("GET", f"/CreditNote/{ID}/getPdf", self._credit_note_pdf)
        on("GET", "/Contact", self._lists.contacts)
        on("GET", f"/Contact/{ID}", lambda request: self._by_id(self._world.contacts, "Contact", request))
        on("GET", "/CheckAccountTransaction", self._lists.transactions)
        on("POST", "/Tag/Factory/create", self._create_tag)
        on("POST", "/ContactCustomFieldSetting", self._create_setting)
        on("POST", "/ContactCustomField", self._create_field)
        on("PUT", f"/ContactCustomField/{ID}", self._update_field)
        for model in PLAIN_LISTS:
            on("GET", f"/{model}", partial(self._lists.plain, model))

    def _handled(self, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            try:
                return handler(request)
            except ApiError as refusal:
                return error(refusal.status, refusal.code, refusal.message)

        return handle

    def _guard(self, request: Request) -> Response | None:
        """Check token, rights and the rate limit before every handler."""
        self._count += 1
        self._world.request = self._count
        if request.headers.get("authorization") != self._token:
            return Response.text("Authentication required", 401)
        if self.left is not None:
            if self.left <= 0:
                headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
                return Response.text("Too Many Requests", 429, headers)
            self.left -= 1
        model = request.path.removeprefix("/api/v1").strip("/").split("/")[0]
        if model in self._world.behaviour.forbidden:
            return error(403, None, "Your tariff does not include this function")
        return None

    # ------------------------------------------------------------------------------------------------------- reads

    def _version(self, _request: Request) -> Response:
        return Response.json({"objects": {"version": self._world.behaviour.version}})

    def _document(self, request: Request) -> Document:
        return self._world.document(int(request.groups[0]))

    def _by_id(self, records: dict[int, Any], model: str, request: Request) -> Response:
        id_ = int(request.groups[0])
        if id_ not in records:
            raise ApiError(404, 151, f"No Model_{model} with the id {id_} was found")
        return _answer([records[id_].row()])

    def _pdf(self, request: Request) -> Response:
        """Answer the PDF; without `preventSendBy=true` a draft counts as sent from now on."""
        document = self._document(request)
        if document.status == 100 and request.arg("preventSendBy") not in ("true", "1"):
            self._world.mark_sent(document, "VPDF")
            self._world.note("pdf_sent", document.origin or document.id, document.id)
        return _pdf(f"{document.number or ''}.pdf", f"{document.type} {document.id}", odd=document.id % 2 == 1)

    def _credit_note_pdf(self, request: Request) -> Response:
        note = self._world.credit_notes.get(int(request.groups[0]))
        if note is None:
            raise ApiError(404, 151, "No Model_CreditNote was found")
        return _pdf(f"{note.number}.pdf", f"CN {note.id}", odd=False)

    # ------------------------------------------------------------------------------------------------------ writes

    def _create_reminder(self, request: Request) -> Response:
        body = _body(request)
        named = (body.get("invoice") or {}).get("id") if isinstance(body.get("invoice"), dict) else None
        id_ = str(named or request.arg("invoice[id]") or "")
        if not id_.isdigit() or int(id_) not in self._world.documents:
            raise ApiError(400, 151, "Invoice was not found")
        reminder = self._world.remind(self._world.documents[int(id_)]).row()
        return _answer([reminder] if self._world.behaviour.factory_answers_list else reminder)

    def _update_invoice(self, request: Request) -> Response:
        document, body = self._document(request), _body(request)
        if document.status != 100:
            raise ApiError(400, 90400, "Only drafts can be updated")
        if "reminderDeadline" in body and not self._world.behaviour.deadline_is_ignored:
            document.deadline = _date(body["reminderDeadline"])
            self._world.note("deadline", document.origin or 0, document.id, deadline=document.deadline.isoformat())
        if "header" in body:
            document.header = str(body["header"])
        self._world.changed(document)
        return _answer(document.row())

    def _delete_invoice(self, request: Request) -> Response:
        self._world.delete(self._document(request))
        return Response.json({"objects": [None]})

    def _send_by(self, request: Request) -> Response:
        document, body = self._document(request), _body(request)
        if body.get("sendType") not in WAYS or not isinstance(body.get("sendDraft"), bool):
            raise ApiError(422, None, "sendType and sendDraft are required")
        if not body["sendDraft"]:
            self._world.mark_sent(document, str(body["sendType"]))
            self._world.note("mark", document.origin or document.id, document.id, way=str(body["sendType"]))
        return _answer(document.row())

    def _send_via_email(self, request: Request) -> Response:
        document, body = self._document(request), _body(request)
        missing = [key for key in ("toEmail", "subject", "text") if not body.get(key)]
        if missing:
            raise ApiError(422, None, f"missing information: {', '.join(missing)}")
        self._world.mark_sent(document, "VM")
        mail = self._world.new_id()
        facts = {key: str(body.get(key, "")) for key in ("toEmail", "ccEmail", "bccEmail", "subject", "text")}
        self._world.note("mail", document.origin or document.id, document.id, mail=str(mail), **facts)
        now = moment(self._world.now())
        row = {
            "id": mail,
            "objectName": "Email",
            "create": now,
            "update": now,
            "object": document.row(),
            "from": "rechnung@agentur.example",
            "to": facts["toEmail"],
            "cc": facts["ccEmail"] or None,
            "bcc": facts["bccEmail"] or None,
            "subject": facts["subject"],
            "text": facts["text"],
            "arrived": None,
            "sevClient": CLIENT,
        }
        return Response.json({"objects": row}, 201)

    def _book_amount(self, request: Request) -> Response:
        document, body = self._document(request), _body(request)
        amount, on = Decimal(str(body.get("amount", "0"))), _date(body.get("date"))
        before = document.status
        self._world.book(document, amount, on, None)
        log = {"fromStatus": str(before), "toStatus": str(document.status), "ammountPayed": money(amount)}
        return _answer({"objectName": "InvoiceLog", **log, "bookingDate": moment(self._world.now())})

    def _cancel(self, request: Request) -> Response:
        return Response.json({"objects": self._world.cancel(self._document(request)).row()}, 201)

    def _create_tag(self, request: Request) -> Response:
        body = _body(request)
        target: Any = body.get("object")
        if (
            not isinstance(target, dict)
            or not body.get("name")
            or target.get("objectName") != "Invoice"
            or not str(target.get("id", "")).isdigit()
        ):
            raise ApiError(422, None, "name and object are required")
        relation = self._world.tag(str(body["name"]), self._world.document(int(target["id"])))
        return _answer(relation.row())

    def _create_setting(self, request: Request) -> Response:
        body = _body(request)
        if not body.get("name"):
            raise ApiError(422, None, "name is required")
        data = {"name": body["name"], "identifier": str(uuid.uuid4()), "description": body.get("description", "")}
        setting = self._world.add_plain("ContactCustomFieldSetting", data)
        self._world.note("field_setting", 0, setting.id, name=str(body["name"]))
        return _answer([setting.row()])

    def _create_field(self, request: Request) -> Response:
        body = _body(request)
        contact, setting = _id_in(body, "contact"), _id_in(body, "contactCustomFieldSetting")
        if contact not in self._world.contacts or setting not in self._world.plain["ContactCustomFieldSetting"]:
            raise ApiError(422, None, "contact and contactCustomFieldSetting are required")
        return self._set_field(self.field(contact, setting, ""), str(body.get("value", "")))

    def field(self, contact: int, setting: int, value: str) -> Plain:
        """Add the value of a custom field to a contact."""
        data = {
            "contact": ref(contact, "Contact"),
            "contactCustomFieldSetting": self._world.plain["ContactCustomFieldSetting"][setting].row(),
            "value": value,
        }
        return self._world.add_plain("ContactCustomField", data)

    def _update_field(self, request: Request) -> Response:
        field = self._world.plain["ContactCustomField"].get(int(request.groups[0]))
        if field is None:
            raise ApiError(404, 151, "No Model_ContactCustomField was found")
        return self._set_field(field, str(_body(request).get("value", "")))

    def _set_field(self, field: Plain, value: str) -> Response:
        field.data["value"] = value
        self._world.version += 1
        self._world.note("field", 0, int(field.data["contact"]["id"]), value=value)
        return _answer(field.row())


def _answer(objects: Any) -> Response:
    return Response.json({"objects": objects})


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, None, "the body is no JSON object")
    return body


def _id_in(body: dict[str, Any], key: str) -> int:
    value = body.get(key)
    id_ = str(value.get("id", "")) if isinstance(value, dict) else ""
    return int(id_) if id_.isdigit() else 0


def _date(value: Any) -> date:
    """Read a date as sevDesk does on writing: Unix seconds, dd.mm.yyyy or ISO."""
    text = str(value)
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC).astimezone(BERLIN).date()
    if re.fullmatch(r"\d\d\.\d\d\.\d{4}", text):
        return date(int(text[6:]), int(text[3:5]), int(text[:2]))
    try:
        return date.fromisoformat(text[:10])
    except ValueError as wrong:
        raise ApiError(422, None, f"{text} is no date") from wrong


def _pdf(filename: str, text: str, *, odd: bool) -> Response:
    """Answer a small PDF in base64; the case of the keys varies."""
    content = f"%PDF-1.4\n% {text}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".encode()
    mime, flag = ("mimetype", "base64encoded") if odd else ("mimeType", "base64Encoded")
    data = {"filename": filename, mime: "application/pdf", flag: True, "content": base64.b64encode(content).decode()}
    return Response.json({"objects": data})
