"""Places: the public holidays where the debtor is (BGB 193, 269), as far as the address tells; else the agency's."""

from bisect import bisect_right
from datetime import date
from functools import cache
from importlib import resources

from ruamel.yaml import YAML

from bridge.model import Address
from bridge.policy.calendar import DAY, Calendar
from bridge.policy.rules import AccountRules
from bridge.policy.views import CaseView, ClaimView


def calendar_of(case: CaseView, claim: ClaimView, rules: AccountRules) -> Calendar:
    """Return the calendar of the debtor's place: by country, in Germany by postal code; the agency's where nothing is known."""
    address = claim.address or case.address
    if address is None:
        return rules.calendar
    return rules.places.get((address.country, address.postcode)) or calendar_at(address, rules)


def calendar_at(address: Address | None, rules: AccountRules) -> Calendar:
    """Return the calendar of an address; see `calendar_of`."""
    if address is None:
        return rules.calendar
    key = address.country, address.postcode
    known = rules.places.get(key)
    if known is None:
        known = rules.places[key] = _look_up(address, rules.calendar)
    return known


def sending_places(rules: AccountRules, place: Calendar) -> tuple[Calendar, ...]:
    """Return the calendars on whose holidays nothing is sent: the agency's, and the debtor's where the office minds it."""
    if place is rules.calendar or not rules.office.debtor_holidays:
        return (rules.calendar,)
    return rules.calendar, place


def deadline(rules: AccountRules, place: Calendar, day: date) -> date:
    """Return `day` moved forward to a working day at the debtor's place and at the agency's."""
    while not (place.is_working_day(day) and rules.calendar.is_working_day(day)):
        day += DAY
    return day


def _look_up(address: Address, own: Calendar) -> Calendar:
    state = state_of(address.postcode) if address.country == "DE" else None
    if not address.country or (state is None and address.country == own.country):
        return own
    try:
        return _calendar(address.country, state)
    except ValueError:  # a country without a calendar, or a slip of the keyboard
        return own


@cache
def _calendar(country: str, state: str | None) -> Calendar:
    return Calendar(country, state)


def state_of(postcode: str) -> str | None:
    """Return the federal state of a German postal code, or None where it has none or lies in two."""
    code = postcode.strip()
    if len(code) != 5 or not code.isascii() or not code.isdigit():
        return None
    starts, rows = _ranges()
    at = bisect_right(starts, int(code)) - 1
    return rows[at][1] if at >= 0 and int(code) <= rows[at][0] else None


@cache
def _ranges() -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
    """Return the first code of each range, and its last one with its state, in order."""
    text = (resources.files("bridge.policy") / "data" / "postcodes_de.yaml").read_text(encoding="utf-8")
    table: dict[str, list[object]] = YAML(typ="safe", pure=True).load(text)
    found = []
    for state, ranges in table.items():
        for one in ranges:
            first, _, last = str(one).partition("-")
            found.append((int(first), int(last or first), state))
    found.sort()
    return tuple(first for first, _, _ in found), tuple((last, state) for _, last, state in found)
