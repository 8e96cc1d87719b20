"""What is done in the house, which way a level takes, its steps, language and recipients."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bridge.model import Address, Colleague, Contact, Content, DebtorKind, Reason
from bridge.policy import Abilities, compose, decide
from bridge.policy.channel import Document, Via
from bridge.policy.compose import language_of
from bridge.policy.money import DueSource, MoneyRules
from bridge.policy.plan import Automation
from bridge.policy.recipients import addressed, reaching
from bridge.policy.steps import Frame, steps_of
from bridge.policy.views import SendTo
from bridge.policy.ways import Because, Blocked, Extra, Way, ways
from bridge.words import tell
from tests.unit.policy.helpers import TEXTS, case, claim, days, level, plan, rules
from tests.unit.policy.together import CALL, FULL, GROUP, HOME, LENA, OWN, TODAY, YOUNG, A, made

# --------------------------------------------------------------------------------------------------------- done in the house


def test_a_call_has_a_task_and_no_approval():
    """Its owner is named by the plan, else the customer's; due on a working day; whom to call is told."""
    its = rules(plan({**CALL, "call_task": {"due_days": 5, "note": "freundlich"}}))
    people = (Contact(email="rechnung@example.com", name="Frau Muster", phone="0221 1"),)
    (call,) = made(case(contacts=people, colleagues=(LENA,), kind=DebtorKind.BUSINESS), its)
    assert (call.channel, call.automation.value, call.needs_approval, call.leaves) == (Via.CALL, "send", False, False)
    assert (call.recipient, call.deadline, call.steps, call.total) == ("Frau Muster 0221 1", None, (), 10000)
    assert (call.task.owner, call.task.due_on, call.task.note) == ("lena@example.com", date(2026, 10, 12), "freundlich")
    assert (tell(call.task.title, "de"), call.content.subject) == (
        "Anrufen: Muster GmbH (10017)",
        "Anrufen: Muster GmbH (10017)",
    )
    assert call.content.text.replace("\xa0", " ") == "RE-1, fällig 15.09.2026: 100,00 EUR\nZusammen offen: 100,00 EUR"
    (owned,) = made(case(colleagues=(LENA,)), rules(plan({**CALL, "call_task": {"owner": "max"}})))
    assert (owned.task.owner, owned.recipient) == ("max", "")
    (english,) = made(case(claim(due_on=None, payment_term_days=14, number=None), name="", number=None), replace(its, staff_language="en"))  # fmt: skip
    assert (tell(english.task.title, "en"), english.task.owner) == ("Call: d", "")
    assert english.content.text.replace("\xa0", " ") == "1: EUR 100.00\nOpen in all: EUR 100.00"


def test_word_to_colleagues_by_itself_or_after_the_letter():
    """A mail to all of them and a task, on its own as planned; beside a letter as its last step, once it sends."""
    its = rules(plan({**CALL, "internal_notice": {"note": "bitte anrufen"}, "automation": "send"}))
    whole = case(colleagues=(LENA, Colleague(email="max@example.com")), case_number="MA-1")
    (told,) = made(whole, its)
    assert (told.channel, told.recipient, told.leaves) == (Via.INTERNAL, "lena@example.com, max@example.com", True)
    (step,) = told.steps
    assert (step.act, step.channel, step.content.recipients.to) == (
        A.TELL,
        "smtp",
        ("lena@example.com", "max@example.com"),
    )
    assert step.content.text.startswith("Anruf (Stufe 1): Muster GmbH (10017), Akte MA-1.\n\nRE-1")
    assert step.content.text.endswith("bitte anrufen")
    assert (told.task.later, told.task.due_days, tell(told.task.title, "de")) == (
        True,
        2,
        "Zur Kenntnis: Muster GmbH (10017)",
    )
    beside = rules(plan(level(1, after_due=3, internal_notice={"note": "n"})))
    (mail,) = made(whole, beside)
    assert [one.act for one in mail.steps] == [A.MAIL, A.TELL]
    assert "Stufe 1 (Stufe 1) ist hinausgegangen an Muster GmbH (10017), Akte MA-1." in mail.steps[1].content.text
    assert mail.task is not None
    english = made(replace(whole, case_number=None), replace(beside, staff_language="en"))[0].steps[1].content.text
    assert english.startswith("Level 1 (level 1) went out to Muster GmbH (10017).")
    (alone,) = made(case(), beside)
    assert [one.act for one in alone.steps] == [A.MAIL]
    by_post = rules(plan(level(1, after_due=3, channels=["letter"], internal_notice=True)))
    (letter,) = made(replace(whole, address=HOME), by_post, Abilities(channels={A.LETTER: "letter_outbox"}))
    assert [one.act for one in letter.steps] == [A.LETTER]  # nothing of ours can mail
    draft = rules(plan(level(1, after_due=3, document="silent", automation="create", internal_notice=True)))
    assert A.TELL not in [one.act for one in made(whole, draft, FULL)[0].steps]


