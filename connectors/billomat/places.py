"""The harmless place for our line in a client's record: a client property of its own, never people's free text."""

import threading

from bridge.contract import Finding, Refused, Sentence, Severity, Unclear
from connectors.billomat import wire
from connectors.billomat.api import Api
from connectors.billomat.settings import Settings


class CustomerPlace:
    """The client property that carries the line about the last reminder."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self.api = api
        self.name = settings.customer_note_property
        self._id: str | None = None
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Look for the property anew the next time."""
        with self._lock:
            self._id = None

    def find(self) -> str | None:
        """Return the id of the property, None while it does not exist; once found it is remembered for the run."""
        with self._lock:
            if self._id is None:
                for row in self.api.properties():
                    if (wire.text(row, "name") or "").casefold() == self.name.casefold():
                        self._id = wire.record_id(row)
                        break
            return self._id

    def create(self) -> Finding:
        """Create the property unless it exists."""
        if self.find() is not None:
            return Finding(
                severity=Severity.INFO,
                code="billomat_place_ready",
                text=Sentence("The client property {name!r} exists.", name=self.name),
            )
        self.api.add_property(self.name)
        if self.find() is None:
            raise Unclear(
                "the client property {name!r} was created but is not listed yet; try again",
                name=self.name,
                cause="place",
            )
        return Finding(
            severity=Severity.INFO,
            code="billomat_place_created",
            text=Sentence("The client property {name!r} was created.", name=self.name),
        )

    def put(self, client_id: str, line: str) -> str | None:
        """Set the line of a client; harmless to repeat. Raises `Refused` while the property does not exist."""
        property_id = self.find()
        if property_id is None:
            raise Refused(
                "there is no client property {name!r}; `mahnbridge init --places` creates it",
                name=self.name,
                cause="no_place",
            )
        return wire.text(self.api.set_property(client_id, property_id, line), "id")

    def holds(self, client_id: str, line: str) -> bool:
        """Return whether the client's property says exactly `line`."""
        property_id = self.find()
        if property_id is None:
            return False
        return any(wire.text(row, "value") == line.strip() for row in self.api.property_values(client_id, property_id))
