"""What a message of ours covered, as it says itself without naming anybody: enough to know it again when our own record of it is lost."""

import re
from hashlib import sha256
from typing import NamedTuple, Self

_TOKEN = re.compile(r"([0-9a-f]{16})/([0-9]{1,4})/([0-9]{1,4})/([0-9]{1,4})")


class Covered(NamedTuple):
    """One claim of a message: the invoice's fingerprint, and the round, level and repetition that it stood for."""

    fingerprint: str
    round: int
    level: int
    repetition: int

    @property
    def token(self) -> str:
        """Return it as it stands in a header or beside a letter."""
        return f"{self.fingerprint}/{self.round}/{self.level}/{self.repetition}"

    @classmethod
    def of(cls, account: str, invoice_id: str, *, round_: int, level: int, repetition: int) -> Self:
        """Return what a message says of one claim."""
        return cls(fingerprint(account, invoice_id), round_, level, repetition)

    @classmethod
    def parse(cls, token: str) -> Self | None:
        """Return what `token` says, None where it is no such word."""
        found = _TOKEN.fullmatch(token)
        return cls(found.group(1), *(int(found.group(n)) for n in (2, 3, 4))) if found else None


def fingerprint(account: str, invoice_id: str) -> str:
    """Return what stands for an invoice of an account where its id has no business."""
    return sha256(f"{account}\n{invoice_id}".encode()).hexdigest()[:16]
