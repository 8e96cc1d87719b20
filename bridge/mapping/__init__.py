"""Mappings: YAML field tables, compiled into functions from a provider's raw record to model fields.

A mapping is a table, not a program: target field, source path, a named reader, a value table, a default, and `only_if` on equal
values. There are no expressions; what a table cannot say is Python in the connector.

```yaml
invoice:
  only_if: {invoiceType: [RE, AR, TR, ER]}
  also: [deliveryDate]                                # other paths that every record of this kind has
  fields:
    number: invoiceNumber
    issued_on: {from: invoiceDate, read: date}
    status: {from: status, values: {"100": draft, "200": open}, default: unknown}
    currency: {from: currency, default: EUR}          # the default where the field is empty, never where there is none
    paid: {from: paidAmount, read: decimal, optional: true}    # records may lack it
```
"""

from bridge.mapping.fields import Table
from bridge.mapping.tables import LARGEST, Mapping

__all__ = ["LARGEST", "Mapping", "Table"]
