"""The sandbox: server, world and the hands of the people who work at sevDesk."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self

from bridge.testing.server import Request, Response, Server
from bridge.testing.wire import Clock
from connectors.sevdesk.sandbox.behaviour import Behaviour
from connectors.sevdesk.sandbox.ledger import Ledger
from connectors.sevdesk.sandbox.records import CreditNote, Document, Person, ref
from connectors.sevdesk.sandbox.routes import Routes
from connectors.sevdesk.sandbox.world import World

TOKEN = "5" * 32
Address = tuple[str, str, str]
"""Street, postcode, city."""


class Sandbox:
    """A local sevDesk account. Everything that people do there by hand is a method; all ids are text, as on the wire."""

    def __init__(
        self,
        *,
        today: date | None = None,
        clock: Clock | None = None,
        port: int = 0,
        token: str = TOKEN,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.clock = clock or Clock(today)
        self.behaviour = behaviour or Behaviour()
        self.token = token
        self.server = Server(port=port, clock=self.clock, base_path="/api/v1")
        self.world = World(self.clock, self.behaviour)
        self._routes = Routes(self.server, self.world, token)
        self.server.after(self._dated)
        self.bank_account = str(
            self.world.add_plain("CheckAccount", {"name": "Geschäftskonto", "type": "online", "importType": None,
                                                  "currency": "EUR", "defaultAccount": "1", "status": "100"}).id
        )  # fmt: skip

    # ---------------------------------------------------------------------------------------------------------- life

    @property
    def base_url(self) -> str:
        """Address for an account's configuration."""
        return self.server.base_url

    @property
    def ledger(self) -> Ledger:
        """What sevDesk believes has happened."""
        return self.world.ledger

    @property
    def faults(self) -> Any:
        """Faults on demand; see `bridge.testing.faults`."""
        return self.server.faults

    @property
    def today(self) -> date:
        return self.clock.today()

    @today.setter
    def today(self, value: date) -> None:
        self.clock.set(value)

    def start(self) -> Self:
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def limit_rate(self, requests: int | None, *, retry_after: str | None = "1") -> None:
        """Answer 429 after so many more requests; None lifts the limit."""
        self._routes.left, self._routes.retry_after = requests, retry_after

    def _dated(self, _request: Request, response: Response) -> Response:
        """Tell the time that sevDesk believes on every answer."""
        now = self.clock.now() + self.server.skew
        return response.with_headers({"Date": format_datetime(now.astimezone(UTC), usegmt=True)})

    # ------------------------------------------------------------------------------------------------------ contacts

    def add_contact(
        self,
        name: str | None = None,
        *,
        email: str | None = None,
        first: str | None = None,
        last: str | None = None,
        number: str | None = None,
        parent: str | None = None,
        iban: str | None = None,
        vat_number: str | None = None,
        mandate: str | None = None,
        address: Address | None = ("Musterweg 1", "10115", "Berlin"),
    ) -> str:
        """Add an organisation (`name`) or a person (`first`, `last`); `email` becomes the address for invoices."""
        with self.server.lock:
            now, world = self.world.now(), self.world
            person = Person(
                world.new_id(), now, now, name, first, last, number or world.next_number("KD"),
                int(parent) if parent else None, iban, vat_number, mandate,
            )  # fmt: skip
            world.contacts[person.id] = person
            world.version += 1
            if email:
                self.add_email(str(person.id), email, key=8)
            if address:
                self.add_address(str(person.id), address)
            return str(person.id)

    def add_email(self, contact: str, value: str, *, key: int = 2, main: bool = False, type: str = "EMAIL") -> str:  # noqa: A002
        """Add a way to reach a contact; key 8 is the address for invoices."""
        with self.server.lock:
            data = {
                "contact": ref(int(contact), "Contact"),
                "type": type,
                "value": value,
                "key": ref(key, "CommunicationWayKey"),
                "main": "1" if main else "0",
            }
            way = self.world.add_plain("CommunicationWay", data)
            self.world.ways_of[int(contact)].append(way)
            if self.behaviour.contact_detail_bumps_update:
                self.world.changed(self.world.contacts[int(contact)])
            return str(way.id)

    def change_email(self, contact: str, value: str) -> None:
        """Change all e-mail addresses of a contact to one."""
        with self.server.lock:
            for way in self.world.ways_of[int(contact)]:
                if way.data["type"] == "EMAIL":
                    way.data["value"] = value
            self.world.version += 1
            if self.behaviour.contact_detail_bumps_update:
                self.world.changed(self.world.contacts[int(contact)])

    def add_address(self, contact: str, address: Address, *, category: int = 47, country: int = 1) -> None:
        with self.server.lock:
            street, zip_, city = address
            data = {
                "contact": ref(int(contact), "Contact"),
                "street": street,
                "zip": zip_,
                "city": city,
                "country": ref(country, "StaticCountry"),
                "category": ref(category, "Category"),
                "name": None,
            }
            self.world.add_plain("ContactAddress", data)

    def set_field(self, contact: str, name: str, value: str) -> None:
        """Set a custom field of a contact as a person would, creating the field if need be."""
        with self.server.lock:
            settings = self.world.plain["ContactCustomFieldSetting"]
            setting = next((item for item in settings.values() if item.data["name"] == name), None)
            if setting is None:
                data = {"name": name, "identifier": name.casefold(), "description": ""}
                setting = self.world.add_plain("ContactCustomFieldSetting", data)
            for field in self.world.plain["ContactCustomField"].values():
                of = field.data["contactCustomFieldSetting"]["id"]
                if field.data["contact"]["id"] == contact and of == str(setting.id):
                    field.data["value"] = value
                    self.world.version += 1
                    return
            self._routes.field(int(contact), setting.id, value)

    def field_of(self, contact: str, name: str) -> str | None:
        """Return the value of a custom field of a contact."""
        for field in self.world.plain["ContactCustomField"].values():
            setting = field.data["contactCustomFieldSetting"]
            if field.data["contact"]["id"] == contact and setting["name"] == name:
                return str(field.data["value"])
        return None

    # ------------------------------------------------------------------------------------------------------ invoices

    def add_invoice(
        self,
        contact: str | None,
        *,
        gross: str | Decimal = "119.00",
        issued_on: date | None = None,
        days: int | None = 14,
        number: str | None = None,
        type: str = "RE",  # noqa: A002
        status: int = 200,
        currency: str = "EUR",
        written: bool = True,
        method: str | None = None,
        mandate: str | None = None,
        origin: str | None = None,
        origin_model: str = "Invoice",
    ) -> str:
        """Add an invoice that was sent when issued. `written` False: only recorded there, never sent by sevDesk."""
        with self.server.lock:
            world, now = self.world, self.world.now()
            draft = status == 100
            issued = issued_on or self.today - timedelta(days=30)
            methods = world.plain["PaymentMethod"]
            chosen = next((item.id for item in methods.values() if item.data["name"] == method), None)
            world.add_document(
                document := Document(
                    id=world.new_id(), type=type, status=status, contact=int(contact) if contact else None,
                    issued_on=issued, created=now, updated=now, number=None if draft else number or world.next_number("RE"),
                    days=days, gross=Decimal(gross), currency=currency, origin=int(origin) if origin else None,
                    origin_model=origin_model, method=chosen, mandate=mandate,
                    sent_at=now if written and not draft else None, send_type="VM" if written and not draft else "0",
                )
            )  # fmt: skip
            return str(document.id)

    def document(self, id_: str) -> Document:
        """Return an invoice, cancellation or reminder as the sandbox keeps it."""
        return self.world.document(int(id_))

    def number_of(self, invoice: str) -> str:
        return self.document(invoice).number or ""

    def reminders(self, invoice: str) -> list[Document]:
        """Return the reminders of an invoice, oldest first."""
        return [self.world.documents[id_] for id_ in self.world.reminders_of[int(invoice)]]

    def spoil(self, record: str, **fields: Any) -> None:
        """Replace fields of a document or contact on the wire, whatever they would be."""
        with self.server.lock:
            found = self.world.documents.get(int(record)) or self.world.contacts[int(record)]
            found.spoilt = {**(found.spoilt or {}), **fields}
            self.world.changed(found)

    def heal(self, record: str) -> None:
        """Take back what `spoil` did."""
        with self.server.lock:
            found = self.world.documents.get(int(record)) or self.world.contacts[int(record)]
            found.spoilt = None
            self.world.changed(found)

    # ---------------------------------------------------------------------------------------- money, cancel, credit

    def pay(
        self,
        invoice: str,
        amount: str | Decimal | None = None,
        *,
        on: date | None = None,
        transaction: str | None = None,
        on_reminder: str | None = None,
    ) -> None:
        """Book money, all that is open by default; `on_reminder` books it on that reminder instead."""
        with self.server.lock:
            target = self.document(on_reminder or invoice)
            money = self.document(invoice).open if amount is None else Decimal(amount)
            booked = self.world.transactions[int(transaction)] if transaction else None
            self.world.book(target, money, on or self.today, booked)

    def return_debit(self, invoice: str) -> None:
        """Take all payments back, as people do after a returned debit."""
        with self.server.lock:
            self.world.take_back(self.document(invoice))

    def cancel(self, invoice: str) -> str:
        """Cancel an invoice; return the id of the cancellation."""
        with self.server.lock:
            return str(self.world.cancel(self.document(invoice)).id)

    def add_credit_note(
        self, invoice: str | None, amount: str | Decimal, *, status: int = 200, category: str = "UNDERACHIEVEMENT"
    ) -> str:
        """Add a credit note that lowers an invoice."""
        with self.server.lock:
            world, now = self.world, self.world.now()
            contact = self.document(invoice).contact if invoice else None
            note = CreditNote(
                world.new_id(), status, contact, self.today, Decimal(amount), now, now, world.next_number("GU"),
                int(invoice) if invoice else None, category,
            )  # fmt: skip
            world.credit_notes[note.id] = note
            world.version += 1
            return str(note.id)

    def settle_credit_note(self, note: str) -> None:
        """Pay a credit note out."""
        with self.server.lock:
            self.world.credit_notes[int(note)].status = 1000
            self.world.version += 1

    def add_transaction(
        self,
        amount: str | Decimal,
        *,
        purpose: str | None = None,
        payer: str | None = None,
        iban: str | None = None,
        on: date | None = None,
        status: int = 100,
    ) -> str:
        """Let a transaction come in by the bank feed; status 100 is not booked yet."""
        with self.server.lock:
            day = on or self.today
            entered = None if on is None else Clock(on).now()
            return str(
                self.world.add_transaction(
                    int(self.bank_account), Decimal(amount), day, status=status, purpose=purpose, payer=payer,
                    iban=iban, entered=entered,
                ).id
            )  # fmt: skip

    def cut_bank_feed(self) -> None:
        """Turn the bank account into one without a feed."""
        with self.server.lock:
            self.world.plain["CheckAccount"][int(self.bank_account)].data["type"] = "offline"
            self.world.version += 1

    # ----------------------------------------------------------------------------------------------- tags, reminders

    def tag(self, invoice: str, name: str) -> None:
        """Put a tag on an invoice as a person would."""
        with self._by_hand():
            self.world.tag(name, self.document(invoice))

    def tag_contact(self, contact: str, name: str) -> None:
        with self._by_hand():
            self.world.tag(name, None, contact=self.world.contacts[int(contact)])

    def untag(self, invoice: str, name: str) -> None:
        """Take a tag off an invoice."""
        with self.server.lock:
            tags = {str(id_) for id_, tag in self.world.plain["Tag"].items() if tag.data["name"] == name}
            relations = self.world.plain["TagRelation"]
            for id_ in [
                i for i, r in relations.items() if r.data["tag"]["id"] in tags and r.data["object"]["id"] == invoice
            ]:
                del relations[id_]
            self.world.version += 1

    def tags_of(self, invoice: str) -> list[str]:
        """Return the names of the tags on an invoice."""
        tags = self.world.plain["Tag"]
        return [
            str(tags[int(relation.data["tag"]["id"])].data["name"])
            for relation in self.world.plain["TagRelation"].values()
            if relation.data["object"] == ref(int(invoice), "Invoice")
        ]

    def remind_by_hand(self, invoice: str, *, send: bool = True, fee: str | None = None, way: str = "VPDF") -> str:
        """Make a reminder as a person would, and send it; return its id."""
        with self._by_hand():
            reminder = self.world.remind(self.document(invoice))
            if fee is not None:
                reminder.charge = Decimal(fee)
            if send:
                self.world.mark_sent(reminder, way)
            return str(reminder.id)

    def delete_draft(self, reminder: str) -> None:
        """Delete a reminder draft as a person would."""
        with self._by_hand():
            self.world.delete(self.document(reminder))

    def _by_hand(self) -> "_ByHand":
        return _ByHand(self)


class _ByHand:
    """What happens within this block was done by a person, not over the API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __enter__(self) -> None:
        self._sandbox.server.lock.acquire()
        self._sandbox.world.request = None

    def __exit__(self, *_: object) -> None:
        self._sandbox.server.lock.release()
