"""Notices and their steps: order, amounts, texts, bundles."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bridge.model import Act, Address, Colleague, Contact, DebtorKind
from bridge.policy import Abilities, Creditor, compose, decide, unsendable
from bridge.policy.claim_text import plain
from bridge.policy.fits import plan_fits
from bridge.policy.links import Links
from bridge.policy.load import starter_plans
from bridge.policy.views import SendTo
from tests.unit.policy.helpers import TEXTS, WITH_FEES, case, charged, claim, days, level, plan, rules

TODAY = date(2026, 10, 5)
A = Act
ALL = Abilities(
    acts=frozenset(
        {A.CREATE, A.AMEND, A.COMPLETE, A.SEND_EMAIL, A.SEND_POST, A.MARK_SENT, A.NOTE, A.TAG, A.CUSTOMER_NOTE}
    ),
    channels={A.MAIL: "smtp", A.LETTER: "letter_outbox"},
    documents=True,
)
HOME = Address(street="Weg 1", postcode="50667", city="Köln")


def made(whole, its, abilities=ALL, today=TODAY):
    return compose(whole, decide(whole, its, today), its, abilities, today)


def acts(notice):
    return [step.act for step in notice.steps]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"channels": ["provider_email"]},
            [A.CREATE, A.AMEND, A.COMPLETE, A.SEND_EMAIL, A.NOTE, A.CUSTOMER_NOTE],
        ),
        (
            {"channels": ["provider_post"]},
            [A.CREATE, A.AMEND, A.COMPLETE, A.SEND_POST, A.NOTE, A.CUSTOMER_NOTE],
        ),
        ({"channels": ["mail"]}, [A.MAIL, A.NOTE, A.CUSTOMER_NOTE]),
        (
            {"channels": ["letter"], "document": "silent"},
            [A.CREATE, A.AMEND, A.LETTER, A.COMPLETE, A.MARK_SENT, A.NOTE, A.CUSTOMER_NOTE],
        ),
        (
            {"channels": ["mail"], "document": "provider"},
            [A.CREATE, A.AMEND, A.COMPLETE, A.MAIL, A.MARK_SENT, A.NOTE, A.CUSTOMER_NOTE],
        ),
        ({"channels": ["provider_email"], "automation": "create"}, [A.CREATE, A.AMEND]),
        ({"channels": ["provider_email"], "automation": "complete"}, [A.CREATE, A.AMEND, A.COMPLETE]),
        ({"channels": ["mail"], "document": "silent", "automation": "complete"}, [A.CREATE, A.AMEND, A.COMPLETE]),
        ({"channels": ["mail"], "automation": "propose"}, [A.MAIL, A.NOTE, A.CUSTOMER_NOTE]),
        ({"channels": ["mail"], "tag": "mahnung-1"}, [A.MAIL, A.NOTE, A.TAG, A.CUSTOMER_NOTE]),
    ],
)
@pytest.mark.feature("P-25")
def test_the_order_of_steps(values, expected):
    """Drafts and their check, then the one act that reaches the debtor, then what finishes the records."""
    its = rules(plan(level(1, after_due=3, **values)))
    assert acts(made(case(address=HOME), its)[0]) == expected


def test_an_account_without_a_step_leaves_it_out():
    """No completing, no tags, no notes at the provider: those steps are not there."""
    few = replace(ALL, acts=frozenset({A.CREATE, A.SEND_EMAIL, A.TAG}))
    its = rules(plan(level(1, after_due=3, channels=["provider_email"])))
    notice = made(case(), its, few)[0]
    assert acts(notice) == [A.CREATE, A.SEND_EMAIL, A.TAG]
    assert notice.steps[-1].content.tag == "05.10.2026: Stufe 1 (Stufe 1) per E-Mail, Frist 15.10.2026"[:60]


@pytest.mark.feature("S-AMX-45")
@pytest.mark.feature("S-AMX-46")
def test_the_same_line_for_invoice_and_customer():
    """Date, level, channel, term, template and language, word for word the same in both places."""
    steps = made(case(), rules(days(3, term_days=10)))[0].steps
    lines = {step.content.linked_line for step in steps if step.act in (A.NOTE, A.CUSTOMER_NOTE)}
    said = "05.10.2026: Stufe 1 (Stufe 1) per E-Mail, Frist 15.10.2026"
    assert lines == {f"{said}; Vorlage plan/standard (de)"}


def test_what_stays_at_the_provider_leads_to_the_case():
    """With an address of the pages for staff, the lines and the mail to colleagues lead to the case; what debtors get does not."""
    its = replace(rules(plan(level(1, after_due=3, tag="mahnung"))), cases_url="https://intern.example/cases")
    notice = made(case(case_number="MA-000007", address=HOME), its)[0]
    linked = [one.act for one in notice.steps if one.content.link == "https://intern.example/cases/MA-000007"]
    assert linked == [A.NOTE, A.CUSTOMER_NOTE]
    assert not any("intern.example" in str(one.content) for one in notice.steps if one.act not in linked)
    assert made(case(), its)[0].steps[-1].content.link == ""  # no case yet


@pytest.mark.feature("S-AMX-35")
@pytest.mark.parametrize(
    ("today", "term", "deadline"),
    [
        (date(2026, 10, 5), 10, date(2026, 10, 15)),
        (date(2026, 10, 5), 5, date(2026, 10, 12)),  # Saturday moves to Monday
        (date(2026, 12, 15), 10, date(2026, 12, 28)),  # over Christmas
    ],
)
def test_the_new_deadline_is_a_working_day(today, term, deadline):
    """Letter date plus term, moved to a working day, in the text, the steps and the notice."""
    notice = made(case(), rules(days(3, term_days=term)), today=today)[0]
    assert notice.deadline == deadline
    assert f"{deadline:%d.%m.%Y}" in notice.content.text
    assert {step.content.deadline for step in notice.steps} == {deadline}


@pytest.mark.parametrize(
    ("values", "abilities", "expected"),
    [
        ({"channels": ["provider_email"]}, ALL, [A.MAIL]),
        ({"channels": ["letter"], "document": "silent"}, ALL, [A.LETTER]),
        ({"channels": ["mail"]}, ALL, [A.MAIL]),
        ({"channels": ["provider_email"]}, replace(ALL, channels={}), None),
        ({"channels": ["provider_email"], "automation": "create"}, ALL, None),
    ],
)
def test_a_netted_credit_note_is_never_hidden_by_the_providers_document(values, abilities, expected):
    """The provider's reminder would ask for the whole amount: our own mail or letter goes out, or nothing."""
    its = rules(plan(level(1, after_due=3, **values)))
    few = replace(abilities, acts=abilities.acts - {A.NOTE, A.TAG, A.CUSTOMER_NOTE})
    whole = case(claim(linked_credits=3000), address=HOME)
    notices = made(whole, its, few)
    assert [acts(one) for one in notices] == ([] if expected is None else [expected])
    held = unsendable(whole, decide(whole, its, TODAY), its, few, TODAY)
    assert set(held) == ({"1"} if expected is None else set())
    if notices:
        assert (notices[0].total, notices[0].claims[0].basis.via) == (7000, notices[0].channel.value)


