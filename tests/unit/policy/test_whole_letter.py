"""One whole letter, word for word: every variable that a text may use, the table of claims, how to pay, and the steps that follow."""

from datetime import date

import pytest

from bridge.model import Act, Address, Colleague, Contact, DebtorKind
from bridge.policy import Abilities, Creditor, compose, decide
from bridge.policy.claim_text import plain
from bridge.policy.money import Ancillary, AncillaryKind, DueSource, History, MoneyRules, Paid
from tests.unit.policy.helpers import case, claim, level, plan, rules

TODAY = date(2026, 10, 5)
OWN = Abilities(
    acts=frozenset({Act.NOTE, Act.CUSTOMER_NOTE}),
    channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"},
    documents=True,
)
SINGLE = (
    "debtor_name customer_number greeting level_name invoice_number invoice_date due_date days_overdue open_amount paid fee earlier_fees"
    " flat_fee interest interest_until total deadline term_days today case_number creditor creditor_email creditor_phone account_owner"
    " account_owner_email iban several"
)
LOOPS = {
    "items": "number date due_date days_overdue gross paid credited open interest total level_name",
    "payments": "number date amount",
    "ancillaries": "number text amount",
    "interest_rows": "number first last days rate formula amount",
    "mentions": "number date due_date open why",
    "credits": "number amount",
}
BODY = "\n".join(
    [f"{name}: {{{{ {name} }}}}" for name in SINGLE.split()]
    + [
        f"{{% for one in {name} %}}\n{name}: "
        + " | ".join(f"{{{{ one.{part} }}}}" for part in parts.split())
        + "\n{% endfor %}"
        for name, parts in LOOPS.items()
    ]
    + ["{{ claims }}", "{{ payment }}"]
)


def letter(language, country="DE"):
    """A level with fee and interest over two invoices: one in part paid, with a credit note and a bank charge; a third is not due yet."""
    texts = {one: {"subject": "{{ level_name }}: {{ invoice_number }}", "body": BODY} for one in ("de", "en")}
    second = level(
        2, name={"de": "Zweite", "en": "Second"}, after_due=7, fee=5, interest=True, term_days=10, texts=texts
    )
    maker = Creditor(
        name="Muster Agentur", email="b@example.com", phone="030 1", iban="DE89370400440532013000", bic="COBADEFF",
        bank="Bank", country=country,
    )  # fmt: skip
    its = rules(
        plan(level(1, after_due=3), second, bundling={"when": "from_first", "include_not_due": True}),
        money=MoneyRules(due_source=DueSource.CONTRACT),
        creditor=maker,
    )
    stands = {"level": 1, "level_on": date(2026, 9, 20), "deadline": date(2026, 9, 28)}
    history = History(
        payments=(Paid(30000, date(2026, 9, 25), "p"),),
        ancillaries=(Ancillary(AncillaryKind.RETURN_CHARGE, 250, date(2026, 9, 21)),),
    )
    claims = (
        claim(
            gross=119000, open=89000, linked_credits=10000, credit_notes=(("GU-1", 10000),), history=history, **stands
        ),
        claim(invoice_id="2", issued_on=date(2026, 8, 27), due_on=date(2026, 9, 10), gross=5000, open=5000, **stands),
        claim(invoice_id="3", issued_on=date(2026, 10, 1), due_on=date(2026, 10, 20), gross=700, open=700),
    )
    whole = case(
        *claims, kind=DebtorKind.BUSINESS, language=language, case_number="MA-1",
        contacts=(Contact(email="rechnung@example.com", name="Frau Muster"),),
        colleagues=(Colleague(email="lena@example.com", name="Lena", sales_rep=True),),
        address=Address(street="Weg 1", postcode="50667", city="Köln"),
    )  # fmt: skip
    (made,) = compose(whole, decide(whole, its, TODAY), its, OWN, TODAY)
    return made


