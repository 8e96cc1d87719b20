"""The world outside of the program: its clock, its end, the mail server, and the eyes of the judge on every call."""

from datetime import UTC, datetime, timedelta

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Killed(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up but what the database does by itself."""


class Clock:
    """The technical clock of all processes."""

    def __init__(self):
        self.at = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self):
        return self.at

    def pass_(self, **delta):
        self.at += timedelta(**delta)


class Post:
    """aiosmtpd handler: keeps what it accepted and when, and lets incidents strike before or after that."""

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
            self.accepted.append((self.world.provider.now(), envelope))
        for one in struck:
            if one.after:
                answer = self._strike(one, server) or answer
        return answer

    def _strike(self, one, server):
        self.world.struck(one)
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


def watch(world, process):
    """Let the judge see what this process looks at and what it calls for it."""
    connector = process.port.connector
    look = connector.look
    process.looked = {}

    def looked(refs):
        truths = {ref.id: world.provider.truth(ref.id) for ref in refs}
        snapshots = list(look(refs))
        process.looked |= truths
        world.after_look(process)
        return iter(snapshots)

    connector.look = looked
    for giver in (connector, *process.bridge.channels.values()):
        giver.push = _watched(world, process, giver.push)


def _watched(world, process, push):
    def pushed(write, *files):
        before = world.known_sendings()
        try:
            return push(write, *files)
        finally:
            world.called(process, before)
            world.mortal(process)

    return pushed
