"""The world outside of the program: its clock, its end, the mail server, and the eyes of the judge on every call."""

import asyncio
import mmap
from datetime import UTC, datetime, timedelta

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from bridge.contract import Unclear
from bridge.deliver.call import within as _within


class Killed(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up but what the database does by itself."""


class Clock:
    """The technical clock of all processes: in memory that children share, so that time passes for them while they wait for an answer."""

    _BYTES = 16

    def __init__(self, day):
        self._shared = mmap.mmap(-1, self._BYTES)
        self._begin = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)

    def __call__(self):
        return self._begin + timedelta(microseconds=self._passed())

    def pass_(self, **delta):
        passed = self._passed() + timedelta(**delta) // timedelta(microseconds=1)
        self._shared[:] = passed.to_bytes(self._BYTES, "big", signed=True)

    def _passed(self):
        return int.from_bytes(self._shared[:], "big", signed=True)


class Post:
    """aiosmtpd handler: keeps what it accepted and when, and lets incidents strike before or after that."""

    def __init__(self):
        self.world, self.accepted, self.seen = None, [], 0

    def begin(self, world):
        """Empty the mailbox, for another world."""
        self.world, self.accepted, self.seen = world, [], 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.seen += 1
        struck = [one for one in self.world.history.incidents if one.at == "mail" and one.nth == self.seen]
        answer = "250 OK"
        for one in struck:
            if not one.after:
                answer = await self._strike(one, server) or answer
        if answer.startswith("250"):
            self.accepted.append((self.world.provider.now(), envelope))
        for one in struck:
            if one.after:
                answer = await self._strike(one, server) or answer
        return answer

    async def _strike(self, one, server):
        self.world.struck(one)
        if one.what in ("451", "550"):
            return None if one.after else f"{one.what} no"
        if one.what in ("cut", "die"):
            self.world.doomed = one.what == "die"
            server.transport.abort()
            return "421 cut" if not one.after else None
        await asyncio.to_thread(self.world.happen, one)  # other workers find the server awake meanwhile
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
        truths = {ref.id: world.truth(ref.id) for ref in refs}
        snapshots = list(look(refs))
        process.looked |= truths
        process.looked_at = world.ticks()
        world.after_look(process)
        return iter(snapshots)

    connector.look = looked
    for giver in (connector, *process.bridge.channels.values()):
        giver.push = _watched(world, process, giver.push)


def within(world):
    """Return `within` as delivery has it, under which some answers come after the deadline: to the one who waits for late ones."""

    def waiting(seconds, act, *, late, stop):
        def held():
            try:
                result = act()
            except Exception as error:
                if not world.late:
                    raise
                result = error
            if not world.late:
                return result
            world.late = False
            world.lates.append((late, result))
            raise Unclear("no answer within {seconds} seconds", seconds=f"{seconds:g}", cause="deadline")

        return _within(seconds, held, late=late, stop=stop)

    return waiting


def _watched(world, process, push):
    def pushed(write, *files):
        before, began = world.known_sendings(), world.ticks()
        try:
            return push(write, *files)
        finally:
            world.called(process, before, began)
            world.mortal(process)

    return pushed
