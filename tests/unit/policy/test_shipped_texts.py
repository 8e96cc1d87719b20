"""The texts of the shipped plans, as a debtor in each country reads them."""

import re
from datetime import date

import pytest

from bridge.model import Act, Address, Reason
from bridge.policy import Abilities, Creditor, Decision, Outcome, compose
from bridge.policy.claim_text import plain
from bridge.policy.group import Bundling
from bridge.policy.load import starter_plans
from bridge.policy.rules import AccountRules
from tests.unit.policy.helpers import case, claim

TODAY = date(2026, 10, 5)
OURS = Abilities(channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"})
LEVELS = [
    (plan.name, number)
    for plan in starter_plans().values()
    for number, level in enumerate(plan.levels, start=1)
    if level.writes
]
COUNTRIES = ["DE", "AT", "CH", "LI", "FR"]


def said(plan_name, number, language, country, claims):
    """Return subject and text of one level over these claims; one message for all of them, as in a copy by `plans new --group`."""
    plan = starter_plans()[plan_name].model_copy(update={"bundling": Bundling(when="from_first")})
    maker = Creditor(name="Weiß & Söhne", iban="DE89370400440532013000", email="buch@agentur.example", country=country)
    rules = AccountRules(
        account="main", plans={plan.name: plan}, default_plan=plan.name, creditor=maker, language=language
    )
    home = Address(lines=("Kunde",), street="Weg 1", postcode="50667", city="Köln", country=country)
    whole = case(*claims, address=home, language=language)
    decisions = [
        Decision(one.invoice_id, Outcome.ESCALATE, Reason.LEVEL_DUE, level=number, round=1, plan=plan.name)
        for one in claims
    ]
    content = compose(whole, decisions, rules, OURS, TODAY)[0].content
    return content.subject, plain(content).replace("\u00a0", " "), content


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(("plan", "number"), LEVELS)
def test_every_text_says_what_a_reminder_must_say(plan, number, language, country):
    """Invoice, open amount, deadline as a date, account, reference, how to object, and what to do if it is paid already."""
    subject, text, content = said(plan, number, language, country, [claim(number="RE-7")])
    assert "RE-7" in subject
    day = content.deadline.strftime("%d.%m.%Y") if language == "de" else str(content.deadline.year)
    for needed in ("RE-7", day, "DE89 3704 0044 0532 0130 00", "Weiß & Söhne"):
        assert needed in text
    assert "[[" not in text
    assert not re.search(r"\n\n\n|  \n", text)
    starter = starter_plans()[plan].levels[number - 1]
    if not starter.before_due:
        assert ("gegenstandslos" if language == "de" else "disregard") in text
        assert "buch@agentur.example" in text


@pytest.mark.parametrize(("plan", "number"), LEVELS)
def test_nothing_is_claimed_that_need_not_be_true(plan, number):
    """No text threatens a credit bureau or the police, names a rate that was not computed, or says that somebody has been in default."""
    for language in ("de", "en"):
        for country in COUNTRIES:
            _, text, _ = said(plan, number, language, country, [claim()])
            assert not re.search(r"(?i)schufa|kreditwürdig|auskunftei|credit bureau|polizei|straf|criminal", text)
            assert not re.search(r"(?i)basiszins|base rate|9 %|5 Prozentpunkte", text)
            assert "sind Sie in Verzug" not in text
            if number == 1:
                assert not re.search(r"(?i)verzug|default|inkasso|collection|betreib", text)


def test_each_country_speaks_of_its_own_law():
    """In Austria ABGB and UGB, in Switzerland OR and Betreibung and never ß in our words, elsewhere no statute of another country."""
    texts = {
        country: "\n".join(said("standard", number, "de", country, [claim()])[1] for number in range(1, 5))
        for country in COUNTRIES
    }
    assert "ABGB" in texts["AT"]
    assert "UGB" in texts["AT"]
    assert "Art. 102 und 104 OR" in texts["CH"]
    assert "Betreibung" in texts["CH"]
    assert "Inkasso" not in texts["CH"]
    for country in ("DE", "FR"):
        assert not re.search(r"ABGB|UGB|\bOR\b|Betreibung", texts[country])
    assert "ß" not in texts["CH"].replace("Weiß & Söhne", "")
    assert "Grüssen" in texts["CH"]
    assert "Grüßen" in texts["AT"]


def test_amounts_are_written_as_at_home():
    """1.190,00 EUR in Germany and Austria, CHF 1'190.00 in Switzerland, EUR 1,190.00 in English."""
    for country, currency, language, shown in (
        ("DE", "EUR", "de", "1.190,00 EUR"),
        ("AT", "EUR", "de", "1.190,00 EUR"),
        ("CH", "CHF", "de", "CHF 1'190.00"),
        ("CH", "CHF", "en", "CHF 1,190.00"),
    ):
        one = claim(currency=currency, gross=119_000, open=119_000)
        assert shown in said("standard", 1, language, country, [one])[1]


def test_the_tone_rises():
    """From an oversight to a term, then the announcement of a last letter, then of the hand-over."""
    texts = [said("standard", number, "de", "DE", [claim()])[1] for number in range(1, 5)]
    for number, words in enumerate(("übersehen", "in Verzug", "letzte Mahnung", "Inkassounternehmen")):
        assert [words in text for text in texts].index(True) == number


@pytest.mark.parametrize(("plan", "number"), LEVELS)
def test_several_invoices_are_spoken_of_as_several(plan, number):
    """One message for several invoices says so in its subject and lists each in its text, in both languages."""
    claims = [claim(invoice_id=str(n)) for n in range(1, 6)]
    for language, one, several in (
        ("de", "Rechnung ", "Rechnungen RE-1, RE-2, RE-3 und 2 weiteren"),
        ("en", "nvoice ", "nvoices RE-1, RE-2, RE-3 and 2 more"),
    ):
        subject, text, _ = said(plan, number, language, "DE", claims)
        assert several in subject
        assert f"{one}RE" not in subject + text
        assert all(f"RE-{n}" in text for n in range(1, 6))
        assert f"{one}RE-1" in said(plan, number, language, "DE", claims[:1])[0]
