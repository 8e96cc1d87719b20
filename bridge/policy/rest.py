"""Rest (versandfreier Tag): why nothing goes out on a day, in both languages: which weekday, whose holiday, company holidays. Pure."""

from collections.abc import Mapping
from datetime import date
from functools import cache

import holidays

from bridge.policy.calendar import Calendar
from bridge.policy.office import Office

_WEEKDAYS = (
    {"de": "Montag", "en": "Monday"},
    {"de": "Dienstag", "en": "Tuesday"},
    {"de": "Mittwoch", "en": "Wednesday"},
    {"de": "Donnerstag", "en": "Thursday"},
    {"de": "Freitag", "en": "Friday"},
    {"de": "Samstag", "en": "Saturday"},
    {"de": "Sonntag", "en": "Sunday"},
)
_QUIET = {"de": "versandfreier Tag der Konfiguration", "en": "a day without sending, by the configuration"}
_CLOSED = {"de": "Betriebsferien", "en": "company holidays"}
_LANGUAGES = {"de": "de", "en": "en_US"}
"""Our languages, as the calendars of public holidays call them."""


def why_rested(office: Office, day: date, weekdays: frozenset[int] | None, *places: Calendar) -> Mapping[str, str]:
    """Return why nothing goes out on `day`, by language; nothing where something does. See `Office.sends_on`.

    A public holiday is told with its place, such as `Fronleichnam (BY)`, and before the weekday that it falls on.
    """
    for place in places:
        if place.is_holiday(day):
            where = place.state or place.country
            return {
                language: f"{_name(place.country, place.state, day, language)} ({where})" for language in _LANGUAGES
            }
    if office.is_closed(day):
        return _CLOSED
    if day.weekday() not in (office.weekdays if weekdays is None else weekdays):
        return _WEEKDAYS[day.weekday()]
    return _QUIET if (day.month, day.day) in office.quiet else {}


@cache
def _name(country: str, state: str | None, day: date, language: str) -> str:
    """Return the name of a public holiday, in the country's own language where it has none in ours."""
    known = holidays.country_holidays(country, subdiv=state, years=day.year)
    ours = _LANGUAGES[language]
    spoken = ours if ours in known.supported_languages else known.default_language
    return str(holidays.country_holidays(country, subdiv=state, years=day.year, language=spoken)[day])
