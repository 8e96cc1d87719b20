"""The operator's configuration: `bridge.yaml`, validated, with every mistake named by file, line, key and value."""

from bridge.config.creditor import Creditor
from bridge.config.loading import Loaded, load
from bridge.config.model import (
    Account,
    Assignment,
    Config,
    Dunning,
    Exclusions,
    Language,
    LogFormat,
    Monitor,
    Places,
    Plans,
    Schedule,
    Sending,
)
from bridge.config.problems import BadConfig, Place, Problem

__all__ = [
    "Account",
    "Assignment",
    "BadConfig",
    "Config",
    "Creditor",
    "Dunning",
    "Exclusions",
    "Language",
    "Loaded",
    "LogFormat",
    "Monitor",
    "Place",
    "Places",
    "Plans",
    "Problem",
    "Schedule",
    "Sending",
    "load",
]
