"""Where links to cases lead (`/cases/NUMBER` under the top-level `public_url`): a page that names the command which shows the case.

It reads nothing, so it looks alike for every number and nobody learns by guessing which cases there are. Pages that show cases take this
path over: by a proxy that leads `/cases` to them, or by their own route in place of this one.
"""

import re
from typing import Final

_NUMBER: Final = re.compile(r"MA-[0-9]{6,9}")


def is_case_number(text: str) -> bool:
    """Return whether a case could have this number; the store is not asked."""
    return _NUMBER.fullmatch(text) is not None
