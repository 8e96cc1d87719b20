"""Staff who read German read German: every sentence that a person may see has both languages."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from bridge.config import plugins
from bridge.config.model import Config
from bridge.errors import ConfigError, Refused
from bridge.http import HttpSettings
from bridge.mapping import Mapping as FieldMapping
from bridge.model import Act
from bridge.words import ROOMS, Sentence, both, learn

pytestmark = pytest.mark.xdist_group("words")

ROOT = Path(__file__).parents[2]
NO_SENTENCES = ("bridge/testing/", "bridge/demo/", "bridge/store/migrations/versions/")
ERRORS = {
    "AlreadyRunning", "BadAnswer", "BadRecord", "BridgeError", "CannotTell", "ConfigError", "FileDamaged", "NotFound", "NoticeExists",
    "NotSupported", "Refused", "RetryLater", "Sentence", "Unclear", "UsageError", "Wrong", "WrongState", "wrong",
}  # fmt: skip
"""What is made of a template with facts; `wrong` is the method of that name that makes such an error."""

KEYWORDS = {"BadRecord": {"cause", "field", "value"}, "RetryLater": {"cause", "after"}, "BadAnswer": {"cause", "after"}}
"""Arguments of an error that are no facts; of all others `cause` alone."""

SAYING = {"both", "listed", "misfit", "quoted", "sentence_of", "told"}
"""What returns a sentence."""

PLACE = re.compile(r"\{(\w+)(?:!r)?[|}]")


class Said(NamedTuple):
    """One sentence in the source."""

    where: str
    template: str
    facts: frozenset[str] | None
    """Names of its facts; None where they come as `**facts`."""


def sources() -> list[Path]:
    found = [*(ROOT / "bridge").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    paths = [path for path in found if "sandbox" not in str(path.relative_to(ROOT))]
    return sorted(path for path in paths if not str(path.relative_to(ROOT)).startswith(NO_SENTENCES))


def called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    named = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) != "click"
    return node.func.attr if named else ""


def message(node: ast.Call) -> ast.expr | None:
    """Return the argument that is the message: the first, after the node of the file for `wrong`."""
    place = 1 if called(node) == "wrong" else 0
    return node.args[place] if len(node.args) > place else None


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and called(node) in ERRORS and message(node) is not None:
            yield node


def branches(node: ast.expr) -> list[ast.expr]:
    return [*branches(node.body), *branches(node.orelse)] if isinstance(node, ast.IfExp) else [node]


@cache
def said() -> tuple[Said, ...]:
    found = []
    for path in sources():
        for node in calls(path):
            names = None if any(one.arg is None for one in node.keywords) else {str(one.arg) for one in node.keywords}
            for text in branches(message(node)):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    other = set() if called(node) == "Sentence" else KEYWORDS.get(called(node), {"cause"})
                    kept = None if names is None else frozenset(names - other)
                    found.append(Said(where, text.value, kept))
    return tuple(found)


@cache
def house() -> Mapping[str, str]:
    return {key: text for room in ROOMS for key, text in import_module(f"bridge.words.{room}").GERMAN.items()}


@cache
def plug_ins() -> Mapping[str, Mapping[str, str]]:
    names = ("billomat", "generic_csv", "sevdesk")
    return {name: import_module(f"connectors.{name}.german").GERMAN for name in names}


def catalogues_of(where: str) -> Mapping[str, str]:
    return plug_ins()[where.split("/")[1]] if where.startswith("connectors/") else house()


def needs_german(template: str) -> bool:
    return bool(re.sub(r"\{\w+(?:!r)?\}|[\W\d_]", "", template))


def places(text: str) -> set[str]:
    return set(re.findall(r"(?<!\{)\{(\w+(?:!r)?)(?:\|[^{}]*)?\}", text.replace("{{{", "{").replace("}}}", "}")))


def test_every_sentence_in_the_source_has_german() -> None:
    """No sentence of an error, a finding or a problem can be written without its German."""
    missing = [
        f"{one.where}: {one.template!r}"
        for one in said()
        if needs_german(one.template) and one.template not in catalogues_of(one.where)
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("name", ["house", "billomat", "generic_csv", "sevdesk"])
def test_no_german_without_its_sentence(name: str) -> None:
    """A catalogue holds nothing that nobody says, and each German sentence tells the same facts as the English one."""
    catalogue = house() if name == "house" else plug_ins()[name]
    descriptions = required_descriptions()
    used = {one.template for one in said() if catalogues_of(one.where) is catalogue} | descriptions
    assert sorted(set(catalogue) - used) == []
    assert [english for english, german in catalogue.items() if places(english) != places(german)] == []


def test_facts_fit_their_template() -> None:
    """Each place of a sentence is filled where the sentence is made, and no fact is given for nothing."""
    wrong = [
        one
        for one in said()
        if one.facts is not None
        and {place.removesuffix("!r") for place in places(one.template)} != one.facts
        and (one.facts or not one.template.startswith("write ${"))
    ]
    assert not wrong


def says(node: ast.expr, tree: ast.AST) -> bool:
    """Return whether an expression is a sentence: made, handed in or taken from an error."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Call):
        return called(node) in SAYING | {"Sentence"}
    if isinstance(node, ast.Attribute):
        return node.attr in {"sentence", "reason"}
    if not isinstance(node, ast.Name):
        return False
    return any(
        (isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == node.id and says(one.value, ast.Module([], [])))
        or (isinstance(one, ast.arg) and one.arg == node.id and ast.unparse(one.annotation or node) == "Sentence")
        for one in ast.walk(tree)
    )


