"""Lists as sevDesk serves them: filters that are known take effect, all others are silently ignored; pages by limit and offset."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bridge.testing.wire import Request, Response
from connectors.sevdesk.sandbox.world import World

Test = Callable[[Any, str], bool]
PAGING = frozenset({"limit", "offset", "countAll", "embed"})
DEFAULT_PAGE = 100


def _instant(text: str) -> datetime | None:
    """Return the instant of Unix seconds; None for anything else (it then finds nothing)."""
    return datetime.fromtimestamp(int(text), UTC) if text.lstrip("-").isdigit() else None


def _after(get: Callable[[Any], datetime]) -> Test:
    return lambda record, text: (bound := _instant(text)) is not None and get(record) >= bound


def _before(get: Callable[[Any], datetime]) -> Test:
    return lambda record, text: (bound := _instant(text)) is not None and get(record) <= bound


INVOICE: dict[str, Test] = {
    "status": lambda doc, text: str(doc.status) == text,
    "invoiceNumber": lambda doc, text: doc.number == text,
    "invoiceType": lambda doc, text: doc.type == text,
    "contact[id]": lambda doc, text: str(doc.contact) == text,
    "origin[id]": lambda doc, text: str(doc.origin) == text,
    "updateAfter": _after(lambda doc: doc.updated),
    "updateBefore": _before(lambda doc: doc.updated),
    "createAfter": _after(lambda doc: doc.created),
    "createBefore": _before(lambda doc: doc.created),
    "customerInternalNote": lambda doc, text: doc.note == text,
}
CONTACT: dict[str, Test] = {
    "customerNumber": lambda contact, text: contact.number == text,
    "name": lambda contact, text: text.casefold() in (contact.name or "").casefold(),
    "parent[id]": lambda contact, text: str(contact.parent) == text,
    "updateAfter": _after(lambda contact: contact.updated),
    "createAfter": _after(lambda contact: contact.created),
}
CREDIT_NOTE: dict[str, Test] = {
    "status": lambda note, text: str(note.status) == text,
    "creditNoteNumber": lambda note, text: note.number == text,
    "contact[id]": lambda note, text: str(note.contact) == text,
}
TRANSACTION: dict[str, Test] = {
    "status": lambda item, text: str(item.status) == text,
    "checkAccount[id]": lambda item, text: str(item.account) == text,
    "paymtPurpose": lambda item, text: text in (item.purpose or ""),
    "payeePayerName": lambda item, text: text in (item.payer or ""),
    "startDate": _after(lambda item: item.entered),
    "endDate": _before(lambda item: item.entered),
    "onlyCredit": lambda item, text: text != "true" or item.amount > 0,
    "onlyDebit": lambda item, text: text != "true" or item.amount < 0,
}
PLAIN: dict[str, dict[str, Test]] = {
    "CommunicationWay": {
        "contact[id]": lambda plain, text: plain.data["contact"]["id"] == text,
        "type": lambda plain, text: plain.data["type"] == text,
        "main": lambda plain, text: plain.data["main"] == text,
    },
    "ContactAddress": {"contact[id]": lambda plain, text: plain.data["contact"]["id"] == text},
    "Tag": {"name": lambda plain, text: plain.data["name"] == text, "id": lambda plain, text: str(plain.id) == text},
    "CheckAccountTransactionLog": {
        "checkAccountTransaction[id]": lambda plain, text: plain.data["checkAccountTransaction"]["id"] == text
    },
}


class Lists:
    """Answers lists, and keeps each selection until something changes, so that paging through many records stays quick."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[tuple[Any, ...], list[Any]] = {}
        self._version = -1

    def invoices(self, request: Request) -> Response:
        return self._answer("Invoice", request, INVOICE, self._visible(request))

    def contacts(self, request: Request) -> Response:
        """Answer contacts: organisations only, unless depth is 1."""
        deep = request.arg("depth") == "1"
        return self._answer(
            "Contact", request, CONTACT, lambda: (c for c in self._world.contacts.values() if deep or c.name)
        )

    def credit_notes(self, request: Request) -> Response:
        return self._answer("CreditNote", request, CREDIT_NOTE, self._world.credit_notes.values)

    def transactions(self, request: Request) -> Response:
        return self._answer("CheckAccountTransaction", request, TRANSACTION, self._world.transactions.values)

    def plain(self, model: str, request: Request) -> Response:
        """Answer a list of small records."""
        contact = request.arg("contact[id]")
        if model == "CommunicationWay" and contact is not None and contact.isdigit():
            return self._answer(model, request, PLAIN[model], lambda: self._world.ways_of.get(int(contact), []))
        return self._answer(model, request, PLAIN.get(model, {}), self._world.plain[model].values)

    def _visible(self, request: Request) -> Callable[[], Iterable[Any]]:
        """Return the rows of `/Invoice` that a list without a type shows."""
        documents = self._world.documents
        shows = request.arg("invoiceType") or request.arg("showAll") == "true" or request.arg("showMa") == "all"
        if self._world.behaviour.hides_reminders and not shows:
            return lambda: (doc for doc in documents.values() if doc.type != "MA")
        return documents.values

    def _answer(
        self, model: str, request: Request, filters: dict[str, Test], records: Callable[[], Iterable[Any]]
    ) -> Response:
        limit, offset = _integer(request.arg("limit"), DEFAULT_PAGE), _integer(request.arg("offset"), 0)
        limit = max(1, min(limit, self._world.behaviour.largest_page))
        found = self._select(model, request, filters, records)
        answer: dict[str, Any] = {"objects": [record.row() for record in found[offset : offset + limit]]}
        if request.arg("countAll") == "true" and self._world.behaviour.total_known:
            answer["total"] = str(len(found))
        return Response.json(answer)

    def _select(
        self, model: str, request: Request, filters: dict[str, Test], records: Callable[[], Iterable[Any]]
    ) -> list[Any]:
        if self._version != self._world.version:
            self._kept.clear()
            self._version = self._world.version
        query = {name: values[0] for name, values in request.query.items() if name not in PAGING}
        key = (model, *sorted(query.items()))
        if key not in self._kept:
            ignored = self._world.behaviour.ignored_filters
            tests = [(filters[name], text) for name, text in query.items() if name in filters and name not in ignored]
            found = [record for record in records() if all(test(record, text) for test, text in tests)]
            order = query.get("orderByInvoiceNumber") or query.get("orderByCustomerNumber")
            if order in ("ASC", "DESC"):
                found.sort(key=lambda record: (record.number or "", record.id), reverse=order == "DESC")
            self._kept[key] = found
        return self._kept[key]


def _integer(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
