"""Planning: what goes out in the coming days, plans as people read them, and what a changed plan would do before it is used."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from bridge.app.dunning import Dunning
from bridge.app.foresight import (
    Ahead,
    DayCount,
    Difference,
    LevelDay,
    LevelShown,
    Outlook,
    PlanShown,
    Rehearsal,
    VersionShown,
    WeaknessShown,
)
from bridge.app.rules import account_rules, limited, plans_of
from bridge.config import load, plugins
from bridge.dun.ahead import cases
from bridge.dun.refused import asleep_until
from bridge.errors import UsageError
from bridge.model import Severity
from bridge.policy import Abilities, AccountFacts, AccountRules, Automation, CaseView, DunningLevel, EscalationPlan
from bridge.policy.actions import Wanted
from bridge.policy.assign import reachable
from bridge.policy.build import amount
from bridge.policy.forecast import Coming, coming
from bridge.policy.lint import days_of, lint
from bridge.policy.load import BadPlan, is_plan, load_plan, starter_plans

DAYS_AHEAD = 30
_TERM = 14
"""Payment term of the invoice whose days `plans show` draws."""

_COMPARED = ("on", "level_name", "channel", "automation", "total", "deadline", "subject")


class Planning(Dunning):
    """What looks ahead. Nothing here is written or sent."""

    def forecast(self, accounts: Sequence[str] = (), *, days: int = DAYS_AHEAD, customer: str | None = None) -> Outlook:
        """Return what goes out in the next `days`, by day and debtor, assuming no payment and that proposals are approved."""
        names = self.chosen(accounts)
        self._ask(names)
        today = self.today(names[0] if names else None)
        until, known = today + timedelta(days=days), self._known(names)
        found = [
            one
            for name in names
            for case in self._cases(name, names, customer)
            for one in self._coming(case, self.rules[name], self.abilities(name), until, *known[name])
        ]
        return Outlook(today, until, _in_order(found))

    def _known(self, names: Iterable[str]) -> Mapping[str, tuple[AccountFacts, Mapping[str, date]]]:
        """Return, by account, what is true of it today, and when what a person refused comes up again."""
        with self.store.reading() as conn:
            return {name: (self.facts(conn, name), asleep_until(self.turned_down(conn, name))) for name in names}

    def _coming(  # noqa: PLR0917  three call sites
        self,
        case: CaseView,
        rules: AccountRules,
        abilities: Abilities,
        until: date,
        facts: AccountFacts,
        asleep: Mapping[str, date],
    ) -> list[Ahead]:
        today = self.today(case.account)
        return _ahead(coming(case, rules, abilities, today, until, facts=facts, asleep=asleep), case)

    def _cases(self, name: str, names: Sequence[str], customer: str | None) -> Iterator[CaseView]:
        only = None if customer is None else self._customers(names, customer)
        return cases(self.store, name, self.accounts[name].zone, self.today(name), only)

    # ------------------------------------------------------------------------------------------------------- rehearse

    def rehearse(self, file: Path, *, days: int = DAYS_AHEAD) -> Rehearsal:
        """Return the difference that `file` makes, a plan or a whole bridge.yaml, to what goes out in the next `days`.

        Raises `BadPlan` or `BadConfig` with every mistake in it.
        """
        names = self.chosen()
        self._ask(names)
        plan, instead_of = (load_plan(file), "") if is_plan(file) else (None, "")
        new: Mapping[str, AccountRules]
        abilities: Mapping[str, Abilities]
        if plan is not None:
            instead_of = self._place_of(plan)
            new = {name: self._with_plan(name, plan, instead_of) for name in names}
            abilities = {name: self.abilities(name) for name in names}
        else:
            new, abilities = self._of_file(file, names)
        today = self.today(names[0] if names else None)
        until, known = today + timedelta(days=days), self._known(names)
        with self.store.reading() as conn:
            after = {
                name: (known[name][0], asleep_until(self.turned_down(conn, name, rules=rules)))
                for name, rules in new.items()
            }
        was: list[Ahead] = []
        now: list[Ahead] = []
        for name in names:
            for case in self._cases(name, names, None):
                was += self._coming(case, self.rules[name], self.abilities(name), until, *known[name])
                if name in new:
                    now += self._coming(case, new[name], abilities[name], until, *after[name])
        return Rehearsal(
            file=str(file),
            plan=plan.name if plan else "",
            instead_of=instead_of if plan and instead_of != plan.name else "",
            today=today,
            until=until,
            was=len(was),
            now=len(now),
            days=_by_day(was, now),
            differences=_differences(was, now),
            levels=self._moved(plan, instead_of) if plan else (),
        )

    def _moved(self, plan: EscalationPlan, instead_of: str) -> tuple[LevelDay, ...]:
        """Return the levels whose days are written differently, with the days on which they come at the earliest."""
        before = self.plans.get(instead_of)
        if before is None:
            return ()
        interval = self.config.dunning.minimum_interval_days
        was, now = days_of(before, _TERM, interval=interval), days_of(plan, _TERM, interval=interval)
        return tuple(
            LevelDay(number, new.name_in(self.language), _written(old), _written(new), was.get(number), now.get(number))
            for number, (old, new) in enumerate(zip(before.levels, plan.levels, strict=False), start=1)
            if old.trigger != new.trigger or old.grace_days != new.grace_days
        )

    def _place_of(self, plan: EscalationPlan) -> str:
        """Return the plan whose place this one takes: that of its name where somebody can get it, else the default."""
        given = {name for _, name in self.plans_by_hand()}
        if plan.name in given or any(plan.name in reachable(rules) for rules in self.rules.values()):
            return plan.name
        return self.config.plans.default or plan.name

    def _with_plan(self, name: str, plan: EscalationPlan, instead_of: str) -> AccountRules:
        new = limited(plan, Automation(self.config.dunning.automation)).model_copy(update={"name": instead_of})
        return replace(self.rules[name], plans={**self.plans, instead_of: new})

    def _of_file(self, file: Path, names: Iterable[str]) -> tuple[Mapping[str, AccountRules], Mapping[str, Abilities]]:
        loaded = load(file)
        plans = plans_of(loaded)
        known = [one for one in names if one in loaded.config.accounts and loaded.config.accounts[one].enabled]
        channels = {plugins.channel(name).act: name for name in loaded.config.channels}
        return (
            {name: account_rules(loaded, name, plans) for name in known},
            {name: replace(self.abilities(name), channels=channels) for name in known},
        )

    # ---------------------------------------------------------------------------------------------------------- plans

    def plans_shown(self, name: str | None = None, *, version: str | None = None) -> tuple[PlanShown, ...]:
        """Return all plans, or the one of that name, with every level's details; `version` is a kept one, as it was then.

        Raises `UsageError` on an unknown name or version.
        """
        if name is not None and version is not None:
            with self.store.reading() as conn:
                return (self._shown(self.store.history.plan_version(conn, name, version).plan),)
        if name is not None and name not in self.plans:
            raise UsageError(
                "there is no plan {name!r}; there are {plans}", name=name, plans=", ".join(sorted(self.plans))
            )
        return tuple(self._shown(one) for key, one in sorted(self.plans.items()) if name in (None, key))

    def plan_versions(self, name: str) -> tuple[VersionShown, ...]:
        """Return every version of a plan that was in use, newest first. Raises `UsageError` where none of that name ever was."""
        now = self.plans[name].version if name in self.plans else ""
        with self.store.reading() as conn:
            kept = self.store.history.plan_versions(conn, name)
        if not kept and not now:
            raise UsageError(
                "there is no plan {name!r}; there are {plans}", name=name, plans=", ".join(sorted(self.plans))
            )
        return tuple(
            VersionShown(
                name,
                one.version,
                one.first_on,
                tuple(level.name_in(self.language) for level in one.plan.levels),
                one.version == now,
            )
            for one in reversed(kept)
        )

    def _shown(self, plan: EscalationPlan) -> PlanShown:
        own = plan.minimum_interval_days
        interval = self.config.dunning.minimum_interval_days if own is None else own
        shipped = starter_plans().get(plan.name)
        given = [counts for (_, name), counts in self.plans_by_hand().items() if name == plan.name]
        return PlanShown(
            name=plan.name,
            title=plan.title.get(self.language) or plan.title.get(plan.language) or plan.name,
            description=plan.described(self.language),
            version=plan.version,
            shipped=shipped is not None and _texts(shipped) == _texts(plan),
            default=plan.name == self.config.plans.default,
            accounts=tuple(name for name, rules in self.rules.items() if plan.name in reachable(rules)),
            customers_by_hand=sum(customers for customers, _ in given),
            invoices_by_hand=sum(invoices for _, invoices in given),
            minimum_interval_days=interval,
            skip_levels=plan.skip_levels,
            bundling=plan.bundling.when,
            levels=tuple(_levels(plan, interval, self.language)),
        )

    def lint(self, file: Path | None = None) -> tuple[WeaknessShown, ...]:
        """Return the weaknesses of the plan in `file`, or of all plans in use and their assignments; a file that is no valid plan is one of its own."""
        interval = self.config.dunning.minimum_interval_days
        lines: list[WeaknessShown] = []
        if file is None:
            lines = [
                WeaknessShown("plans.assign", "error", code="nobody", levels=(), text=one) for one in self.unmatched()
            ]
            names = {name for rules in self.rules.values() for name in reachable(rules)}
            names |= {name for _, name in self.plans_by_hand()}
            plans = [self.plans[name] for name in sorted(names & set(self.plans))]
        else:
            try:
                plans = [load_plan(file)]
            except BadPlan as error:
                return tuple(WeaknessShown(file.name, "error", "invalid", (), text=one) for one in error.problems)
        lines += [
            WeaknessShown(plan.name, one.severity.value, one.code, one.levels, one.facts)
            for plan in plans
            for one in sorted(lint(plan, interval), key=lambda one: one.severity is not Severity.ERROR)
        ]
        return tuple(lines)


def _texts(plan: EscalationPlan) -> list[object]:
    return [(level.texts, [variant.texts for variant in level.variants]) for level in plan.levels]


def _levels(plan: EscalationPlan, interval: int, language: str) -> Iterator[LevelShown]:
    days = days_of(plan, _TERM, interval=interval)
    for position, level in enumerate(plan.levels, start=1):
        yield LevelShown(
            position=position,
            name=level.name_in(language),
            start=level.trigger.start.value,
            days=level.trigger.days,
            grace_days=level.grace_days,
            earliest=days.get(position),
            time=level.time.strftime("%H:%M") if level.time else "",
            until=level.until.strftime("%H:%M") if level.until else "",
            weekdays=level.weekdays or (),
            automation=level.automation.value,
            channels=tuple(via.value for via in level.vias(level.standard)),
            variants=tuple(one.name for one in level.variants if one is not level.standard),
            document=level.standard.documents.value,
            term_days=level.term_days,
            fee=level.fee,
            interest=_asked(level.interest),
            flat_fee=_asked(level.flat_fee),
            type=level.type.value,
            is_legal_dunning=level.is_legal_dunning,
            repeat_every=level.repeat.every_days if level.repeat else None,
            repeat_limit=level.repeat.limit if level.repeat else None,
            languages=tuple(level.texts),
        )


def _asked(one: Wanted) -> str:
    return one if isinstance(one, str) else "always" if one else "never"


def _written(level: DunningLevel) -> int:
    """Return the day of a level as its trigger writes it."""
    return -level.trigger.days if level.before_due else level.trigger.days + level.grace_days


def _ahead(found: Iterable[Coming], case: CaseView) -> list[Ahead]:
    return [
        Ahead(
            on=one.on,
            account=case.account,
            customer=case.name or case.debtor_id,
            customer_number=case.number or "",
            invoices=tuple(claim.number or claim.invoice_id for claim in one.draft.claims),
            plan=one.draft.plan,
            level=one.draft.level,
            level_name=one.draft.level_name,
            repetition=max((claim.repetition for claim in one.draft.claims if claim.level), default=0),
            channel=one.draft.channel.value,
            automation=one.draft.automation.value,
            total=amount(one.draft.total),
            currency=one.draft.currency,
            deadline=one.draft.deadline,
            subject=one.draft.content.subject,
        )
        for one in found
    ]


def _in_order(found: Iterable[Ahead]) -> tuple[Ahead, ...]:
    return tuple(sorted(found, key=lambda one: (one.on, one.customer, one.account, one.invoices, one.level)))


def _by_day(was: Iterable[Ahead], now: Iterable[Ahead]) -> tuple[DayCount, ...]:
    before, after = Counter(one.on for one in was), Counter(one.on for one in now)
    return tuple(DayCount(on, before[on], after[on]) for on in sorted(before | after))


def _differences(was: Iterable[Ahead], now: Iterable[Ahead]) -> tuple[Difference, ...]:
    """Return what differs; a notice is the same where account, invoices, level and repetition are."""
    before, after = _keyed(was), _keyed(now)
    found: list[Difference] = []
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            found.append(Difference("added" if old is None else "dropped", old, new))
            continue
        what = tuple(name for name in _COMPARED if getattr(old, name) != getattr(new, name))
        if what:
            found.append(Difference("moved" if "on" in what else "changed", old, new, what))
    return tuple(sorted(found, key=lambda one: (one.notice.on, one.notice.customer, one.notice.invoices)))


def _keyed(found: Iterable[Ahead]) -> dict[tuple[object, ...], Ahead]:
    keyed: dict[tuple[object, ...], Ahead] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for one in found:
        base = (one.account, one.invoices, one.level, one.repetition)
        keyed[*base, seen[base]] = one
        seen[base] += 1
    return keyed