def test_no_finished_text_in_an_error() -> None:
    """An error is raised with a template and facts or with a sentence; an f-string would be English for everybody."""
    finished = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(text)}"
        for path in sources()
        if path.parts[-2] != "words" and path.name != "errors.py"
        for node in calls(path)
        if called(node) != "Sentence"
        for text in branches(message(node))
        if not says(text, tree_of(path))
    ]
    assert not finished, "\n".join(finished)


def test_every_error_is_listed() -> None:
    """An error that takes a template is one of those whose texts are read here; a new one must not slip by."""
    names = {
        node.name
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base) in ERRORS for base in node.bases)
        and not any(isinstance(one, ast.FunctionDef) and one.name == "__init__" for one in node.body)
    }
    assert names - ERRORS == set()


@cache
def required_descriptions() -> frozenset[str]:
    """Return what is said of every key that must be written: the hint where it is missing."""
    names = (plugins.CONNECTORS, plugins.connector), (plugins.CHANNELS, plugins.channel)
    models = [Config, HttpSettings, *(load(name).Settings for group, load in names for name in plugins.names(group))]
    found, seen = set(), set()
    while models:
        model = models.pop()
        if model in seen:
            continue
        seen.add(model)
        for info in model.model_fields.values():
            models += [one for one in parts(info.annotation) if isinstance(one, type) and hasattr(one, "model_fields")]
            if info.is_required() and info.description:
                found.add(info.description)
    return frozenset(found)


def parts(annotation: object) -> list[object]:
    inner = [one for part in get_args(annotation) for one in parts(part)]
    return [annotation, *inner]


def test_the_hint_for_a_missing_key_has_german() -> None:
    """Who leaves out a key that must be there reads in German what belongs there."""
    known = {key for catalogue in (house(), *plug_ins().values()) for key in catalogue}
    assert sorted(required_descriptions() - known) == []