@pytest.mark.feature("S-BIL-7")
@pytest.mark.feature("S-AMX-7")
def test_a_fee_is_in_the_total_exactly_once():
    """Open 100, fee 5: 105 is asked for, at the provider too; with earlier charges of 2.50 it is 107.50, in our own mail."""
    its = rules(plan(level(1, after_due=3, fee=Decimal("5.00"), channels=["provider_email"])), money=WITH_FEES)
    notice = made(case(), its)[0]
    create = notice.steps[0].content
    assert (create.principal, create.fee, create.total) == (Decimal("100.00"), Decimal("5.00"), Decimal("105.00"))
    notice = made(case(claim(history=charged(250))), its)[0]
    assert (notice.total, notice.claims[0].fee, notice.content.fee) == (10750, 500, Decimal("5.00"))
    assert "107,50" in notice.content.text
    assert [step.act for step in notice.steps][:3] == [A.CREATE, A.AMEND, A.MAIL]  # with a silent record there


@pytest.mark.feature("P-19")
@pytest.mark.parametrize(
    ("values", "subject", "total"),
    [
        ({}, "Stufe 1 RE-1", "100,00\xa0EUR"),
        ({"language": "en"}, "Level 1 RE-1", "EUR\xa0100.00"),
        ({"language": "en_GB"}, "Level 1 RE-1", "EUR\xa0100.00"),
        ({"language": "fr"}, "Stufe 1 RE-1", "100,00\xa0EUR"),  # no French text: the plan's own language
        ({"address": Address(street="Rue 1", city="Paris", country="FR")}, "Level 1 RE-1", "EUR\xa0100.00"),
        ({"address": Address(street="Gasse 1", city="Wien", country="AT")}, "Stufe 1 RE-1", "100,00\xa0EUR"),
    ],
)
def test_the_language_of_the_customer(values, subject, total):
    """The customer's language, else that of the country, else the plan's."""
    content = made(case(**values), rules(days(3)))[0].content
    assert content.subject == subject
    assert total in content.text


