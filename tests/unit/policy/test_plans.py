"""Plans from YAML: what they may say, and how mistakes are told."""

from decimal import Decimal
from pathlib import Path

import pytest

from bridge.app.previewing import _printed
from bridge.errors import ConfigError
from bridge.policy import Automation, Via
from bridge.policy.channel import Document
from bridge.policy.load import BadPlan, load_plans, parse_plan, starter_plans
from bridge.policy.plan import EscalationPlan
from tests.unit.policy import helpers

GOOD = """
name: haus
levels:
  - name: {de: Erinnerung, en: Reminder}
    trigger: {after_due: 3}
    channels: [mail]
    fee: 2.50
    texts:
      de: {subject: "Rechnung {{ invoice_number }}", body: "Bitte {{ total }}."}
"""


def problems(text):
    with pytest.raises(BadPlan) as caught:
        parse_plan(text, "plan.yaml")
    assert isinstance(caught.value, ConfigError)
    return str(caught.value)


@pytest.mark.feature("S-AMX-65")
@pytest.mark.feature("S-BIL-8")
def test_starter_plans_are_there_and_only_propose():
    """Three plans ship, German and English; every level only proposes, the last letter alone announces the next step, which follows it."""
    plans = starter_plans()
    assert set(plans) == {"gentle", "standard", "two-weeks"}
    assert [one.trigger.days for one in plans["standard"].levels] == [3, 14, 28, 42, 56]
    assert [one.collection for one in plans["standard"].levels] == [False, False, False, False, True]
    assert [one.trigger.days for one in plans["two-weeks"].levels] == [14, 28]
    for plan in plans.values():
        for level in plan.levels:
            assert level.automation is Automation.PROPOSE
            if level.writes:
                assert {"de", "en"} <= set(level.texts) <= {"de", "en", "de-AT", "de-CH"}
    bodies = [level.texts["de"].body for level in plans["standard"].levels if level.writes]
    assert ["Inkasso" in body for body in bodies] == [False, False, False, True]
    assert len(set(bodies)) == 4


def test_a_plan_is_read_exactly():
    """Amounts are exact, the single variant is the standard, a name may be one for all languages."""
    plan = parse_plan(GOOD, "plan.yaml")
    level = plan.levels[0]
    assert (level.fee, level.term_days, level.standard.channels) == (Decimal("2.50"), 10, (Via.MAIL,))
    assert level.standard.documents is Document.NONE
    named = parse_plan(GOOD.replace("{de: Erinnerung, en: Reminder}", "Erinnerung"), "plan.yaml")
    assert named.levels[0].name == {"de": "Erinnerung"}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("trigger:", "triger:", 5, "did you mean 'trigger'?"),
        ("after_due: 3", "after_dew: 3", 5, "did you mean 'after_due'?"),
        ("after_due: 3", "after_due: -3", 5, "after_due = -3"),
        ("after_due: 3", "after_due: 3, after_issue: 4", 5, "exactly one of"),
        ("after_due: 3", "before_issue: 3", 5, "cannot go out before the invoice exists"),
        ("after_due: 3", "after_previous: 3", 4, "no previous one"),
        ("[mail]", "[mial]", 6, "'mial'"),
        ("[mail]", "[mail, mail]", 6, "twice"),
        ("[mail]", "[provider_email]\n    document: silent", 6, "its own document only"),
        ("fee: 2.50", "fee: 2.505", 7, "more than two decimal places"),
        ("fee: 2.50", "fee: -1", 7, "fee = -1"),
        ("fee: 2.50", "time: 25:00", 7, "such as 09:30"),
        ("fee: 2.50", "automation: create", 4, "makes a reminder at the provider"),
        ("fee: 2.50", "automation: sned", 7, "'propose', 'create', 'complete' or 'send'"),
        ("fee: 2.50", "interest: maybe", 7, "expected true, false or where_possible"),
        ("fee: 2.50", "weekdays: [monday]", 7, "'mon'"),
        ("{{ total }}", "{{ totl }}", 9, "did you mean 'total'?"),
        ("{{ total }}", "{{ total", 9, "does not render"),
        ("{{ total }}", "{% for i in items %}{{ i.numbr }}{% endfor %}", 9, "did you mean 'number'?"),
        ("de: {subject", "en: {subject", 4, "no text in the plan's language 'de'"),
        ("de: {subject", "en: {subject", 4, "write texts.de"),
        ("name: haus", "name: Mein Haus", 2, "name = 'Mein Haus': expected small letters, digits, - and _"),
        ("name: haus", "title: {de: Haus}", 1, "write it such as name: agency"),
        ("name: haus", "name: haus\ncolour: red", 3, "known are name, title,"),
        ("fee: 2.50", "term_days: -10", 7, "must be at least 1"),
        ("fee: 2.50", "grace_days: -1", 7, "must be at least 0"),
        ("after_due: 3", "after_due: drei", 5, "expected a whole number"),
        ("de: {subject", "deu: {subject", 9, "expected a language such as de"),
        ("name: haus", "name: haus\nname: haus", 3, "twice"),
        ("name: haus", "name: [haus", 3, "not valid YAML"),
    ],
)
def test_a_mistake_names_file_line_field_and_what_would_be_right(old, new, line, words):
    """Each mistake is found before anything runs, in words that say where it is."""
    assert old in GOOD
    said = problems(GOOD.replace(old, new, 1))
    assert words in said
    assert [one for one in said.splitlines() if one.startswith(f"plan.yaml:{line}: ") and words in one], said


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("trigger: {after_due: 3}", "level 2 (after_due day 3) is not later than level 1 (day 3); write after_due: 4"),
        ("trigger: {after_due: 3}\n    grace_days: 0", "write after_due: 4"),
        ("trigger: {before_due: 3}", "lies before the due date, but an earlier level does not; move it up"),
        ("trigger: {after_due: 14}\n    texts: {}", "needs its texts in at least one language"),
        (
            "trigger: {after_due: 14}\n    type: last\n    repeat: {every_days: 7, limit: 2}",
            "take repeat or type: last out",
        ),
    ],
)
def test_levels_that_overlap_or_lack_their_texts_are_refused_at_their_line(second, words):
    """The mistake of a whole level stands at its first line, with what would be right."""
    texts = (
        "" if "texts:" in second else '\n    texts: {de: {subject: "A {{ invoice_number }}", body: "B {{ total }}"}}'
    )
    said = problems(GOOD.rstrip() + f"\n  - name: Zweite\n    channels: [mail]\n    {second}{texts}\n")
    line = GOOD.rstrip().count("\n") + 2
    assert words in said
    assert said.startswith(f"plan.yaml:{line}: levels.2"), said


