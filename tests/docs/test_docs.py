"""The documentation is complete, current and true: every promise that can be tried is tried."""

import re
import shlex

import click
import pytest
from ruamel.yaml import YAML

from bridge.app.rules import plans_of
from bridge.cli import cli
from bridge.config import load
from bridge.config.schema import schema
from bridge.metrics import documented
from bridge.model import Reason
from bridge.policy.load import parse_plan
from tests.docs import codes, pages, reference, tables

DOCS = pages.ROOT / "docs"
README = pages.ROOT / "README.md"
PATHS = {path for path, _ in reference.tree()}


def ids(path):
    return pages.name(path)


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=ids)
def test_generated_parts_are_current(path):
    """What is generated is what the program says today; `make docs` renews it."""
    assert pages.words(path) == reference.filled(pages.words(path)), f"{path.name}: run `make docs`"


def test_every_generated_part_stands_somewhere():
    """No generated part is forgotten."""
    placed = [part for path in DOCS.glob("*.md") for part in reference.parts_of(pages.words(path))]
    assert sorted(placed) == sorted(reference.PARTS)


def test_every_command_and_option_is_documented():
    """docs/commands.md has a section for each command, and each option in it or among the common ones."""
    text = pages.words(DOCS / "commands.md")
    common, _, rest = text.partition("## All commands")
    sections = {part.partition("`\n")[0]: part for part in rest.split("### `")[1:]}
    missing = []
    for path, command in reference.tree():
        section = sections.get(" ".join(path), "")
        missing += [] if section else [" ".join(path)]
        missing += [
            f"{' '.join(path)} {option}"
            for param in command.params
            if isinstance(param, click.Option)
            for option in (*param.opts, *param.secondary_opts)
            if f"`{option}" not in section and f"`{option}" not in common
        ]
    assert not missing
    assert set(sections) == {" ".join(path) for path, _ in reference.tree()}


def test_the_readme_names_every_command():
    """The overview in the README leaves no command out."""
    table = pages.words(README).partition("## Commands")[2].partition("## ")[0]
    assert [words[0] for words in sorted(PATHS) if f"`{words[0]}" not in table] == []


def test_every_configuration_key_is_documented():
    """docs/configuration.md names every key of every block that bridge.yaml and a plan file can have, with its meaning."""
    text = pages.words(DOCS / "configuration.md")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", text, re.MULTILINE))
    missing = []
    for root in (schema(), tables.plan_schema().root):
        for model, node in {"": root, **root["$defs"]}.items():
            if model != "ConnectorSettings":  # what the settings of every connector begin with
                missing += [f"{model}.{key}" for key in node.get("properties", {}) if not rows.get(key, "").strip()]
    assert not missing


def test_no_meaning_of_a_plan_key_is_left_over():
    """Meanings belong to keys that exist."""
    plan = tables.plan_schema()
    list(plan.sections())
    assert plan.used == set(tables.PLAN_KEYS)


def test_every_proof_of_security_exists():
    """docs/security.md names, for each threat, tests that are there; it names no file in place of a test."""
    rows = pages.words(DOCS / "security.md").partition("## What is defended")[2].partition("\n## ")[0].splitlines()
    proofs = {
        row.split(" | ")[0]: re.findall(r"`(tests/[^`]+)`", row.split(" | ")[-1]) for row in rows if "`tests/" in row
    }
    assert len(proofs) == sum(row.startswith("| ") for row in rows) - 1
    cited = [one for proof in proofs.values() for one in proof]
    missing = []
    for one in cited:
        file, _, name = one.partition("::")
        path = pages.ROOT / file
        missing += (
            [] if path.is_file() and re.search(rf"^def {name}\(", pages.words(path), re.MULTILINE) and name else [one]
        )
    assert missing == []


def test_every_metric_is_documented():
    """docs/operations.md names every metric."""
    text = pages.words(DOCS / "operations.md")
    assert [one for one in documented() if f"| `{one}` |" not in text] == []


