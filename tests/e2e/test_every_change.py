"""Every command that changes something, played once: each leaves an event with the name of whoever did it."""

import json
import sqlite3
from contextlib import closing
from datetime import date

import click
import pytest

from bridge import cli
from bridge.store import Store
from tests.e2e.test_actions import CONFIG

pytestmark = pytest.mark.xdist_group("e2e-every-change")

PLAN = """
name: {name}
minimum_interval_days: 0
levels:
  - name: Letzte Mahnung
    trigger: {{after_due: 1}}
    type: last
    automation: {automation}
    channels: [{channel}]
    term_days: 1
    {notice}
    texts: {{de: &text {{subject: "{{{{ level_name }}}}", body: "Bitte {{{{ total }}}} bis {{{{ deadline }}}}. {{{{ debtor_link }}}}"}}, en: *text}}
  - name: Inkasso
    trigger: {{after_previous: 1}}
    collection: true
"""
MORE = """
debtor_page: {public_url: "https://mahnung.example.com/antwort", port: 0}
forewarning: {to: [erika@lichtblick.example]}
"""
NO_EVENT = {
    "init": "writes the configuration before there is a database",
    "connect": "its event is asked for in test_connect.py",
    "serve": "starts what writes events itself",
}
"""Commands that change something and leave no event here, and why."""


def changing(group, before=""):
    """Yield the names of the commands that change something."""
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        if isinstance(one, click.Group):
            yield from changing(one, f"{before}{name} ")
        elif one.changes:
            yield before + name


class Ledger:
    """Plays commands, each by a person of its own, and keeps which of them left no event."""

    def __init__(self, desk):
        self.desk, self.count, self.played, self.silent = desk, 0, set(), []

    def __call__(self, command, *words, code=0):
        self.count += 1
        actor = f"Person {self.count}"
        said = self.desk(*command.split(), *words, "--as", actor, code=code)
        self.played.add(command)
        if not self._events(actor):
            self.silent.append(f"{command} {' '.join(map(str, words))}: {said[:300]}")

    def _events(self, actor):
        with closing(sqlite3.connect(self.desk.folder / "data" / "mahnbridge.db")) as database:
            return database.execute("select count(*) from event where actor = ?", (actor,)).fetchone()[0]

    def store(self):
        return Store.open(f"sqlite:///{self.desk.folder / 'data' / 'mahnbridge.db'}")