@pytest.mark.feature("S-AGI-1")
def test_each_invoice_gets_its_own_reminder_by_default():
    """Two invoices of one debtor: two independent notices, oldest first."""
    whole = case(claim(invoice_id="2", due_on=date(2026, 9, 10)), claim(invoice_id="1"))
    assert [one.claims[0].invoice_id for one in made(whole, rules(days(3)))] == ["2", "1"]


@pytest.mark.feature("S-PAY-1")
@pytest.mark.feature("S-PAY-4")
@pytest.mark.feature("S-PAY-2")
def test_a_bundle_from_the_first_reminder():
    """Three due invoices, one mail: all are listed with their amounts, each keeps its own level, the fee is asked for once."""
    text = {
        "de": {
            "subject": "{{ invoice_number }}",
            "body": "{% for i in items %}{{ i.number }} {{ i.open }}; {% endfor %}{{ fee }}; {{ total }}",
        }
    }
    levels = (level(1, after_due=3, fee=2, texts=text), level(2, after_due=14, fee=5, texts=text))
    its = rules(plan(*levels, bundling={"when": "from_first"}), money=WITH_FEES)
    old = claim(invoice_id="3", level=1, level_on=date(2026, 9, 20), deadline=date(2026, 9, 28), open=5000, gross=5000)
    notices = made(case(claim(invoice_id="1"), claim(invoice_id="2"), old), its)
    assert len(notices) == 1
    notice = notices[0]
    assert [(one.invoice_id, one.level, one.fee) for one in notice.claims] == [("1", 1, 0), ("2", 1, 0), ("3", 2, 500)]
    assert (notice.level, notice.total) == (2, 25500)
    assert (
        notice.content.text == "RE-1 100,00\xa0EUR; RE-2 100,00\xa0EUR; RE-3 50,00\xa0EUR; 5,00\xa0EUR; 255,00\xa0EUR"
    )
    assert [step.invoice_id for step in notice.steps if step.act is A.MAIL] == [None]
    assert [step.invoice_id for step in notice.steps if step.act is A.NOTE] == ["1", "2", "3"]


def test_a_bundle_with_records_makes_them_all_before_the_one_letter():
    """One record per invoice at the provider, all made and checked before the letter, all finished after it."""
    its = rules(plan(level(1, after_due=3, channels=["letter"], document="silent"), bundling={"when": "from_first"}))
    few = replace(ALL, acts=ALL.acts - {A.NOTE, A.TAG, A.CUSTOMER_NOTE})
    notice = made(case(claim(invoice_id="1"), claim(invoice_id="2"), address=HOME), its, few)[0]
    told = [(step.act, step.invoice_id) for step in notice.steps]
    assert told == [
        (A.CREATE, "1"),
        (A.AMEND, "1"),
        (A.CREATE, "2"),
        (A.AMEND, "2"),
        (A.LETTER, None),
        (A.COMPLETE, "1"),
        (A.MARK_SENT, "1"),
        (A.COMPLETE, "2"),
        (A.MARK_SENT, "2"),
    ]


@pytest.mark.feature("P-13")
def test_a_bundle_never_mixes_currencies_or_languages():
    """EUR and CHF: two mails, never one sum; an invoice in English gets a mail of its own."""
    its = rules(plan(level(1, after_due=3), bundling={"when": "from_first"}), currencies=frozenset({"EUR", "CHF"}))
    whole = case(claim(invoice_id="1"), claim(invoice_id="2", currency="CHF"), claim(invoice_id="3", language="en"))
    found = made(whole, its)
    assert sorted((one.currency, one.language, one.total) for one in found) == [
        ("CHF", "de", 10000),
        ("EUR", "de", 10000),
        ("EUR", "en", 10000),
    ]