GERMAN = """\
debtor_name: Muster GmbH
customer_number: 10017
greeting: Guten Tag Frau Muster,
level_name: Zweite
invoice_number: RE-2, RE-1
invoice_date: 27.08.2026
due_date: 10.09.2026
days_overdue: 25
open_amount: 840,00 EUR
paid: 300,00 EUR
fee: 5,00 EUR
earlier_fees: 2,50 EUR
flat_fee:
interest: 6,37 EUR
interest_until: 05.10.2026
total: 853,87 EUR
deadline: 15.10.2026
term_days: 10
today: 05.10.2026
case_number: MA-1
creditor: Muster Agentur
creditor_email: b@example.com
creditor_phone: 030 1
account_owner: Lena
account_owner_email: lena@example.com
iban: DE89 3704 0044 0532 0130 00
several: True
items: RE-2 | 27.08.2026 | 10.09.2026 | 25 | 50,00 EUR |  |  | 50,00 EUR | 0,36 EUR | 55,36 EUR | Zweite
items: RE-1 | 01.09.2026 | 15.09.2026 | 20 | 1.190,00 EUR | 300,00 EUR | 100,00 EUR | 790,00 EUR | 6,01 EUR | 798,51 EUR | Zweite
payments: RE-1 | 25.09.2026 | 300,00 EUR
ancillaries: RE-2 | Mahngebühr Zweite (ohne Umsatzsteuer) | 5,00 EUR
ancillaries: RE-1 | Rücklastschriftgebühr (ohne Umsatzsteuer) | 2,50 EUR
interest_rows: RE-2 | 11.09.2026 | 05.10.2026 | 25 | 10,52 | 50,00 EUR x (1,52 % + 9,00 %) x 25/365 | 0,36 EUR
interest_rows: RE-1 | 16.09.2026 | 25.09.2026 | 10 | 10,52 | 1.190,00 EUR x (1,52 % + 9,00 %) x 10/365 | 3,43 EUR
interest_rows: RE-1 | 26.09.2026 | 05.10.2026 | 10 | 10,52 | 895,93 EUR x (1,52 % + 9,00 %) x 10/365 | 2,58 EUR
mentions: RE-3 | 01.10.2026 | 20.10.2026 | 7,00 EUR | noch nicht fällig
credits: GU-1 | 100,00 EUR

RE-2 vom 27.08.2026, fällig am 10.09.2026, offen 50,00 EUR
  Mahngebühr Zweite (ohne Umsatzsteuer): 5,00 EUR
  Verzugszinsen 11.09.2026 bis 05.10.2026, 25 Tage: 50,00 EUR x (1,52 % + 9,00 %) x 25/365: 0,36 EUR
RE-1 vom 01.09.2026, fällig am 15.09.2026, 1.190,00 EUR, gutgeschrieben 100,00 EUR, bezahlt 300,00 EUR, offen 790,00 EUR
  Rücklastschriftgebühr (ohne Umsatzsteuer): 2,50 EUR
  Verzugszinsen 16.09.2026 bis 25.09.2026, 10 Tage: 1.190,00 EUR x (1,52 % + 9,00 %) x 10/365: 3,43 EUR
  Verzugszinsen 26.09.2026 bis 05.10.2026, 10 Tage: 895,93 EUR x (1,52 % + 9,00 %) x 10/365: 2,58 EUR

Hauptforderung: 840,00 EUR
Nebenforderungen: 7,50 EUR
Verzugszinsen bis 05.10.2026: 6,37 EUR
Gesamtbetrag: 853,87 EUR
Abgezogen: Gutschrift GU-1 über 100,00 EUR.
Zinssatz nach § 288 Abs. 2 BGB; Zinsen bis 05.10.2026 berechnet.

Nur zur Information, nicht Teil dieser Zahlungsaufforderung:
RE-3, fällig am 20.10.2026, offen 7,00 EUR (noch nicht fällig)

Betrag: 853,87 EUR
Zahlbar bis: 15.10.2026
Empfänger: Muster Agentur
IBAN: DE89 3704 0044 0532 0130 00
BIC: COBADEFF
Bank: Bank
Verwendungszweck: RE-2 RE-1 10017
"""

