"""What a level asks people to do: calls, telling colleagues, the hand-over to collection; and which files go with a mail."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.model import Act, Address, Colleague, Contact, DebtorKind, Reason
from bridge.policy import Abilities, Automation, Block, Running, Via, compose, naming, unsendable
from bridge.policy.beside import Part
from bridge.policy.colleagues import colleague_of, colleagues_of, written
from bridge.policy.decide import decide_claim
from bridge.policy.fits import plan_fits
from bridge.policy.forecast import coming
from bridge.policy.load import BadPlan, parse_plan
from bridge.policy.rules import Caretaker
from bridge.words import tell
from tests.unit.policy.helpers import case, charged, claim, decided, level, plan, rules, walk

DUE = date(2026, 9, 15)  # a Tuesday
DAY = timedelta(days=1)
OWN = Abilities(channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"}, documents=True)
HOME = Address(street="Weg 1", postcode="20095", city="Hamburg")
LENA = Colleague(email="lena@example.com", name="Lena Vogt", sales_rep=True)
MAX = Colleague(email="max@example.com")


def doing(number, **values):
    """A level that writes nothing to the debtor."""
    trigger = {key: values.pop(key) for key in ("after_due", "after_previous") if key in values}
    return {"name": {"de": f"Stufe {number}"}, "trigger": trigger or {"after_due": 7 * number}, **values}


def last(number, **values):
    return level(number, type="last", term_days=7, **values)


ENDING = (level(1, term_days=7), last(2), doing(3, collection=True))


def drafts(one, its_rules, today, abilities=OWN, *, whole=None):
    whole = whole or case(one)
    decisions = [decide_claim(whole, each, its_rules, today) for each in whole.claims]
    return compose(whole, decisions, its_rules, abilities, today)


# ---------------------------------------------------------------------------------------------------------------- plans

PLAN = """
name: haus
levels:
  - name: Erinnerung
    trigger: {after_due: 3}
    channels: [mail]
    texts: {de: {subject: "Rechnung", body: "Bitte zahlen."}}
  - name: Zweite
    trigger: {after_due: 14}
    CALL
