"""What strikes a world: faults of networks, machines and databases, people at the provider and here, other workers, and death."""

import resource
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bridge.contract import Reason
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.testing.wire import Cut, Response
from tests.faults.agency import lost
from tests.faults.borders import USUAL, where
from tests.faults.history import CHOSEN
from tests.faults.outside import Killed
from tests.faults.providers import BERLIN

LEASES_OVER = 700
"""Seconds after which no lease of a dead process is left."""
LAG = timedelta(seconds=120)
"""How long after a write the provider may still answer from before it; shorter than the settling time."""
_NO_LIMIT = resource.getrlimit(resource.RLIMIT_FSIZE)


class Striking:
    """The incidents of a history."""

    # ---------------------------------------------------------------------------------------------------------- moments

    def border(self, process, *, after):
        """A transaction is about to be committed, or just was: some processes die here, some lose their database."""
        if not after:
            self.borders.append(where())
        name, number = self.borders[-1], len(self.borders)
        if self.calm:
            return
        if self.doomed and not self.depth:
            self.killed[name, after] += 1
            process.kill()
        for one in self.history.incidents:
            if one.after is not after or not self._here(one, name, number):
                continue
            self.struck(one)
            if one.what == "die":
                self.killed[name, after] += 1
                process.kill()
            if one.what == "gone":
                lost()
            self.happen(one)

    def _here(self, one, name, number):
        """Return whether an incident at a border strikes at this one."""
        if one.at == "border":
            return one.nth == number
        if one.at == "each border":
            return not self.killed[name, one.after] and self.borders.count(name) >= one.nth
        if one.at == "rare":
            return name not in USUAL and one not in self.over and self._once(one, name)
        return one.at == name and self.borders.count(name) == one.nth

    def _once(self, one, name):
        if self.borders.count(name) >= one.nth:
            self.over.add(one)
            return True
        return False

    def begun(self):
        """Return whether another program has the database at the moment in which a writing transaction begins."""
        self.begins += 1
        for one in self.history.incidents:
            if one.at == "begin" and not self.calm and not self.depth:
                most = 12 if one.what == "busy_long" else 1
                if 2 * one.nth <= self.begins < 2 * one.nth + most:
                    self.struck(one)
                    return True
        return False

    def after_look(self, process):
        """Strike between the provider's answer to a look and the call that it is for."""
        self.looks += 1
        for one in self.history.incidents:
            if one.at == "look" and one.nth == self.looks and not self.calm:
                self.struck(one)
                self.doomed = self.doomed or one.what == "die"
                if one.what != "die":
                    self.happen(one)
        self.mortal(process)

    def between(self, at, number):
        """Strike while no process of ours is at work."""
        for one in self.history.incidents:
            if one.at == at and one.nth == number and not self.calm:
                self.struck(one)
                self.happen(one)

    def mortal(self, process):
        """Die if the incident at the provider said so."""
        if self.doomed and not self.depth:
            process.kill()

    def struck(self, one):
        """Count an incident that came to pass."""
        self.injected[one.what, "after" if one.after else "before", str(one.at)] += 1

    # --------------------------------------------------------------------------------------------------- at the provider

    def arm(self):
        """Lay all incidents that strike at a request of ours."""
        for one in self.history.incidents:
            if one.at in self.provider.paths:
                self._arm(one)

    def _arm(self, one):
        method, path = self.provider.paths[one.at]

        def strike(_server, *answer):
            return self._strike(one, answer[0] if answer else None)

        def half(server, connection, _request, response):
            self.struck(one)
            head = server.head(response, len(response.body) + 1, keep=False)
            connection.sendall(head + response.body[: len(response.body) // 2])

        moment = "sending" if one.what == "truncate" else "change" if one.after else "instead"
        self.provider.faults._add(path, method, one.nth, 1, **{moment: half if one.what == "truncate" else strike})

    def _strike(self, one, answer):
        self.struck(one)
        if one.what == "die":
            self.doomed = True
            raise Cut
        if one.what in ("cut", "reset"):
            raise Cut(reset=one.what == "reset")
        if one.what == "lag":
            self.stale_until = self.clock() + LAG
            raise Cut
        if one.what in ("429", "429_bare"):
            told = {"Retry-After": "30"} if one.what == "429" else None
            return answer or Response.json({"error": "slow down"}, 429, told)
        if one.what == "404":
            return Response.json({"errors": {"error": "not found"}}, 404)
        if one.what in ("500", "401"):
            return Response.text("oops", int(one.what))
        if one.what == "html":
            return Response(200, b"<html>maintenance</html>", {"Content-Type": "text/html"})
        self.happen(one)
        return answer

    def lagging(self, request, response):
        """Answer a read as before the last write, while the provider lags behind it."""
        if request.method != "GET" or response.status != 200:
            return response
        key = request.path, str(request.query)
        if self.clock() < self.stale_until and not self.calm:
            return self.answers.get(key, response)
        self.answers[key] = response
        return response

    # ------------------------------------------------------------------------------------------------------------- acts

    def happen(self, one):
        """Do what an incident says in the world outside."""
        invoice_id = self.invoices[min(one.target, len(self.invoices) - 1)]
        acts = {
            "hang": lambda: self.clock.pass_(seconds=100),
            "hang_long": lambda: self.clock.pass_(seconds=LEASES_OVER),
            "late": self._be_late,
            "other": lambda: self._other(0),
            "other_late": lambda: self._other(LEASES_OVER),
            "other_run": self._other_run,
            "jump_on": lambda: self._jump(hours=1),
            "jump_back": lambda: self._jump(hours=-1),
            "full": lambda: self._fill(full=True),
            "pay": lambda: self.provider.pay(invoice_id),
            "part": lambda: self._part(invoice_id),
            "give_back": lambda: self.provider.give_back(invoice_id),
            "pay_back": lambda: self._pay_and_back(invoice_id),
            "credit": lambda: self.provider.credit(invoice_id, Decimal(self.history.amounts[0]) if one.nth > 1 else Decimal("3.00")),
            "debit": lambda: self.provider.debit(invoice_id),
            "block": lambda: self.provider.block(invoice_id),
            "cancel": lambda: self.provider.cancel(invoice_id),
            "by_hand": lambda: self.provider.by_hand(invoice_id),
            "add": self._add,
            "local_block": lambda: self._block_here(invoice_id, None),
            "defer": lambda: self._block_here(invoice_id, self.provider.today + timedelta(days=5)),
            "replan": self._replan,
            "restart": self._restart,
            "revoke": self._revoke,
            "refuse": self._refuse,
            "off": self._switch_off,
            "move": lambda: self.provider.move(invoice_id),
            "meddle": lambda: self.provider.meddle(invoice_id),
            "readdress": lambda: self._readdress(invoice_id),
        }  # fmt: skip
        acts[one.what]()

    def _be_late(self):
        self.late = True

    def _jump(self, hours):
        """Let the clock of the machine jump, for the business and for leases alike."""
        self.clock.pass_(hours=hours)
        self.skew = timedelta(hours=hours)
        self.jumped += timedelta(hours=hours)

    def _fill(self, *, full):
        """Let nothing be written to files any more, or again: the disk is full."""
        self.full = full
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, _NO_LIMIT[1]) if full else _NO_LIMIT)

    def _part(self, invoice_id):
        left = self.provider.truth(invoice_id).open
        if left > Decimal("7.00"):
            self.provider.pay(invoice_id, Decimal("1.00"))

    def _pay_and_back(self, invoice_id):
        """Let a debit go through and come back."""
        self.provider.pay(invoice_id)
        self.provider.give_back(invoice_id)

    def _add(self):
        """Write one more invoice, which is overdue by now."""
        if len(self.invoices) < 5:
            self.invoices.append(self.provider.add(self.history.debtors[0], "77.00", overdue=20))

    def _replan(self):
        """Change the plan: one more level, other days; all processes begin anew with it."""
        self.levels, self.days_between = self.levels + 1, 9
        self._restart()
        self.load()

    def _restart(self):
        """Stop all processes as an operator does, and start them again."""
        with self._interrupting():
            for process in list(self.processes.values()):
                try:
                    process.bridge.close()
                except Killed:
                    self.deaths += 1
                    process.close()
            self.processes.clear()

    def _revoke(self):
        """Take the key of our access away; a person mends that a day later."""
        self.revoked = [self.provider.faults.status(401, times=None)]

    def _refuse(self):
        """Let nobody listen at the provider's door, until the next work."""
        if hasattr(self.provider.sandbox, "server") and self.closed is None:
            self.closed = self.provider.sandbox.server.refusing()
            self.closed.__enter__()

    def _switch_off(self):
        """Switch sending off, for this day."""
        self.off = True
        self.work(lambda process: process.bridge.stop_sending())

    def mend(self):
        """Do what an operator does in the morning: give the key again, switch sending on, make room on the disk."""
        for one in self.revoked:
            one.times = 0
        self.revoked = []
        if self.off:
            self.off = False
            self.work(lambda process: process.bridge.go_live())

    def reopen(self):
        """Let the provider's server listen again, and the disk be written."""
        if self.closed is not None:
            closed, self.closed = self.closed, None
            closed.__exit__(None, None, None)
        if self.full:
            self._fill(full=False)
        self.skew = timedelta(0)

    # ----------------------------------------------------------------------------------------------- people and workers

    @contextmanager
    def _interrupting(self):
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def _block_here(self, invoice_id, until):
        """Let a person block or defer it in a process of their own."""
        now = self.provider.now()
        stamp = Stamp(at=now, on=now.astimezone(BERLIN).date(), actor="erika")
        target = Target(account="a", invoice_id=invoice_id)
        with self._interrupting():
            self.work(lambda process: _blocked(process.bridge.store, target, stamp, until), "person")
        if until is None:
            self.provider.blocked.add(invoice_id)
        else:
            self.deferred[invoice_id] = until

    def _readdress(self, invoice_id):
        """Let a person choose whom this customer's mails go to, in a process of their own."""
        now = self.provider.now()
        stamp = Stamp(at=now, on=now.astimezone(BERLIN).date(), actor="erika")
        with self._interrupting():
            found = self.work(lambda process: _readdressed(process.bridge.store, invoice_id, stamp), "person")
        if found:
            self.chosen[self.provider.debtors[invoice_id]] = CHOSEN

    def truth(self, invoice_id):
        """Return what the provider believes of an invoice, and what a person here put down of it."""
        found, until = self.provider.truth(invoice_id), self.deferred.get(invoice_id)
        found = replace(found, to=self.chosen.get(self.provider.debtors[invoice_id], found.to))
        if not found.stopped and until is not None and self.provider.today <= until:
            return replace(found, stopped="deferred")
        return found

    def _other(self, late):
        """Let another worker deliver while the first one waits for its answer."""
        if self.depth:
            return
        with self._interrupting():
            self.clock.pass_(seconds=late)
            self.work(lambda process: process.bridge.deliver(), "other")
            if late:
                self.clock.pass_(seconds=400)
                self.work(lambda process: process.bridge.deliver(), "other")

    def _other_run(self):
        """Let another worker read and decide while the first one waits for an answer, longer than its lease lasts."""
        if self.depth:
            return
        with self._interrupting():
            self.clock.pass_(seconds=LEASES_OVER)
            self.work(lambda process: process.bridge.run(), "other")


def _readdressed(store, invoice_id, stamp):
    """Choose the recipient; return whether the customer is known already."""
    with store.begin() as conn:
        known = store.mirror.invoice(conn, "a", invoice_id)
        if known is not None:
            target = Target(account="a", debtor_id=known.invoice.debtor_id)
            store.choices.choose(conn, target, "mail_to", CHOSEN, stamp)
    return known is not None


def _blocked(store, target, stamp, until):
    reason = Reason.DISPUTE if until is None else Reason.DEFERRED
    with store.begin() as conn:
        store.choices.block(conn, target, reason, stamp, note="n", until=until)
