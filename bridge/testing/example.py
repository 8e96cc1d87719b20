"""The smallest connector that keeps the whole contract, with its sandbox and kit: an example to start a new one from."""

import base64
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from bridge.contract import (
    Act,
    BadAnswer,
    BadRecord,
    Batch,
    CannotTell,
    Connector,
    ConnectorSettings,
    Cursor,
    Debtor,
    Health,
    Http,
    Invoice,
    InvoiceStatus,
    Mapping,
    NotFound,
    NoticeStatus,
    Proof,
    ProviderNotice,
    Ref,
    Reject,
    SecretStr,
    Snapshot,
    Unclear,
    WriteBack,
)
from bridge.http import HttpSettings, TokenAuth
from bridge.testing.kit import Kit
from bridge.testing.server import Request, Response, Server

TOKEN = "example-Token-4711/+="


class ExampleSandbox:
    """A provider with invoices, reminders and mails, and nothing else."""

    def __init__(self) -> None:
        self.server = Server(base_path="/v1")
        self.invoices: dict[str, dict[str, Any]] = {}
        self.reminders: list[dict[str, Any]] = []
        self.server.before(self._check)
        for method, path, handler in (
            ("GET", "/invoices", self._list),
            ("GET", r"/invoices/(\d+)", self._one),
            ("GET", "/reminders", lambda _: Response.json({"items": self.reminders})),
            ("POST", r"/invoices/(\d+)/reminders", self._remind),
            ("POST", r"/reminders/(\d+)/send", self._send),
        ):
            self.server.add(method, path, handler)

    def _check(self, request: Request) -> Response | None:
        good = "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode()
        return None if request.headers.get("X-Key") in (TOKEN, good) else Response.json({"error": "bad key"}, 401)

    def _list(self, request: Request) -> Response:
        after, size = int(request.arg("after") or 0), int(request.arg("size") or 10)
        rows = [row for row in self.invoices.values() if row["n"] > after]
        return Response.json({"items": rows[:size], "more": len(rows) > size})

    def _one(self, request: Request) -> Response:
        row = self.invoices.get(request.groups[0])
        return Response.json(row) if row else Response.json({"error": "unknown invoice"}, 404)

    def _remind(self, request: Request) -> Response:
        return Response.json(self.remind(request.groups[0], request.json()["marker"]), 201)

    def _send(self, request: Request) -> Response:
        reminder = self.reminders[int(request.groups[0]) - 1]
        reminder["mails"] += 1
        return Response.json(reminder)

    def add(self) -> str:
        """Add an open invoice."""
        n = len(self.invoices) + 1
        row = {
            "id": str(1000 + n),
            "n": n,
            "number": f"RE-{n}",
            "open": "119.00",
            "gross": "119.00",
            "customer": f"K{n}",
        }
        self.invoices[str(row["id"])] = row
        return str(row["id"])

    def remind(self, invoice_id: str, marker: str | None) -> dict[str, Any]:
        """Add a reminder."""
        level = 1 + sum(reminder["invoice"] == invoice_id for reminder in self.reminders)
        reminder = {
            "id": str(len(self.reminders) + 1),
            "invoice": invoice_id,
            "level": level,
            "marker": marker,
            "mails": 0,
        }
        self.reminders.append(reminder)
        return reminder


class ExampleSettings(ConnectorSettings):
    """Nothing beyond what every account can set."""


