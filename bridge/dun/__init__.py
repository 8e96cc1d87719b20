"""Dunning runs (Mahnläufe): store to policy to decisions and write-backs, and the rules as delivery asks them. No provider is called."""

from bridge.dun.judge import Judge
from bridge.dun.report import DunReport, Line, Planned
from bridge.dun.run import DunAccount, Order, dun, plan, rules_changed

__all__ = ["DunAccount", "DunReport", "Judge", "Line", "Order", "Planned", "dun", "plan", "rules_changed"]