@pytest.mark.feature("S-PAY-5")
def test_a_bundle_only_from_the_last_reminder():
    """Levels 1 and 2 separate, the last one bundled."""
    levels = (level(1, after_due=3), level(2, after_due=5), level(3, after_due=7, type="last"))
    its = rules(plan(*levels, bundling={"when": "from_last"}))
    fresh = [claim(invoice_id=str(number)) for number in (1, 2)]
    for reached, notices in ((0, 2), (1, 2), (2, 1)):
        stands = {"level": reached, "level_on": date(2026, 9, 20), "deadline": date(2026, 9, 28)} if reached else {}
        assert len(made(case(*(replace(one, **stands) for one in fresh)), its)) == notices, reached


@pytest.mark.feature("S-PAY-6")
@pytest.mark.feature("S-PAY-7")
def test_bundles_for_groups_and_without_some_payment_terms():
    """Only customers with the tag are bundled; invoices with a term that is left out stay single."""
    bundling = {"when": "from_first", "tags": ["agentur"], "except_terms": [14]}
    its = rules(plan(level(1, after_due=3), bundling=bundling))
    two = (claim(invoice_id="1"), claim(invoice_id="2"))
    assert len(made(case(*two), its)) == 2
    assert len(made(case(*two, tags=("agentur",)), its)) == 1
    terms = tuple(replace(one, payment_term_days=14) for one in two)
    assert len(made(case(*terms, tags=("agentur",)), its)) == 2


@pytest.mark.feature("S-AMX-31")
def test_two_channels_of_one_level_make_two_notices():
    """E-mail and letter: both go out, each with its own key; the record at the provider belongs to the first."""
    its = rules(plan(level(1, after_due=3, channels=["mail", "letter"], document="silent")))
    mail, letter = made(case(address=HOME), its)
    assert acts(mail)[:3] == [A.CREATE, A.AMEND, A.MAIL]
    assert acts(letter)[0] is A.LETTER
    assert mail.claims[0].key != letter.claims[0].key


@pytest.mark.feature("S-AMX-60")
@pytest.mark.feature("S-AMX-62")
def test_the_other_variant_is_used_only_when_chosen():
    """Automatic runs take the standard; the letter variant goes out where a person chose it."""
    variants = [{"name": "mail", "channels": ["mail"], "standard": True}, {"name": "brief", "channels": ["letter"]}]
    its = rules(plan(level(1, after_due=3, variants=variants)))
    assert made(case(address=HOME), its)[0].channel == "mail"
    assert made(case(claim(next_variant="brief"), address=HOME), its)[0].channel == "letter"
    assert made(case(claim(next_variant="weg"), address=HOME), its)[0].channel == "mail"


@pytest.mark.feature("S-AMX-32")
def test_recipients_by_rule():
    """The debtor's address by default; contacts by role; every stored address once; fixed copies."""
    people = (Contact(email="a@example.com", role="invoicing"), Contact(email="rechnung@example.com", role="main"))

    def to(**rule):
        its = rules(plan(level(1, after_due=3, recipients=rule)))
        return made(case(contacts=people), its)[0].content.recipients

    assert to().to == ("rechnung@example.com",)
    assert to(roles=["invoicing"]).to == ("a@example.com",)
    assert to(roles=["nobody"]).to == ("rechnung@example.com",)
    assert to(all_addresses=True).to == ("rechnung@example.com", "a@example.com")
    assert to(cc=["chef@example.com"]).cc == ("chef@example.com",)


def test_documents_go_with_our_own_mail():
    """The invoice as the provider has it, and its reminder where that is the document; nothing where it hands out none."""
    its = rules(plan(level(1, after_due=3, document="provider", channels=["mail"])))
    mail = next(step for step in made(case(), its)[0].steps if step.act is A.MAIL)
    assert [(file.filename, file.document.kind.value) for file in mail.content.attachments] == [
        ("Stufe-1-RE-1.pdf", "reminder"),
        ("RE-1.pdf", "invoice"),
    ]
    bare = next(step for step in made(case(), its, replace(ALL, documents=False))[0].steps if step.act is A.MAIL)
    assert bare.content.attachments == ()


