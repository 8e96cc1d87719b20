"""Bundled reminders on a real store: what one invoice triggers for all others of its debtor."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.model import InvoiceKind, Reason
from bridge.policy import words
from bridge.policy.beside import Part
from bridge.policy.claim_text import claim_lines, form_of
from tests.unit.dun.stage import ABILITIES, MONDAY, Stage, about, customer, debtor, invoice, snapshot
from tests.unit.policy.helpers import TEXTS, level, plan, rules

DAY = timedelta(days=1)
LATER = date(2026, 10, 30)
LISTS = {
    "de": {
        "subject": "{{ level_name }} {{ invoice_number }}",
        "body": "{% for i in items %}{{ i.number }} {{ i.date }} {{ i.due_date }} {{ i.open }}\n{% endfor %}{{ total }}",
    }
}


def group(*levels, **bundling):
    """A plan that bundles from the first reminder, unless told otherwise."""
    made = levels or (
        level(1, after_due=10, term_days=7, texts=LISTS),
        level(2, after_due=24, term_days=7, texts=LISTS),
    )
    return rules(plan(*made, bundling={"when": "from_first", **bundling}))


def on_stage(store, *levels, abilities=ABILITIES, **bundling):
    return Stage(store, group(*levels, **bundling), abilities)


def as_told(draft):
    """The table of claims as the debtor reads it."""
    return claim_lines(draft.content.table, form_of(draft.content)).replace("\u00a0", " ")


def parts(report):
    """Of the only notice: what it asks for by number, and the part of every other invoice."""
    (one,) = report.notices
    return [claim.number for claim in one.draft.claims], {
        other.claim.number: (other.part.value, other.why) for other in one.draft.others
    }


@pytest.mark.feature("S-PAY-8", "S-PAY-1", "S-PAY-2", "S-AGI-17", "S-AGI-12")
def test_the_bundle_goes_out_on_the_earlier_invoices_date(store):
    """Two invoices with different schedules: one mail on the day of the earlier one, listing both with number, date, due date and amount."""
    stage = on_stage(store)
    stage.tell(
        MONDAY,
        debtor(),
        invoice(1, due_on=MONDAY - 11 * DAY),
        invoice(2, due_on=MONDAY - 5 * DAY, issued_on=date(2026, 9, 16), open=Decimal("50.00"), gross=Decimal("50.00")),
    )
    report = stage.run(MONDAY)
    assert parts(report) == (["RE-1", "RE-2"], {"RE-2": ("included", "")})
    (notice,) = stage.notices("queued")
    told = " ".join(notice.content.text.split())
    for line in ("RE-1 01.09.2026 24.09.2026 100,00 EUR", "RE-2 16.09.2026 30.09.2026 50,00 EUR", "150,00 EUR"):
        assert line in told
    stage.land(MONDAY)
    assert (stage.standing("1").level, stage.standing("2").level) == (1, 0), "each claim keeps its own level"
    assert stage.standing("2").level_on is None
    assert stage.standing("2").deadline == MONDAY + 7 * DAY, "the term that the debtor was told"
    stage.run(MONDAY + 7 * DAY)
    assert (stage.notices("queued"), stage.reason("2")) == ([], "deadline_running")
    later = MONDAY + 8 * DAY  # its own day, the minimum interval and the term that the bundle named are over
    stage.run(later)
    assert stage.land(later) == [1]
    assert (stage.standing("1").level, stage.standing("2").level) == (1, 1)


@pytest.mark.feature("S-PAY-11")
def test_the_preview_names_the_trigger_and_why_the_others_are_in_or_not(sqlite_store):
    """Per other invoice: included, or the reason why not; nothing that is paid or of another debtor is named."""
    stage = on_stage(sqlite_store)
    due = MONDAY - 11 * DAY
    stage.tell(
        MONDAY, debtor(), debtor(2),
        invoice(1, due_on=due), invoice(2, due_on=MONDAY - 3 * DAY), invoice(3, due_on=due), invoice(4, due_on=LATER),
        invoice(5, due_on=due, sent=False), invoice(6, due_on=due, payment_method="Lastschrift"), invoice(7, due_on=due),
        invoice(8, debtor_id="d2", due_on=MONDAY - DAY),
    )  # fmt: skip
    with sqlite_store.begin() as conn:
        sqlite_store.choices.block(conn, about("3"), Reason.DISPUTE, stage.stamp(MONDAY))
        sqlite_store.choices.block(conn, about("7"), Reason.COLLECTION, stage.stamp(MONDAY))
    report = stage.plan(MONDAY)
    assert [one.draft.triggers for one in report.notices] == [("1",)]
    assert parts(report) == (
        ["RE-1", "RE-2"],
        {
            "RE-2": ("included", ""),
            "RE-3": ("left_out", "dispute"),
            "RE-4": ("left_out", "not_due"),
            "RE-5": ("left_out", "not_sent"),
            "RE-6": ("left_out", "direct_debit_pending"),
            "RE-7": ("left_out", "collection"),
        },
    )


@pytest.mark.feature("S-PAY-15", "S-PAY-17")
@pytest.mark.parametrize("reason", [Reason.PAYMENT_PLAN, Reason.COLLECTION, Reason.DIRECT_DEBIT_PENDING])
def test_what_is_collected_or_agreed_otherwise_is_left_out(sqlite_store, reason):
    """Instalments, collection and pending debits are never in a bundle, not even mentioned."""
    stage = on_stage(sqlite_store, scope="unpaid", include_parked=True, include_ready_for_collection=True)
    stage.tell(
        MONDAY,
        debtor(),
        invoice(1, due_on=MONDAY - 11 * DAY),
        invoice(2, due_on=MONDAY - 11 * DAY),
        invoice(3, due_on=LATER),
    )
    with sqlite_store.begin() as conn:
        for one in ("2", "3"):
            sqlite_store.choices.block(conn, about(one), reason, stage.stamp(MONDAY))
    asked, others = parts(stage.plan(MONDAY))
    assert asked == ["RE-1"]
    assert others == {"RE-2": ("left_out", reason.value), "RE-3": ("left_out", reason.value)}
    assert "RE-3" not in stage.plan(MONDAY).notices[0].draft.content.text


@pytest.mark.feature("S-PAY-20", "S-AGI-15")
@pytest.mark.parametrize("option", [{"include_not_due": True}, {"scope": "unpaid"}])
def test_not_yet_due_invoices_are_listed_separately(sqlite_store, option):
    """Toggle on: a second block 'not yet due' that is not in the total; off: it is not there."""
    told = [debtor(), invoice(1, due_on=MONDAY - 11 * DAY), invoice(2, due_on=LATER)]
    stage = on_stage(sqlite_store)
    stage.tell(MONDAY, *told)
    assert "RE-2" not in stage.plan(MONDAY).notices[0].draft.content.text
    stage.rules = group(**option)
    (one,) = stage.plan(MONDAY).notices
    assert [claim.number for claim in one.draft.claims] == ["RE-1"]
    assert one.draft.total == 10000
    text = one.draft.content.text
    assert "nicht Teil dieser Zahlungsaufforderung" in text
    assert text.index("RE-2") > text.index("nicht Teil")
    assert "noch nicht fällig" in text


@pytest.mark.feature("S-PAY-18")
def test_parked_invoices_are_mentioned_or_not(sqlite_store):
    """Toggle: the parked invoice appears in a block of its own, or not at all; another hold on it keeps it out."""
    stage = on_stage(sqlite_store, include_parked=True)
    stage.tell(
        MONDAY, debtor(), invoice(1, due_on=MONDAY - 11 * DAY), invoice(2, due_on=MONDAY - 11 * DAY),
        invoice(3, due_on=MONDAY - 11 * DAY),
    )  # fmt: skip
    with sqlite_store.begin() as conn:
        for one in ("2", "3"):
            sqlite_store.choices.block(conn, about(one), Reason.PARKED, stage.stamp(MONDAY))
        sqlite_store.choices.block(conn, about("3"), Reason.PREPAYMENT, stage.stamp(MONDAY))
    asked, others = parts(stage.plan(MONDAY))
    assert asked == ["RE-1"]
    assert others == {"RE-2": ("mentioned", "parked"), "RE-3": ("left_out", "prepayment")}
    assert "RE-2" in stage.plan(MONDAY).notices[0].draft.content.text
    stage.rules = group()
    assert parts(stage.plan(MONDAY))[1]["RE-2"] == ("left_out", "parked")
    assert "RE-2" not in stage.plan(MONDAY).notices[0].draft.content.text


@pytest.mark.feature("S-PAY-19", "S-PAY-12")
def test_ready_for_collection_is_mentioned_and_the_last_bundle_has_its_own_rule(sqlite_store):
    """An invoice whose plan is complete is mentioned in the normal bundle, and left out of the last one by its own rule."""
    levels = (
        level(1, after_due=3, term_days=7, texts=TEXTS),
        level(2, after_due=14, term_days=7, texts=TEXTS, type="last"),
    )
    rule = {"include_ready_for_collection": True, "last": {"include_ready_for_collection": False}}
    stage = on_stage(sqlite_store, *levels, **rule)
    stage.tell(MONDAY, debtor(), invoice(1, due_on=MONDAY - 20 * DAY))
    for day in (MONDAY, MONDAY + 9 * DAY):
        stage.run(day)
        stage.land(day)
    assert stage.standing("1").level == 2
    ahead = MONDAY + 21 * DAY
    stage.tell(ahead, invoice(2, due_on=ahead - 4 * DAY))
    assert parts(stage.run(ahead)) == (["RE-2"], {"RE-1": ("mentioned", "plan_complete")})
    assert "RE-1" in stage.notices("queued")[0].content.text
    stage.land(ahead)
    last = ahead + 14 * DAY
    assert parts(stage.run(last)) == (["RE-2"], {"RE-1": ("left_out", "plan_complete")})
    assert "RE-1" not in stage.notices("queued")[0].content.text
    assert stage.land(last) == [2]


@pytest.mark.feature("S-PAY-7", "P-13")
def test_terms_currencies_languages_and_recipients_never_mix(sqlite_store):
    """What differs from the trigger in one of these stays out, and says so; another plan that does not bundle too."""
    stage = Stage(sqlite_store, replace(group(except_terms=[14]), currencies=frozenset({"EUR", "CHF"})))
    due = MONDAY - 5 * DAY
    stage.tell(
        MONDAY, debtor(), invoice(1, due_on=MONDAY - 11 * DAY),
        invoice(2, due_on=due, payment_term_days=14), invoice(3, due_on=due, currency="CHF"),
        invoice(4, due_on=due, email="andere@example.com"), invoice(5, due_on=due, language="en"),
    )  # fmt: skip
    texts = {**LISTS, "en": LISTS["de"]}
    made = plan(level(1, after_due=10, texts=texts), bundling={"when": "from_first", "except_terms": [14]})
    stage.rules = replace(stage.rules, plans={made.name: made})
    assert parts(stage.plan(MONDAY)) == (
        ["RE-1"],
        {
            "RE-2": ("left_out", "payment_term"),
            "RE-3": ("left_out", "currency"),
            "RE-4": ("left_out", "recipient"),
            "RE-5": ("left_out", "language"),
        },
    )


@pytest.mark.feature("S-PAY-6")
def test_one_group_is_bundled_and_the_others_get_single_mails(sqlite_store):
    """Group `agentur` gets one mail over both its invoices, another customer two; the same plan for both."""
    stage = on_stage(sqlite_store, tags=["agentur"])
    old = {"due_on": MONDAY - 11 * DAY}
    stage.tell(
        MONDAY, debtor(tags=("agentur",)), debtor(2), invoice(1, **old), invoice(2, **old),
        invoice(3, debtor_id="d2", **old), invoice(4, debtor_id="d2", **old),
    )  # fmt: skip
    stage.run(MONDAY)
    mails = sorted((sorted(claim.invoice_id for claim in one.claims), one.recipient) for one in stage.notices("queued"))
    assert mails == [(["1", "2"], "k1@example.com"), (["3"], "k2@example.com"), (["4"], "k2@example.com")]


@pytest.mark.feature("S-AGI-13")
def test_a_plan_with_a_frequency_is_checked_only_when_its_turn_comes(store):
    """Weekly: the day after a check nothing happens for this plan, a week later it does; a run over one customer is no turn."""
    stage = on_stage(store, every_days=7)
    stage.tell(MONDAY, debtor(), debtor(2), invoice(1, due_on=MONDAY - 11 * DAY))
    stage.run(MONDAY, customers={"d2"})
    stage.run(MONDAY)
    assert stage.land(MONDAY) == [1]
    stage.tell(MONDAY, invoice(2, debtor_id="d2", due_on=MONDAY - 10 * DAY))
    tuesday = MONDAY + DAY
    assert stage.run(tuesday).notices == []
    assert (stage.reason("2"), stage.next_on("2")) == ("group_waiting", MONDAY + 7 * DAY)
    for number in range(2, 7):
        assert stage.run(MONDAY + number * DAY).notices == []
    assert [one.draft.debtor_id for one in stage.run(MONDAY + 7 * DAY).notices] == ["d2"]


@pytest.mark.feature("S-AGI-14")
def test_a_plan_with_an_earliest_start_waits_for_it(sqlite_store):
    """Start next Monday: runs before list the group as waiting until then."""
    start = MONDAY + 7 * DAY
    stage = on_stage(sqlite_store, start_on=start)
    stage.tell(MONDAY, debtor(), invoice(1, due_on=MONDAY - 11 * DAY))
    report = stage.run(MONDAY, lines=True)
    assert report.notices == []
    (line,) = report.lines
    assert (line.decision.reason, line.decision.facts) == (Reason.GROUP_WAITING, {"earliest": start})
    assert stage.run(MONDAY + 4 * DAY).notices == []
    assert len(stage.run(start).notices) == 1


@pytest.mark.feature("S-PAY-14")
def test_credit_notes_are_netted_and_a_balance_that_is_not_positive_is_flagged(sqlite_store):
    """100 less an open credit note of 30 asks for 70; where credit notes outweigh all, nothing goes out and the invoice says why."""
    stage = on_stage(sqlite_store)
    note = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal("30.00"), open=Decimal("30.00"), due_on=None)
    stage.tell(MONDAY, debtor(), invoice(1, due_on=MONDAY - 11 * DAY), note)
    (one,) = stage.plan(MONDAY).notices
    assert one.draft.total == 7000
    told = as_told(one.draft)
    for words_ in (
        "RE-1 vom 01.09.2026",
        "100,00 EUR, gutgeschrieben 30,00 EUR, offen 70,00 EUR",
        "Abgezogen: Gutschrift RE-9 über 30,00 EUR.",
    ):
        assert told.count(words_) == 1, told
    stage.tell(MONDAY, note.model_copy(update={"gross": Decimal("130.00"), "open": Decimal("130.00")}))
    assert stage.run(MONDAY).notices == []
    assert stage.reason("1") == "balance_not_positive"


@pytest.mark.feature("N-1")
def test_one_that_goes_along_is_judged_right_before_the_call_too(sqlite_store):
    """Paid meanwhile: the whole bundle is dropped and decided anew, without it."""
    stage = on_stage(sqlite_store)
    stage.tell(MONDAY, debtor(), invoice(1, due_on=MONDAY - 11 * DAY), invoice(2, due_on=MONDAY - 5 * DAY))
    stage.run(MONDAY)
    (notice,) = stage.notices("queued")
    along = next(one for one in notice.claims if not one.level)
    paid = invoice(2, due_on=MONDAY - 5 * DAY, status="paid", open=Decimal("0.00"))
    with sqlite_store.reading() as conn:
        held = stage.judge().recheck(conn, notice, along, snapshot(paid, MONDAY), MONDAY)
        fine = stage.judge().recheck(conn, notice, along, snapshot(invoice(2, due_on=MONDAY - 5 * DAY), MONDAY), MONDAY)
    assert held is not None
    assert held.reason is Reason.PAID
    assert fine is None
    stage.tell(MONDAY, paid)
    stage.run(MONDAY)
    assert [[one.invoice_number for one in found.claims] for found in stage.notices("queued")] == [["RE-1"]]


@pytest.mark.feature("S-PAY-1")
def test_levels_of_different_height_share_one_letter_of_the_highest(sqlite_store):
    """Level 1 by mail and level 2 by letter on one day: one letter of level 2, each claim rises to its own level."""
    stage = on_stage(
        sqlite_store,
        level(1, after_due=3, term_days=7, texts=LISTS),
        level(2, after_due=17, term_days=7, texts=LISTS, channels=["letter"]),
    )
    home = {"street": "Weg 1", "postcode": "50667", "city": "Köln", "lines": ["Kunde"]}
    stage.tell(MONDAY, debtor(address=home), invoice(1, due_on=MONDAY - 4 * DAY))
    stage.run(MONDAY)
    stage.land(MONDAY)
    day = MONDAY + 14 * DAY
    stage.tell(day, invoice(2, due_on=day - 4 * DAY))
    report = stage.run(day)
    (one,) = report.notices
    assert (one.draft.channel.value, one.draft.level) == ("letter", 2)
    assert [(claim.number, claim.level) for claim in one.draft.claims] == [("RE-1", 2), ("RE-2", 1)]
    stage.land(day)
    assert (stage.standing("1").level, stage.standing("2").level) == (2, 1)


@pytest.mark.feature("S-AGI-29", "P-10")
def test_a_single_invoice_is_switched_off_and_a_dispute_leaves_the_rest(sqlite_store):
    """Switch one of two off: the mail lists only the other; dispute one of three: it lists two."""
    stage = on_stage(sqlite_store)
    stage.tell(MONDAY, debtor(), *(invoice(number, due_on=MONDAY - 11 * DAY) for number in (1, 2, 3)))
    with sqlite_store.begin() as conn:
        sqlite_store.choices.choose(conn, about("1"), "include", "exclude", stage.stamp(MONDAY))
    assert parts(stage.plan(MONDAY))[0] == ["RE-2", "RE-3"]
    with sqlite_store.begin() as conn:
        sqlite_store.choices.choose(conn, about("1"), "include", "default", stage.stamp(MONDAY))
        sqlite_store.choices.block(conn, about("3"), Reason.DISPUTE, stage.stamp(MONDAY), note="Ware defekt")
    assert parts(stage.plan(MONDAY)) == (["RE-1", "RE-2"], {"RE-3": ("left_out", "dispute")})


def test_a_bundle_waits_for_a_person_where_one_of_its_levels_does(sqlite_store):
    """A level that only proposes does not slip out with one that sends."""
    stage = on_stage(
        sqlite_store,
        level(1, after_due=3, term_days=7, texts=LISTS, automation="propose"),
        level(2, after_due=17, term_days=7, texts=LISTS),
    )
    stage.tell(MONDAY, debtor(), invoice(1, due_on=MONDAY - 4 * DAY))
    stage.run(MONDAY)
    stage.land(MONDAY)
    day = MONDAY + 14 * DAY
    stage.tell(day, invoice(2, due_on=day - 4 * DAY))
    stage.run(day)
    assert [(one.state, len(one.claims)) for one in stage.notices("proposed", "queued")] == [("proposed", 2)]


def test_the_parts_have_words():
    """Every part is told in both languages."""
    for part in Part:
        assert words.plain("bundle", part.value, "de") != words.plain("bundle", part.value, "en")


def test_a_customer_block_holds_the_whole_bundle(sqlite_store):
    """Nothing goes out, and no invoice goes along."""
    stage = on_stage(sqlite_store)
    stage.tell(MONDAY, debtor(), invoice(1, due_on=MONDAY - 11 * DAY), invoice(2, due_on=MONDAY - 5 * DAY))
    with sqlite_store.begin() as conn:
        sqlite_store.choices.block(conn, customer(), Reason.INSOLVENCY, stage.stamp(MONDAY))
    assert stage.plan(MONDAY).notices == []
