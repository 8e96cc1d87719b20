"""A faithful stand-in for Billomat on loopback, for demo, tests and third parties; `Sandbox` is all that they need."""

from connectors.billomat.sandbox.books import Automation, Behaviour
from connectors.billomat.sandbox.ledger import Happening, Ledger, Sending
from connectors.billomat.sandbox.sandbox import Sandbox

__all__ = ["Automation", "Behaviour", "Happening", "Ledger", "Sandbox", "Sending"]