# ------------------------------------------------------------------------------------------------------------------- ways


def way(values, abilities=FULL, claims=(), extra=None):
    one = plan(level(1, after_due=3, **values)).levels[0]
    found = ways(one, one.standard, abilities, claims, extra)
    return found if isinstance(found, Blocked) else tuple((its.via.value, its.document.value, its.because and its.because.value) for its in found)  # fmt: skip


THEIRS = Abilities(acts=frozenset({A.CREATE, A.SEND_EMAIL, A.SEND_POST}))
EMAIL, POST = {"channels": ["email"]}, {"channels": ["post"]}
NETTED = claim(linked_credits=5)
SILENT = {"channels": ["mail"], "document": "silent"}
PROVIDERS = {"channels": ["mail"], "document": "provider"}


@pytest.mark.parametrize(
    ("values", "abilities", "claims", "extra", "expected"),
    [
        (EMAIL, FULL, (), None, (("provider_email", "provider", None),)),
        (EMAIL, THEIRS, (claim(),), None, (("provider_email", "provider", None),)),
        (EMAIL, FULL, (claim(), claim(invoice_id="2")), None, (("mail", "none", "bundle"),)),
        (EMAIL, FULL, (NETTED,), None, (("mail", "none", "credit"),)),
        (EMAIL, THEIRS, (NETTED,), None, Blocked(Via.EMAIL, Because.CREDIT)),
        (EMAIL, FULL, (claim(),), Extra(fee=False, more=True), (("mail", "silent", "ancillary"),)),
        (EMAIL, THEIRS, (claim(),), Extra(fee=False, more=True), Blocked(Via.EMAIL, Because.ANCILLARY)),
        (EMAIL, replace(FULL, provider_fees=False), (claim(),), Extra(fee=True), (("mail", "none", "fee"),)),
        (EMAIL, FULL, (claim(),), Extra(fee=True), (("provider_email", "provider", None),)),
        (EMAIL, replace(FULL, acts=FULL.acts - {A.SEND_EMAIL}), (), None, (("mail", "none", "act"),)),
        (EMAIL, replace(FULL, acts=FULL.acts - {A.CREATE}), (), None, (("mail", "none", "act"),)),
        (POST, replace(FULL, acts=FULL.acts - {A.SEND_EMAIL}), (), None, (("provider_post", "provider", None),)),
        (EMAIL, replace(FULL, provider_levels=("1",)), (), None, (("provider_email", "provider", None),)),
        (EMAIL, replace(FULL, provider_levels=("1",)), (claim(),), None, (("provider_email", "provider", None),)),
        (EMAIL, replace(FULL, provider_levels=("1",)), (claim(provider_level=1),), None, (("mail", "none", "levels"),)),
        (EMAIL, replace(FULL, provider_levels=()), (), None, (("mail", "none", "levels"),)),
        (EMAIL | {"document": "silent"}, FULL, (claim(),), None, (("mail", "silent", "document"),)),
        (EMAIL | {"document": "none"}, FULL, (claim(),), None, (("mail", "none", "document"),)),
        (EMAIL | {"document": "provider"}, FULL, (claim(), claim(invoice_id="2")), None, (("mail", "provider", "bundle"),)),
        (EMAIL | {"document": "provider"}, FULL, (NETTED,), None, (("mail", "none", "credit"),)),
        (EMAIL | {"document": "silent"}, FULL, (NETTED, claim(invoice_id="2")), None, (("mail", "silent", "credit"),)),
        (EMAIL | {"document": "provider"}, replace(FULL, provider_fees=False), (claim(),), Extra(fee=True), (("mail", "none", "fee"),)),
        (EMAIL | {"document": "silent"}, replace(FULL, provider_fees=False), (claim(),), Extra(fee=True), (("mail", "silent", "fee"),)),
        (EMAIL | {"automation": "create"}, THEIRS, (claim(),), None, (("provider_email", "provider", None),)),
        (EMAIL | {"automation": "create"}, FULL, (NETTED,), None, Blocked(Via.EMAIL, Because.CREDIT)),
        ({"channels": ["email", "post"]}, FULL, (), None, (("provider_email", "provider", None), ("letter", "none", "second"))),
        ({"channels": ["mail", "letter"]}, FULL, (claim(),), None, (("mail", "none", None), ("letter", "none", None))),
        (SILENT, FULL, (claim(),), None, (("mail", "silent", None),)),
        (SILENT, FULL, (NETTED,), None, (("mail", "none", "credit"),)),
        (SILENT, FULL, (claim(),), Extra(fee=True, more=True), (("mail", "silent", None),)),
        (PROVIDERS, FULL, (claim(),), None, (("mail", "provider", None),)),
        (PROVIDERS, FULL, (claim(),), Extra(fee=False, more=True), (("mail", "silent", "ancillary"),)),
        (PROVIDERS, FULL, (claim(), claim(invoice_id="2")), Extra(fee=False, more=True), (("mail", "none", "ancillary"),)),
        (PROVIDERS, replace(FULL, provider_levels=("1",)), (claim(provider_level=1),), Extra(fee=False, more=True), (("mail", "none", "ancillary"),)),
        (PROVIDERS, replace(FULL, provider_levels=("1", "2")), (claim(provider_level=1),), Extra(fee=False, more=True), (("mail", "silent", "ancillary"),)),
        ({"channels": ["provider_email"]}, FULL, (NETTED,), None, (("mail", "none", "credit"),)),
        ({"channels": ["provider_email"]}, THEIRS, (NETTED,), None, Blocked(Via.PROVIDER_EMAIL, Because.CREDIT)),
        ({"channels": ["provider_email"], "fee": 5}, replace(FULL, provider_fees=False), (claim(),), None, (("mail", "none", "fee"),)),
        ({"channels": ["mail"]}, Abilities(), (NETTED,), None, (("mail", "none", None),)),
        ({"channels": ["mail"], "internal_notice": True}, FULL, (), None, (("mail", "none", None),)),
        ({"channels": ["mail"], "call_task": True}, FULL, (), None, (("mail", "none", None), ("call", "none", None))),
    ],
)  # fmt: skip
def test_which_way_a_level_takes(values, abilities, claims, extra, expected):
    """The provider's where it says exactly what we ask for, else ours, with a record there where one can be true; else none."""
    assert way(values, abilities, claims, extra) == expected