@pytest.fixture
def ledger(desk):
    """A desk with plans for mails, letters and proposals, an agency, a debtor's page, and a customer for each of many things."""
    kinds = {
        "haus": ("send", "mail", "internal_notice: {note: nachfragen}"),
        "brief": ("send", "letter", ""),
        "frage": ("propose", "mail", ""),
    }
    for name, (automation, channel, notice) in kinds.items():
        text = PLAN.format(name=name, automation=automation, channel=channel, notice=notice)
        (desk.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (desk.folder / "agb.pdf").write_bytes(b"%PDF-1.7 Allgemeine Bedingungen")
    desk.configure("files: [standard.yaml]", "files: [haus.yaml, brief.yaml, frage.yaml]")
    given = '"2001", "2002", "2003"', '"3001", "3002", "3003"'
    assign = f"assign: [{{plan: brief, customers: [{given[0]}]}}, {{plan: frage, customers: [{given[1]}]}}]"
    desk.configure("  default: standard\n", f"  default: haus\n  {assign}\n")
    desk.configure("    connector: sevdesk\n", "    connector: sevdesk\n    delivery: {retries: 1}\n")
    desk.configure("automation: propose", "automation: send")
    path = desk.folder / "bridge.yaml"
    path.write_text(path.read_text(encoding="utf-8") + CONFIG + MORE, encoding="utf-8")
    for number in (1002, 1003, 1004, 2001, 2002, 2003, 3001, 3002, 3003):
        owing(desk, number)
    owing(desk, 1005, issued_on=date(2026, 8, 18))  # reminded of tomorrow
    return Ledger(desk)


def owing(desk, number, issued_on=date(2026, 8, 3)):
    """Add a customer with one invoice of the same number, overdue unless it was issued later."""
    customer = desk.sandbox.add_contact(
        f"Kunde {number}", email=f"buch@k{number}.example", number=str(number), address=("Weg 1", "20095", "Hamburg")
    )
    desk.sandbox.add_invoice(customer, number=f"RE-{number}", gross="100.00", issued_on=issued_on)


def notice_of(desk, number, *listing):
    return next(one["id"] for one in desk.json(*listing) if one["claims"][0]["number"] == f"RE-{number}")


@pytest.mark.feature("N-12")
def test_every_command_that_changes_something_leaves_an_event_with_a_name(ledger):
    """Each command of the command line that changes something is played; each leaves an event in the name given with `--as`."""
    desk = ledger.desk
    ledger("pull")
    ledger("go-live", "--yes")
    ledger("forewarn", "--send")
    ledger("run", "--no-pull", "--approve-limits")
    ledger("deliver")
    proposals(ledger)
    letters(ledger)
    choices(ledger)
    failures(ledger)
    collection(ledger)
    switches(ledger)
    restore(ledger)
    assert ledger.silent == []
    root = next(one for one in vars(cli).values() if isinstance(one, click.Group))
    assert sorted(set(changing(root)) - ledger.played) == sorted(NO_EVENT)
    desk("audit", "export", "trail.jsonl")
    told = [json.loads(line) for line in (desk.folder / "trail.jsonl").read_text("utf-8").splitlines()]
    assert {"asked", "choice_taken_back", "step_replayed", "notice_landed"} <= {one["kind"] for one in told}
    assert {"Person 1", f"Person {ledger.count}"} <= {one["actor"] for one in told}
    assert desk.json("audit", "verify")["flaws"] == []


def proposals(ledger):
    desk = ledger.desk
    ledger("edit", notice_of(desk, 3001, "approve"), "--subject", "Bitte zahlen")
    ledger("edit", notice_of(desk, 3001, "approve"), "--fee", "2,50")
    ledger("approve", notice_of(desk, 3001, "approve"), "--yes")
    ledger("approve", notice_of(desk, 3002, "approve"), "--refuse", "kennen wir")
    with ledger.store() as store, store.begin() as conn:
        store.mirror.accounts.pulled(conn, "main", at=store.now(), full=False, totals=None, jump={"count": [1, 9]})
    ledger("approve", "--limits", "main", "--yes")


def letters(ledger):
    desk = ledger.desk
    waiting = {one["claims"][0]["number"]: one["id"] for one in desk.json("letters", "list")}
    ledger("letters posted", waiting["RE-2001"])
    ledger("letters sent", waiting["RE-2002"])
    ledger("letters withdraw", waiting["RE-2003"], "--reason", "Adresse falsch")
    sent, other = 2, 3  # the mails about RE-1002 and RE-1003
    ledger("letters returned", sent, "--reason", "unbekannt verzogen")
    ledger("letters accepted", sent, "--note", "angekommen")
    desk("letters", "returned", other, "--reason", "unbekannt verzogen")
    ledger("letters resend", other)
    ledger("letters bounces")
    ledger("links revoke", "MA-000001")


def choices(ledger):
    """What people choose for a case, and what they take back."""
    case = "RE-1"
    ledger("case block", case, "--reason", "dispute", "--invoice", "RE-1")
    ledger("case unblock", case, "--invoice", "RE-1")
    ledger("case defer", case, "--days", "3", "--invoice", "RE-1")
    ledger("case unblock", case, "--invoice", "RE-1")
    ledger("case instalments", case, "2026-09-15=500,00", "2026-10-15=690,00", "--note", "telefonisch")
    ledger("case charge", case, "5,00", "--kind", "cost", "--invoice", "RE-1")
    ledger("case charge", case, "5,00", "--kind", "cost", "--invoice", "RE-1", "--take-back")
    ledger("case waive", case, "--note", "Kulanz")
    ledger("case waive", case, "--take-back", "--note", "doch")
    ledger("case contact", case, "--note", "Anruf")
    ledger("case contact", case, "--on", "2026-08-31")
    ledger("case note", case, "Anwalt")
    ledger("case plan", case, "two-weeks")  # its second level is no hand-over
    for command, words in (
        ("case level", ("2",)),
        ("case recipient", ("buch@spaeth.example",)),
        ("case include", ()),
    ):
        ledger(command, case, *words)
        ledger(command, case, "--default")
    ledger("case exclude", case)
    ledger("case include", case, "--default")
    ledger("case colleagues", case, "--add", "max@lichtblick.example")
    ledger("case colleagues", case, "--remove", "max@lichtblick.example")
    ledger("case facts", case, "--legal-form", "GmbH", "--contract-date", "2026-01-15")
    ledger("case facts", case, "--take-back", "legal_form")
    ledger("case close", "RE-1004", "--note", "erledigt")
    ledger("case reopen", "RE-1004", "--note", "doch nicht")
    one, other, *_ = ledger.desk.json("tasks", "list")
    ledger("tasks assign", one["id"], "--to", "Max")
    ledger("tasks done", other["id"], "--outcome", "done")


def failures(ledger):
    """Two mails that the server refuses, and an invoice that cannot be read."""
    desk = ledger.desk
    for number in (4001, 4002):
        owing(desk, number)
    odd = desk.sandbox.add_invoice(desk.customer, number="RE-9", issued_on=date(2026, 8, 3))
    desk.sandbox.spoil(odd, invoiceDate="not a date")
    desk.mails.down = True
    desk("run", code=None)
    desk.mails.down = False
    found = [one for group in desk.json("failures", "list", code=1) for one in group["ids"]]
    rejects = [one for one in found if "reject" in one]
    steps = [one for one in found if one not in rejects]
    ledger("replay", steps[0])
    ledger("failures discard", steps[1], "--reason", "Post genügt", "--not-sent", "--yes")
    ledger("replay", rejects[0], code=None)
    ledger("failures discard", rejects[0], "--reason", "wird storniert", "--yes")
    desk.sandbox.faults.html("/Invoice", times=None)
    desk("pull", code=1)
    desk.sandbox.faults.clear()
    run = desk.json("runs", "trace", "--failed")[0]["run"]
    ledger("bundle", run, "--out", "run.zip")
    ledger("replay", f"run-{run}", code=None)


def collection(ledger):
    desk = ledger.desk
    desk.on(date(2026, 9, 8))
    ledger("case handover", "RE-1002", "--early")
    ledger("case handover", "RE-1002", "--default")
    desk("run", code=None)  # 1 while somebody has to look at something
    wanted = [one["id"] for one in desk.json("collection", "list") if one["claims"][0]["number"] == "RE-1002"]
    desk("approve", *wanted, "--yes")
    ledger("collection export")
    ledger("collection recall", "RE-1002", "--note", "Vergleich")


def switches(ledger):
    """Switches, files, keys, and what is put away."""
    desk = ledger.desk
    ledger("pause")
    ledger("pause", "--off")
    with ledger.store() as store, store.begin() as conn:
        store.mirror.accounts.suspend_writing(conn, "main", "reminders made elsewhere")
    ledger("release", "main", "--note", "abgeschaltet")
    ledger("plans new", "vip", "--from", "gentle")
    ledger("runs dismiss", desk.json("runs", "list")[0]["run"])
    ledger("files fetch")
    ledger("evidence export", "RE-1002", "--offline", "--out", "beweis.zip")
    ledger("keys rotate")
    ledger("keys forget")
    ledger("audit export", "first.jsonl")
    ledger("audit erase", "--before", "2016-01-01")
    desk.on(date(2033, 1, 7))
    ledger("retention", "--apply")
    desk.on(date(2026, 9, 8))


def restore(ledger):
    """A backup put back, adopted, and released."""
    ledger("backup", "b.zip")
    ledger("restore declare", "--since", "2026-09-01", code=1)
    ledger("restore load", "b.zip", code=1)
    ledger("restore adopt", code=None)
    ledger("restore release", "--despite-unknown")
    ledger("go-live", "--off")