"""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("channels: [call]", "write call_task on the level instead"),
        ("grace_days: 1", "needs channels, call_task, internal_notice or collection"),
        ("call_task: {due_days: -1}", "due_days = -1"),
        ("call_task: {who: lena}", "there is no such key"),
        ("{call_task: true, fee: 5}", "fee: nothing is written to the debtor"),
        ("{call_task: true, automation: create}", "automation: nothing is written"),
        ("{collection: true, call_task: true}", "a hand-over stands alone"),
        ("{collection: true, repeat: {every_days: 7, limit: 2}}", "neither repeated"),
        ("{channels: [mail], recipients: {sales_rep: to}}", "'cc' or 'bcc'"),
        ("{channels: [mail], attachments: [../etc]}", "attachments.1.name"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(lines, words):
    """Calls, notices, hand-overs, copies and files that make no sense are refused when the plan is read."""
    inner = lines.removeprefix("{").removesuffix("}") if lines.startswith("{") else lines
    parts, depth, part = [], 0, ""
    for sign in inner:
        depth += (sign in "{[") - (sign in "}]")
        if sign == "," and not depth:
            parts, part = [*parts, part], ""
        else:
            part += sign
    text = PLAN.replace("CALL", "\n    ".join(one.strip() for one in (*parts, part)))
    with pytest.raises(BadPlan) as caught:
        parse_plan(text, "plan.yaml")
    assert words in str(caught.value)
    assert "plan.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((doing(1, collection=True),), "follows a reminder"),
        ((level(1), doing(2, collection=True), level(3)), "is the last level"),
        ((level(1, type="last"), level(2)), "is the last reminder, but level 2 follows"),
        ((level(1, type="last"), doing(2, call_task=True)), "is the last reminder, but level 2 follows"),
    ],
)
def test_the_end_of_a_plan_is_in_order(levels, words):
    """Only a hand-over may follow the last reminder, and nothing a hand-over."""
    with pytest.raises(ValueError, match=words):
        plan(*levels)


def test_a_task_may_be_switched_on_and_off_in_one_word():
    """`call_task: true` is a task with its defaults, `false` none."""
    one = plan(level(1, call_task=True, internal_notice=False)).levels[0]
    assert one.vias(one.standard) == (Via.MAIL, Via.CALL)
    assert one.internal_notice is None


# ----------------------------------------------------------------------------------------------- calls, the last reminder


@pytest.mark.feature("S-AGI-16")
def test_a_group_plan_mails_calls_and_writes_by_the_oldest_invoices_age():
    """+10 mail, +20 call, +30 letter: each once for the whole group, on the days of the oldest invoice."""
    group = plan(
        level(1, after_due=10, term_days=5),
        doing(2, after_due=20, call_task=True),
        level(3, after_due=30, channels=["letter"]),
        bundling={"when": "from_first"},
        minimum_interval_days=10,
    )
    old, young = claim(), claim(invoice_id="2", due_on=DUE + 4 * DAY, gross=5000, open=5000)
    found = coming(case(old, young, address=HOME), rules(group), OWN, DUE, DUE + 32 * DAY)
    told = [((one.on - DUE).days, one.draft.channel, one.draft.total, len(one.draft.claims)) for one in found]
    assert told == [(10, Via.MAIL, 15000, 2), (20, Via.CALL, 15000, 2), (30, Via.LETTER, 15000, 2)]


@pytest.mark.feature("S-PAY-21")
def test_the_last_reminder_has_its_own_text_and_rules_and_nothing_automatic_follows():
    """Its own words and list of what is beside; afterwards nothing goes out, and a hand-over is only ever proposed."""
    own = {"de": {"subject": "LETZTE {{ invoice_number }}", "body": "Letzte Frist {{ deadline }}."}}
    lists = {"when": "from_first", "include_not_due": True, "last": {"include_not_due": False}}
    ending = plan(level(1, term_days=7), last(2, texts=own), doing(3, collection=True), bundling=lists)
    two = case(claim(), claim(invoice_id="2", due_on=DUE + 200 * DAY), address=HOME)
    first, second, third = coming(two, rules(ending), OWN, DUE, DUE + 150 * DAY)
    assert [one.part for one in first.draft.others] == [Part.MENTIONED]
    assert [one.part for one in second.draft.others] == [Part.LEFT_OUT], (
        "an item of the normal bundle is left out of the last"
    )
    assert (first.draft.content.subject, second.draft.content.subject) == ("Stufe 1 RE-1", "LETZTE RE-1")
    assert (third.draft.channel, third.draft.needs_approval, third.draft.steps) == (Via.COLLECTION, True, ())
    assert [one[1] for one in walk(claim(), rules(plan(level(1), last(2))), DUE, DUE + 300 * DAY)] == [1, 2]


def test_a_call_needs_no_approval_asks_for_no_fee_and_sets_no_term():
    """A call waits for a person by itself: nothing to approve, no step for a machine, the sum with the fees asked for before."""
    called = plan(level(1), doing(2, after_due=20, call_task={"note": "Frau Kurz", "due_days": 3, "owner": "Anna"}))
    people = (
        Contact(name="Zentrale", phone="040 1"),
        Contact(name="Kurz", email="rechnung@example.com", phone="040 2"),
    )
    one = claim(level=1, level_on=DUE, history=charged(250))
    [draft] = drafts(one, rules(called), DUE + 23 * DAY, whole=case(one, contacts=people))
    assert (draft.needs_approval, draft.leaves, draft.steps, draft.deadline) == (False, False, (), None)
    assert (draft.total, draft.recipient, draft.content.recipients.to) == (10250, "Kurz 040 2", ())
    task = draft.task
    assert (task.kind, task.owner, task.note, task.later) == (Via.CALL, "Anna", "Frau Kurz", False)
    assert task.due_on == date(2026, 10, 12), "three days later is a Sunday"


def test_a_mail_a_call_and_a_notice_on_one_level_are_two_notices_and_tell_once():
    """The mail tells the colleagues after it went out, the call stands beside it; the letter of a second channel tells nobody again."""
    both = plan(level(1, channels=["mail", "letter"], call_task=True, internal_notice={"due_days": 4}))
    whole = case(address=HOME, colleagues=(MAX, LENA))
    found = drafts(whole.claims[0], rules(both), DUE + 10 * DAY, whole=whole)
    assert [one.channel for one in found] == [Via.MAIL, Via.LETTER, Via.CALL]
    assert [[step.act for step in one.steps] for one in found] == [[Act.MAIL, Act.TELL], [Act.LETTER], []]
    told = found[0].steps[-1]
    assert (told.channel, told.content.recipients.to) == ("smtp", ("lena@example.com", "max@example.com"))
    assert "Muster GmbH" in told.content.text
    assert (found[0].task.owner, found[0].task.due_days, found[0].task.later) == ("lena@example.com", 4, True)
    assert found[1].task is None


def test_an_internal_notice_alone_needs_somebody_to_tell():
    """Without colleagues it is held as without recipient, without a mail server as without a way; with both it is one step."""
    inner = rules(plan(level(1), doing(2, after_due=20, internal_notice=True, automation="send")))
    one = claim(level=1, level_on=DUE)
    today = DUE + 23 * DAY
    assert decided(one, inner, today).reason is Reason.NO_RECIPIENT
    whole = case(one, colleagues=(MAX,))
    [decision] = [decide_claim(whole, one, inner, today)]
    assert unsendable(whole, [decision], inner, Abilities(), today)["1"].reason is Reason.NO_CHANNEL
    [draft] = drafts(one, inner, today, whole=whole)
    assert [step.act for step in draft.steps] == [Act.TELL]
    assert (draft.recipient, draft.automation) == ("max@example.com", Automation.SEND)


def test_what_reaches_nobody_at_the_debtors_keeps_no_distance():
    """A hand-over or an internal notice does not wait for the minimum interval between two messages to the debtor; a call does."""
    for action, reason in (
        ({"internal_notice": True}, Reason.LEVEL_DUE),
        ({"call_task": True}, Reason.MINIMUM_INTERVAL),
    ):
        one = claim(level=1, level_on=DUE + 20 * DAY)
        whole = case(one, colleagues=(MAX,))
        decision = decide_claim(whole, one, rules(plan(level(1), doing(2, after_due=20, **action))), DUE + 23 * DAY)
        assert decision.reason is reason


# ----------------------------------------------------------------------------------------------------------- collection

TODAY = DUE + 40 * DAY  # a Sunday? no matter: the gate is asked before the day


def at_the_end(**values):
    return claim(level=2, level_on=DUE + 20 * DAY, deadline=DUE + 30 * DAY, **values)


@pytest.mark.parametrize(
    ("change", "whole", "why"),
    [
        ({"deadline": DUE + 50 * DAY, "next_level": 3}, {}, "deadline"),
        ({"level": 1, "next_level": 3}, {}, "last_reminder"),
        ({}, {"address": None}, "address"),
        ({"deadline": None, "level_on": DUE + 36 * DAY}, {}, "deadline"),
    ],
)
def test_a_hand_over_waits_for_the_last_reminder_its_deadline_and_an_address(change, whole, why):
    """Also where a person chose the level, nothing is proposed before the last reminder and its term, or without an address."""
    its_rules = rules(plan(*ENDING))
    one = replace(at_the_end(), **change)
    decision = decide_claim(case(one, **{"address": HOME, **whole}), one, its_rules, TODAY)
    assert (decision.reason, decision.facts) == (Reason.COLLECTION_NOT_READY, {"why": why})


@pytest.mark.parametrize("reason", [Reason.DISPUTE, Reason.INSOLVENCY, Reason.PAYMENT_PLAN, Reason.COLLECTION])
def test_a_hand_over_is_stopped_by_every_hold(reason):
    """Disputed, insolvent, in instalments, or there already: not handed over."""
    one = at_the_end(blocks=(Block(reason),))
    assert decide_claim(case(one, address=HOME), one, rules(plan(*ENDING)), TODAY).reason is reason


def test_all_claims_of_the_debtor_go_to_the_agency_together():
    """One hand-over for all claims that are ready, though the plan bundles nothing; a currency of its own goes alone; no automation skips the person."""
    its_rules = rules(plan(*(*ENDING[:2], doing(3, collection=True, automation="send"))), agency="Inkasso Muster")
    two = (at_the_end(), at_the_end(invoice_id="2"))
    whole = case(*two, address=HOME, kind=DebtorKind.BUSINESS)
    [draft] = drafts(two[0], its_rules, date(2026, 10, 26), whole=whole)
    assert [one.invoice_id for one in draft.claims] == ["1", "2"]
    assert (draft.automation, draft.recipient, draft.task) == (Automation.PROPOSE, "Inkasso Muster", None)


@pytest.mark.parametrize("listed", [True, False])
def test_what_only_the_agency_is_left_for_is_ready_for_collection_in_a_bundle(listed):
    """An invoice whose hand-over is proposed is mentioned in a bundle where the plan says so, and never asked for again."""
    lists = {"when": "from_first", "include_ready_for_collection": listed}
    its_rules = rules(plan(*ENDING, bundling=lists))
    gone = at_the_end(running=Running(7, "proposed", 3, channel="collection"))
    young = claim(invoice_id="2", due_on=date(2026, 10, 15))
    whole = case(gone, young, address=HOME)
    [draft] = drafts(young, its_rules, date(2026, 10, 26), whole=whole)
    [other] = draft.others
    assert (other.part, other.why) == (Part.MENTIONED if listed else Part.LEFT_OUT, Reason.PLAN_COMPLETE.value)
    assert draft.total == 10000


# ------------------------------------------------------------------------------------------------- colleagues and files


@pytest.mark.parametrize("text", ["*Lena Vogt <lena@example.com>", "max@example.com", "Max <max@example.com>"])
def test_people_are_read_as_they_are_written(text):
    """An address, or a name with an address; a star makes the account owner."""
    assert written(colleague_of(text)) == text


@pytest.mark.parametrize(
    "text", ["Lena", "lena@", "a@b.c, d@e.f", "Lena <lena@example.com", "x\r\ny <a@b.example>", "a;b <a@b.example>"]
)
def test_nobody_to_write_to_is_refused(text):
    """Half an address, two of them, or control characters are no colleague."""
    with pytest.raises(ValueError, match="is nobody to write to"):
        colleague_of(text)


def test_colleagues_come_from_people_the_provider_and_the_configuration():
    """Named ones and configured ones by customer or tag, nobody twice, the account owner first; who has other customers does not count."""
    its_rules = rules(
        plan(level(1)),
        caretakers=(
            Caretaker(LENA, customers=frozenset({"10017"})),
            Caretaker(Colleague(email="MAX@example.com"), tags=frozenset({"vip"})),
            Caretaker(Colleague(email="tim@example.com"), customers=frozenset({"1"})),
        ),
    )
    assert colleagues_of(case(colleagues=(MAX,), tags=("vip",)), its_rules) == (LENA, MAX)
    assert colleagues_of(case(number="7"), its_rules) == ()


@pytest.mark.parametrize(
    ("rule", "cc", "bcc"),
    [
        ({}, (), ()),
        ({"sales_rep": True}, ("lena@example.com",), ()),
        ({"colleagues": "bcc"}, (), ("lena@example.com", "max@example.com")),
        (
            {"sales_rep": "cc", "colleagues": "bcc", "cc": ["chef@example.com"]},
            ("chef@example.com", "lena@example.com"),
            ("max@example.com",),
        ),
    ],
)
def test_copies_go_to_the_people_that_the_level_names(rule, cc, bcc):
    """Sales representative and colleagues get open or hidden copies, besides fixed addresses; the debtor's own stay as they are."""
    whole = case(colleagues=(LENA, MAX))
    [draft] = drafts(whole.claims[0], rules(plan(level(1, recipients=rule))), DUE + 10 * DAY, whole=whole)
    told = draft.content.recipients
    assert (told.to, told.cc, told.bcc) == (("rechnung@example.com",), cc, bcc)
    assert draft.recipient == "rechnung@example.com"