class Example(Connector):
    """Speaks to `ExampleSandbox`."""

    name = "example"
    Settings = ExampleSettings
    acts: ClassVar[frozenset[Act]] = frozenset({Act.CREATE, Act.SEND_EMAIL})

    def check(self) -> Health:
        self.http.read("/invoices", params={"size": 1})
        return Health(ok=True, acts=self.acts)

    def pull(self, cursor: Cursor | None) -> Iterator[Batch]:
        """List everything by number, page by page; the cursor is the last number of an unfinished listing."""
        after = int(cursor.data.get("after", 0)) if cursor else 0
        from_start, notices = after == 0, tuple(self._reminders())
        while True:
            page = self._object(
                self.http.read("/invoices", params={"after": after, "size": self.settings.page_size}).data
            )
            rows, more = self._rows(page), bool(page.get("more"))
            good: list[Invoice] = []
            rejects: list[Reject] = []
            for row in rows:
                try:
                    good.append(self._invoice(row))
                except BadRecord as error:
                    reason, raw = error.reason, repr(row)
                    reject = Reject(
                        kind="invoice", provider_id=str(row.get("id")), field=error.field, reason=reason, raw=raw
                    )
                    rejects.append(reject)
            after = max([after, *(int(row["n"]) for row in rows)])
            yield Batch(
                invoices=tuple(good),
                debtors=tuple(
                    Debtor(id=invoice.debtor_id or "", name=f"Firma {invoice.debtor_id}") for invoice in good
                ),
                notices=notices,
                rejects=tuple(rejects),
                cursor=Cursor(data={"after": after if more else 0}),
                complete=not more and from_start,
                full=True,
            )
            if not more:
                return

    def look(self, invoices: Sequence[Ref]) -> Iterator[Snapshot]:
        notices = self._reminders() if invoices else []
        for ref in invoices:
            try:
                invoice = self._invoice(self._object(self.http.read(f"/invoices/{ref.id}").data))
            except NotFound:
                yield Snapshot(invoice_id=ref.id, taken_at=self.http.now(), found=False)
                continue
            yield Snapshot(
                invoice_id=ref.id,
                taken_at=self.http.now(),
                invoice=invoice,
                debtor=Debtor(id=invoice.debtor_id or "", name=f"Firma {invoice.debtor_id}"),
                notices=tuple(notice for notice in notices if notice.invoice_id == ref.id),
            )

    def push(self, write: WriteBack) -> Proof:
        if write.act is Act.CREATE and write.invoice is not None:
            made = self.http.write(
                "POST", f"/invoices/{write.invoice.id}/reminders", body={"marker": write.marker}
            ).data
        elif write.act is Act.SEND_EMAIL:
            made = self.http.write("POST", f"/reminders/{write.reminder_id}/send").data
        else:
            return super().push(write)
        if not isinstance(made, dict) or "id" not in made:
            raise Unclear(f"{write.key}: the provider did not say what it made", cause="bad_answer")
        return Proof(key=write.key, at=self.http.now(), provider_id=str(made["id"]), level=int(made["level"]))

    def find(self, write: WriteBack) -> Proof | None:
        if write.act is Act.CREATE:
            ours = [notice for notice in self._reminders() if notice.marker == write.marker]
            return self._proof(write, ours[0]) if ours else None
        sent = [n for n in self._reminders() if n.id == write.reminder_id and n.status is NoticeStatus.SENT]
        if not sent:
            raise CannotTell(f"{write.key}: the provider shows no mail, which does not prove that none went out")
        return self._proof(write, sent[0])

    def _proof(self, write: WriteBack, notice: ProviderNotice) -> Proof:
        return Proof(key=write.key, at=self.http.now(), provider_id=notice.id, level=notice.level, found_later=True)

    def _reminders(self) -> list[ProviderNotice]:
        return [
            ProviderNotice(
                id=row["id"],
                invoice_id=row["invoice"],
                level=row["level"],
                status=NoticeStatus.SENT if row["mails"] else NoticeStatus.DRAFT,
                marker=row["marker"],
            )
            for row in self._rows(self._object(self.http.read("/reminders").data))
        ]

    def _invoice(self, row: dict[str, Any]) -> Invoice:
        try:
            left, gross = Decimal(row["open"]), Decimal(row["gross"])
        except ArithmeticError as error:
            raise BadRecord("expected an amount such as 119.00", field="open", value=row["open"]) from error
        return Invoice(
            id=row["id"],
            number=row["number"],
            status=InvoiceStatus.OPEN if left > 0 else InvoiceStatus.PAID,
            debtor_id=row["customer"],
            gross=gross,
            open=left,
            paid=gross - left,
        )

    @staticmethod
    def _object(data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise BadAnswer("expected an object")
        return data

    @staticmethod
    def _rows(page: dict[str, Any]) -> list[dict[str, Any]]:
        rows = page.get("items")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadAnswer("expected a list of items")
        return rows


class ExampleKit(Kit):
    """The kit of the example."""

    connector = Example
    calls: ClassVar = {
        Act.CREATE: ("POST", r"/invoices/\d+/reminders"),
        Act.SEND_EMAIL: ("POST", r"/reminders/\d+/send"),
    }
    reads = "/invoices"
    looks = r"/invoices/\d+"

    def start(self) -> None:
        self.sandbox = ExampleSandbox()
        self.server = self.sandbox.server.start()
        self.server.clock.set(self.now() + timedelta(hours=1))

    def stop(self) -> None:
        self.sandbox.server.stop()

    def http(self) -> HttpSettings:
        return HttpSettings(
            base_url=self.sandbox.server.base_url, auth=TokenAuth(token=SecretStr(TOKEN), header="X-Key")
        )

    def make(self, http: Http) -> Connector:
        return self.connector("conformance", ExampleSettings(page_size=3), Mapping("example", {}, {}), http)

    def seed(self, count: int) -> list[str]:
        return [self.sandbox.add() for _ in range(count)]

    def pay(self, invoice_id: str) -> None:
        self.sandbox.invoices[invoice_id]["open"] = "0.00"

    def break_record(self, invoice_id: str) -> str:
        self.sandbox.invoices[invoice_id]["open"] = "viel"
        return "open"

    def remind_by_hand(self, invoice_id: str) -> str:
        return str(self.sandbox.remind(invoice_id, None)["id"])

    def effects(self, act: Act, invoice_id: str) -> int:
        reminders = [reminder for reminder in self.sandbox.reminders if reminder["invoice"] == invoice_id]
        return len(reminders) if act is Act.CREATE else sum(reminder["mails"] for reminder in reminders)
