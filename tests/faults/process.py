"""Delivery in a process of its own, which kills itself at a chosen transaction border."""

import os
import signal
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.contract import Http, Mapping
from bridge.deliver import AccountPort, Deliverer, Desk
from bridge.dun import Judge
from bridge.policy import AccountRules
from bridge.store import Store
from connectors.billomat.connector import Billomat


def deliver(path, url, key, number, when):
    """Deliver account "a"; die with SIGKILL before or after the commit of transaction `number`."""
    now = datetime.fromisoformat(os.environ["NOW"])
    store = Store.open(path)
    begin, seen = store.begin, 0

    @contextmanager
    def mortal():
        nonlocal seen
        seen += 1
        mine = seen == int(number)
        with begin() as conn:
            yield conn
            if mine and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)

    store.begin = mortal
    http = Http(url, account="a", headers={"X-BillomatApiKey": key}, clock=lambda: now)
    connector = Billomat("a", Billomat.Settings(), Mapping.load("billomat"), http)
    rules = Judge(store, {"a": AccountRules("a", {}, None)}, {"a": ZoneInfo("Europe/Berlin")})
    Deliverer(Desk(store, {}, rules), {"a": AccountPort("a", connector, http)}).run("a")