@pytest.mark.feature("S-AMX-63")
@pytest.mark.feature("S-AMX-36")
@pytest.mark.feature("S-BIL-21")
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_shipped_texts_say_what_they_must(language):
    """Each level of each shipped plan renders its own text with customer, invoice, amount, deadline and account."""
    its = rules(
        starter_plans()["standard"],
        creditor=Creditor(name="Muster Agentur", iban="DE89370400440532013000"),
        language=language,
    )
    texts = set()
    for number in range(1, 5):
        one = claim(level=number - 1, level_on=date(2026, 9, 16), deadline=date(2026, 9, 20), history=charged(100))
        content = made(case(one, language=language), its, today=date(2026, 12, 7))[0].content
        assert "RE-1" in content.subject
        for part in ("RE-1", "100" if language == "de" else "100.00", "DE89 3704 0044 0532 0130 00", "Muster Agentur"):
            assert part in plain(content)
        texts.add(content.text)
    assert len(texts) == 4


def test_hostile_names_are_only_text():
    """A customer named like a template stays what it is: text."""
    text = {"de": {"subject": "{{ debtor_name }}", "body": "{{ debtor_name }}"}}
    its = rules(plan(level(1, after_due=3, texts=text)))
    content = made(case(name="{{ iban }}{% raw %}"), its)[0].content
    assert content.text == "{{ iban }}{% raw %}"


# ----------------------------------------------------------------------------------------------------- plan and account


@pytest.mark.parametrize(
    ("values", "abilities", "codes"),
    [
        ({"channels": ["mail"]}, ALL, []),
        ({"channels": ["provider_email"]}, replace(ALL, acts=frozenset({A.NOTE})), ["plan_channel", "plan_document"]),
        ({"channels": ["letter"]}, replace(ALL, channels={}), ["plan_channel"]),
        (
            {"channels": ["provider_email"], "automation": "complete"},
            replace(ALL, acts=ALL.acts - {A.COMPLETE}),
            ["plan_automation"],
        ),
        ({"channels": ["provider_email"], "fee": 5}, replace(ALL, provider_fees=False), ["plan_fee"]),
        (
            {"channels": ["letter"], "document": "silent", "fee": 5},
            replace(ALL, provider_fees=False),
            ["plan_fee_silent"],
        ),
        (
            {"channels": ["letter"], "document": "silent"},
            replace(ALL, acts=ALL.acts - {A.MARK_SENT}),
            ["plan_mark_sent"],
        ),
        ({"channels": ["mail"]}, replace(ALL, acts=frozenset()), ["no_place_for_note"]),
        ({"channels": ["mail"]}, replace(ALL, provider_levels=()), []),
        ({"channels": ["provider_email"]}, replace(ALL, provider_levels=("Erinnerung",)), []),
        ({"channels": ["provider_email"]}, replace(ALL, provider_levels=()), ["plan_levels"]),
        (
            {"channels": ["provider_email"], "repeat": {"every_days": 7, "limit": 1}},
            replace(ALL, provider_levels=("Erinnerung",)),
            ["plan_levels"],
        ),
    ],
)
def test_a_plan_that_asks_for_too_much_is_found_by_check(values, abilities, codes):
    """What an account cannot do is found before anything runs, not when a letter is due."""
    found = plan_fits(plan(level(1, after_due=3, texts=TEXTS, **values)), abilities)
    assert [one.code for one in found] == codes


def test_a_mail_and_a_letter_of_one_level_have_their_own_words():
    """Where the text says so, the mail reads otherwise than the letter that goes out beside it; a chosen variant has its own."""
    words = {"subject": "S", "body": "Mail {{ total }}.", "post": {"body": "Brief {{ total }}."}}
    both = {"name": "both", "channels": ["mail", "letter"], "standard": True}
    stern = {"name": "stern", "channels": ["letter"], "texts": {"de": {"subject": "Streng", "body": "Streng."}}}
    its = rules(plan(level(1, after_due=7, variants=[both, stern], texts={"de": words})))
    mail, letter = made(case(claim(), address=HOME), its)
    assert (mail.content.text[:4], letter.content.text[:5]) == ("Mail", "Brief")
    (chosen,) = made(case(claim(next_variant="stern"), address=HOME), its)
    assert (chosen.content.subject, chosen.content.text) == ("Streng", "Streng.")


# ------------------------------------------------------------------------------------------------ what each notice carries


GROUPED = {"bundling": {"when": "from_first"}}
LENA = Colleague(email="lena@example.com", name="Lena")
OWN_WAYS = {
    "name": "A",
    "iban": "DE89370400440532013000",
    "particulars": {"de": ("HRB 1",)},
}