def test_a_way_that_is_blocked_says_why():
    """The amount cannot be told truly, or nothing can send it."""
    for because in Because:
        unclear = because in (Because.CREDIT, Because.ANCILLARY, Because.FEE)
        assert Blocked(Via.EMAIL, because).reason is (Reason.AMOUNT_UNCLEAR if unclear else Reason.NO_CHANNEL)
        assert Blocked(Via.EMAIL, because).facts == {"why": because.value, "channel": "email"}
    assert Blocked(Via.EMAIL, None).facts == {"why": None, "channel": "email"}
    quiet = plan({**CALL, "internal_notice": True}).levels[0]
    assert ways(quiet, quiet.standard, Abilities()) == Blocked(Via.INTERNAL, Because.ACT)
    assert ways(quiet, quiet.standard, OWN) == (Way(Via.INTERNAL, Document.NONE, Via.INTERNAL),)


# ------------------------------------------------------------------------------------------------------------------ steps


@pytest.mark.parametrize(
    ("via", "document", "automation", "acts", "expected"),
    [
        ("mail", "none", "send", FULL.acts, ["mail", "note", "customer_note"]),
        (
            "mail",
            "silent",
            "send",
            FULL.acts,
            ["create", "amend", "mail", "complete", "mark_sent", "note", "customer_note"],
        ),
        (
            "mail",
            "provider",
            "send",
            FULL.acts,
            ["create", "amend", "complete", "mail", "mark_sent", "note", "customer_note"],
        ),
        (
            "provider_email",
            "provider",
            "send",
            FULL.acts,
            ["create", "amend", "complete", "send_email", "note", "customer_note"],
        ),
        ("mail", "provider", "create", FULL.acts, ["create", "amend"]),
        ("mail", "silent", "complete", FULL.acts, ["create", "amend", "complete"]),
        ("mail", "silent", "send", {A.CREATE}, ["create", "mail"]),
        ("mail", "silent", "send", {A.TAG}, ["create", "mail", "tag"]),
        ("mail", "none", "send", {A.TAG}, ["mail", "tag"]),
        ("mail", "none", "send", {A.TAG, A.NOTE}, ["mail", "note"]),
    ],
)
def test_the_steps_in_their_order(via, document, automation, acts, expected):
    """Drafts and their check, what completes them early, the one message, what finishes the record, the lines."""
    (notice,) = made(case(), rules(days(3)))
    frame = Frame(
        Via(via), Document(document), Automation(automation), None, notice.content, replace(FULL, acts=frozenset(acts))
    )
    assert [one.act.value for one in steps_of(frame, [(claim(), 500, "Stufe 1")])] == expected
    tagged = steps_of(frame._replace(tag="m1"), [(claim(), 500, "Stufe 1")])
    if A.TAG in acts and "mail" in expected:
        assert [one.content.tag for one in tagged if one.act is A.TAG] == ["m1"]
    netted = [one.act.value for one in steps_of(frame, [(NETTED, 500, "Stufe 1")])]
    assert "create" not in netted
    for step in steps_of(
        frame._replace(content=notice.content.model_copy(update={"text": "a\n\n[[payment]]"})), [(claim(), 0, "S")]
    ):
        if step.act is A.SEND_EMAIL:
            assert (step.content.text, step.content.attachments) == ("a", ())  # the provider knows plain text alone
        elif step.act is A.MAIL:
            assert step.content.text == "a\n\n[[payment]]"
    without = steps_of(frame._replace(customer=False), [(claim(), 500, "Stufe 1")])
    assert A.CUSTOMER_NOTE not in [one.act for one in without]


