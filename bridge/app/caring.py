"""Who of ours looks after a customer (Kundenbetreuung), named here besides the provider and the configuration."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bridge.app.cases import Cases
from bridge.errors import UsageError
from bridge.model import Colleague
from bridge.policy.build import case_view
from bridge.policy.colleagues import colleague_of, colleagues_of, written
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.words import sentence_of


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Our own people of a customer, the account owner first; `actor` where somebody was just named or taken out."""

    subject: str
    people: tuple[Colleague, ...]
    actor: str = ""


class Caring(Cases):
    """What names the people of a customer."""

    def colleagues(self, case: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Colleagues:
        """Return who looks after the customer of a case, after adding or taking out people who are named here.

        Each is an address or `Name <address>`, with `*` before it the account owner. Raises `UsageError` where one is none, or one to be
        taken out is not named here.
        """
        with self.store.begin() as conn:
            target, subject, account = self._customer_of(conn, case)
            if add or remove:
                self._name_colleagues(conn, target, self.stamp(account), add, remove)
            debtor_id = target.debtor_id or ""
            debtor = self.store.mirror.debtor(conn, account, debtor_id)
            mine = self._named(conn, target)
        whole = case_view(account, debtor, debtor_id, colleagues=mine + (debtor.colleagues if debtor else ()))
        return Colleagues(subject, colleagues_of(whole, self.rules[account]), self.actor if add or remove else "")

    def _named(self, conn: Connection, target: Target) -> tuple[Colleague, ...]:
        customers, _ = self.store.choices.chosen(conn, target.account, debtor_ids=[target.debtor_id or ""])
        return customers[target.debtor_id].colleagues if target.debtor_id in customers else ()

    def _name_colleagues(
        self, conn: Connection, target: Target, stamp: Stamp, add: Sequence[str], remove: Sequence[str]
    ) -> None:
        try:
            new = {one.email.casefold(): one for one in map(colleague_of, add)}
        except ValueError as error:
            raise UsageError(sentence_of(error)) from error
        known = {one.email.casefold(): one for one in self._named(conn, target)}
        for one in remove:
            if known.pop(one.casefold(), None) is None:
                raise UsageError(
                    "{one!r} is not named here; the provider and the configuration are changed there", one=one
                )
        value = "; ".join(written(one) for one in {**known, **new}.values())
        if value:
            self.store.choices.choose(conn, target, "colleagues", value, stamp)
        else:
            self.store.choices.take_back(conn, target, "colleagues", stamp)
