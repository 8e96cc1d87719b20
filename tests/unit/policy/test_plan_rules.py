"""What a plan may say, rule by rule: each is refused at its edge, with what would be right, and not a step before it."""

from datetime import time, timedelta

import pytest
from pydantic import ValidationError

from bridge.policy import Via
from bridge.policy.channel import Document
from bridge.policy.lint import SLACK, _fees, _languages, _unused, days_of, lint
from bridge.policy.load import LARGEST, BadPlan, load_plan, load_plans, parse_plan
from bridge.policy.plan import HAND_OVER
from bridge.policy.trigger import Start
from tests.unit.policy.helpers import TEXTS, days, level, plan

CALL = {"name": {"de": "Anruf"}, "trigger": {"after_due": 3}, "call_task": True}
AGENCY = {"name": {"de": "Abgabe"}, "trigger": {"after_previous": 7}, "collection": True}


def refused(*levels, **values):
    with pytest.raises(ValidationError) as caught:
        plan(*levels, **values)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------------------- the order


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [
        ({"after_due": 3}, {"after_due": 4}, None),
        ({"after_due": 3}, {"after_due": 3}, "after_due: 4"),
        ({"after_due": 3, "grace_days": 2}, {"after_due": 5}, "after_due: 6"),
        ({"after_due": 3, "grace_days": 2}, {"after_due": 6}, None),
        ({"after_due": 3}, {"after_due": 1, "grace_days": 3}, None),
        ({"after_due": 3}, {"after_due": 1, "grace_days": 2}, "after_due: 2"),
        ({"after_due": 3}, {"after_due": 0, "grace_days": 3}, "after_due: 1"),
        ({"before_due": 3}, {"before_due": 2}, None),
        ({"before_due": 3}, {"before_due": 3}, "before_due: 2"),
        ({"before_due": 1}, {"before_due": 1}, "after_due: 1"),
        ({"after_issue": 3}, {"after_due": 3}, None),  # counted from another day
        ({"after_due": 3}, {"after_previous": 1}, None),
    ],
)
def test_levels_counted_from_one_day_lie_one_after_the_other(first, second, right):
    """At least a day, grace included; what would be right is told, so that it can be taken over."""
    if right is None:
        assert plan(level(1, **first), level(2, **second))
    else:
        said = refused(level(1, **first), level(2, **second))
        assert "not later than level 1" in said
        assert f"write {right}" in said


def test_the_level_that_overlaps_is_named():
    """With the one before it, of those that count from the same day, and both days."""
    said = refused(level(1, after_due=3), level(2, after_previous=7), level(3, after_due=2, grace_days=1))
    assert "level 3 (after_due day 3) is not later than level 1 (day 3); write after_due: 3" in said
    said = refused(level(1, after_due=3), level(2, after_due=9), level(3, after_due=9))
    assert "level 3 (after_due day 9) is not later than level 2 (day 9)" in said