def test_every_alert_is_documented():
    """docs/operations.md says what each alert of docs/alerts.yml means, and names no other."""
    text = pages.words(DOCS / "operations.md")
    rules = [rule for group in YAML(typ="safe").load(DOCS / "alerts.yml")["groups"] for rule in group["rules"]]
    assert len(rules) == len({rule["alert"] for rule in rules})
    for rule in rules:
        assert f"| `{rule['alert']}` |" in text, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(re.findall(r"`(Mahnbridge\w+)`", text)) == {rule["alert"] for rule in rules}


def test_every_log_event_is_documented():
    """docs/operations.md names every event that the program logs, and none that it does not."""
    told = re.compile(r"log(?:ger)?\.(?:info|warning|error|exception)\(\s*\"(\w+)\"")
    source = {one for path in (pages.ROOT / "bridge").rglob("*.py") for one in told.findall(pages.words(path))}
    table = pages.words(DOCS / "operations.md").partition("| event | level |")[2].partition("\n\n")[0]
    assert {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    } == source


def documented_codes():
    first = re.findall(
        r"^\|([^|]*)\|", pages.words(DOCS / "errors.md").partition("## Reasons of decisions")[0], re.MULTILINE
    )
    return {code for cell in first for code in re.findall(r"`([^`]+)`", cell)}


def test_every_error_and_finding_is_documented():
    """docs/errors.md explains every cause and every finding that the source can raise, and none that it cannot."""
    known = codes.codes()
    explained = documented_codes() | set(Reason)  # reasons have a table of their own
    missing = {code: file for code, file in known.items() if code not in explained}
    assert not missing
    assert documented_codes() - set(known) == set()


def test_the_search_for_codes_finds_every_way_of_naming_one():
    """Named arguments, findings, composed texts, conditions and our own helpers: one known example of each is found."""
    known = codes.codes()
    for code in (
        "rate_budget",
        "sevdesk_token",
        "http_<...>",
        "sending_on",
        "unexpected_<...>",
        "not_found_yet",
        "lease_expired",
        "crash",
        "tls",
    ):
        assert code in known, code


def test_every_reason_is_documented():
    """docs/errors.md has a line for every reason of a decision."""
    text = pages.words(DOCS / "errors.md")
    assert [one for one in Reason if f"| `{one.value}` |" not in text] == []


# ----------------------------------------------------------------------------------------------------------- examples


def examples(language):
    """Return the examples of bridge.yaml; plans (`plan`), other programs' files (`no-check`) and profiles are none."""
    return [
        pytest.param(block, id=block.where)
        for path in pages.PAGES
        for block in pages.blocks(path)
        if block.language == language and not block.note and not block.text.startswith("kind: ")
    ]


def example_plans():
    return [block for block in pages.blocks(DOCS / "configuration.md") if block.note == "plan"]


def test_the_example_plans_load():
    """The plans of docs/configuration.md are ones that the program takes."""
    plans = [parse_plan(block.text, block.where) for block in example_plans()]
    assert [(plan.name, len(plan.levels)) for plan in plans] == [("agency", 2), ("ways", 1)]


@pytest.mark.parametrize("block", examples("yaml"))
def test_every_example_loads(tmp_path, block):
    """Every YAML example is a configuration that loads, with the secrets that it names; its plans exist."""
    (tmp_path / "agency.yaml").write_text(example_plans()[0].text, encoding="utf-8")
    for included in re.findall(r"^include: \[(.*)\]$", block.text, re.MULTILINE):
        for file in included.split(", "):
            (tmp_path / file).write_text("", encoding="utf-8")
    path = tmp_path / "bridge.yaml"
    path.write_text(block.text, encoding="utf-8")
    env = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block.text), "postgresql+psycopg://u:p@localhost/x")
    loaded = load(path, env)
    assert plans_of(loaded)
    assert not loaded.warnings