ENGLISH = """\
debtor_name: Muster GmbH
customer_number: 10017
greeting: Dear Frau Muster,
level_name: Second
invoice_number: RE-2, RE-1
invoice_date: 27 August 2026
due_date: 10 September 2026
days_overdue: 25
open_amount: EUR 840.00
paid: EUR 300.00
fee: EUR 5.00
earlier_fees: EUR 2.50
flat_fee:
interest: EUR 6.37
interest_until: 5 October 2026
total: EUR 853.87
deadline: 15 October 2026
term_days: 10
today: 5 October 2026
case_number: MA-1
creditor: Muster Agentur
creditor_email: b@example.com
creditor_phone: 030 1
account_owner: Lena
account_owner_email: lena@example.com
iban: DE89 3704 0044 0532 0130 00
several: True
items: RE-2 | 27 August 2026 | 10 September 2026 | 25 | EUR 50.00 |  |  | EUR 50.00 | EUR 0.36 | EUR 55.36 | Second
items: RE-1 | 1 September 2026 | 15 September 2026 | 20 | EUR 1,190.00 | EUR 300.00 | EUR 100.00 | EUR 790.00 | EUR 6.01 | EUR 798.51 | Second
payments: RE-1 | 25 September 2026 | EUR 300.00
ancillaries: RE-2 | reminder fee Second (outside VAT) | EUR 5.00
ancillaries: RE-1 | charge for the returned direct debit (outside VAT) | EUR 2.50
interest_rows: RE-2 | 11 September 2026 | 5 October 2026 | 25 | 10.52 | EUR 50.00 x (1.52 % + 9.00 %) x 25/365 | EUR 0.36
interest_rows: RE-1 | 16 September 2026 | 25 September 2026 | 10 | 10.52 | EUR 1,190.00 x (1.52 % + 9.00 %) x 10/365 | EUR 3.43
interest_rows: RE-1 | 26 September 2026 | 5 October 2026 | 10 | 10.52 | EUR 895.93 x (1.52 % + 9.00 %) x 10/365 | EUR 2.58
mentions: RE-3 | 1 October 2026 | 20 October 2026 | EUR 7.00 | not yet due
credits: GU-1 | EUR 100.00

RE-2 of 27 August 2026, due on 10 September 2026, open EUR 50.00
  reminder fee Second (outside VAT): EUR 5.00
  Default interest 11 September 2026 to 5 October 2026, 25 days: EUR 50.00 x (1.52 % + 9.00 %) x 25/365: EUR 0.36
RE-1 of 1 September 2026, due on 15 September 2026, EUR 1,190.00, credited EUR 100.00, paid EUR 300.00, open EUR 790.00
  charge for the returned direct debit (outside VAT): EUR 2.50
  Default interest 16 September 2026 to 25 September 2026, 10 days: EUR 1,190.00 x (1.52 % + 9.00 %) x 10/365: EUR 3.43
  Default interest 26 September 2026 to 5 October 2026, 10 days: EUR 895.93 x (1.52 % + 9.00 %) x 10/365: EUR 2.58

Principal: EUR 840.00
Ancillary claims: EUR 7.50
Default interest until 5 October 2026: EUR 6.37
Total: EUR 853.87
Taken off: credit note GU-1 of EUR 100.00.
Rate of interest under section 288(2) BGB; interest computed until 5 October 2026.

For information only, not part of this request for payment:
RE-3, due on 20 October 2026, open EUR 7.00 (not yet due)

Amount: EUR 853.87
Payable by: 15 October 2026
Payee: Muster Agentur
IBAN: DE89 3704 0044 0532 0130 00
BIC: COBADEFF
Bank: Bank
Payment reference: RE-2 RE-1 10017
"""


@pytest.mark.parametrize(("language", "said"), [("de", GERMAN), ("en", ENGLISH)])
def test_a_letter_says_what_it_must(language, said):
    """Sums, rows and dates in the language of the debtor; what is not asked for stands by itself; every cent follows from the rows."""
    told = plain(letter(language).content).replace("\xa0", " ")
    assert [line.rstrip() for line in told.splitlines()] == said.splitlines()


def test_amounts_are_written_as_in_the_country_of_the_creditor():
    """In Switzerland with the currency first and apostrophes, in dates nothing changes."""
    told = plain(letter("de", "CH").content).replace("\xa0", " ")
    assert "EUR 1'190.00 x (1.52 % + 9.00 %) x 10/365: EUR 3.43" in told
    assert "Gesamtbetrag: EUR 853.87" in told
    assert "today: 05.10.2026" in told