@pytest.mark.parametrize(
    ("levels", "values", "words"),
    [
        ((level(1, repeat={"every_days": 7, "limit": 1}), level(2)), {}, "level 1: only the last level of a plan can repeat"),
        ((AGENCY,), {}, "follows a reminder"),
        ((level(1), AGENCY, level(3)), {}, "level 2: a hand-over to collection is the last level"),
        ((level(1, type="last"), level(2)), {}, "level 1 is the last reminder, but level 2 follows it"),
        ((level(1, after_previous=3),), {}, "level 1 has no previous one"),
        ((level(1), level(2, before_due=3)), {}, "level 2 lies before the due date"),
        ((level(1, before_due=9), level(2), level(3, before_due=3)), {}, "level 3 lies before the due date"),
        ((level(1, channels=["provider_email"]),), {"bundling": {"when": "from_first"}}, "level 1: a reminder at a provider"),
        ((level(1), level(2, channels=["provider_email"], type="last")), {"bundling": {"when": "from_last"}}, "level 2: a reminder at a provider"),
        ((level(1),), {"bundling": {"tags": ["x"]}}, "write when: from_first or from_last"),
        ((level(1, before_due=3, fee=1),), {}, "no fee, interest or flat fee"),
        ((level(1, before_due=3, interest=True),), {}, "no fee, interest or flat fee"),
        ((level(1, before_due=3, flat_fee=True),), {}, "no fee, interest or flat fee"),
        ((level(1, before_due=3, repeat={"every_days": 7, "limit": 1}),), {}, "no repetition"),
        ((level(1, before_due=3, is_legal_dunning=True),), {}, "no legal dunning letter"),
        ((level(1, type="last", repeat={"every_days": 7, "limit": 1}),), {}, "nothing automatic follows"),
        ((level(1, automation="create"),), {}, "makes a reminder at the provider"),
        ((level(1, automation="complete"),), {}, "makes a reminder at the provider"),
        ((level(1, channels=["mail"], document="silent", automation="create"),), {}, None),
        ((level(1), level(2, type="last"), AGENCY), {}, None),
        ((level(1, channels=["provider_email"]), level(2, type="last")), {"bundling": {"when": "from_last"}}, None),
        ((level(1, channels=["provider_email"]),), {}, None),
        ((level(1, before_due=9), level(2, before_due=3), level(3)), {}, None),
        ((level(1), level(2, repeat={"every_days": 7, "limit": 1})), {}, None),
    ],
)  # fmt: skip
def test_what_levels_may_follow_each_other(levels, values, words):
    """The last reminder, the hand-over, notices ahead, repetitions and bundles stand where they make sense."""
    if words is None:
        assert plan(*levels, **values)
    else:
        assert words in refused(*levels, **values)


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([{"name": "a", "channels": ["mail"]}], None),
        ([{"name": "a", "channels": "mail"}], None),
        ([{"name": "a", "channels": ["mail"]}, {"name": "b", "channels": ["letter"]}], "standard: true; 0 do"),
        ([{"name": "a", "channels": ["mail"], "standard": True}, {"name": "b", "channels": ["letter"], "standard": True}], "2 do"),
        ([{"name": "a", "channels": ["mail"], "standard": True}, {"name": "a", "channels": ["letter"]}], "the same name"),
        ([{"name": "a", "channels": ["call"]}], "write call_task on the level"),
        ([{"name": "a", "channels": ["mail", "letter", "mail"]}], "twice"),
        ([{"name": "a", "channels": ["email", "mail"]}], "take out the channel of the same kind"),
        ([{"name": "a", "channels": ["email", "letter"]}], None),
        ([{"name": "a", "channels": ["mail", "letter"]}], None),
        ([{"name": "a", "channels": ["post", "provider_post"]}], "take out the channel of the same kind"),
        ([{"name": "a", "channels": ["provider_email"], "document": "none"}], "its own document only"),
        ([{"name": "a", "channels": ["provider_email"], "document": "silent"}], "its own document only"),
        ([{"name": "a", "channels": ["provider_email"], "document": "provider"}], None),
        ([{"name": "a", "channels": ["mail"], "document": "silent"}], None),
    ],
)  # fmt: skip
def test_the_variants_of_a_level(variants, words):
    """One standard, names of their own, channels that do not do the same thing twice."""
    if words is None:
        assert plan(level(1, variants=variants))
    else:
        assert words in refused(level(1, variants=variants))


@pytest.mark.parametrize(
    ("channels", "document", "whose"),
    [
        (["mail"], None, Document.NONE),
        (["letter", "mail"], None, Document.NONE),
        (["email"], None, Document.PROVIDER),
        (["letter", "provider_email"], None, Document.PROVIDER),
        (["mail"], "provider", Document.PROVIDER),
        (["email"], "none", Document.NONE),
    ],
)
def test_whose_document_goes_out(channels, document, whose):
    """As the plan says; else the provider's where the provider may send, ours where only we do."""
    made = plan(level(1, channels=channels, **({"document": document} if document else {})))
    assert made.levels[0].standard.documents is whose


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({**CALL, "fee": 1}, "fee: nothing is written"),
        ({**CALL, "attachments": ["invoice"]}, "attachments: nothing is written"),
        ({**CALL, "automation": "create"}, "automation: nothing is written"),
        ({**CALL, "automation": "complete"}, "automation: nothing is written"),
        ({**CALL, "automation": "send"}, None),
        ({**CALL, "type": "last"}, None),
        ({"name": "x", "trigger": {"after_due": 3}}, "needs channels, call_task, internal_notice or collection"),
        ({**AGENCY, "trigger": {"after_due": 9}, "call_task": True}, "a hand-over stands alone"),
        ({**AGENCY, "trigger": {"after_due": 9}, "internal_notice": True}, "a hand-over stands alone"),
        ({**AGENCY, "trigger": {"after_due": 9}, "channels": ["mail"]}, "a hand-over stands alone"),
        ({**AGENCY, "type": "last"}, "neither repeated nor the last reminder"),
        ({**AGENCY, "repeat": {"every_days": 1, "limit": 1}}, "neither repeated nor the last reminder"),
        (level(2, texts={}), "needs its texts"),
        (level(2, texts={**TEXTS, "de-AT": TEXTS["de"]}), None),
        (level(2, texts={"de": TEXTS["de"], "en-GB": TEXTS["en"]}), "write en too"),
        (level(2, time="9:30"), "such as 09:30"),
        (level(2, time="24:00"), "such as 09:30"),
        (level(2, time="09:30:00"), None),
        (level(2, time="09:30", until="09:30"), "nothing could ever go out"),
        (level(2, until="00:01"), None),
        (level(2, channels=["mail"], variants=[{"channels": ["mail"]}]), "not both"),
        (level(2, document="silent", variants=[{"channels": ["mail"]}]), "not both"),
    ],
)
def test_what_a_level_may_ask_for(values, words):
    """Nothing that has no meaning on it, and everything that it needs."""
    if words is None:
        assert plan(level(1, after_due=1), values)
    else:
        assert words in refused(level(1, after_due=1), values)


