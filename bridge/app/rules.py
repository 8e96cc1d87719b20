"""From the configuration to the rules of one account."""

from collections.abc import Mapping

from bridge.app.letterhead import particulars
from bridge.config import Assignment as Line
from bridge.config import Config, Loaded, plugins
from bridge.config.calendar import Calendar as Times
from bridge.config.people import AttachedFile
from bridge.config.problems import BadConfig, Problem
from bridge.config.reading import dotted
from bridge.errors import ConfigError
from bridge.model import Act, Attachment, Colleague, DebtorKind
from bridge.policy import AccountRules, Assignment, Automation, Creditor, EscalationPlan
from bridge.policy.actions import INVOICE, LETTER
from bridge.policy.calendar import Calendar
from bridge.policy.load import load_plans
from bridge.policy.money import DayCount, DueSource, FeeRules, MoneyRules, Rounding, load_tables
from bridge.policy.office import Closure, Office
from bridge.policy.plan import WEEKDAYS
from bridge.policy.rules import NO_PLAN, Caretaker, Prepayment
from bridge.store.rows import cents
from bridge.words import Sentence

_DEGREES = [Automation.PROPOSE, Automation.CREATE, Automation.COMPLETE, Automation.SEND]


def plans_of(loaded: Loaded) -> Mapping[str, EscalationPlan]:
    """Return the shipped plans and the operator's own, no level going further by itself than the configuration allows.

    Raises `BadPlan` with every mistake in the files, `BadConfig` where plans are named that do not exist.
    """
    plans = load_plans(loaded.config.plans.files)
    named: list[tuple[str, tuple[str | int, ...]]] = [
        (line.plan, ("plans", "assign", index, "plan")) for index, line in enumerate(loaded.config.plans.assign)
    ]
    if loaded.config.plans.default:
        named.append((loaded.config.plans.default, ("plans", "default")))
    prepaid = loaded.config.exclusions.prepayment.plan
    if prepaid:
        named.append((prepaid, ("exclusions", "prepayment", "plan")))
    known = [*sorted(plans), NO_PLAN]
    problems = [
        Problem(
            loaded.place(*path),
            dotted(path),
            Sentence("there is no such plan"),
            name,
            Sentence("there are {known}{more}", known=known, more=""),
        )
        for name, path in named
        if name not in known
    ]
    if problems:
        raise BadConfig(problems)
    _files_exist(loaded, plans)
    most = Automation(loaded.config.dunning.automation)
    return {name: limited(plan, most) for name, plan in plans.items()}


def _files_exist(loaded: Loaded, plans: Mapping[str, EscalationPlan]) -> None:
    known = {INVOICE, LETTER, *loaded.config.attachments}
    for plan in plans.values():
        for position, level in enumerate(plan.levels, start=1):
            for one in level.attachments or ():
                if one.name not in known:
                    raise ConfigError(
                        "{path}: plan {plan}, level {position}: attachments = {one!r}: there is no such file; there are {known}; set attachments.{one}.path in the configuration",
                        path=loaded.path,
                        plan=plan.name,
                        position=position,
                        one=one.name,
                        known=", ".join(sorted(known)),
                    )


def _attachment(name: str, one: AttachedFile) -> Attachment:
    return Attachment(filename=one.filename or one.path.name, mimetype=one.content()[1], path=name)


def limited(plan: EscalationPlan, most: Automation) -> EscalationPlan:
    """Return the plan with no level going further by itself than `most`."""
    limit = _DEGREES.index(most)
    levels = tuple(
        level.model_copy(update={"automation": most}) if _DEGREES.index(level.automation) > limit else level
        for level in plan.levels
    )
    return plan.model_copy(update={"levels": levels})