@pytest.mark.parametrize(
    ("channel", "chosen", "address", "sent_by", "footer", "main", "by_hand"),
    [
        ("mail", (), None, "mail", ("HRB 1",), "rechnung@example.com", False),
        ("mail", (SendTo(0, ("x@example.com",)),), None, "mail", ("HRB 1",), "rechnung@example.com", True),
        ("mail", (SendTo(0, address=HOME),), None, "mail", ("HRB 1",), "rechnung@example.com", False),
        ("letter", (), "Köln", "post", (), "Muster GmbH, Weg 1, 50667 Köln, DE", False),
        ("letter", (SendTo(0, address=HOME),), "Köln", "post", (), "Weg 1, 50667 Köln, DE", True),
        ("letter", (SendTo(0, ("x@example.com",)),), "Köln", "post", (), "Muster GmbH, Weg 1, 50667 Köln, DE", False),
    ],
)
def test_a_mail_and_a_letter_carry_what_is_theirs(channel, chosen, address, sent_by, footer, main, by_hand):
    """A mail has recipients and the particulars of the business below it, a letter a postal address; a choice counts for its own way."""
    its = rules(plan(level(1, after_due=3, channels=[channel])), creditor=Creditor(**OWN_WAYS))
    notice = made(case(claim(send_to=chosen), address=HOME), its)[0]
    content, basis = notice.content, notice.claims[0].basis
    assert (content.address and content.address.city, content.sent_by, content.footer) == (address, sent_by, footer)
    assert (basis.main, basis.chosen, bool(content.recipients.to)) == (main, by_hand, channel == "mail")


def test_a_mail_in_a_third_language_carries_the_particulars_too():
    """An operator's French text goes out with the particulars of the business in English, never without."""
    texts = TEXTS | {
        "fr": {"subject": "Rappel {{ invoice_number }}", "body": "Bonjour,\n\n{{ claims }}\n\n{{ payment }}"}
    }
    own = Creditor(**OWN_WAYS | {"particulars": {"de": ("Sitz Köln",), "en": ("Seat Köln",)}})
    its = rules(plan(level(1, after_due=3, channels=["mail"], texts=texts)), creditor=own)
    content = made(case(language="fr"), its)[0].content
    assert (content.language, content.subject, content.footer) == ("fr", "Rappel RE-1", ("Seat Köln",))


@pytest.mark.parametrize(("email", "own", "main"), [("a@example.com", "b@example.com", "b@example.com"), (None, "b@example.com", "b@example.com"), ("a@example.com", None, "a@example.com")])  # fmt: skip
def test_the_address_of_the_invoice_goes_before_the_customers(email, own, main):
    """What the recheck compares is the address that was written to."""
    assert made(case(claim(email=own), email=email), rules(days(3)))[0].claims[0].basis.main == main


def test_what_goes_along_in_a_bundle_has_no_level_of_its_own():
    """The invoices whose level is due trigger it, by name; what goes along is in the sum, without plan, level or a record of it."""
    young = claim(invoice_id="2", due_on=date(2026, 10, 1), issued_on=date(2026, 9, 20))
    its = rules(plan(level(1, after_due=7), **GROUPED))
    (notice,) = made(case(claim(), young), its)
    named = [(one.invoice_id, one.level, one.level_name, one.basis.plan, bool(one.basis.plan_version)) for one in notice.claims]  # fmt: skip
    assert named == [("1", 1, "Stufe 1", "plan", True), ("2", 0, "", "", False)]
    assert (notice.triggers, notice.total, [one.claim.invoice_id for one in notice.others]) == (("1",), 20000, ["2"])
    assert [step.act for step in notice.steps] == [A.MAIL, A.NOTE, A.CUSTOMER_NOTE]  # one line, for the first


@pytest.mark.parametrize(
    ("claims", "bundling", "triggers"),
    [
        ((claim(),), {}, [()]),
        ((claim(),), GROUPED, [()]),
        ((claim(), claim(invoice_id="2")), {}, [(), ()]),
        ((claim(), claim(invoice_id="2")), GROUPED, [("1", "2")]),
    ],
)
def test_only_a_bundle_names_what_triggers_it(claims, bundling, triggers):
    """A notice about one invoice, with nothing beside it, is none."""
    its = rules(plan(level(1, after_due=3), **bundling))
    assert [one.triggers for one in made(case(*claims), its)] == triggers