def test_a_provider_mails_our_particulars_too():
    """Business letters name register and managers (GmbHG 35a), whoever's mail server they leave by; the provider's document has its own."""
    content = Content(text="Guten Tag", footer=("Muster GmbH · Hamburg", "HRB 1"))
    frame = Frame(Via.PROVIDER_EMAIL, Document.PROVIDER, Automation.SEND, None, content, FULL)
    said = {one.act: one.content for one in steps_of(frame, [(claim(), 0, "S")])}
    assert said[A.SEND_EMAIL].text == "Guten Tag\n\n-- \nMuster GmbH · Hamburg\nHRB 1"
    assert said[A.CREATE].text == "Guten Tag"


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("01.09.2026: Mahnung (Stufe 1) per Brief; Vorlage standard", "01.09.2026: Mahnung (Stufe 1) per Brief"),
        (
            "01.09.2026: Zahlungserinnerung (Stufe 1) per E-Mail, Frist 11.09.2026; Vorlage a",
            "01.09.2026: Zahlungserinnerung (Stufe 1) per E-Mail",
        ),
        ("x" * 70, "x" * 60),
        ("x" * 60 + ", Frist", "x" * 60),
    ],
)
def test_a_line_that_is_too_long_for_a_tag_loses_whole_parts(line, tag):
    """No tag ends within a date."""
    without_notes = replace(FULL, acts=FULL.acts - {A.NOTE} | {A.TAG})
    frame = Frame(Via.PROVIDER_EMAIL, Document.PROVIDER, Automation.SEND, None, Content(line=line), without_notes)
    assert [one.content.tag for one in steps_of(frame, [(claim(), 0, "S")]) if one.act is A.TAG] == [tag]