def test_what_a_level_does():
    """Its own channels, what people do besides, and its days."""
    both = plan(
        level(1, after_due=3, channels=["mail"], call_task=True, internal_notice=True, weekdays=["sat", "mon"])
    ).levels[0]
    assert both.vias(both.standard) == (Via.MAIL, Via.CALL)  # colleagues are told by a step of the mail
    assert (both.writes, both.reaches_debtor, both.by_mail_alone) == (True, True, False)
    assert both.weekday_numbers == frozenset({0, 5})
    quiet = plan({**CALL, "call_task": None, "internal_notice": True}).levels[0]
    assert (quiet.vias(quiet.standard), quiet.writes, quiet.reaches_debtor) == ((Via.INTERNAL,), False, False)
    call = plan(CALL).levels[0]
    assert (call.vias(call.standard), call.reaches_debtor, call.weekday_numbers) == ((Via.CALL,), True, None)
    assert HAND_OVER.vias(HAND_OVER.standard) == (Via.COLLECTION,)
    assert plan(level(1, channels=["email"])).levels[0].by_mail_alone
    assert not plan(level(1, channels=["mail", "letter"])).levels[0].by_mail_alone
    assert plan(level(1, after_due=3, grace_days=2)).levels[0].timing == (Start.AFTER_DUE, timedelta(3), timedelta(5))
    assert plan(level(1, after_due=3)).levels[0].timing == (Start.AFTER_DUE, timedelta(3), timedelta(3))
    assert plan(level(1, time="09:30")).levels[0].time == time(9, 30)


def test_the_variant_that_a_person_named():
    """By its name; none is the standard, and one that is not there is said so."""
    one = plan(level(1, variants=[{"name": "a", "channels": ["mail"], "standard": True}, {"name": "b", "channels": ["letter"]}])).levels[0]  # fmt: skip
    assert [one.variant(name).name for name in (None, "a", "b")] == ["a", "a", "b"]
    with pytest.raises(KeyError):
        one.variant("c")


def test_names_and_descriptions_fall_back_to_the_first_one_written():
    """In the language asked for, else in whichever there is."""
    made = plan(level(1, name={"de": "Erste", "en": "First"}), description={"de": "Ruhig", "en": "Calm"})
    assert [made.levels[0].name_in(one) for one in ("de", "en", "fr")] == ["Erste", "First", "Erste"]
    assert [made.described(one) for one in ("de", "en", "fr")] == ["Ruhig", "Calm", "Ruhig"]
    assert plan(level(1), description="Ruhig").described("en") == "Ruhig"
    assert plan(level(1)).described("de") == ""
    assert plan(level(1), description="").description == {}


@pytest.mark.parametrize(("asked", "position"), [(-1, 0), (0, 0), (1, 2), (2, 3), (3, 3)])
def test_the_providers_counter_knows_no_notice_ahead(asked, position):
    """Its first level is the plan's first one after the due date; what is higher ends at the last."""
    assert plan(level(1, before_due=3), level(2), level(3)).position_of_provider_level(asked) == position
    assert plan(level(1, before_due=3)).position_of_provider_level(asked) == 0


def test_positions_of_a_plan():
    """From one to its last; behind it the hand-over that people decide on, unless the plan has its own."""
    open_ended, ending = plan(level(1), level(2)), plan(level(1), AGENCY)
    assert (open_ended.hand_over_at, ending.hand_over_at) == (3, 2)
    assert open_ended.level(1) is open_ended.levels[0]
    assert open_ended.level(2) is open_ended.levels[1]
    assert open_ended.level(3) is HAND_OVER
    for made, wrong in ((open_ended, 0), (open_ended, 4), (ending, 3), (ending, 0)):
        with pytest.raises(IndexError, match=f"no level {wrong}"):
            made.level(wrong)


