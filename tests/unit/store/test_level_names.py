"""The name of a stored level in the language of whoever reads it."""

from datetime import date
from types import SimpleNamespace

from bridge.app.level_names import LevelNames
from bridge.policy.holds import none_running
from bridge.policy.naming import named
from bridge.words import Name, tell
from tests.unit.policy.helpers import level, plan

DAY = date(2026, 10, 5)


def named_plan(german, english, **values):
    return plan(level(1, name={"de": german, "en": english}), **values)


def both(name):
    return str(name), tell(name, "de"), tell(name, "en")


def test_a_name_is_told_in_the_language_of_its_reader():
    """As text it stays what was stored; a language that the plan does not write gets the stored one."""
    assert both(Name("Reminder", {"de": "Erinnerung", "en": "Reminder"})) == ("Reminder", "Erinnerung", "Reminder")
    assert both(Name("Erinnerung", {"de": "Erinnerung"})) == ("Erinnerung", "Erinnerung", "Erinnerung")
    assert both(plan(level(1, name={"de": "Mahnung", "en": "Notice"})).level(1).name_in("en")) == (
        "Notice",
        "Mahnung",
        "Notice",
    )


def test_only_what_a_plan_writes_there_is_translated():
    """Another position, another name, or no plan: the stored name stands."""
    known = named_plan("Erinnerung", "Reminder")
    assert both(named(known, 1, "Reminder")) == ("Reminder", "Erinnerung", "Reminder")
    assert {tell(named(known, place, "Reminder"), "de") for place in (None, 0, 2)} == {"Reminder"}
    assert tell(named(known, 1, "Zweite Mahnung"), "en") == "Zweite Mahnung"
    assert tell(named(None, 1, "Reminder"), "de") == "Reminder"


def test_a_stored_level_is_named_by_the_version_of_its_plan(store):
    """The kept version counts, even where the plan in force says otherwise; one adopted from elsewhere is looked up in those in force."""
    then, now = named_plan("Erinnerung", "Reminder"), named_plan("Hinweis", "Hint")
    with store.begin() as conn:
        store.history.keep_plans(conn, [then], DAY)
    names = LevelNames(store, {now.name: now})
    with store.reading() as conn:
        assert both(names.name(conn, "Reminder", 1, then.name, then.version)) == ("Reminder", "Erinnerung", "Reminder")
        assert tell(names.name(conn, "Hinweis", 1), "en") == "Hint"
        assert tell(names.name(conn, "Reminder", 1), "de") == "Reminder"
        assert tell(names.name(conn, "Reminder", 1, "gone", "0123456789ab"), "de") == "Reminder"
        assert names.name(conn, "", 0) == ""


def test_a_reminder_that_is_running_is_named_in_both_languages():
    """Why an invoice is held names the level of the reminder under way, by its plan."""
    running = SimpleNamespace(state="landing", level=1, level_name="Reminder", deadline=None, since=None)
    claim = SimpleNamespace(running=running, notices=())
    found = none_running(SimpleNamespace(claim=claim, plan=named_plan("Erinnerung", "Reminder"), today=DAY))
    assert both(found.facts["level"]) == ("Reminder", "Erinnerung", "Reminder")
