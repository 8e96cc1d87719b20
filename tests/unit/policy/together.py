"""What the tests of bundles, ways and steps share."""

from datetime import date, timedelta

from bridge.model import Act, Address, Colleague
from bridge.policy import Abilities, compose, decide
from tests.unit.policy.helpers import level, plan, rules

TODAY = date(2026, 10, 5)  # a Monday
A = Act
OURS = {A.MAIL: "smtp", A.LETTER: "letter_outbox"}
OWN = Abilities(channels=OURS, documents=True)
FULL = Abilities(acts=frozenset(A), channels=OURS, documents=True)
HOME = Address(street="Weg 1", postcode="50667", city="Köln")
LENA = Colleague(email="lena@example.com", name="Lena", sales_rep=True)
CALL = {"name": {"de": "Anruf", "en": "Call"}, "trigger": {"after_due": 3}}
GROUP = {"when": "from_first"}


def ago(number):
    return TODAY - timedelta(days=number)


def made(whole, its, abilities=OWN):
    decided = [*decide(whole, its, TODAY)]
    return compose(whole, decided, its, abilities, TODAY)


def numbers(notices):
    return [tuple(one.invoice_id for one in notice.claims) for notice in notices]


def bundling(**values):
    return rules(plan(level(1, after_due=6, term_days=7), level(2, after_due=14, term_days=7, type="last"), bundling={**GROUP, **values}))  # fmt: skip


YOUNG = {"invoice_id": "2", "due_on": ago(4), "issued_on": ago(9)}