def test_a_grace_that_overlaps_the_next_level_is_refused():
    """Grace days count: 3 days and 20 of grace lie behind a level of 14 days."""
    text = (
        GOOD.replace("term_days: 10", "grace_days: 20")
        if "term_days: 10" in GOOD
        else GOOD.replace("fee: 2.50", "grace_days: 20")
    )
    text = (
        text.rstrip()
        + '\n  - name: Zweite\n    channels: [mail]\n    trigger: {after_due: 14}\n    texts: {de: {subject: "A", body: "B"}}\n'
    )
    assert "is not later than level 1 (day 23); write after_due: 24" in problems(text)


@pytest.mark.feature("S-AGI-7")
def test_before_the_issue_date_is_refused_in_plain_words():
    """'3 days before issue date' makes no sense, and the plan says so."""
    assert "'before' works with the due date only" in problems(GOOD.replace("after_due: 3", "before_issue: 3"))


def test_overlapping_levels_are_refused():
    """Two levels on the same day, or in the wrong order, can not both be meant."""
    second = GOOD[GOOD.index("  - name") :]
    assert "not later than level 1" in problems(GOOD + second)
    assert "follows it" in problems(GOOD.replace("fee: 2.50", "type: last") + second.replace(": 3}", ": 9}"))


def test_a_subject_is_one_line():
    """A line break in a subject would be a header of its own."""
    text = GOOD.replace('subject: "Rechnung {{ invoice_number }}"', 'subject: "Rechnung\\nBcc: x@example.com"')
    assert "one line" in problems(text)


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ items.append(1) }}",
        "{% for i in range(9999999999) %}x{% endfor %}",
        "{{ 1 / 0 }}",
    ],
)
def test_texts_are_rendered_in_a_sandbox(body):
    """A text can neither reach into the program nor run for ever."""
    problems(GOOD.replace("Bitte {{ total }}.", body))


def test_a_file_replaces_a_starter_plan_and_all_mistakes_are_told_at_once(tmp_path: Path):
    """An own plan of the same name wins; two files with mistakes are both named."""
    own = tmp_path / "own.yaml"
    own.write_text(GOOD.replace("name: haus", "name: standard"), encoding="utf-8")
    assert len(load_plans([own])["standard"].levels) == 1
    for number in (1, 2):
        (tmp_path / f"bad{number}.yaml").write_text(GOOD.replace("trigger", "triger"), encoding="utf-8")
    with pytest.raises(BadPlan) as caught:
        load_plans(sorted(tmp_path.glob("bad*.yaml")))
    assert "bad1.yaml" in str(caught.value)
    assert "bad2.yaml" in str(caught.value)


