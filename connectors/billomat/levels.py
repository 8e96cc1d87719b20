"""The account's dunning levels (Mahnstufen, `reminder-texts`) and its document quota, remembered for a run, and for a quarter of an hour at most."""

import threading
import time

from bridge.contract import BridgeError, ConfigError
from connectors.billomat import wire
from connectors.billomat.api import Api, Record
from connectors.billomat.reading import Reading

SECONDS = 900.0


def read_levels(api: Api) -> list[Record]:
    """Return the account's dunning levels; none where the key's user may not read the settings (403)."""
    try:
        return api.levels()
    except ConfigError as error:
        if error.cause != "http_403":
            raise
        return []


class Levels:
    """Dunning levels in their order; also what `Reading` needs in order to number reminders."""

    def __init__(self, api: Api, reading: Reading) -> None:
        self._api = api
        self._reading = reading
        self._rows: list[Record] = []
        self._until = 0.0
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Read the levels anew the next time."""
        with self._lock:
            self._until = 0.0

    def rows(self) -> list[Record]:
        """Return the levels in their order, read again after a quarter of an hour."""
        with self._lock:
            if time.monotonic() >= self._until:
                rows = read_levels(self._api)
                self._reading.set_levels(rows)
                self._rows = sorted(rows, key=lambda row: (wire.number(row, "sorting"), wire.number(row)))
                self._until = time.monotonic() + SECONDS
            return self._rows

    def charge_title(self, reminder: Record) -> str | None:
        """Return the title of the fee item of a reminder's level, if it has one."""
        text_id = wire.number(reminder, "reminder_text_id")
        return next((wire.text(row, "charge_name") for row in self.rows() if wire.number(row) == text_id), None)


class Quota:
    """The documents that the plan still allows this month; drafts of reminders count as well."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._left: int | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Ask anew the next time."""
        with self._lock:
            self._until = 0.0

    def left(self) -> int | None:
        """Return how many documents are left, None where there is no limit or Billomat does not say."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._left = documents_left(wire.one(self._api.account().data, "client"))
                self._until = time.monotonic() + SECONDS
            return self._left

    def used_one(self) -> None:
        """Count a reminder that was just created."""
        with self._lock:
            if self._left is not None:
                self._left -= 1

    def left_now(self) -> int | None:
        """Ask again, after a refusal; None where that fails too."""
        self.forget()
        try:
            return self.left()
        except BridgeError:
            return None


def documents_left(account: Record) -> int | None:
    """Return available minus used of the quota `documents`; None for unlimited (-1) or unknown."""
    for quota in wire.items(account.get("quotas"), "quota"):
        if wire.text(quota, "entity") == "documents":
            available, used = wire.amount(quota, "available"), wire.amount(quota, "used")
            if available is None or available < 0:
                return None
            return max(0, int(available - (used or 0)))
    return None