def test_a_letter_about_one_invoice_is_about_one():
    """What a text says of several stands in none about a single one; its files are the reminder, the invoice, and those of ours."""
    text = {"de": {"subject": "S", "body": "{% if several %}viele{% else %}eine{% endif %} {{ claims }}"}}
    its = rules(
        plan(level(1, after_due=3, texts=text, attachments=["agb", "letter", "invoice"])),
        creditor=Creditor(name="M", particulars={"de": ("Sitz Köln",)}),
    )
    (made,) = compose(case(), decide(case(), its, TODAY), its, OWN, TODAY)
    assert made.content.text.startswith("eine ")
    assert made.content.footer == ("Sitz Köln",)
    assert [one.filename for one in made.steps[0].content.attachments] == ["Stufe-1-RE-1.pdf", "RE-1.pdf", "agb"]
    home = case(address=Address(street="Weg 1", city="Köln"))
    its = rules(
        plan(level(1, after_due=3, channels=["letter"])), creditor=Creditor(name="M", particulars={"de": ("S",)})
    )
    (made,) = compose(home, decide(home, its, TODAY), its, OWN, TODAY)
    assert (made.content.footer, made.content.sent_by, made.content.address.city) == ((), "post", "Köln")
    assert (made.claims[0].basis.main, made.claims[0].basis.recipient) == (made.recipient, made.recipient)
    assert made.recipient == "Muster GmbH, Weg 1, Köln, DE"
    its = rules(plan(level(1, after_due=3)))
    own = case(claim(email="own@example.com"))
    assert compose(own, decide(own, its, TODAY), its, OWN, TODAY)[0].claims[0].basis.main == "own@example.com"
    assert (
        compose(case(), decide(case(), its, TODAY), its, OWN, TODAY)[0].claims[0].basis.main == "rechnung@example.com"
    )


def test_fees_of_all_kinds_are_told_apart():
    """The fee of this letter, what was asked for before, and the flat fee, which covers them."""
    text = {"de": {"subject": "S", "body": "{{ fee }}|{{ earlier_fees }}|{{ flat_fee }}|{{ total }}"}}
    its = rules(
        plan(level(1, after_due=3, fee=5, flat_fee=True, texts=text)), money=MoneyRules(due_source=DueSource.CONTRACT)
    )
    history = History(ancillaries=(Ancillary(AncillaryKind.RETURN_CHARGE, 250, date(2026, 9, 21)),))
    whole = case(claim(history=history), kind=DebtorKind.BUSINESS)
    (made,) = compose(whole, decide(whole, its, TODAY), its, OWN, TODAY)
    assert made.content.text.partition("\n")[0].replace("\xa0", " ") == "|2,50 EUR|40,00 EUR|142,50 EUR"


def test_what_goes_with_the_letter():
    """Its amounts, its claims and their levels, the invoices as files, and a line on each invoice and at the customer."""
    made = letter("de")
    assert (made.level, made.level_name, made.total, made.deadline) == (2, "Zweite", 85387, date(2026, 10, 15))
    assert (made.recipient, made.currency, made.language) == ("rechnung@example.com", "EUR", "de")
    assert [(one.invoice_id, one.level, one.level_name, one.demand, one.fee, one.total) for one in made.claims] == [
        ("2", 2, "Zweite", 5000, 500, 5536),
        ("1", 2, "Zweite", 79000, 0, 79851),
    ]
    assert (made.triggers, [(one.claim.invoice_id, one.part.value) for one in made.others]) == (
        ("2", "1"),
        [("3", "mentioned")],
    )
    mail, *notes = made.steps
    assert (mail.act, mail.invoice_id, mail.channel) == (Act.MAIL, None, "smtp")
    assert [one.filename for one in mail.content.attachments] == ["RE-2.pdf", "RE-1.pdf"]
    assert mail.content.subject == "Zweite: RE-2, RE-1"
    assert [(one.act, one.invoice_id) for one in notes] == [(Act.NOTE, "2"), (Act.NOTE, "1"), (Act.CUSTOMER_NOTE, "2")]
    assert {one.content.line for one in notes} == {
        "05.10.2026: Zweite (Stufe 2) per E-Mail, Frist 15.10.2026; Vorlage plan/standard (de)"
    }
