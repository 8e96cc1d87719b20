"""The world outside of delivery: its clock, its end, the mail server, and the eyes of the judge on every call."""

from datetime import UTC, datetime, timedelta

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Killed(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up but what the database does by itself."""


class Clock:
    """The technical clock of all workers."""

    def __init__(self):
        self.at = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self):
        return self.at

    def pass_(self, **delta):
        self.at += timedelta(**delta)


class Post:
    """aiosmtpd handler: keeps what it accepted, and lets incidents strike before or after that."""

    def __init__(self, world):
        self.world, self.accepted, self.seen = world, [], 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.seen += 1
        struck = [one for one in self.world.history.incidents if one.at == "mail" and one.nth == self.seen]
        answer = "250 OK"
        for one in struck:
            if not one.after:
                answer = self._strike(one, server) or answer
        if answer.startswith("250"):
            self.accepted.append(envelope)
        for one in struck:
            if one.after:
                answer = self._strike(one, server) or answer
        return answer

    def _strike(self, one, server):
        if one.what in ("451", "550"):
            return None if one.after else f"{one.what} no"
        if one.what in ("cut", "die"):
            self.world.doomed = one.what == "die"
            server.transport.abort()
            return "421 cut" if not one.after else None
        self.world.happen(one)
        return None


class MailServer(Controller):
    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Watched:
    """The connector of one worker: tells the judge what was looked at and what was called for it."""

    def __init__(self, world, real):
        self.world, self.real, self.looked = world, real, {}

    def look(self, refs):
        truths = {ref.id: self.world.provider.truth(ref.id) for ref in refs}
        snapshots = list(self.real.look(refs))
        self.looked |= truths
        self.world.after_look()
        return iter(snapshots)

    def push(self, write):
        before = self.world.sendings()
        try:
            return self.real.push(write)
        finally:
            self.judge(before, write)
            self.world.mortal()

    def find(self, write):
        return self.real.find(write)

    def document(self, ref):
        return self.real.document(ref)

    def judge(self, before, write):
        """Note what this call sent, with what the last look before it had shown."""
        for sent in self.world.sendings():
            if sent in before:
                continue
            if write.reminder_id is None or sent.reminder == write.reminder_id:
                self.world.judged.append((sent, dict(self.looked)))


class WatchedChannel:
    """The same for a channel of ours."""

    def __init__(self, world, real, connector):
        self.world, self.real, self.connector = world, real, connector
        for name in ("posted_at", "mark_posted"):
            if hasattr(real, name):
                setattr(self, name, getattr(real, name))

    def push(self, write, files=()):
        before = self.world.sendings()
        try:
            return self.real.push(write, files)
        finally:
            self.connector.judge(before, write)
            self.world.mortal()

    def find(self, write):
        return self.real.find(write)
