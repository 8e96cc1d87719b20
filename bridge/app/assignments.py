"""Assignments of plans: lines that name customers or tags nobody has, and what people gave by hand."""

from sqlalchemy import Connection

from bridge.app.opening import Opened
from bridge.words import Sentence


class Assignments(Opened):
    """What looks at assignments."""

    def unmatched(self) -> tuple[Sentence, ...]:
        """Return, in plain words, the customers and tags of assignments that nobody has; nothing before everything was read once."""
        found = []
        with self.store.reading() as conn:
            read = {one.name for one in self.store.mirror.accounts.all(conn) if one.full_at is not None}
            for index, line in enumerate(self.config.plans.assign):
                names = [name for name in line.accounts or self.accounts if name in self.accounts]
                if not names or not read.issuperset(names):
                    continue
                for condition in ("customers", "tags"):
                    for value in getattr(line, condition):
                        if not self._somebody(conn, names, condition, value):
                            where = self.loaded.place("plans", "assign", index, condition)
                            found.append(_nobody(condition, str(where), index, value))
        return tuple(found)

    def plans_by_hand(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return, by account and plan, how many customers and single invoices people gave it."""
        with self.store.reading() as conn:
            found = self.store.choices.plans_given(conn)
        return {key: given for key, given in found.items() if key[0] in self.accounts}

    def _somebody(self, conn: Connection, accounts: list[str], condition: str, value: str) -> bool:
        questions = self.store.questions
        if condition == "customers":
            return any(questions.debtors(conn, name, value) for name in accounts)
        return any(questions.tagged(conn, name, value) for name in accounts)


def _nobody(condition: str, where: str, index: int, value: str) -> Sentence:
    if condition == "customers":
        return Sentence(
            "{where}: plans.assign.{index}.customers = {value!r}: no customer has this number; write it as the invoicing tool shows it, or take it"
            " out",
            where=where, index=index, value=value,
        )  # fmt: skip
    return Sentence(
        "{where}: plans.assign.{index}.tags = {value!r}: no customer and no invoice has this tag; write it with the tool's capitals, or take it out",
        where=where, index=index, value=value,
    )  # fmt: skip
