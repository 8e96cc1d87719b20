"""Contacts: organisations and persons, the address that reminders go to, and postal addresses."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import Address, BadRecord, Contact, Debtor, DebtorKind, Flag, Person
from connectors.sevdesk.records import build
from connectors.sevdesk.settings import SevDeskSettings

INVOICING = "8"
ROLES = {INVOICING: "invoicing", "2": "work", "1": "private"}
PHONES = frozenset({"PHONE", "MOBILE"})
_ONE_MAIL = re.compile(r"[^@\s,;<>\x00-\x1f\x7f]+@[^@\s,;<>\x00-\x1f\x7f]+")
"""One address. sevDesk takes a list with commas where one is meant, so that two in one field would both be written to."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a contact (Kommunikationsweg): `key` says what it is for, `main` that it is preferred."""

    type: str
    value: str
    key: str = ""
    main: bool = False


@dataclass(slots=True)
class Reach:
    """How a contact is reached: its communication ways and addresses."""

    ways: list[Way] = field(default_factory=list)
    addresses: list[Mapping[str, Any]] = field(default_factory=list)


def reminder_email(ways: Sequence[Way]) -> str | None:
    """Return the address that reminders go to: for invoicing, else the main one, else the only one, else none (ask a person).

    Where two addresses are equally good the first one is taken only if they are the same address. A chosen entry that is not
    exactly one address is none: no other one takes its place unseen.
    """
    chosen = _chosen([way for way in ways if way.type == "EMAIL" and "@" in way.value])
    return chosen if chosen and _ONE_MAIL.fullmatch(chosen) else None


def _no_mail(way: Way) -> bool:
    return way.type == "EMAIL" and not _ONE_MAIL.fullmatch(way.value)


def _chosen(mails: Sequence[Way]) -> str | None:
    for chosen in ([way for way in mails if way.key == INVOICING], [way for way in mails if way.main], mails):
        different = {way.value.casefold() for way in chosen}
        if len(different) == 1:
            return chosen[0].value
        if different:
            preferred = {way.value for way in chosen if way.main}
            return preferred.pop() if len(preferred) == 1 else None
    return None


class ContactReader:
    """Reads rows of `/Contact`, `/CommunicationWay` and `/ContactAddress`."""

    def __init__(self, mapping: Any, settings: SevDeskSettings, countries: Mapping[str, str]) -> None:
        self._tables = mapping
        self._zone = ZoneInfo(settings.time_zone)
        self._categories = settings.address_categories
        self._countries = countries

    def reach(self, ways: Iterable[Any], addresses: Iterable[Any]) -> dict[str, Reach]:
        """Return how each contact is reached, by contact id. Rows that do not fit reach nobody and are left out."""
        found: dict[str, Reach] = {}
        for raw in ways:
            fields = self._fields("communication", raw)
            if fields.get("contact_id") and fields.get("value"):
                way = Way(fields.get("type", ""), fields["value"], fields.get("key", ""), bool(fields.get("main")))
                found.setdefault(fields["contact_id"], Reach()).ways.append(way)
        for raw in addresses:
            fields = self._fields("address", raw)
            if fields.get("contact_id"):
                found.setdefault(fields["contact_id"], Reach()).addresses.append(fields)
        return found

    def _fields(self, table: str, raw: Any) -> dict[str, Any]:
        try:
            return self._tables[table].read(raw, self._zone) or {}
        except BadRecord:
            return {}

    def parent_of(self, raw: Any) -> str | None:
        """Return the id of the organisation that a person belongs to."""
        parent = raw.get("parent") if isinstance(raw, Mapping) else None
        return str(parent["id"]) if isinstance(parent, Mapping) and parent.get("id") else None

    def debtor(
        self,
        raw: Any,
        reach: Reach,
        parent: Reach | None = None,
        *,
        tags: tuple[str, ...] = (),
        flags: tuple[Flag, ...] = (),
    ) -> Debtor:
        """Return the debtor of a contact; a person without an address of their own is reached at the organisation.

        Raises `BadRecord`.
        """
        fields = self._tables["contact"].read(raw, self._zone) or {}
        facts = self._tables["contact_facts"].read(raw, self._zone) or {}
        if "id" not in fields:
            raise BadRecord("a contact needs an id", field="id", value=raw.get("id"))
        term = fields.get("payment_term_days")
        if term is not None and not 0 <= term <= 3650:
            fields.pop("payment_term_days")
        has_mail = any(way.type == "EMAIL" for way in reach.ways)
        mailing = reach if has_mail or parent is None else parent
        posting = reach if reach.addresses or parent is None else parent
        fields |= {
            "name": _name(facts) or fields.get("number") or fields["id"],
            "kind": _kind(facts),
            "email": reminder_email(mailing.ways),
            "unusable": tuple(way.value for way in mailing.ways if _no_mail(way)),
            "contacts": _contacts(mailing.ways, reach.ways),
            "address": self._address(posting.addresses, _name(facts)),
            "person": _person(facts, raw),
            "has_mandate": bool(facts.get("mandate")),
            "tags": tags,
            "flags": flags,
        }
        return build(Debtor, fields)

    def _address(self, addresses: Sequence[Mapping[str, Any]], name: str) -> Address | None:
        if not addresses:
            return None
        rank = {category: number for number, category in enumerate(self._categories)}
        best = min(addresses, key=lambda address: rank.get(str(address.get("category")), len(rank)))
        additions = tuple(str(best[key]) for key in ("name2", "name3", "name4") if best.get(key))
        return build(
            Address,
            {
                "lines": tuple(filter(None, (best.get("name") or name, *additions))),
                "street": best.get("street", ""),
                "postcode": best.get("postcode", ""),
                "city": best.get("city", ""),
                "country": self._countries.get(str(best.get("country_id", "1")), "DE"),
            },
        )


def _name(facts: Mapping[str, Any]) -> str:
    """Return the name: of an organisation, or first and family name (sevDesk calls the first name `surename`)."""
    if facts.get("name"):
        return str(facts["name"])
    return " ".join(str(facts[key]) for key in ("first", "last", "addition") if facts.get(key))


def _person(facts: Mapping[str, Any], raw: Mapping[str, Any]) -> Person | None:
    """Return the person that a contact is, None for an organisation; a day of birth that is none is left out."""
    if facts.get("name") or not (facts.get("first") or facts.get("last")):
        return None
    born_on = None
    with suppress(ValueError):
        born_on = date.fromisoformat(str(raw.get("birthday") or "")[:10])
    salutation = {"m": "Herr", "w": "Frau"}.get(str(raw.get("gender") or ""))
    names = {"first_name": facts.get("first"), "last_name": facts.get("last")}
    return build(Person, {**names, "salutation": salutation, "born_on": born_on})


def _kind(facts: Mapping[str, Any]) -> DebtorKind:
    """Return business where something says so; a person alone may be a consumer or a trader: unknown."""
    signs = ("name", "parent_id", "vat_number", "government")
    return DebtorKind.BUSINESS if any(facts.get(sign) for sign in signs) else DebtorKind.UNKNOWN


def _contacts(mailing: Sequence[Way], own: Sequence[Way]) -> tuple[Contact, ...]:
    mails = [
        Contact(role="main" if way.main and way.key != INVOICING else ROLES.get(way.key, "other"), email=way.value)
        for way in mailing
        if way.type == "EMAIL" and _ONE_MAIL.fullmatch(way.value)
    ]
    phones = [Contact(role=ROLES.get(way.key, "other"), phone=way.value) for way in own if way.type in PHONES]
    return tuple(mails + phones)
