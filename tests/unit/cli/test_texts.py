"""Everything that people read exists in German and in English, and says the same."""

import ast
import re
import string
from pathlib import Path

import click
import pytest

from bridge.app.timeline import _ACTS, _WORDS
from bridge.cli import cli, locale
from bridge.cli.locale import catalogue, speak
from bridge.model import Act, Reason
from bridge.page.words import TEXTS as PAGE
from bridge.policy import words
from bridge.policy.claim_text import WORDS as CLAIM_WORDS
from tests.unit.test_words import ONE_OF_SEVERAL

ROOT = Path(__file__).parents[3] / "bridge" / "cli"


@pytest.fixture(autouse=True)
def _restore():
    yield
    locale._chosen.clear()


def commands(group=cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_both_catalogues_have_the_same_texts():
    """Each text exists in both languages, with the same values to fill in."""
    german, english = catalogue("de"), catalogue("en")
    assert set(german) == set(english)
    differing = [key for key in german if fields(german[key]) != fields(english[key])]
    assert differing == []
    assert not [key for key, text in german.items() if not text.strip()]


def test_german_and_english_are_two_languages():
    """No sentence was left in the other language (words that are the same in both are short)."""
    german, english = catalogue("de"), catalogue("en")
    same = [key for key in german if german[key] == english[key] and " " in german[key].replace("{", " ")]
    assert {key for key in same if not key.startswith(("wrong.value", "column.", "fact."))} <= {
        "setting",
        "plan.other",
    }, same


def used_keys():
    """Return every literal that is given to `say`, `line` or `title`, or is a help key."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                first = node.args[0] if node.args else None
                if name in ("say", "line", "title") and isinstance(first, ast.Constant) and first.value:
                    yield path.name, first.value
                for keyword in node.keywords:
                    if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
                        yield path.name, keyword.value.value


def test_every_text_that_is_used_exists():
    """No command prints the key of a text instead of the text."""
    missing = sorted({(file, key) for file, key in used_keys() if "." in key and key not in catalogue("de")})
    assert missing == []


def changes():
    """Return every literal kind of change that the facade reports."""
    for path in (ROOT.parent / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Done":
                yield from (part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant))


def test_every_change_has_a_text():
    """Whatever was changed is told in a sentence of its own."""
    texts = catalogue("de")
    untold = {what for what in changes() if not {f"done.{what}", f"done.{what}_until"} & set(texts)}
    assert untold <= {"sending_on", "sending_off", "connected", "chosen_"}, untold
    assert {f"done.chosen_{value}" for value in ("include", "exclude", "default")} <= set(texts)


def test_every_command_and_option_is_explained():
    """Every command and every option has help in both languages."""
    for path, command in commands():
        assert command.help in catalogue("de"), path
        for param in command.params:
            if isinstance(param, click.Option):
                assert param.help in catalogue("en"), (path, param.name)


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_help_page_can_be_shown(language):
    """Each command's help page shows in both languages, without a key of the catalogue in it."""
    speak(language)
    for path, command in commands():
        with click.Context(command, info_name=" ".join(path)) as context:
            page = command.get_help(context)
        assert ("Aufruf:" if language == "de" else "Usage:") in page
        assert "option." not in page, page
        assert "command." not in page, page


_FIXED = {
    "approve.chosen", "deliver.unclear", "plans.repeat", "runs.dropped", "runs.failed", "runs.sent", "runs.skipped",
}  # fmt: skip
"""Texts whose words are the same for one and for several."""


@pytest.mark.parametrize("language", ["de", "en"])
def test_one_thing_is_told_in_the_singular(language):
    """A number before a noun has a text for one; other numbers stand behind what they count."""
    texts = catalogue(language)
    counting = re.compile(
        r"\{(count|records|changed|rejects|files|messages|raised|exchanges|replaced|was|now|days)\} [^\W\d]"
    )
    found = [key for key, text in texts.items() if counting.search(text) and not key.endswith(".one")]
    assert [key for key in found if f"{key}.one" not in texts and key not in _FIXED] == []
    assert {one.group(1) for key in found for one in counting.finditer(texts[key])} == {"count"}


@pytest.mark.parametrize("language", ["de", "en"])
def test_one_of_a_thing_is_never_told_as_several(language):
    """Every text of the command line, the journal, the reasons and the table of claims, with each number in it one."""
    told = [catalogue(language)[key] for key in catalogue(language) if f"{key}.one" not in catalogue(language)]
    side = ("de", "en").index(language)
    told += [pair[side] for kind, pair in _WORDS.items() if f"{kind}_one" not in _WORDS]
    told += [text for name, text in CLAIM_WORDS[language].items() if f"{name}.one" not in CLAIM_WORDS[language]]
    told += [pair[side] for table in (words.REASONS, words.REMEDIES, PAGE) for pair in table.values()]
    found = [one for text in told if ONE_OF_SEVERAL.search(one := re.sub(r"\{(?!(?:most|length)\})\w+\}", "1", text))]
    assert found == []


def test_every_changing_command_records_who_acts():
    """Commands that change something have --as; those that only look do not."""
    looking = {
        "check", "plan", "status", "explain", "claim", "preview", "search", "cases", "agreements", "health", "demo", "doctor", "case show", "failures list", "failures show",
        "letters list", "config show", "config schema", "rehearse", "plans list", "plans show", "plans lint",
        "plans variables", "plans versions", "links list", "files list", "files save", "files check", "runs list", "keys show", "runs trace", "runs show", "runs zip", "evidence verify", "audit verify", "tasks list", "tasks show", "collection list",
    }  # fmt: skip
    for path, command in commands():
        if isinstance(command, click.Group):
            continue
        has = any(param.name == "actor" for param in command.params)
        assert has is (" ".join(path) not in looking), path


def test_every_reason_and_act_has_words():
    """Each reason code and each act is said in plain words in both languages."""
    for reason in Reason:
        assert words.reason(reason, "de") != words.reason(reason, "en") or reason is Reason.PARKED
    assert {act.value for act in Act} == set(_ACTS)


def journal_kinds():
    """Return the kinds of events that the program writes with a case, found in its source."""
    root = ROOT.parent
    for path in [
        *(root / "store").glob("*.py"),
        *(root / "deliver").glob("*.py"),
        *(root / "dun").glob("*.py"),
        *(root / "app").glob("*.py"),
        *(root / "replay").glob("*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = []
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
                "record",
                "_note",
                "_journal",
                "_changed",
            ):
                values = node.args[:2]
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "kind":
                values = [node.value]
            for value in values:
                branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                yield from (
                    one.value for one in branches if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )


def test_every_event_of_a_case_has_words():
    """Each event that the timeline of a case can show is said in plain words."""
    internal = {"asked", "backup_made", "run_finished", "account_run", "reject_discarded", "reject_replayed"}
    assert sorted(set(journal_kinds()) - set(_WORDS) - internal) == []