def test_the_account_owner_stands_in_the_text():
    """The variable names the sales representative; nothing where nobody is known."""
    text = {"de": {"subject": "x", "body": "Es fragt {{ account_owner }} {{ account_owner_email }}."}}
    its_rules = rules(plan(level(1, texts=text)))
    said = [
        drafts(None, its_rules, DUE + 10 * DAY, whole=case(colleagues=who))[0].content.text for who in ((MAX, LENA), ())
    ]
    assert said == ["Es fragt Lena Vogt lena@example.com.", "Es fragt  ."]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, [("RE-1.pdf", False)]),
        ([], []),
        (["invoice", "terms"], [("RE-1.pdf", False), ("terms", False)]),
        ([{"name": "invoice", "optional": True}], [("RE-1.pdf", True)]),
    ],
)
def test_the_files_of_a_mail_are_those_that_the_level_names(wanted, found):
    """The invoice by default; what the level lists where it lists something; what is optional is marked so."""
    values = {} if wanted is None else {"attachments": wanted}
    [draft] = drafts(claim(), rules(plan(level(1, **values))), DUE + 10 * DAY)
    [mail] = draft.steps
    assert [(one.filename, one.optional) for one in mail.content.attachments] == found


@pytest.mark.parametrize(
    ("values", "abilities", "found"),
    [
        ({"internal_notice": True}, replace(OWN, channels={Act.LETTER: "x"}), [("warning", "plan_internal")]),
        ({"attachments": ["invoice"]}, replace(OWN, documents=False), [("error", "plan_attachments")]),
        ({"attachments": [{"name": "invoice", "optional": True}]}, replace(OWN, documents=False), []),
        ({"attachments": ["terms"], "channels": ["provider_email"]}, OWN, [("warning", "plan_attachments")]),
    ],
)
def test_check_says_what_a_level_lacks_for_its_people_and_files(values, abilities, found):
    """No mail server for the colleagues, no invoices to attach, a provider that takes no files: told before a mail is due."""
    one = plan(level(1, **{"channels": ["letter"], **values}))
    told = [(each.severity.value, each.code) for each in plan_fits(one, abilities)]
    assert [each for each in told if each[1] in ("plan_internal", "plan_attachments")] == found


