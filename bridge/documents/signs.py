"""Letters that a letter (Brief) could not print, known before it is set: what is common is known to be printable, typst is asked for the rest."""

import re
from collections.abc import Iterable
from pathlib import Path

from bridge.documents.printable import plain

_COMMON = re.compile(r"[ -~\u00a0-\u024f\u0370-\u04ff\u1e00-\u1eff\u2010-\u2027\u2030-\u2037\u20a0-\u20bf]*")
"""Latin, Greek and Cyrillic, punctuation, currencies: typst's own fonts print all of it, plain and bold."""


def unprintable(lines: Iterable[str], fonts: Path | None) -> str:
    """Return the signs for which `letter.render` would refuse a letter with these lines, each once; empty: it prints them.

    `fonts` is the folder of `letters.fonts`. Common writing costs microseconds; for other typst sets the line once per process.
    """
    found: dict[str, None] = {}
    for line in lines:
        if not _COMMON.fullmatch(line):
            from bridge.documents.typesetting import lacking  # noqa: PLC0415  typst is loaded only where it is asked

            found.update(dict.fromkeys(lacking(plain(line), fonts)))
    return "".join(found)
