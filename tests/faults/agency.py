"""The program under fire: an agency's configuration, and one process of mahnbridge that can be killed at every border."""

import sqlite3

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bridge.app import Bridge
from bridge.app.opening import Opened
from bridge.store import engine as engines
from tests.faults.outside import Killed

_CONFIG = """\
language: de
creditor: {{name: Agentur, street: Weg 1, postcode: "20095", city: Hamburg, iban: DE89370400440532013000}}
accounts:
  a:
    connector: {connector}
    federal_state: HH
{account}channels:{mail}
  letter_outbox: {{folder: letters, posted_when_written: true}}
plans: {{files: [plan.yaml], default: plan}}
dunning: {{cutoff: 2025-01-01, max_notices_per_run: 1000}}
database: {{url: "{database}"}}
write_back: {{note: {notes}, tag: {notes}, customer_note: false}}
"""

_HTTP = """\
    http:
      base_url: {url}
      auth: {{type: token, header: {header}, token: "{token}"}}
      pace: 1000
      attempts: 2
"""

_FILES = """\
    settings: {inbox: eingang, settle_seconds: 0}
"""

_MAIL = """
  smtp: {{host: 127.0.0.1, port: {port}, security: none, sender_address: a@agentur.example}}"""

_PLAN = """\
name: plan
bundling: {{when: {when}}}
levels:
"""

_LEVEL = """\
  - name: Stufe {number}
    trigger: {{{trigger}: {days}}}
    automation: {automation}
    channels: [{channel}]
    document: {document}
    term_days: 6
    texts:
      de:
        subject: "Mahnung zu {{% for item in items %}}{{{{ item.number }}}} {{% endfor %}}"
        body: |
          {{% for item in items %}}
          {{{{ item.number }}}} offen {{{{ item.open }}}}
          {{% endfor %}}
          Summe {{{{ total }}}}
"""

CHANNELS = {"provider": "provider_email", "letter": "letter", "mail": "mail"}


def configure(history, provider, folder, *, database, mail_port=None):
    """Write the agency's configuration into `folder`; return the path of its bridge.yaml."""
    mail = "" if mail_port is None else _MAIL.format(port=mail_port)
    if provider.proof is None:
        account = _FILES
    else:
        header, token = provider.proof
        account = _HTTP.format(url=provider.sandbox.base_url, header=header, token=token)
    text = _CONFIG.format(
        connector=provider.name, account=account, mail=mail, database=database, notes=str(history.notes).lower()
    )
    path = folder / "bridge.yaml"
    path.write_text(text, "utf-8")
    return path


def plan(history, folder, *, levels, days=8):
    """Write the plan of so many levels, each so many days after the one before."""
    plan = _PLAN.format(when="from_first" if history.bundle else "never")
    for number in range(1, levels + 1):
        plan += _LEVEL.format(
            number=number,
            trigger="after_due" if number == 1 else "after_previous",
            days=3 if number == 1 else days,
            automation="propose" if history.approval else "send",
            channel=CHANNELS[history.way],
            document="provider" if history.way == "provider" else "silent" if history.record else "none",
        )
    (folder / "plan.yaml").write_text(plan, "utf-8")


class Process:
    """One process of mahnbridge: opened as every process is, with nothing in memory. Dead, it changes nothing any more.

    `border` is called with the process before and after every commit of a writing transaction, `begun` before it begins.
    """

    def __init__(self, loaded, *, clock, technical, border, begun=lambda: None):
        self.border, self.begun, self.dead, self._other = border, begun, False, None
        self.bridge = Bridge(loaded, actor="agentur", clock=clock, technical_clock=technical)
        engine = self.bridge.store.engine
        event.remove(engine, "begin", engines._begin)
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "handle_error", self._free)
        event.listen(engine, "commit", self._commit)
        self.port = self.bridge.accounts["a"]
        http = self.port.http
        http._sleep = http._wire._budget._sleep = lambda seconds: technical.pass_(seconds=seconds)
        http._jitter = lambda: 0.5

    def _begin(self, conn):
        """Begin a writing transaction; now and then another program has the database just then."""
        if conn.dialect.name == "sqlite" and not _reads(conn) and self.begun():
            self._other = sqlite3.connect(conn.engine.url.database)
            self._other.execute("begin immediate")
            conn.connection.cursor().execute("pragma busy_timeout=0")
        engines._begin(conn)

    def _free(self, context):
        """The other program is done with the database."""
        if self._other is not None:
            self._other.close()
            self._other = None
            context.connection.connection.cursor().execute(f"pragma busy_timeout={1000 * engines.BUSY_SECONDS}")

    def _commit(self, conn):
        """Commit, with a border on either side; what SQLAlchemy commits afterwards is nothing any more."""
        if self.dead:
            raise Killed
        if _reads(conn):
            return
        self.border(self, after=False)
        try:
            conn.dialect.do_commit(conn.connection)
        except sqlite3.Error as error:  # as SQLAlchemy tells it
            raise OperationalError("commit", None, error) from error
        self.border(self, after=True)

    def kill(self):
        """Die here."""
        self.dead = True
        raise Killed

    def close(self):
        """Let go of what the operating system would take back; a process that dies seals no journal."""
        Opened.close(self.bridge)


def _reads(conn):
    options = conn.get_execution_options()
    return options.get("mahnbridge_reading") or options.get("postgresql_readonly")


def lost():
    """Raise what a database raises that is gone."""
    raise OperationalError("commit", None, sqlite3.OperationalError("disk I/O error"))
