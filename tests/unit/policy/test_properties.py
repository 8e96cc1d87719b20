"""Properties of thousands of generated histories: days on which things happen, and what must hold whatever happens."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Act, InvoiceKind, InvoiceStatus, NoticeStatus, Reason
from bridge.policy import Abilities, Block, NoticeView, Outcome, Running, compose, decide
from bridge.policy.holds import EARLY_RULES, is_due, plain
from bridge.policy.rules import Prepayment
from bridge.policy.situation import Situation
from tests.unit.policy.helpers import WITH_FEES, case, charged, claim, days, landed, level, plan, rules

START = date(2026, 9, 14)
ABILITIES = Abilities(acts=frozenset({Act.NOTE}), channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"})

triggers = st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True).map(sorted)
plans = st.builds(
    lambda at, term, interval: days(
        *(max(1, day) for day in dict.fromkeys(max(1, one) for one in at)),
        term_days=term,
        minimum_interval_days=interval,
    ),
    triggers,
    st.integers(1, 20),
    st.integers(0, 14),
)


def on(number: int) -> date:
    return START + timedelta(days=number)


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("down"), st.integers(0, 120), st.integers(1, 20)),
        st.tuples(st.just("block"), st.integers(0, 120), st.integers(0, 30)),
        st.tuples(st.just("by_hand"), st.integers(0, 120), st.integers(1, 4)),
        st.tuples(st.just("part"), st.integers(0, 120), st.integers(1, 40)),
        st.tuples(st.just("paid"), st.integers(60, 120), st.just(0)),
    ),
    max_size=6,
)


def play(its, history, *, shuffle=None):
    """Play 150 days; return what went out as (day, key, level, repetition), and the days on which nothing may go out."""
    one, whole, sent, silent = claim(), case(), [], set()
    down = {day for kind, start, length in history if kind == "down" for day in range(start, start + length)}
    for number in range(150):
        today = on(number)
        for kind, start, value in history:
            if kind == "block" and start == number:
                block = Block(Reason.DISPUTE, on(start + value))
                one = replace(one, blocks=(*one.blocks, block))
            elif kind == "by_hand" and start == number:
                made = NoticeView(f"x{start}-{value}", value, NoticeStatus.SENT, today)
                one = replace(one, notices=(*one.notices, made))
            elif kind == "part" and start == number:
                one = replace(one, open=one.open - value * 100)
            elif kind == "paid" and start == number:
                one = replace(one, status=InvoiceStatus.PAID)
        if any(block.until >= today for block in one.blocks) or one.status is InvoiceStatus.PAID or one.open <= 0:
            silent.add(number)
        if number in down:
            continue
        view = shuffle(one) if shuffle else one
        found = decide(replace(whole, claims=(view,)), its, today)
        if found[0].adoption is not None:
            adopted = found[0].adoption
            one = replace(one, level=adopted.level, level_on=adopted.on, deadline=adopted.deadline)
        drafts = compose(replace(whole, claims=(view,)), found, its, ABILITIES, today)
        sent.extend((number, draft.claims[0].key, draft.level, draft.claims[0].repetition) for draft in drafts)
        if found[0].outcome is Outcome.ESCALATE:
            whole, one = landed(whole, one, found[0], its, today)
    return sent, silent


@settings(max_examples=25, deadline=None)
@given(plans, happenings)
def test_whatever_happens(chosen, history):
    """Never two notices for one key, no level skipped or lowered, the interval kept, silence while blocked or paid, no weekend."""
    its = rules(chosen)
    sent, silent = play(its, history)
    keys = [key for _, key, _, _ in sent]
    assert len(keys) == len(set(keys))
    by_hand = [(start, value) for kind, start, value in history if kind == "by_hand"]
    reached = 0
    for number, _, height, _ in sent:
        known = max((value for start, value in by_hand if start <= number), default=0)
        assert height == max(reached, min(known, len(chosen.levels))) + 1
        reached = height
        assert number not in silent
        assert its.calendar.is_working_day(on(number))
    letters = [number for number, _, _, _ in sent]
    assert all(later - sooner >= (chosen.minimum_interval_days or 0) for sooner, later in pairwise(letters))
    contacts = [(start, number) for start, _ in by_hand for number in letters if start <= number]
    assert all(number - start >= (chosen.minimum_interval_days or 0) for start, number in contacts)


@settings(max_examples=25, deadline=None)
@given(plans, happenings, st.randoms(use_true_random=False))
def test_the_order_of_import_makes_no_difference(chosen, history, random):
    """Reminders and blocks in any order: the same notices on the same days."""

    def shuffled(one):
        notices, blocks = list(one.notices), list(one.blocks)
        random.shuffle(notices)
        random.shuffle(blocks)
        return replace(one, notices=tuple(notices), blocks=tuple(blocks))

    its = rules(chosen)
    assert play(its, history)[0] == play(its, history, shuffle=shuffled)[0]


@settings(max_examples=40, deadline=None)
@given(plans, happenings, st.integers(0, 149))
def test_next_dates_miss_nothing(chosen, history, first):
    """Asked only on the dates that it names itself, a decision comes no later than when it is asked every day."""
    its = rules(chosen)
    one, whole = claim(), case()
    blocks = tuple(Block(Reason.DEFERRED, on(start + value)) for kind, start, value in history if kind == "block")
    one = replace(one, blocks=blocks)
    today = on(first)
    found = decide(replace(whole, claims=(one,)), its, today)[0]
    daily = next(
        (
            on(n)
            for n in range(first, 400)
            if decide(replace(whole, claims=(one,)), its, on(n))[0].outcome is Outcome.ESCALATE
        ),
        None,
    )
    jumps = 0
    while found.outcome is Outcome.HOLD and found.next_on is not None:
        assert found.next_on > today
        today, jumps = found.next_on, jumps + 1
        found = decide(replace(whole, claims=(one,)), its, today)[0]
    assert (today if found.outcome is Outcome.ESCALATE else None) == daily
    assert jumps < 12


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_bundle_neither_loses_nor_doubles_a_cent(levels, random):
    """Whatever is bundled: each claim once, and the total is the sum of its claims and one fee."""
    its = rules(
        plan(
            *(level(number, after_due=3 * number, fee=number) for number in range(1, 5)),
            bundling={"when": "from_first"},
        ),
        money=WITH_FEES,
    )
    charges = {str(number): random.randrange(1000) for number in range(len(levels))}
    claims = [
        claim(invoice_id=str(n), level=height, open=100 + random.randrange(100_000), history=charged(charges[str(n)]))
        for n, height in enumerate(levels)
    ]
    whole = case(*claims)
    today = date(2026, 12, 7)
    drafts = compose(whole, decide(whole, its, today), its, ABILITIES, today)
    named = [one.invoice_id for draft in drafts for one in draft.claims]
    assert sorted(named) == sorted(one.invoice_id for one in claims)
    for draft in drafts:
        over = [one for one in claims if one.invoice_id in {item.invoice_id for item in draft.claims}]
        fee = sum(item.fee for item in draft.claims)
        assert draft.total == sum(one.open + charges[one.invoice_id] for one in over) + fee
        assert fee == draft.level * 100


DEVIATIONS = [
    *({"status": status} for status in InvoiceStatus),
    *({"kind": kind} for kind in InvoiceKind),
    *({"due_on": day} for day in (None, date(2026, 10, 5), date(2026, 12, 1))),
    *({"issued_on": day} for day in (None, date(2026, 5, 1))),
    *({"open": amount} for amount in (-1, 0, 50, 300)),
    *({"sent": sent} for sent in (None, False)),
    *({"payment_method": method} for method in ("SEPA", "direct_debit")),
    *({"include": choice} for choice in ("include", "exclude")),
    *({name: True} for name in ("cancelled", "covered", "credited", "gone", "undelivered", "returned")),
    {"currency": "CHF"},
    {"linked_credits": 10000},
    {"shared_credits": 9800},
    {"amounts_clear": False},
    {"tags": ("stop",)},
    {"closed": Reason.CLOSED_BY_HAND},
    {"closed": Reason.PAID},
    {"blocks": (Block(Reason.DISPUTE),)},
    {"running": Running(1, "queued", 1)},
    {"notices": (NoticeView("x", 1, NoticeStatus.DRAFT),)},
]
CONFIGURED = [
    {},
    {"cutoff": date(2026, 6, 1)},
    {"minimum": 500},
    {"tolerance": 100},
    {"include_by_default": False},
    {"excluded_invoice_tags": frozenset({"stop"})},
    {"excluded_methods": frozenset({"sepa"})},
    {"excluded_customers": frozenset({"d"})},
    {"excluded_customer_tags": frozenset({"vip"})},
    {"prepayment": Prepayment(tags=frozenset({"vip"}))},
]
CUSTOMERS = [{}, {"include": "exclude"}, {"blocks": (Block(Reason.INSOLVENCY),)}, {"tags": ("vip",)}]


def test_the_short_way_says_what_the_rules_say():
    """Where a claim is told to be plain at one look, every early rule but its date lets it pass: tried with all pairs of deviations."""
    plain_ones = 0
    for configured, customer, first, second in product(CONFIGURED, CUSTOMERS, DEVIATIONS, [{}, *DEVIATIONS]):
        one = claim(**first | second)
        situation = Situation(case(one, **customer), one, _rules_of(configured), date(2026, 10, 5))
        if plain(situation):
            plain_ones += 1
            caught = [rule.__name__ for rule in EARLY_RULES if rule is not is_due and rule(situation) is not None]
            assert caught == [], (configured, customer, first, second)
    assert plain_ones > 100


def _rules_of(configured):
    key = repr(configured)
    if key not in _RULES:
        _RULES[key] = rules(days(3), **configured)
    return _RULES[key]


_RULES = {}