def test_what_a_record_says():
    """Its own amounts, the fee where the provider takes one, the letter's text until it is complete, how it was sent at its end."""
    (notice,) = made(case(), rules(days(3)))
    frame = Frame(Via.MAIL, Document.SILENT, Automation.SEND, None, notice.content, FULL)
    by_act = {one.act: one for one in steps_of(frame, [(claim(), 500, "Stufe 1")])}
    create, done, noted = by_act[A.CREATE].content, by_act[A.MARK_SENT].content, by_act[A.NOTE].content
    assert (create.principal, create.fee, create.total) == (Decimal(100), Decimal(5), Decimal(105))
    assert (bool(create.text), create.subject, create.sent_by) == (True, notice.content.subject, None)
    assert (done.text, done.sent_by, noted.sent_by, bool(noted.line)) == ("", "mail", "mail", True)
    free = steps_of(frame._replace(abilities=replace(FULL, provider_fees=False)), [(claim(), 500, "Stufe 1")])[
        0
    ].content
    assert (free.fee, free.total) == (Decimal(0), Decimal(100))
    two = steps_of(frame, [(claim(), 0, "Stufe 1"), (claim(invoice_id="2"), 0, "Stufe 1")])
    assert [one.invoice_id for one in two if one.act is A.MAIL] == [None]
    assert [one.invoice_id for one in steps_of(frame, [(claim(), 0, "S")]) if one.act is A.MAIL] == ["1"]
    mail = by_act[A.MAIL].content
    assert (mail.line, mail.link, mail.sent_by) == ("", "", None)


# ---------------------------------------------------------------------------------------------------- language, recipients


@pytest.mark.parametrize(
    ("claimed", "whole", "language", "expected"),
    [
        ({}, {}, "de", "de"),
        ({}, {}, "en", "en"),
        ({"language": "en"}, {"language": "de"}, "de", "en"),
        ({}, {"language": "EN_us"}, "de", "en"),
        ({}, {"language": "fr"}, "en", "de"),  # none of that: the plan's own
        ({}, {"address": Address(country="FR")}, "de", "en"),
        ({}, {"address": Address(country="AT")}, "en", "en"),
        ({}, {"address": Address(country="CH")}, "de", "de"),
        ({}, {"address": Address(country="")}, "de", "de"),
        ({"address": Address(country="FR")}, {"address": Address(country="DE")}, "de", "en"),
    ],
)
def test_the_language_of_a_notice(claimed, whole, language, expected):
    """The invoice's, the customer's, the country's, the account's; and where there is no text in it, the plan's own."""
    its = rules(days(3), language=language)
    made_for = its.plans["plan"]
    assert language_of(case(**whole), claim(**claimed), made_for.levels[0], made_for, its) == expected


