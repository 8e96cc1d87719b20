"""What a plan's checks, texts and answers tell: whether plan and account fit, what a text may use, what `explain` says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from bridge.errors import Wrong
from bridge.model import Act, Colleague, DebtorKind, Reason, Severity
from bridge.policy import Abilities, Outcome, texts, words
from bridge.policy.colleagues import people_fit
from bridge.policy.compose import intended
from bridge.policy.decide import decide_claim
from bridge.policy.explain import EVERYTHING, events, explain, forecast, upcoming, with_claim
from bridge.policy.fits import plan_fits
from bridge.policy.forecast import coming
from bridge.policy.money import DueSource, MoneyRules, NoteCode
from bridge.policy.rules import AccountRules, Caretaker
from bridge.policy.variables import variables
from bridge.policy.ways import Because, Blocked
from tests.unit.policy.helpers import case, claim, days, level, plan, rules

TODAY = date(2026, 10, 5)
A = Act
OURS = {A.MAIL: "smtp", A.LETTER: "letter_outbox"}
FULL = Abilities(acts=frozenset(A) - {A.MAIL, A.LETTER}, channels=OURS, documents=True)
THEIRS = Abilities(acts=FULL.acts, documents=True)
MONEY = MoneyRules(due_source=DueSource.CONTRACT, unknown_kind=DebtorKind.BUSINESS)


def on(number):
    return TODAY + timedelta(days=number)


# ------------------------------------------------------------------------------------------------------------------- fits


def told(made, abilities=FULL):
    return [(one.severity, one.code, str(one.text)) for one in plan_fits(made, abilities)]


E, W, N = Severity.ERROR, Severity.WARNING, Severity.INFO


@pytest.mark.parametrize(
    ("values", "abilities", "expected"),
    [
        ({}, FULL, []),
        ({}, replace(FULL, acts=frozenset({A.NOTE})), []),
        ({}, replace(FULL, acts=frozenset({A.TAG})), []),
        ({}, replace(FULL, acts=frozenset()), [(N, "no_place_for_note", "no place for a line")]),
        ({"channels": ["letter"]}, replace(FULL, channels={A.MAIL: "smtp"}), [(E, "plan_channel", "set channels.letter_outbox")]),
        ({"channels": ["mail"]}, THEIRS, [(E, "plan_channel", "set channels.smtp")]),
        ({"channels": ["provider_post"]}, replace(FULL, acts=FULL.acts - {A.SEND_POST}), [(E, "plan_channel", "connector cannot send it")]),
        ({"document": "silent"}, replace(FULL, acts=FULL.acts - {A.CREATE}), [(E, "plan_document", "document: silent needs reminders")]),
        ({"channels": ["email"], "document": "provider"}, replace(FULL, acts=FULL.acts - {A.CREATE}), [(E, "plan_document", "document: provider")]),
        ({"channels": ["email"]}, replace(FULL, acts=FULL.acts - {A.CREATE}), []),
        ({"channels": ["email", "letter"]}, replace(FULL, acts=FULL.acts - {A.CREATE}), []),
        ({"channels": ["mail", "letter"], "document": "silent"}, replace(FULL, acts=FULL.acts - {A.MARK_SENT}), [(W, "plan_mark_sent", "")]),
        ({"document": "silent"}, replace(FULL, acts=FULL.acts - {A.MARK_SENT}), [(W, "plan_mark_sent", "cannot be marked as sent")]),
        ({"document": "none"}, replace(FULL, acts=FULL.acts - {A.MARK_SENT}), []),
        ({"channels": ["provider_email"]}, replace(FULL, acts=FULL.acts - {A.MARK_SENT}), []),
        ({"document": "silent", "fee": 5}, replace(FULL, provider_fees=False), [(N, "plan_fee_silent", "fee 5.00")]),
        ({"document": "silent", "fee": 5}, FULL, []),
        ({"document": "silent"}, replace(FULL, provider_fees=False), []),
        ({"channels": ["provider_email"], "fee": 5}, replace(FULL, provider_fees=False), [(W, "plan_fee", "our own mail or letter goes out")]),
        ({"channels": ["provider_email"], "fee": 5}, replace(THEIRS, provider_fees=False), [(E, "plan_fee", "take the fee out")]),
        ({"channels": ["provider_email"], "automation": "complete"}, replace(FULL, acts=FULL.acts - {A.COMPLETE}), [(E, "plan_automation", "no step between")]),
        ({"channels": ["provider_email"], "automation": "complete"}, FULL, []),
        ({"channels": ["provider_email"], "interest": True}, THEIRS, [(W, "plan_ancillaries", "set channels.smtp, or write where_possible")]),
        ({"channels": ["provider_post"], "flat_fee": True}, THEIRS, [(W, "plan_ancillaries", "set channels.letter_outbox")]),
        ({"channels": ["provider_email"], "interest": "where_possible"}, THEIRS, [(N, "plan_ancillaries", "set channels.smtp to have them")]),
        ({"channels": ["provider_email"], "interest": True}, FULL, []),
        ({"channels": ["email"], "automation": "create", "interest": True}, FULL, [(W, "plan_ancillaries", "write automation: propose or send")]),
        ({"channels": ["email"]}, THEIRS, [(N, "plan_no_own_channel", "set channels.smtp")]),
        ({"channels": ["post"]}, replace(FULL, channels={A.MAIL: "smtp"}), [(N, "plan_no_own_channel", "set channels.letter_outbox")]),
        ({"channels": ["post"]}, Abilities(acts=frozenset({A.NOTE})), [(E, "plan_channel", "set channels.letter_outbox")]),
        ({"internal_notice": True}, THEIRS, [(E, "plan_channel", "channel mail"), (W, "plan_internal", "set channels.smtp")]),
        ({"attachments": ["invoice"]}, replace(FULL, documents=False), [(E, "plan_attachments", "hands out no invoices")]),
        ({"attachments": [{"name": "invoice", "optional": True}]}, replace(FULL, documents=False), []),
        ({"attachments": ["invoice"]}, FULL, []),
        ({"channels": ["provider_email"], "attachments": ["agb"]}, FULL, [(W, "plan_attachments", "takes no files of ours")]),
        ({"channels": ["provider_email"], "attachments": []}, FULL, []),
        ({"channels": ["provider_email"]}, replace(FULL, provider_levels=("1",)), []),
        ({"channels": ["provider_email"], "repeat": {"every_days": 7, "limit": 1}}, replace(FULL, provider_levels=("1",)), [(E, "plan_levels", "makes up to 2 reminders")]),
        ({"channels": ["email"], "repeat": {"every_days": 7, "limit": 1}}, replace(FULL, provider_levels=("1",)), [(N, "plan_levels", "the further ones go out as our own")]),
        ({"channels": ["email"], "repeat": {"every_days": 7, "limit": 1}}, replace(THEIRS, provider_levels=("1",)), [(N, "plan_no_own_channel", ""), (E, "plan_levels", "which has 1 dunning level (1)")]),
        ({"channels": ["mail"], "repeat": {"every_days": 7, "limit": 9}}, replace(FULL, provider_levels=("1",)), []),
        ({"channels": ["provider_email"]}, replace(FULL, provider_levels=()), [(E, "plan_levels", "(none)")]),
        ({"channels": ["email"]}, replace(THEIRS, provider_levels=()), [(E, "plan_channel", "")]),
    ],
)  # fmt: skip
def test_what_of_a_plan_an_account_cannot_do(values, abilities, expected):
    """Each with its severity and what to set; nothing is said that does not matter."""
    found = told(plan(level(1, after_due=3, **values)), abilities)
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    for (_, _, text), (_, _, part) in zip(found, expected, strict=True):
        assert part in text


def test_equal_remarks_are_told_once_with_their_levels():
    """One level or several, and the variant where there is more than one."""
    two = plan(level(1, channels=["mail"]), level(2, channels=["mail"]), level(3, channels=["letter"]))
    found = [one[2] for one in told(two, replace(FULL, channels={}))]
    assert [text.partition(":")[0] for text in found] == ["plan plan, levels 1, 2", "plan plan, level 3"]
    both = [{"name": "a", "channels": ["mail"], "standard": True}, {"name": "b", "channels": ["letter"]}]
    [found] = [one[2] for one in told(plan(level(1, variants=both)), replace(FULL, channels={A.MAIL: "smtp"}))]
    assert found.startswith("plan plan, level 1 (b):")


def test_levels_beyond_the_providers_own_are_counted_over_the_plan():
    """Three at the provider where it has two: the third is the one that matters."""
    three = plan(*(level(number, channels=["email"]) for number in (1, 2, 3)))
    assert told(three, replace(FULL, provider_levels=("1", "2", "3"))) == []
    [(severity, code, text)] = told(three, replace(FULL, provider_levels=("1", "2")))
    assert (severity, code) == (N, "plan_levels")
    assert "up to 3 reminders" in text
    ours = {"name": "b", "channels": ["mail"], "document": "none"}
    theirs = {"name": "a", "channels": ["email"], "standard": True}
    varied = plan(*(level(number, variants=[theirs, ours]) for number in (1, 2, 3)))
    assert [one[1] for one in told(varied, replace(FULL, provider_levels=("1", "2")))] == ["plan_levels"]
    mixed = plan(level(1, channels=["provider_email"]), level(2, channels=["email"]), level(3, channels=["email"]))
    assert [one[0] for one in told(mixed, replace(FULL, provider_levels=("1", "2")))] == [N]
    last = plan(level(1, channels=["email"]), level(2, channels=["email"]), level(3, channels=["provider_email"]))
    assert [one[0] for one in told(last, replace(FULL, provider_levels=("1", "2")))] == [E]


# ------------------------------------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ total }}", None),
        ("{% if several %}a{% else %}b{% endif %}", None),
        ("{% for a in items %}{% for b in credits %}{{ b.number }}{% endfor %}{% endfor %}", None),
        (
            "{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}",
            "uses For",
        ),
        ("{{ total|upper }}", None),
        ("{{ total|attr('x') }}", "|attr"),
        ("{{ total() }}", "Call"),
        ("{{ totall }}", "did you mean 'total'?"),
        ("{{ xyzzy }}", "there is no variable 'xyzzy'; known are"),
        ("{% for one in items %}{{ one.numbre }}{% endfor %}", "did you mean 'number'?"),
        (
            "{% if several %}viele",
            "a block of the text is not closed in line 1 of the text; end it with one of {% endif %}",
        ),
        ("{% if several %}{{ nope }}{% endif %}", "'nope'"),
        ("{% if not several %}{% for one in items %}{{ one.nope }}{% endfor %}{% endif %}", "have no 'nope'"),
        ("{% if not fee %}{{ items[0].numbre }}{% endif %}", "did you mean 'number'?"),
        ("{% if not fee %}{{ total.__class__ }}{% endif %}", "have no '__class__'"),
        ("{% for one in items %}{{ loop.index }} {{ one['number'] }}{% endfor %}", None),
        ("{% if credits %}{{ credits[0].number }}{% endif %}", None),
        ("{{ credits[0].number }}", "may be shorter than it takes for granted"),
        ("{{ items[1].number }}", "may be shorter than it takes for granted"),
        ("a\n{{ total", "line 2"),
        ("{{ 1 + 'a' }}", "does not render"),
    ],
)
def test_what_a_text_may_use(source, said):
    """Variables that exist, filters and loops that end; each mistake is told with what was probably meant."""
    if said is None:
        texts.check(source)
        return
    with pytest.raises(Wrong) as caught:
        texts.check(source)
    assert said in str(caught.value)


def test_a_text_is_filled_and_trimmed():
    """Lines of loops and conditions leave no empty lines behind."""
    source = "\n  {% for one in items %}\n- {{ one.number }}\n  {% endfor %}\n\n"
    assert texts.render(source, texts.example()) == "- RE-1042\n- RE-1042"
    assert texts.render("{{ debtor_name }}", {"debtor_name": "A & B <C>"}) == "A & B <C>"  # plain text, no markup


@pytest.mark.parametrize(
    ("name", "kind"),
    [("total", "amount"), ("deadline", "date"), ("term_days", "number"), ("several", "truth"), ("claims", "table"), ("items", "list"), ("iban", "text")],
)  # fmt: skip
def test_the_kind_of_a_variable(name, kind):
    """As people look it up; what a list says of its fields stands beside it."""
    for language in ("de", "en"):
        (found,) = [one for one in variables(language) if one.name == name]
        assert found.kind == kind
        assert bool(found.parts) is (kind == "list")
        assert ":" not in found.meaning or kind != "list"
        assert found.example


@pytest.mark.parametrize(
    ("facts", "german"),
    [
        ({}, "Mindestabstand"),
        ({"last": TODAY}, "Mindestabstand zum letzten Schreiben vom 05.10.2026"),
        ({"invoices": "RE-1", "earliest": TODAY}, "Mindestabstand (RE-1), frühestens 05.10.2026"),
        ({"last": None, "invoices": ""}, "Mindestabstand"),
    ],
)
def test_a_part_without_its_fact_is_left_out(facts, german):
    """What is not known leaves no brackets behind."""
    assert words.reason(Reason.MINIMUM_INTERVAL, "de", facts) == german


def test_values_in_plain_words():
    """A level by its name in the language, codes by their words, everything else as it is; nothing for nothing."""
    assert words.reason(Reason.LEVEL_DUE, "en", {"level": {"de": "Erste", "en": "First"}}) == "level due: First"
    assert words.reason(Reason.LEVEL_DUE, "fr", {"level": {"de": "Erste"}}) == "level due: Erste"
    assert words.because(None) == ""
    assert words.because(Because.CREDIT, "de") != words.because(Because.CREDIT, "en")
    assert words.to_debtor(Reason.NOT_DUE, "de", {}) == "noch nicht fällig"
    assert (
        words.to_debtor(Reason.DEADLINE_RUNNING, "de", {"deadline": TODAY}) == "bereits angemahnt, Frist bis 05.10.2026"
    )
    assert (
        words.to_debtor(Reason.DEADLINE_RUNNING, "en", {"deadline": TODAY})
        == "already reminded of, payable by 5 October 2026"
    )
    assert words.to_debtor(Reason.DISPUTE, "de", {}) == ""


# ---------------------------------------------------------------------------------------------------------------- actions


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        ({"interest": "where_possible"}, "interest", "where_possible"),
        ({"interest": "yes"}, "interest", True),
        ({"interest": False}, "interest", False),
        ({"call_task": False}, "call_task", None),
        ({"internal_notice": False}, "internal_notice", None),
        ({"attachments": ["invoice"]}, "attachments", None),
    ],
)
def test_short_forms_of_what_a_level_asks_for(values, field, expected):
    """True and false stand for a task with its defaults or none, one name for one file."""
    made = plan(level(1, **values)).levels[0]
    if field == "attachments":
        assert [(one.name, one.optional) for one in made.attachments] == [("invoice", False)]
    else:
        assert getattr(made, field) == expected
    assert plan(level(1, call_task=True)).levels[0].call_task.due_days == 0
    assert plan(level(1, internal_notice=True)).levels[0].internal_notice.due_days == 2
    with pytest.raises(ValidationError, match="where_possible"):
        plan(level(1, interest="maybe"))
    for rule in ({"sales_rep": True}, {"sales_rep": "bcc"}, {"sales_rep": False}):
        asked = plan(level(1, recipients=rule)).levels[0].recipients.sales_rep
        assert asked == {True: "cc", False: None}.get(rule["sales_rep"], "bcc")


def test_colleagues_that_nobody_names_are_told_by_check():
    """Levels that tell or copy them are named; where the configuration lists somebody, nothing is said."""
    made = plan(level(1), level(2, internal_notice=True), level(3, recipients={"sales_rep": "cc"}), level(4, recipients={"colleagues": "cc"}))  # fmt: skip
    [found] = people_fit(made, rules())
    assert (found.code, "levels 2, 3, 4" in str(found.text)) == ("plan_colleagues", True)
    assert people_fit(plan(level(1)), rules()) == ()
    assert people_fit(made, rules(caretakers=(Caretaker(Colleague(email="a@example.com")),))) == ()


# ----------------------------------------------------------------------------------------------------------------- asking


def asking(values, abilities, **claimed):
    its = rules(plan(level(1, after_due=3, **values)), money=MONEY)
    one = claim(**claimed)
    found = decide_claim(case(one, kind=DebtorKind.BUSINESS), one, its, TODAY)
    return intended(case(one, kind=DebtorKind.BUSINESS), one, found, its, abilities=abilities, today=TODAY)


def test_what_cannot_be_told_is_left_out_only_where_the_plan_allows_it():
    """With a remark of how it would be asked for; else the claim is held. Nothing is said where nothing was left out."""
    way, asked = asking(
        {"channels": ["provider_email"], "interest": "where_possible", "flat_fee": "where_possible"}, THEIRS
    )
    assert [one.via.value for one in way] == ["provider_email"]
    assert (asked.owed.account.total, asked.owed.fee) == (10000, 0)
    [note] = [one for one in asked.owed.notes if one.code is NoteCode.NOT_CARRIED]
    assert note.facts == {"amount": 4000 + 58, "how": "channels.smtp"}
    way, asked = asking({"channels": ["provider_post"], "interest": "where_possible"}, THEIRS)
    assert [one.facts["how"] for one in asked.owed.notes] == ["channels.letter_outbox"]
    way, asked = asking({"channels": ["email"], "interest": "where_possible", "automation": "create"}, FULL)
    assert [one.facts["how"] for one in asked.owed.notes] == ["automation: propose"]
    way, asked = asking({"channels": ["provider_email"], "interest": True}, THEIRS)
    assert way == Blocked(way.via, Because.ANCILLARY)
    assert asked.owed.account.total == 10058
    way, asked = asking({"channels": ["provider_email"], "interest": "where_possible"}, THEIRS, linked_credits=5)
    assert (way.because, asked.owed.account.total) == (Because.CREDIT, 10058 - 5)
    way, asked = asking({"channels": ["mail"], "interest": "where_possible"}, FULL)
    assert (asked.owed.account.total, asked.owed.notes) == (10058, ())


# ---------------------------------------------------------------------------------------------------------------- explain


def test_explain_answers_for_a_day_to_come():
    """What will have gone out by then, what decides on that day, and what comes after it."""
    its, whole = rules(days(3, 14, 28)), case()
    one = whole.claims[0]
    found = explain(whole, one, its, TODAY, on=on(5))
    assert ([one.on for one in found.before], found.level) == ([TODAY], 1)
    assert (found.decision.reason, found.rule) == (Reason.DEADLINE_RUNNING, "time_has_come")
    assert [(one.on, one.level) for one in found.ahead] == [(on(8), 2), (on(16), 3)]
    assert [(one.on, one.draft.level) for one in found.upcoming] == [(on(8), 2)]
    today = explain(whole, one, its, TODAY)
    assert (today.before, today.rule, today.asked[-1].rule, today.asked[-1].passed) == (
        (),
        "level_due",
        "keep_apart",
        True,
    )
    assert [one.on for one in today.ahead] == [TODAY, on(8), on(16)]
    assert explain(whole, one, its, TODAY, on=on(-3)).on == on(-3)
    held = explain(whole, replace(one, status="draft"), its, TODAY)
    assert (held.rule, [one.passed for one in held.asked]) == ("is_open", [True] * 5 + [False])


def test_events_are_those_of_the_claim_itself():
    """One for each level, whatever channels it takes; what only goes along is none."""
    its = rules(plan(level(1, after_due=3, channels=["mail", "letter"])))
    whole = case(claim(), claim(invoice_id="2"), address={"street": "Weg 1", "city": "Köln"})
    found = coming(replace(whole, address=None), rules(days(3)), EVERYTHING, TODAY, on(1))
    assert len(found) == 2
    (mine,) = events(found, whole.claims[0], rules(days(3)))
    assert (mine.on, mine.level, mine.repetition, mine.level_name, mine.plan) == (TODAY, 1, 0, "Stufe 1", "plan")
    assert len(upcoming(found, whole.claims[1])) == 1
    assert upcoming(found, claim(invoice_id="9")) == ()
    assert events(found, claim(invoice_id="9"), its) == ()
    assert {one.invoice_id: one.open for one in with_claim(whole, claim(invoice_id="2", open=5)).claims} == {
        "1": 10000,
        "2": 5,
    }
    assert [one.on for one in forecast(case(), claim(), rules(days(3, 14)), TODAY, until=on(8))] == [TODAY]


def test_explain_says_what_else_goes_to_the_debtor():
    """Held by the distance to a bundle: by that rule, with its day."""
    levels = (level(1, after_due=3, term_days=7), level(2, after_due=14, term_days=7, type="last"))
    its = rules(plan(*levels, bundling={"when": "from_last"}))
    old = claim(invoice_id="2", level=1, level_on=on(-10), deadline=on(-3), due_on=on(-20))
    young = claim(due_on=on(-5))
    found = explain(case(young, old), young, its, TODAY)
    assert (found.rule, found.decision.outcome, found.asked[-1].passed) == ("keep_apart", Outcome.HOLD, False)


def test_rules_have_a_fingerprint():
    """It changes with every edit that may change a decision, and with nothing else."""
    base = rules(days(3))
    assert base.version == rules(days(3)).version
    assert len(base.version) == 12
    for other in (rules(days(4)), rules(days(3), minimum=1), rules(days(3), excluded_terms=frozenset({3})), rules(days(3), calendar=None)):  # fmt: skip
        assert other.version != base.version
    base.places["x", "y"] = base.calendar
    assert base.version == rules(days(3)).version
    assert (
        rules(days(3), excluded_terms=frozenset({3, 14})).version
        == rules(days(3), excluded_terms=frozenset({14, 3})).version
    )
    linked = AccountRules(account="main", plans={}, default_plan=None, cases_url="https://x/cases")
    assert (linked.case_link("MA-1"), linked.case_link(None)) == ("https://x/cases/MA-1", "")
    assert base.case_link("MA-1") == ""
