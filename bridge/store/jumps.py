"""What moved between two pulls, in words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bridge.words import Sentence, listed


def jump_text(jump: Mapping[str, Any]) -> Sentence:
    """Return what moved between two pulls: `open invoices 40 -> 3, EUR 9800.00 -> 120.00`."""
    parts = []
    for name, values in jump.items():
        if name == "left":
            parts.append(
                Sentence(
                    "new here, while {names}, of the same kind, is in the configuration no more; under a new name every invoice begins at the first level",
                    names=values,
                )
            )
        elif name == "count":
            parts.append(Sentence("open invoices {before} -> {after}", before=values[0], after=values[1]))
        else:
            before, after = map(Decimal, values)
            parts.append(Sentence("{currency} {before} -> {after}", currency=name, before=before, after=after))
    return listed(parts, ", ")