def account_rules(loaded: Loaded, name: str, plans: Mapping[str, EscalationPlan]) -> AccountRules:
    """Return everything that a decision about a claim of account `name` depends on."""
    config = loaded.config
    account, dunning, out = config.accounts[name], config.dunning, config.exclusions
    try:
        calendar = Calendar(account.country, account.federal_state)
    except ValueError as error:
        raise ConfigError("{path}: accounts.{name}: {error}", path=loaded.path, name=name, error=error) from error
    creditor = config.creditor
    return AccountRules(
        account=name,
        plans=plans,
        default_plan=config.plans.default,
        assignments=tuple(
            _assignment(line, str(loaded.place("plans", "assign", index)))
            for index, line in enumerate(config.plans.assign)
            if not line.accounts or name in line.accounts
        ),
        calendar=calendar,
        office=_office(config.calendar),
        money=money_rules(config),
        creditor=Creditor(
            name=creditor.name,
            lines=creditor.address.lines[1:]
            + tuple(filter(None, (creditor.street, f"{creditor.postcode} {creditor.city}".strip()))),
            email=creditor.email or "",
            phone=creditor.phone,
            iban=creditor.iban or "",
            bic=creditor.bic or "",
            bank=creditor.bank,
            payee=creditor.account_holder or creditor.name,
            country=creditor.country,
            particulars={
                language: tuple(" · ".join(column) for column in particulars(creditor, language))
                for language in ("de", "en")
            },
        ),
        currencies=frozenset({dunning.currency}),
        language=config.language.value,
        staff_language=config.language.value,
        cutoff=dunning.cutoff,
        minimum=cents(dunning.minimum_amount),
        tolerance=cents(dunning.tolerance),
        minimum_interval_days=dunning.minimum_interval_days,
        payments_limit_days=dunning.payment_freshness_days,
        letter_without_email=dunning.letter_without_email and _makes_letters(config),
        include_by_default=out.default == "include",
        excluded_customers=frozenset(out.customers),
        excluded_customer_tags=frozenset(out.customer_tags),
        excluded_invoice_tags=frozenset(out.invoice_tags),
        excluded_methods=frozenset(one.casefold() for one in out.payment_methods),
        excluded_terms=frozenset(out.terms_days),
        prepayment=Prepayment(
            tags=frozenset(out.prepayment.tags),
            terms_days=frozenset(out.prepayment.terms_days),
            methods=frozenset(one.casefold() for one in out.prepayment.payment_methods),
            plan=out.prepayment.plan,
        ),
        instalment_grace_days=dunning.instalment_grace_days,
        deferral_days=dunning.deferral_days,
        caretakers=tuple(
            Caretaker(
                Colleague(email=one.email, name=one.name, sales_rep=one.sales_rep),
                frozenset(one.customers),
                frozenset(one.tags),
            )
            for one in config.colleagues
            if not one.accounts or name in one.accounts
        ),
        files={key: _attachment(key, one) for key, one in config.attachments.items()},
        agency=config.collection.agency,
        cases_url=f"{config.public_url}/cases" if config.public_url else "",
    )


def _office(times: Times) -> Office:
    return Office(
        weekdays=frozenset(WEEKDAYS.index(day) for day in times.weekdays),
        opens=times.opens,
        closes=times.closes,
        quiet=frozenset((int(day[:2]), int(day[3:])) for day in times.quiet_days),
        closures=tuple(Closure(one.first, one.last or one.first, one.counts) for one in times.closures),
        debtor_holidays=times.debtor_holidays,
    )


def money_rules(config: Config) -> MoneyRules:
    """Return how claims are computed. Raises `ConfigError` where an own table of base rates is wrong."""
    own = config.claims
    return MoneyRules(
        country=config.creditor.country,
        tables=load_tables(own.base_rates),
        interest=own.interest,
        points=own.points,
        day_count=DayCount(own.day_count),
        rounding=Rounding(own.rounding),
        interest_minimum=cents(own.interest_minimum),
        keep_ancillaries=own.keep_ancillaries,
        due_source=DueSource(own.due_source),
        consumer_notice=own.consumer_notice,
        unknown_kind=DebtorKind.BUSINESS if own.unknown_kind == "business" else DebtorKind.UNKNOWN,
        fees=FeeRules(
            consumer_fees=own.consumer_fees,
            consumer_cap=cents(own.consumer_fee_limit),
            agreed=None if own.agreed_fee is None else cents(own.agreed_fee),
        ),
    )


def _assignment(line: Line, where: str) -> Assignment:
    return Assignment(
        where=where,
        plan=line.plan,
        customers=frozenset(line.customers),
        tags=frozenset(line.tags),
        terms_days=frozenset(line.terms_days),
        countries=frozenset(line.countries),
        languages=frozenset(line.languages),
        kinds=frozenset(line.kinds),
        gross_from=None if line.gross_from is None else cents(line.gross_from),
        gross_below=None if line.gross_below is None else cents(line.gross_below),
    )


def _makes_letters(config: Config) -> bool:
    return any(plugins.channel(name).act is Act.LETTER for name in config.channels)
