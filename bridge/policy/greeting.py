"""The line with which a notice greets (Anrede): the person where one is known, else everybody."""

from bridge.model import Person
from bridge.policy.views import CaseView, ClaimView

_MS, _MR = frozenset({"frau", "fr.", "ms", "ms.", "mrs", "mrs."}), frozenset({"herr", "herrn", "hr.", "mr", "mr."})
_TITLES = frozenset({"dr.", "dr", "prof.", "prof"})
"""Titles that belong into an address; academic degrees behind a name (M.A.) do not."""


def greeting(case: CaseView, claim: ClaimView, language: str) -> str:
    """Return the greeting in `language`: German, else English.

    A name counts where the customer is that person, or where the address that is written to is theirs; who is neither called Frau nor
    Herr at the provider is greeted by first and family name.
    """
    main = claim.email or case.email
    named = next((one.name for one in case.contacts if one.name and one.email and one.email == main), "")
    person = case.person
    if person and not (_is(person, case.name) or _is(person, named)):
        person = None
    if person and not named and person.first_name and person.last_name:
        named = f"{person.first_name} {person.last_name}"
    polite = _polite(person, language) if person and (not named or _is(person, named)) else ""
    if language == "de":
        return polite or (f"Guten Tag {named}," if named else "Sehr geehrte Damen und Herren,")
    return polite or (f"Dear {named}," if named else "Dear Sir or Madam,")


def _is(person: Person, name: str) -> bool:
    """Return whether `name` is that person's, whatever stands around it."""
    own = " ".join(filter(None, (person.first_name, person.last_name))).casefold().split()
    return bool(own) and set(own) <= set(name.casefold().replace(",", " ").split())


def _polite(person: Person, language: str) -> str:
    """Return "Sehr geehrte Frau Dr. Sommer," where the provider says how the person is called; empty where it does not."""
    said = (person.salutation or "").split()
    if not (said and person.last_name) or said[0].casefold() not in _MS | _MR:
        return ""
    woman = said[0].casefold() in _MS
    titles = [word for word in (*said[1:], *(person.first_name or "").split()) if word.casefold() in _TITLES]
    own = " ".join((*dict.fromkeys(titles), person.last_name))
    if language == "de":
        return f"Sehr geehrte Frau {own}," if woman else f"Sehr geehrter Herr {own},"
    return f"Dear {'Ms' if woman else 'Mr'} {own},"