def test_check_refuses_a_level_that_can_tell_nobody():
    """An internal notice and nothing else, without a mail server: an error."""
    told = plan_fits(plan(level(1), doing(2, internal_notice=True)), Abilities())
    assert ("error", "plan_internal") in [(one.severity.value, one.code) for one in told]


OPEN_ENDED = (level(1, term_days=7), level(2, term_days=7), last(3))


@pytest.mark.parametrize(
    ("at", "decided", "ends", "reason", "level_"),
    [
        (3, "last", OPEN_ENDED, Reason.LEVEL_DUE, 4),  # behind the plan's last reminder
        (2, "last", ENDING, Reason.LEVEL_DUE, 3),  # the plan's own level
        (1, "early", OPEN_ENDED, Reason.LEVEL_DUE, 4),
        (1, "last", OPEN_ENDED, Reason.LEVEL_DUE, 2),  # the reminders go on until then
        (0, "early", OPEN_ENDED, Reason.LEVEL_DUE, 1),  # nothing has reached the debtor yet
        (4, "last", OPEN_ENDED, Reason.LEVEL_DUE, 4),  # it came back from the agency: once more
        (4, None, OPEN_ENDED, Reason.PLAN_COMPLETE, None),  # nobody decided that
    ],
)
def test_a_person_may_decide_on_the_hand_over_with_any_plan(at, decided, ends, reason, level_):
    """After the last reminder, or early after any, and once more after a recall; before that the plan goes on."""
    one = replace(at_the_end(hand_over=decided, hand_over_by="Erika"), level=at)
    found = decide_claim(case(one, address=HOME), one, rules(plan(*ends)), date(2026, 10, 26))
    assert (found.reason, found.level) == (reason, level_)
    by_erika = found.outcome == "escalate" and level_ >= len([its for its in ends if "texts" in its]) + 1
    assert found.chosen_by == ("Erika" if by_erika else "")
    assert found.repetition == (1 if (at, decided) == (4, "last") else 0)
    assert found.skipped == ((2, 3) if (at, decided) == (1, "early") else ())


