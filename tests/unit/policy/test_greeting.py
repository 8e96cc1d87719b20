"""How a notice greets: by the provider's word, never by a guess."""

import pytest

from bridge.model import Contact, Person
from bridge.policy.greeting import greeting
from bridge.policy.views import CaseView
from tests.unit.policy.helpers import claim

CLARA = Person(salutation="Frau", first_name="Clara", last_name="Öztürk-Groß")
ADDRESS = "clara@example.com"


def _greets(
    name: str, person: Person | None, *, contact: str | None = None, language: str = "de", email: str | None = ADDRESS
) -> str:
    contacts = (Contact(name=contact, email=ADDRESS),) if contact else ()
    case = CaseView(account="a", debtor_id="1", name=name, email=email, contacts=contacts, person=person)
    return greeting(case, claim(), language)


@pytest.mark.parametrize(
    ("person", "german", "english"),
    [
        (CLARA, "Sehr geehrte Frau Öztürk-Groß,", "Dear Ms Öztürk-Groß,"),
        (CLARA.model_copy(update={"salutation": "Herr"}), "Sehr geehrter Herr Öztürk-Groß,", "Dear Mr Öztürk-Groß,"),
        (
            CLARA.model_copy(update={"salutation": "Frau Prof. Dr."}),
            "Sehr geehrte Frau Prof. Dr. Öztürk-Groß,",
            "Dear Ms Prof. Dr. Öztürk-Groß,",
        ),
        (
            CLARA.model_copy(update={"salutation": None}),
            "Guten Tag Clara Öztürk-Groß,",
            "Dear Clara Öztürk-Groß,",
        ),
        (
            CLARA.model_copy(update={"salutation": "Divers"}),
            "Guten Tag Clara Öztürk-Groß,",
            "Dear Clara Öztürk-Groß,",
        ),
        (Person(first_name="Clara"), "Sehr geehrte Damen und Herren,", "Dear Sir or Madam,"),
        (None, "Sehr geehrte Damen und Herren,", "Dear Sir or Madam,"),
    ],
)
def test_a_private_person_is_greeted_as_the_provider_calls_them(
    person: Person | None, german: str, english: str
) -> None:
    """By salutation, title and family name; where the provider says neither Frau nor Herr, by the whole name, by mail as in a letter."""
    assert _greets("Clara Öztürk-Groß", person) == german
    assert _greets("Clara Öztürk-Groß", person, email=None) == german
    assert _greets("Clara Öztürk-Groß", person, language="en") == english


def test_a_company_is_greeted_by_name_only_where_its_person_is_written_to() -> None:
    """Whoever reads the mailbox of a company is not called by the name of its managing director."""
    assert _greets("Morgenrot GmbH", CLARA) == "Sehr geehrte Damen und Herren,"
    assert _greets("Morgenrot GmbH", CLARA, contact="Clara Öztürk-Groß") == "Sehr geehrte Frau Öztürk-Groß,"
    assert _greets("Morgenrot GmbH", CLARA, contact="Jana Sommer") == "Guten Tag Jana Sommer,"
    assert _greets("Morgenrot GmbH", CLARA, contact="Clara Öztürk-Groß", email=None) == "Sehr geehrte Damen und Herren,"


def test_a_title_before_the_first_name_is_kept() -> None:
    """Dr. stands in the greeting once, wherever the provider has it; the first name does not."""
    person = Person(salutation="Herr Dr.", first_name="Dr. Max", last_name="Sommer")
    assert _greets("Dr. Max Sommer", person) == "Sehr geehrter Herr Dr. Sommer,"
