"""A faithful local stand-in of sevDesk's API v1, with real HTTP on loopback.

```python
with Sandbox(today=date(2026, 9, 1)) as sevdesk:
    contact = sevdesk.add_contact("Muster GmbH", email="buchhaltung@muster.example")
    invoice = sevdesk.add_invoice(contact, gross="238.00", issued_on=date(2026, 8, 3))
    ...  # point an account at sevdesk.base_url with sevdesk.token
    assert sevdesk.ledger.count("mail", invoice) == 1
```
"""

from connectors.sevdesk.sandbox.behaviour import Behaviour
from connectors.sevdesk.sandbox.ledger import Entry, Ledger
from connectors.sevdesk.sandbox.sandbox import Sandbox

__all__ = ["Behaviour", "Entry", "Ledger", "Sandbox"]