@pytest.mark.parametrize(
    ("last", "scope", "not_due"),
    [
        ({}, {}, False),
        ({}, {"scope": "unpaid"}, True),
        ({}, {"include_not_due": True}, True),
        ({"scope": "unpaid"}, {}, True),
    ],
)
def test_what_the_last_bundle_lists(last, scope, not_due):
    """As every other one, unless the plan says something of its own for it."""
    bundling = plan(level(1), bundling={"when": "from_first", **scope, **({"last": last} if last else {})}).bundling
    assert bundling.inclusion(last=True).not_due is not_due
    assert bundling.inclusion(last=False).not_due is (not_due and not last)


# ---------------------------------------------------------------------------------------------------------- reading files

GOOD = """name: haus
levels:
  - name: Erinnerung
    trigger: {after_due: 3}
    channels: [mail]
    texts: {de: {subject: "A", body: "B"}}
"""


def said(text):
    with pytest.raises(BadPlan) as caught:
        parse_plan(text, "p.yaml")
    return str(caught.value)


@pytest.mark.parametrize(("length", "shown"), [(78, "'" + 78 * "x" + "'"), (79, "'" + 76 * "x" + "...")])
def test_a_long_value_is_cut(length, shown):
    """Up to eighty characters stand there as they are."""
    assert f"automation = {shown}: " in said(GOOD.replace("channels", f"automation: {length * 'x'}\n    channels"))


def test_a_file_may_have_so_many_characters_and_no_more(monkeypatch):
    """One more is refused before it is read as YAML."""
    filled = GOOD + "#" * (200 - len(GOOD))
    monkeypatch.setattr("bridge.policy.load.LARGEST", 200)
    assert parse_plan(filled, "exact.yaml").name == "haus"
    assert said(filled + "#") == "p.yaml: longer than 200 characters; no plan is that long"
    assert LARGEST == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (GOOD, "- haus", "p.yaml:1: a plan is a list of keys"),
        ("A", "\x00", "p.yaml: not valid YAML"),
        ("name: Erinnerung", "name: Erinnerung\n    nama: x", "p.yaml:4: levels.1.nama: "),
        ("name: Erinnerung", "name: Erinnerung\n    nama: x", "did you mean 'name'?"),
        ("[mail]", "[mail, fax]", "p.yaml:5: levels.1.channels.2 = 'fax': "),
        ("subject", "subjekt", "p.yaml:6: levels.1.texts.de.subjekt: "),
        ("subject", "subjekt", "did you mean 'subject'?"),
        ('"A"', "3.5", "p.yaml:6: levels.1.texts.de.subject = 3.5: "),
        ("trigger: {after_due: 3}\n", "repeat: {every: 7}\n", "did you mean 'every_days'?"),
        ("    trigger: {after_due: 3}\n", "", "p.yaml:3: levels.1.trigger: "),
        ("    trigger: {after_due: 3}\n", "", "write it such as trigger: {after_due: 7}"),
        ("name: haus", "bundling: {wenn: never}", "p.yaml:1: bundling.wenn: "),
        ("name: haus", "bundling: {wenn: never}", "did you mean 'when'?"),
        ("name: haus", "name: haus\nxyzzy: 1", "known are name, title, description, language,"),
        ("    channels: [mail]\n", "    chanels: [mail]\n", "did you mean 'channels'?"),
    ],
)
def test_a_mistake_stands_at_its_place(old, new, words):
    """Line, path and value as they are written, and the key that was probably meant."""
    assert old in GOOD
    assert words in said(GOOD.replace(old, new, 1))


def test_a_list_whose_items_are_refused_is_not_empty_too():
    """One mistake is told once."""
    assert said(GOOD.replace("trigger", "triger")).count("levels") == said(GOOD.replace("trigger", "triger")).count(
        "levels.1."
    )
    assert "levels" in said("name: haus\nlevels: []\n")


