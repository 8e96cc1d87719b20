"""What nobody tells the rules counts as nothing and as no, but for what is listed here with its reason."""

import dataclasses
import importlib
import inspect
import pkgutil
from decimal import Decimal

from pydantic import BaseModel

import bridge.deliver
import bridge.policy

OTHERWISE = {
    # plans and accounts: what the documentation promises to whoever leaves the key out
    "InternalNotice.due_days": 2,
    "DunningLevel.term_days": 10,
    "AccountRules.minimum_interval_days": 7,
    "AccountRules.include_by_default": True,
    "AccountRules.instalment_grace_days": 3,
    "AccountRules.deferral_days": 14,
    "MoneyRules.interest": True,
    "FeeRules.consumer_cap": 250,  # cents
    "Closure.counts": True,
    "Office.debtor_holidays": True,
    # most accounts have one plan and exclude nobody, and are quicker for it: who says otherwise says so
    "AccountRules.excludes_nobody": True,
    "AccountRules.has_one_plan": True,
    # the ordinary invoice: for something that was sold, in amounts that fit, of a customer that is known, in its first round
    "ClaimInputs.for_consideration": True,
    "ClaimView.amounts_clear": True,
    "ClaimView.round": 1,
    "CaseView.has_record": True,
    "Decision.round": 1,
    "LocalView.round": 1,
    "Frame.customer": True,
    # the ordinary provider takes what it is sent
    "Abilities.provider_fees": True,
}


def _defaults(kind):
    if dataclasses.is_dataclass(kind):
        return {one.name: one.default for one in dataclasses.fields(kind)}
    if issubclass(kind, BaseModel):
        return {name: one.default for name, one in kind.model_fields.items()}
    return getattr(kind, "_field_defaults", {})


def test_what_is_not_told_counts_as_nothing():
    """Amounts, levels, counts and flags that are left out are 0 and False everywhere in the rules and in delivery."""
    found = {}
    for package in (bridge.policy, bridge.deliver):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            for name, kind in inspect.getmembers(module, inspect.isclass):
                if kind.__module__ == info.name:
                    found |= {f"{name}.{field}": value for field, value in _defaults(kind).items()}
    numbers = {name: value for name, value in found.items() if isinstance(value, (bool, int, Decimal))}
    assert len(numbers) > 90
    assert {name: value for name, value in numbers.items() if value} == OTHERWISE
