"""What people marked at sevDesk against dunning: tags on invoices and contacts, and a custom field of contacts.

There is no dunning block of sevDesk's own. A source that cannot be read counts as "blocked" for everybody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord, ConfigError, Flag, Reason, Refused, Sentence
from connectors.sevdesk.api import Api
from connectors.sevdesk.records import ident
from connectors.sevdesk.settings import SevDeskSettings

NO = frozenset({"", "0", "nein", "no", "false", "n"})
YES = frozenset({"1", "ja", "yes", "true", "j", "y", "x"})


@dataclass
class Signs:
    """Tags by record, values of the block field by contact, and what could not be read."""

    invoice_tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    contact_tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    tags_unreadable: str = ""
    block_unreadable: str = ""
    methods_unreadable: str = ""

    def method(self, id_: str) -> str | None:
        """Return the name of a payment method; None where the names could not be read."""
        return None if self.methods_unreadable and id_ else self.methods.get(id_, "")


class SignReader:
    """Reads the signs, and turns them into flags."""

    def __init__(self, api: Api, settings: SevDeskSettings, mapping: Any) -> None:
        self._api = api
        self._settings = settings
        self._reasons = settings.reasons
        self._block_table = mapping["block"]
        self._zone = ZoneInfo(settings.time_zone)

    def read(self) -> Signs:
        """Read tags, relations, the block field and the payment methods, each list once."""
        signs = Signs()
        signs.tags_unreadable = _tolerated(lambda: self._tags(signs))
        if self._settings.block_field:
            signs.block_unreadable = _tolerated(lambda: self._blocks(signs))
        signs.methods_unreadable = _tolerated(lambda: self._methods(signs))
        return signs

    def _tags(self, signs: Signs) -> None:
        names = {ident(row): str(row.get("name") or "").strip() for row in self._api.tags() if isinstance(row, Mapping)}
        for row in self._api.tag_relations():
            if not isinstance(row, Mapping):
                continue
            tag, target = row.get("tag"), row.get("object")
            name, id_ = names.get(ident(tag), ""), ident(target)
            kind = target.get("objectName") if isinstance(target, Mapping) else None
            into = {"Invoice": signs.invoice_tags, "Contact": signs.contact_tags}.get(str(kind))
            if into is not None and id_ is not None and name and name not in into.get(id_, ()):
                into[id_] = (*into.get(id_, ()), name)

    def _blocks(self, signs: Signs) -> None:
        setting = self.setting_id(self._settings.block_field)
        if setting is None:
            return
        for row in self._api.custom_fields():
            if isinstance(row, Mapping) and ident(row.get("contactCustomFieldSetting")) == setting:
                contact, value = ident(row.get("contact")), str(row.get("value") or "").strip()
                if contact is not None and value.casefold() not in NO:
                    signs.blocks[contact] = value

    def setting_id(self, name: str | None) -> str | None:
        """Return the id of the custom field of this name; None where the account has none."""
        for row in self._api.custom_field_settings() if name else ():
            if isinstance(row, Mapping) and _same(row.get("name"), name or ""):
                return ident(row)
        return None

    def _methods(self, signs: Signs) -> None:
        if self._settings.direct_debit_methods:
            for row in self._api.payment_methods():
                if isinstance(row, Mapping) and (id_ := ident(row)):
                    signs.methods[id_] = str(row.get("name") or "")

    def on_invoice(self, signs: Signs, invoice: str) -> tuple[Flag, ...]:
        """Return the flags of an invoice."""
        if signs.tags_unreadable:
            return (
                Flag(
                    reason=Reason.INVOICE_EXCLUDED,
                    source=Sentence("sevDesk: tags unreadable ({why})", why=signs.tags_unreadable),
                ),
            )
        return tuple(
            Flag(reason=self._reasons[tag.casefold()], source=Sentence("sevDesk: tag {tag}", tag=tag))
            for tag in signs.invoice_tags.get(invoice, ())
            if tag.casefold() in self._reasons
        )

    def on_contact(self, signs: Signs, contact: str) -> tuple[Flag, ...]:
        """Return the flags of a contact; a tag that excludes an invoice excludes the customer here."""
        flags = []
        for tag in signs.contact_tags.get(contact, ()):
            reason = self._reasons.get(tag.casefold())
            if reason is not None:
                whole = Reason.CUSTOMER_EXCLUDED if reason is Reason.INVOICE_EXCLUDED else reason
                flags.append(Flag(reason=whole, source=Sentence("sevDesk: tag {tag} on the contact", tag=tag)))
        if signs.block_unreadable:
            source = Sentence("sevDesk: custom fields unreadable ({why})", why=signs.block_unreadable)
            flags.append(Flag(reason=Reason.CUSTOMER_EXCLUDED, source=source))
        elif contact in signs.blocks:
            flags.append(self._block(signs.blocks[contact]))
        return tuple(flags)

    def _block(self, value: str) -> Flag:
        """Return the flag of a filled block field: until a date, else without end, whatever else was written."""
        source = Sentence("sevDesk: field {field} = {value}", field=self._settings.block_field, value=value[:60])
        if value.casefold() in YES:
            return Flag(reason=Reason.CUSTOMER_EXCLUDED, source=source)
        try:
            until = (self._block_table.read({"value": value}, self._zone) or {}).get("until")
        except BadRecord:
            until = None
        return Flag(reason=Reason.CUSTOMER_EXCLUDED, source=source, until=until)


def _same(one: Any, other: str) -> bool:
    return str(one or "").strip().casefold() == other.strip().casefold()


def _tolerated(call: Callable[[], None]) -> str:
    """Run a read of a source that the account may lack; return why it could not be read, or an empty text.

    A missing token and passing faults are raised: they stop everything alike.
    """
    try:
        call()
    except Refused as error:
        return error.cause
    except ConfigError as error:
        if error.cause == "http_401":
            raise
        return error.cause
    return ""