def test_two_files_of_one_name_and_what_cannot_be_read(tmp_path):
    """Both are named; so are a file that is not there and one that is no text; a byte order mark is no mistake."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8-sig")
    assert load_plan(tmp_path / "a.yaml").name == "haus"
    with pytest.raises(BadPlan, match=r"b\.yaml: the plan 'haus' already stands in .*a\.yaml"):
        load_plans([tmp_path / "b.yaml", tmp_path / "a.yaml"])
    with pytest.raises(BadPlan, match="cannot be read"):
        load_plan(tmp_path / "c.yaml")
    (tmp_path / "d.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadPlan, match="no UTF-8"):
        load_plan(tmp_path / "d.yaml")
    with pytest.raises(BadPlan) as caught:
        load_plans([tmp_path / "c.yaml", tmp_path / "d.yaml"])
    assert len(caught.value.problems) == 2
    assert set(load_plans([tmp_path / "a.yaml"])) == {"gentle", "standard", "two-weeks", "haus"}


# ------------------------------------------------------------------------------------------------------------------ lint


def found(made, finders=(lint,)):
    return [(one.code, one.levels, dict(one.facts)) for finder in finders for one in finder(made)]


def test_the_days_of_a_plan_are_counted_from_the_due_date():
    """Its term is what zero says; a level is there with the day on which it would go out."""
    assert days_of(days(3, 14), 14) == {0: 14, 1: 3, 2: 14}
    assert days_of(plan(level(1, before_due=3), level(2, after_due=10)), 14) == {0: 14, 1: -3, 2: 10}


def test_a_level_that_comes_later_than_written_is_told_with_both_days():
    """Up to the days by which weekends alone may move it, nothing is said."""
    for term, codes in ((5 + SLACK, []), (6 + SLACK, ["later"])):  # the day after that term, written for day 9
        assert [one.code for one in lint(plan(level(1, after_due=3, term_days=term), level(2, after_due=9)))] == codes
    later = plan(level(1, after_due=3, term_days=30), level(2, after_due=20))
    assert found(later) == [("later", (2,), {"written": 20, "real": 34})]
    graceful = plan(level(1, after_due=3, term_days=30), level(2, after_due=10, grace_days=10))
    assert found(graceful) == [("later", (2,), {"written": 20, "real": 34})]


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        (plan(level(1, after_due=3, term_days=1), level(2, after_due=5)), [("together", (1, 2))]),
        (plan(level(1, after_due=3), level(2, after_previous=1)), []),
        (plan(level(1, before_due=5), level(2, before_due=4)), [("never", (2,))]),
        (plan(level(1, after_issue=3), level(2, after_due=14)), []),
        (plan(level(1, after_due=14), level(2, after_issue=14)), [("together", (1, 2))]),
        (plan(level(1, after_due=3), CALL | {"trigger": {"after_due": 20}}), []),
    ],
)
def test_levels_that_fall_together_or_never_come(made, codes):
    """By the days written, played over invoices of several terms and all weekdays."""
    assert [(one.code, one.levels) for one in lint(made)] == codes


def test_missing_texts_unnamed_fees_and_words_for_no_mail():
    """Each with the levels and languages that it is about."""

    def unsaid(made):
        return found(made, (_languages, _fees, _unused))

    german = {"de": TEXTS["de"]}
    assert found(
        plan(level(1, after_due=3), level(2, after_due=20, texts=german), level(3, after_due=40, texts=german))
    ) == [("no_text", (2, 3), {"language": "en"})]
    assert unsaid(plan(level(1, after_due=3, fee=5))) == [("fee_not_named", (1,), {"language": "de, en"})]
    for name in ("{{ fee }}", "{{ claims }}"):
        said_so = {language: {"subject": "S", "body": name} for language in TEXTS}
        assert unsaid(plan(level(1, after_due=3, fee=5, texts=said_so))) == []
    by_mail = {"de": TEXTS["de"] | {"email": {"body": "Mail"}}}
    assert unsaid(plan(level(1, after_due=3, channels=["letter"], texts=by_mail))) == [
        ("no_mail", (1,), {"language": "de"})
    ]
    assert unsaid(plan(level(1, after_due=3, channels=["letter", "mail"], texts=by_mail))) == []
    by_post = {"de": {"subject": "S", "body": "{{ fee }}", "post": {"body": "B"}, "email": {"body": "C"}}}
    assert unsaid(plan(level(1, after_due=3, fee=5, texts=by_post))) == [
        ("fee_not_named", (1,), {"language": "de email, de post"})
    ]
    own = {
        "name": "formal",
        "channels": ["letter"],
        "texts": {"de": {"subject": "S", "body": "B", "email": {"body": "C"}}},
    }
    standard = {"name": "mail", "channels": ["mail"], "standard": True}
    assert found(
        plan(
            level(1, after_due=3, fee=5, texts={"de": {"subject": "S", "body": "{{ fee }}"}}, variants=[standard, own])
        )
    ) == [
        ("fee_not_named", (1,), {"language": "formal de, formal de email"}),
        ("no_mail", (1,), {"language": "de"}),
    ]