def test_a_level_without_the_plans_language_speaks_what_it_has():
    """A call has no texts: the plan's language."""
    call = plan({**CALL, "call_task": True}, language="en")
    assert language_of(case(), claim(), call.levels[0], call, rules(call)) == "en"
    german = plan(level(1, texts={"de": TEXTS["de"]}))
    assert language_of(case(language="en"), claim(), german.levels[0], german, rules(german)) == "de"


def test_a_choice_for_one_level_goes_before_one_for_all():
    """Mail and post each by itself; one for another level does not count."""
    chosen = (
        SendTo(2, ("two@example.com",)), SendTo(1, (), HOME), SendTo(0, ("all@example.com",), Address(city="Bonn")),
    )  # fmt: skip
    one = addressed(claim(send_to=chosen), 1)
    assert (one.mail_to, one.post_to) == (("all@example.com",), HOME)
    assert addressed(claim(send_to=chosen), 2).mail_to == ("two@example.com",)
    assert addressed(claim(), 1) == claim()
    assert addressed(claim(send_to=chosen[:1]), 1).mail_to == ()


@pytest.mark.parametrize(
    ("values", "whole", "allowed", "channels", "document"),
    [
        ({"channels": ["mail"]}, {"email": None, "address": HOME}, True, ("letter",), Document.NONE),
        ({"channels": ["mail", "letter"]}, {"email": None, "address": HOME}, True, ("letter",), Document.NONE),
        ({"channels": ["mail"], "document": "silent"}, {"email": None, "address": HOME}, True, ("letter",), Document.SILENT),
        ({"channels": ["mail"], "document": "provider"}, {"email": None, "address": HOME}, True, ("letter",), Document.NONE),
        ({"channels": ["mail"]}, {"address": HOME}, True, ("mail",), None),
        ({"channels": ["mail"]}, {"email": None, "address": HOME}, False, ("mail",), None),
        ({"channels": ["mail"]}, {"email": None}, True, ("mail",), None),
        ({"channels": ["letter"]}, {"email": None, "address": HOME}, True, ("letter",), None),
        ({"channels": ["mail"], "document": "silent", "automation": "create"}, {"email": None, "address": HOME}, True, ("mail",), Document.SILENT),
    ],
)  # fmt: skip
def test_a_letter_in_place_of_a_mail(values, whole, allowed, channels, document):
    """Once for each mail that has no address, where letters may and there is a postal one; its record stays if it was silent."""
    one = plan(level(1, **values)).levels[0]
    found = reaching(case(**whole), claim(), one, one.standard, rules(letter_without_email=allowed))
    assert tuple(via.value for via in found.channels) == channels
    assert found.document is document


def test_what_goes_along_rises_nowhere():
    """It is asked for at no level and without a fee; the fee is that of the one that leads, once."""
    money = MoneyRules(due_source=DueSource.CONTRACT, unknown_kind=DebtorKind.BUSINESS)
    its = rules(plan(level(1, after_due=6, fee=5), level(2, after_due=20), bundling=GROUP), money=money)
    whole = case(claim(invoice_id="1"), claim(invoice_id="3"), claim(**YOUNG))
    decided = decide(whole, its, TODAY)
    (notice,) = compose(whole, decided, its, OWN, TODAY)
    assert [(one.invoice_id, one.level, one.fee, one.level_name) for one in notice.claims] == [
        ("1", 1, 500, "Stufe 1"), ("3", 1, 0, "Stufe 1"), ("2", 0, 0, ""),
    ]  # fmt: skip
    assert (notice.triggers, notice.total) == (("1", "3"), 30500)
    along = notice.claims[-1]
    assert (along.repetition, along.basis.plan, along.basis.plan_version) == (TODAY.toordinal(), "", "")
    assert [one.invoice_id for one in notice.steps if one.act is A.MAIL] == [None]
    assert "2" not in [one.invoice_id for one in notice.steps if one.act is not A.MAIL]
