"""The program under fire: an agency's configuration, and one process of mahnbridge that can be killed at every border."""

import sys

from sqlalchemy import event

from bridge.app import Bridge
from bridge.app.opening import Opened
from tests.faults.outside import Killed

_CONFIG = """\
language: de
creditor: {{name: Agentur, street: Weg 1, postcode: "20095", city: Hamburg, iban: DE89370400440532013000}}
accounts:
  a:
    connector: {connector}
    federal_state: HH
    http:
      base_url: {url}
      auth: {{type: token, header: {header}, token: "{token}"}}
      pace: 1000
      attempts: 2
channels:{mail}
  letter_outbox: {{folder: letters, posted_when_written: true}}
plans: {{files: [plan.yaml], default: plan}}
dunning: {{cutoff: 2025-01-01, max_notices_per_run: 1000}}
database: {{url: "{database}"}}
write_back: {{note: {notes}, tag: {notes}, customer_note: false}}
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
        subject: "Mahnung zu {{{{ invoice_number }}}}"
        body: |
          {{% for item in items %}}
          {{{{ item.number }}}} offen {{{{ item.open }}}}
          {{% endfor %}}
          Summe {{{{ total }}}}
"""

CHANNELS = {"provider": "provider_email", "letter": "letter", "mail": "mail"}


def configure(history, provider, folder, *, database, mail_port=None):
    """Write the agency's configuration into `folder`; return the path of its bridge.yaml."""
    header, token = provider.proof
    mail = "" if mail_port is None else _MAIL.format(port=mail_port)
    text = _CONFIG.format(
        connector=provider.name, url=provider.sandbox.base_url, header=header, token=token, mail=mail, database=database,
        notes=str(history.notes).lower(),
    )  # fmt: skip
    plan = _PLAN.format(when="from_first" if history.bundle else "never")
    for number in range(1, history.levels + 1):
        plan += _LEVEL.format(
            number=number,
            trigger="after_due" if number == 1 else "after_previous",
            days=3 if number == 1 else 8,
            automation="propose" if history.approval else "send",
            channel=CHANNELS[history.way],
            document="provider" if history.way == "provider" else "silent" if history.record else "none",
        )
    (folder / "plan.yaml").write_text(plan, "utf-8")
    path = folder / "bridge.yaml"
    path.write_text(text, "utf-8")
    return path


class Process:
    """One process of mahnbridge: opened as every process is, with nothing in memory. Dead, it changes nothing any more.

    `border` is called with the process before and after every commit of a writing transaction.
    """

    def __init__(self, loaded, *, clock, technical, border):
        self.border, self.dead = border, False
        self.bridge = Bridge(loaded, actor="agentur", clock=clock, technical_clock=technical)
        engine = self.bridge.store.engine
        event.listen(engine, "commit", self._commit)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda dbapi, _: dbapi.execute("pragma synchronous=off"))
            engine.dispose()  # speed; power is not cut here
        self.port = self.bridge.accounts["a"]
        http = self.port.http
        http._sleep = http._wire._budget._sleep = lambda seconds: technical.pass_(seconds=seconds)
        http._jitter = lambda: 0.5

    def _commit(self, conn):
        """Commit, with a border on either side; what SQLAlchemy commits afterwards is nothing any more."""
        if self.dead:
            raise Killed
        options = conn.get_execution_options()
        if options.get("mahnbridge_reading") or options.get("postgresql_readonly"):
            return
        self.border(self, after=False)
        conn.dialect.do_commit(conn.connection)
        self.border(self, after=True)

    def kill(self):
        """Die here."""
        self.dead = True
        raise Killed

    def close(self):
        """Let go of what the operating system would take back; a process that dies seals no journal."""
        Opened.close(self.bridge)


def where():
    """Return the innermost function above the store that is at work: the name of the transaction."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("bridge.") and not module.startswith(("bridge.store", "bridge.testing")):
            return f"{module.removeprefix('bridge.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "a person's own"