def test_a_stored_sentence_is_told_in_both_languages() -> None:
    """What is kept is template and facts; whoever reads it days later is told in his language."""
    inner = Refused("sevDesk cannot {act}", act=Act.CREATE)
    kept = Sentence("given up after {attempts} {attempts|call|calls}: {error}", attempts=3, error=inner).to_store()
    learn(plug_ins()["sevdesk"])
    again = Sentence.stored(kept)
    assert again.told("en") == "given up after 3 calls: sevDesk cannot create a reminder"
    assert again.told("de") == "nach 3 Aufrufen aufgegeben: sevDesk kann das nicht: eine Mahnung anlegen"


SEVERAL = [
    "accounts",
    "bytes",
    "calls",
    "cells",
    "characters",
    "claims",
    "columns",
    "copies",
    "customers",
    "days",
    "decisions",
    "deliveries",
    "documents",
    "entries",
    "events",
    "fees",
    "fields",
    "files",
    "hours",
    "instalments",
    "invoices",
    "items",
    "keys",
    "letters",
    "levels",
    "lines",
    "links",
    "mails",
    "messages",
    "minutes",
    "months",
    "notices",
    "pages",
    "payments",
    "people",
    "places",
    "proposals",
    "rates",
    "records",
    "references",
    "reminders",
    "rows",
    "seconds",
    "steps",
    "tasks",
    "texts",
    "times",
    "tokens",
    "weeks",
    "years",
    "Aufgaben",
    "Aufrufe",
    "Aufrufen",
    "Briefe",
    "Briefen",
    "Bytes",
    "Dateien",
    "Datensätze",
    "Datensätzen",
    "Dokumente",
    "Dokumenten",
    "Entscheidungen",
    "Ereignisse",
    "Felder",
    "Forderungen",
    "Gebühren",
    "Konten",
    "Kunden",
    "Links",
    "Mahnstufen",
    "Mahnungen",
    "Mails",
    "Minuten",
    "Monate",
    "Monaten",
    "Posten",
    "Raten",
    "Rechnungen",
    "Sätze",
    "Sätzen",
    "Schritte",
    "Schritten",
    "Seiten",
    "Sekunden",
    "Spalten",
    "Stufen",
    "Stunden",
    "Tage",
    "Tagen",
    "Texte",
    "Texten",
    "Verweise",
    "Vorschläge",
    "Vorschlägen",
    "Wochen",
    "Zahlungen",
    "Zeilen",
    "Zellen",
    "Zustellungen",
]
"""What is counted, in the plural of both languages."""

ONE_OF_SEVERAL = re.compile(
    rf"\b1 (?:(?:open|earlier|further|more|dunning|offene|frühere|weitere|weiteren) )?(?:{'|'.join(SEVERAL)})\b"
)
NEVER_ONE = {
    "longest", "largest", "most_files", "largest_xml", "largest_package", "largest_file", "longest_number", "limit", "loops", "size",
    "lines", "named", "data", "searched", "most",
}  # fmt: skip
"""Facts that are never one: limits of ours, and what is told only where it is more (or less) than one."""


def told_of_one(template: str) -> str:
    facts = {name: 1000 if name in NEVER_ONE else 1 for name in PLACE.findall(template)}
    return str(Sentence(template, **facts))


def test_one_of_a_thing_is_told_in_the_singular() -> None:
    """Every sentence of every catalogue with each of its facts one, German and English: nowhere `1 invoices`."""
    catalogues = (house(), *plug_ins().values())
    templates = {one.template for one in said()} | {text for one in catalogues for pair in one.items() for text in pair}
    assert [text for one in sorted(templates) if ONE_OF_SEVERAL.search(text := told_of_one(one))] == []
    assert ONE_OF_SEVERAL.search(told_of_one("{count} open invoices are held")), "the pattern finds what it looks for"


@pytest.mark.parametrize(("count", "said"), [(0, "0 Mails"), (1, "1 Mail"), (2, "2 Mails"), ("1", "1 Mail")])
def test_a_count_chooses_its_words(count: object, said: str) -> None:
    """One, and everything else; also after it was stored, and in the other language."""
    learn({"there {count|is|are} {count} {count|mail|mails}": "{count} {count|Mail|Mails}"})
    kept = Sentence.stored(Sentence("there {count|is|are} {count} {count|mail|mails}", count=count).to_store())
    assert kept.told("de") == said
    assert str(kept) == ("there is 1 mail" if str(count) == "1" else f"there are {count} mails")