def parse(words, *, mention=False):
    """Walk the words of a call through the commands, as click would, without doing anything.

    A mention in running text need not name what a call would have to: `case show`, `init --cutoff`.
    """
    found, context = cli, click.Context(cli, info_name="mahnbridge")
    _, words, _ = cli.make_parser(context).parse_args(list(words))
    while isinstance(found, click.Group) and words:
        inner = found.get_command(context, words[0])
        assert inner is not None, f"there is no command {words[0]}"
        found, words = inner, words[1:]
        context = click.Context(found, info_name="mahnbridge")
    if isinstance(found, click.Group):
        assert words == []
        return
    if mention and words and words[-1].startswith("-"):
        words = [*words, "X"] if any(words[-1] in one.opts and not one.is_flag for one in options(found)) else words
    given, left, _ = found.make_parser(context).parse_args(words)
    assert not left, f"too many words: {left}"
    for param in found.params:
        if isinstance(param, click.Argument) and param.required and param.nargs == 1 and not mention:
            assert isinstance(given.get(param.name), str), f"{param.name} is missing"


def options(command):
    return [one for one in command.params if isinstance(one, click.Option)]


def calls():
    """Yield every call, whether it is only a mention, and where it stands."""
    for path in pages.PAGES:
        found = [(line, False, where) for line, where in pages.command_lines(path)]
        found += [(line, True, where) for line, where in pages.mentions(path, {words[0] for words in PATHS})]
        yield from (one for one in found if "…" not in one[0] and one[0] != "COMMAND")


@pytest.mark.parametrize(("line", "mention"), [pytest.param(*one[:2], id=one[2]) for one in sorted(set(calls()))])
def test_every_command_line_is_right(line, mention):
    """Every call in README and documentation names commands and options that exist, with the words that they need."""
    parse(shlex.split(line), mention=mention)


def test_wrong_command_lines_are_noticed():
    """The check above is one: unknown commands, options and missing words fail."""
    for wrong in ("planz", "plan --everything", "case show", "case showw X", "failures list step-1", "explain"):
        with pytest.raises((AssertionError, click.ClickException)):
            parse(shlex.split(wrong))


def test_make_targets_exist():
    """Every `make` target that a page names is one of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", pages.words(pages.ROOT / "Makefile"), re.MULTILINE))
    named = {}
    for path in pages.PAGES:
        code = [
            *pages.inline(path),
            *(line for block in pages.blocks(path) if block.language == "sh" for line in block.text.splitlines()),
        ]
        named |= {found[1]: pages.name(path) for one in code if (found := re.match(r"make ([a-z-]+)", one.strip()))}
    assert "demo" in named
    assert {target: page for target, page in named.items() if target not in targets} == {}


@pytest.mark.parametrize("path", pages.PAGES, ids=ids)
def test_links_resolve(path):
    """Every link to a file or heading of this project leads somewhere."""
    broken = []
    for link in pages.links(path):
        if re.match(r"https?:|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in pages.anchors(target)):
            broken.append(link)
    assert not broken


# ----------------------------------------------------------------------------------------------------------- README


@pytest.mark.xdist_group("docs-readme")
def test_the_commands_of_the_readme_run(office):
    """The quick start of the README works in its order, on a real sandbox: set up, check, read, rehearse, go live."""
    sandbox = office.sandbox
    customer = sandbox.add_contact(
        "Späth GmbH", email="buch@spaeth.example", number="1001", address=("Weg 1", "20095", "Hamburg")
    )
    sandbox.add_transaction("5.00", status=400)
    number = sandbox.add_invoice(customer, number="RE-1042", issued_on=office.today.replace(month=8, day=3))
    assert number
    start = next(block for block in pages.blocks(README) if "docker compose build" in block.text)
    named = [
        line.split()[5] for line in start.text.splitlines() if line.startswith("docker compose run --rm mahnbridge ")
    ]
    assert named == ["init", "check", "pull", "plan", "go-live"]
    office.init()
    assert "Everything that is needed works" in office("check").out
    assert office.json("pull")[0]["state"] == "done"
    planned = office.json("plan")
    assert [claim["number"] for notice in planned["notices"] for claim in notice["claims"]] == ["RE-1042"]
    assert not office.mails.received
    assert "RE-1042" in office("explain", "RE-1042").out
    office("go-live", "--yes")
    assert office.json("status")["sending"] is True
