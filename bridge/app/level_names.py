"""Names of levels for staff: what was stored in the debtor's language, with what its plan said then in the others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from bridge.policy import EscalationPlan
from bridge.policy.naming import named
from bridge.store import Store
from bridge.store.overview import ClaimRow
from bridge.store.records import Notice


class LevelNames:
    """Finds a level by plan, version and position, among the kept versions first, then in the plans in force.

    What it returns is `words.Name`: the stored text to scripts, told in the language of its reader. A name that no plan knows stays.
    """

    def __init__(self, store: Store, plans: Mapping[str, EscalationPlan]) -> None:
        self._store, self._plans = store, plans
        self._kept: dict[tuple[str, str], EscalationPlan] = {}  # kept versions never change

    def name(self, conn: Connection, stored: str, level: int | None, plan: str = "", version: str = "") -> str:
        """Return the `stored` name of a level; without `plan` (a level adopted from elsewhere) that of any plan in force."""
        if not stored:
            return stored
        now = (self._plans[plan],) if plan in self._plans else tuple(self._plans.values())
        found = (named(one, level, stored) for one in (self._version(conn, plan, version), *now))
        return next((one for one in found if one is not stored), stored)

    def _version(self, conn: Connection, plan: str, version: str) -> EscalationPlan | None:
        if not version:
            return None
        if (plan, version) not in self._kept:
            self._kept |= {(one.name, one.version): one.plan for one in self._store.history.plan_versions(conn, plan)}
        return self._kept.get((plan, version))

    def notice(self, conn: Connection, one: Notice) -> Notice:
        """Return a stored notice with the names of its levels."""
        claims = tuple(
            replace(its, level_name=self.name(conn, its.level_name, its.level, one.plan, one.plan_version))
            for its in one.claims
        )
        return replace(
            one, level_name=self.name(conn, one.level_name, one.level, one.plan, one.plan_version), claims=claims
        )

    def claims(self, conn: Connection, case_id: int) -> list[ClaimRow]:
        """Return the claims of a case with the names of their levels, oldest due date first."""
        return [
            replace(one, level_name=self.name(conn, one.level_name, one.level, one.plan, one.plan_version))
            for one in self._store.overview.claims(conn, case_id)
        ]

    def event(self, conn: Connection, event: Mapping[Any, Any]) -> dict[str, Any]:
        """Return what an event of the journal says, with the name of its level."""
        data = dict(event["data"] or {})
        if data.get("level_name") and event["notice_id"] is not None:
            plan, version = self._store.questions.plan_of(conn, event["notice_id"])
            data["level_name"] = self.name(conn, data["level_name"], data.get("level"), plan, version)
        return data