@pytest.mark.parametrize(
    ("fact", "german", "english"),
    [
        (date(2026, 9, 1), "01.09.2026", "2026-09-01"),
        (Decimal("1190.00"), "1190,00", "1190.00"),
        (("a", "b"), "a, b", "a, b"),
        (None, "None", "None"),
        (both("Brief", "letter"), "Brief", "letter"),
        ("Permission denied", "die Rechte reichen nicht", "Permission denied"),
    ],
)
def test_facts_are_written_as_people_write_them(fact: object, german: str, english: str) -> None:
    """Dates and amounts follow the language, also after they were stored; a quote stays as it is."""
    stored = Sentence.stored(Sentence("{path}: {fact}", path="x", fact=fact).to_store())
    assert (stored.told("de"), stored.told("en")) == (f"x: {german}", f"x: {english}")


@pytest.mark.parametrize(
    ("said", "german"),
    [
        ("ConnectionResetError", "die Gegenseite hat die Verbindung beendet"),
        ("mapping values are not allowed here", "hier darf kein Doppelpunkt stehen; Text mit Doppelpunkt gehört in Anführungszeichen"),
        ("expected <block end>, but found '-'", "die Einrückung passt nicht, hier steht '-'"),
        ("expected ',' or ']', but got ':'", "ein Komma oder ] fehlt, hier steht ':'"),
        ("found unknown escape character 'q'", "die Zeichenfolge mit \\ und 'q' ist nicht bekannt"),
        ("Hostname mismatch, certificate is not valid for 'mail.example'.", "das Zertifikat gilt nicht für 'mail.example'"),
        ("Kunde \\1 GmbH", "Kunde \\1 GmbH"),
    ],
)  # fmt: skip
def test_what_systems_say_is_told_in_german(said: str, german: str) -> None:
    """Reasons of YAML, network and operating system stand in the sentence in its reader's language; anything else stays as it is."""
    sentence = Sentence("{path}: {error}", path="x", error=said)
    assert (sentence.told("de"), sentence.told("en")) == (f"x: {german}", f"x: {said}")


def test_what_yaml_really_says_is_told_in_german() -> None:
    """The reasons are those of the YAML that reads the files."""
    for text in ("a: b: c", "a:\n  - b\n - c", "a: [b\nc: d", 'a: "\\q"', "a: *b", "a: '", "\ta: b", "a: @b", "a: }"):
        with pytest.raises(ConfigError) as caught:
            FieldMapping.parse("m", text, "m.yaml")
        english, german = caught.value.sentence.told("en"), caught.value.sentence.told("de")
        assert english.rpartition("YAML: ")[2] != german.rpartition("YAML: ")[2], german
        assert german.startswith("m.yaml:"), german


def test_what_has_no_german_says_so() -> None:
    """A plug-in that brings English alone is understood, and the reader sees that its German is missing."""
    assert Sentence("the moon is {size} today", size=3).told("de") == "[en] the moon is 3 today"
    assert ConfigError("the moon is full").sentence.told("de") == "[en] the moon is full"


def test_a_quote_can_not_play_the_template() -> None:
    """Braces in what a provider answers stay what they are."""
    said = Refused("{path}: {said}", path="{path!r}", said="{0.__class__} {{x}}").sentence
    assert said.told("de") == said.told("en") == "{path!r}: {0.__class__} {{x}}"


def test_logs_and_scripts_see_english() -> None:
    """A sentence is its English text wherever nobody asked for a language."""
    said = Sentence("it is done")
    assert (str(said), json.dumps(said), f"{said}") == ("it is done", '"it is done"', "it is done")