@pytest.mark.parametrize(("automation", "beside"), [("propose", True), ("send", True), ("create", False), ("complete", False)])  # fmt: skip
def test_only_what_we_send_ourselves_takes_others_along(automation, beside):
    """What only makes a record at the provider speaks of the invoices whose level is due."""
    young = claim(invoice_id="2", due_on=date(2026, 10, 1), issued_on=date(2026, 9, 20))
    its = rules(plan(level(1, after_due=7, channels=["mail"], document="silent", automation=automation), **GROUPED))
    (notice,) = made(case(claim(), young), its)
    assert bool(notice.others) is (len(notice.claims) == 2) is beside


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, [None]),
        ({"internal_notice": True}, [A.TELL]),
        ({"internal_notice": True, "automation": "propose"}, [A.TELL]),
        ({"internal_notice": True, "channels": ["mail", "letter"]}, [A.TELL, None]),
        ({"channels": ["mail", "letter"]}, [None, None]),
    ],
)
def test_the_first_notice_of_a_level_tells_colleagues_where_it_wants_that(values, told):
    """As its last step, with a task, once; the second channel says nothing more, and a level without it tells nobody."""
    its = rules(plan(level(1, after_due=3, **values)))
    notices = made(case(address=HOME, colleagues=(LENA,)), its)
    assert [A.TELL if A.TELL in acts(one) else None for one in notices] == told
    assert [one.task is not None for one in notices] == [one is not None for one in told]
    assert all(A.TELL not in acts(one)[:-1] for one in notices)


def test_a_level_that_only_tells_colleagues_tells_them_once():
    """It is that mail, and nothing comes after it; it asks for no fee, is no letter of dunning, and owes no flat fee."""
    quiet = {"name": {"de": "Meldung"}, "trigger": {"after_due": 3}, "internal_notice": True, "automation": "send"}
    (notice,) = made(case(colleagues=(LENA,)), rules(plan(quiet), money=WITH_FEES))
    assert acts(notice) == [A.TELL]
    assert (notice.claims[0].fee, notice.claims[0].basis.legal, notice.claims[0].basis.flat_fee) == (0, False, False)


@pytest.mark.parametrize(
    ("values", "call", "legal", "flat"),
    [
        ({"is_legal_dunning": True, "flat_fee": True}, False, True, True),
        ({"is_legal_dunning": True}, True, True, False),
        ({"flat_fee": True}, False, False, True),
        ({}, False, False, False),
    ],
)
def test_a_letter_of_dunning_is_one_only_where_it_is_written(values, call, legal, flat):
    """What it founds (default, flat fee) comes from the letter; the call beside it has neither, and asks for no fee."""
    more = {"call_task": True} if call else {}
    its = rules(plan(level(1, after_due=3, fee=5, **values, **more)), money=WITH_FEES)
    first, *rest = [one.claims[0] for one in made(case(kind=DebtorKind.BUSINESS), its)]
    assert (first.basis.legal, first.basis.flat_fee, first.fee) == (
        legal,
        flat,
        0 if flat else 500,
    )  # it swallows the fee
    assert [(one.basis.legal, one.basis.flat_fee, one.fee) for one in rest] == [(False, False, 0)] * call


def test_the_link_of_a_notice_is_that_of_its_first_claim():
    """One page for the whole bundle, named by the key of the first; letters and accounts without pages have none."""
    links = Links("https://mahnung.example.com", (b"x" * 32,), days=30)
    its = rules(plan(level(1, after_due=3, channels=["mail", "letter"]), **GROUPED), links=links)
    mail, letter = made(case(claim(), claim(invoice_id="2"), address=HOME), its)
    assert mail.link == links.of(mail.claims[0].key, TODAY).ref
    assert letter.link is None
    assert made(case(address=HOME), replace(its, links=None))[0].link is None


def test_a_way_of_the_provider_chosen_by_hand_keeps_invoices_apart():
    """A variant in which the provider sends one of two letters belongs to one invoice, whatever else the plan bundles."""
    mixed = {"name": "mixed", "channels": ["provider_email", "letter"]}
    its = rules(plan(level(1, after_due=3, variants=[{"name": "own", "channels": ["mail"], "standard": True}, mixed]), **GROUPED))  # fmt: skip
    both = [claim(invoice_id=one, next_variant="mixed") for one in ("1", "2")]
    assert {len(one.claims) for one in made(case(*both, address=HOME), its)} == {1}
    assert {len(one.claims) for one in made(case(claim(), claim(invoice_id="2"), address=HOME), its)} == {2}