@pytest.mark.parametrize(
    ("change", "whole", "reason"),
    [
        ({"deadline": date(2026, 11, 2)}, {}, Reason.COLLECTION_NOT_READY),
        ({}, {"address": None}, Reason.COLLECTION_NOT_READY),
        ({"blocks": (Block(Reason.DISPUTE),)}, {}, Reason.DISPUTE),
        ({"level": 4, "blocks": (Block(Reason.COLLECTION),)}, {}, Reason.COLLECTION),
    ],
)
def test_a_persons_hand_over_passes_the_same_gate(change, whole, reason):
    """Term still running, no address, disputed: not even early, in whoever's name."""
    one = replace(at_the_end(hand_over="early"), **change)
    its_rules = rules(plan(*OPEN_ENDED))
    found = decide_claim(case(one, **{"address": HOME, **whole}), one, its_rules, date(2026, 10, 26))
    assert found.reason is reason


def test_a_persons_hand_over_is_a_proposal_over_all_their_claims():
    """What no plan names is proposed in both languages, to the agency, and always waits for a person."""
    its_rules = rules(plan(*OPEN_ENDED), agency="Inkasso Muster")
    two = tuple(replace(at_the_end(invoice_id=number, hand_over="last"), level=3) for number in ("1", "2"))
    [draft] = drafts(two[0], its_rules, date(2026, 10, 26), whole=case(*two, address=HOME))
    assert [one.invoice_id for one in draft.claims] == ["1", "2"]
    assert (draft.level, draft.level_name, draft.recipient) == (4, "Übergabe an das Inkasso", "Inkasso Muster")
    assert draft.automation is Automation.PROPOSE
    told = naming.named(its_rules.plans["plan"], 4, draft.level_name)
    assert tell(told, "en") == "Hand-over to collection"
