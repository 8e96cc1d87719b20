"""Where histories are lived through: a folder, a mail server and what was parsed, kept from one history to the next so that each is cheap."""

import contextlib
import gc
import logging
import shutil
import tempfile
from functools import cache
from pathlib import Path

import structlog

from bridge.app import opening
from bridge.config import load
from bridge.http import deadline
from bridge.mapping import Mapping
from bridge.store import Store
from bridge.store import engine as engines
from tests.faults.outside import MailServer, Post
from tests.sharing import sharing

_MEMORY = Path("/dev/shm")  # a file system in memory, where there is one: nobody waits for a disk, and power is not cut


class _Unarmed:
    """A deadline that never strikes: in a history no answer takes real time."""

    daemon = True

    def __init__(self, *_told):
        pass

    def start(self):
        pass

    def cancel(self):
        pass


def _parsed_once(parse):
    """Return `load`, which reads the same text of a configuration and its plan once."""
    known = {}

    def loaded(path, env):
        key = str(path), path.read_text("utf-8"), path.with_name("plan.yaml").read_text("utf-8")
        if key not in known:
            if len(known) > 1000:
                known.clear()
            known[key] = parse(path, env)
        return known[key]

    return loaded


load_once = _parsed_once(load)


def _planned_once(plans_of):
    known = {}

    def found(loaded):
        if id(loaded) not in known:
            if len(known) > 1000:
                known.clear()
            known[id(loaded)] = loaded, plans_of(loaded)
        return known[id(loaded)][1]

    return found


_plans_once = _planned_once(opening.plans_of)


@cache
def prepare():
    """Prepare this process for many histories: no log, statements compiled and files parsed once, no deadline that needs a thread."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    engines.create_engine = sharing(engines.create_engine)
    real = engines._sqlite_connection

    def fast(dbapi, record):
        real(dbapi, record)
        dbapi.execute("pragma synchronous=off")  # processes are killed here, power is not cut

    engines._sqlite_connection = fast
    make_cheap(setattr)
    gc.set_threshold(50_000, 20, 100)


def make_cheap(put):
    """Let `put(where, name, value)` put in what parses once and starts no timers."""
    put(opening, "FieldMapping", _Mappings)
    put(opening, "plans_of", _plans_once)
    put(deadline, "threading", _Threading)


class _Mappings:
    """Mappings, each parsed once."""

    load = staticmethod(cache(Mapping.load))


class _Threading:
    """What a deadline needs of `threading`."""

    Lock = staticmethod(deadline.threading.Lock)
    Timer = _Unarmed


@cache
def _template():
    folder = Path(tempfile.mkdtemp(prefix="mahnbridge-"))
    Store.open(folder / "empty.db").close()
    return folder / "empty.db"


def fast_folder():
    """Return a temporary folder, in memory where the system has such a file system."""
    return tempfile.TemporaryDirectory(prefix="mahnbridge-", dir=_MEMORY if _MEMORY.is_dir() else None)


class Stage:
    """One folder in which histories are lived through one after the other, and one mail server."""

    def __init__(self, folder=None):
        self._made = None
        if folder is None:
            self._made = fast_folder()
            folder = Path(self._made.name)
        self.folder = folder
        self.ports = {}
        self._post = self._mail = None

    def clear(self):
        """Empty the folder and put a database with all tables into it; return its URL."""
        for one in self.folder.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        shutil.copyfile(_template(), self.folder / "bridge.db")
        return f"sqlite:///{self.folder / 'bridge.db'}"

    def post(self, world):
        """Return the empty mailbox of this world, and the port of its server."""
        if self._mail is None:
            self._post = Post()
            self._mail = MailServer(self._post, hostname="127.0.0.1", port=0)
            self._mail.start()
        self._post.begin(world)
        return self._post, self._mail.port

    def close(self):
        if self._mail is not None:
            self._mail.stop(no_assert=True)
        if self._made is not None:
            with contextlib.suppress(OSError):
                self._made.cleanup()