def test_every_edit_changes_the_version():
    """The fingerprint of a plan tells two versions apart."""
    assert parse_plan(GOOD, "a").version == parse_plan(GOOD, "b").version
    assert parse_plan(GOOD, "a").version != parse_plan(GOOD.replace("2.50", "2.60"), "a").version


@pytest.mark.feature("S-AMX-61")
def test_one_variant_is_the_standard():
    """Of several variants exactly one is the standard; none or two are refused."""
    two = GOOD.replace(
        "channels: [mail]",
        "variants: [{name: post, channels: [letter]}, {name: mail, channels: [mail], standard: true}]",
    )
    assert parse_plan(two, "x").levels[0].standard.name == "mail"
    assert "standard: true; 0 do" in problems(two.replace(", standard: true", ""))


OTHER_WORDS = """
name: haus
levels:
  - name: Erinnerung
    trigger: {after_due: 3}
    variants:
      - {name: mail, channels: [mail, letter], standard: true}
      - name: formal
        channels: [mail, letter]
        texts:
          de: {subject: "Formal {{ invoice_number }}", body: "Formal."}
    texts:
      de: {subject: "Betreff", body: "Hallo.", post: {body: "Brief {{ total }}."}}
      de-AT: {subject: "Betreff AT", body: "Servus.", email: {subject: "Mail AT"}}
      en: {subject: "Subject", body: "Hello."}
"""


@pytest.mark.parametrize(
    ("variant", "language", "country", "mailed", "subject", "body"),
    [
        ("mail", "de", "DE", True, "Betreff", "Hallo."),
        ("mail", "de", "DE", False, "Betreff", "Brief {{ total }}."),
        ("mail", "de", "AT", True, "Mail AT", "Servus."),
        ("mail", "de", "AT", False, "Betreff AT", "Servus."),
        ("formal", "de", "AT", False, "Formal {{ invoice_number }}", "Formal."),
        ("formal", "en", "DE", False, "Subject", "Hello."),
    ],
)
def test_words_are_those_of_variant_language_country_and_way(variant, language, country, mailed, subject, body):
    """The variant's own text counts, else the level's; each for the country first; then what it says otherwise by mail or in a letter."""
    level = parse_plan(OTHER_WORDS, "plan.yaml").levels[0]
    text = level.text_in(language, country, level.variant(variant), mailed=mailed)
    assert (text.subject, text.body) == (subject, body)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("Brief {{ total }}", "Brief {{ totl }}", 13, "levels.1.texts.de.post.body"),
        ('body: "Formal."', 'body: "{{ nothing }}"', 11, "levels.1.variants.2.texts.de.body"),
        ('{subject: "Mail AT"}', "{}", 14, "write a subject, a body, or both"),
        ('{subject: "Mail AT"}', '{subject: "{{ x "}', 14, "levels.1.texts.de-AT.email.subject"),
        ('          de: {subject: "Formal', '          fr: {subject: "Formal', 4, "variant formal has texts in fr"),
    ],
)
def test_a_mistake_in_words_of_their_own_is_found_when_the_plan_is_read(old, new, line, words):
    """An unknown variable or a syntax error in the words of a variant or a way is told with its line, not when a letter is due."""
    assert old in OTHER_WORDS
    said = problems(OTHER_WORDS.replace(old, new))
    assert f"plan.yaml:{line}: " in said
    assert words in said


def test_the_preview_of_a_letter_shows_the_words_for_letters():
    """Also where the level goes by mail alone; a letter that goes along with the mail says what the mail says."""
    for along, said in (("", "Brief {{ total }}."), ("    attachments: [letter]\n", "Hallo.")):
        source = OTHER_WORDS.replace("[mail, letter]", "[mail]").replace("\n    texts:\n", f"\n{along}    texts:\n")
        level = _printed(parse_plan(source, "plan.yaml"), 1).level(1)
        assert level.text_in("de", "DE", level.standard, mailed=True).body == said


def test_a_plan_that_was_kept_is_read_again_as_it_was():
    """With a time of day, days of sending, a fee, a repetition and a bundle: versions of a plan are kept as JSON and drawn again."""
    first = helpers.level(
        1, after_due=3, time="02:30", until="18:00", weekdays=["mon", "sat"], fee="2.50", grace_days=2
    )
    last = helpers.level(2, after_due=20, flat_fee="where_possible", repeat={"every_days": 7, "limit": 3})
    bundling = {"when": "from_last", "start_on": "2026-10-01", "every_days": 7, "last": {"scope": "unpaid"}}
    made = helpers.plan(first, last, bundling=bundling)
    kept = EscalationPlan.model_validate_json(made.model_dump_json(exclude_unset=True))
    assert (kept, kept.version) == (made, made.version)
