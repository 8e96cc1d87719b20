"""Transaction borders by name, found by enumeration: those that most histories pass; all others are rare, and a history may die at any."""

import sys

USUAL = (
    "app.auditing.seal",
    "app.dunning._note_run",
    "app.filing.keep",
    "app.waiting.approve",
    "deliver.attempt._begin",
    "deliver.attempt._claim",
    "deliver.deliverer._begin",
    "deliver.deliverer._end",
    "deliver.deliverer._open",
    "deliver.landing.prove",
    "deliver.settle.expire",
    "dun.run.dun",
    "dun.run.take_up",
    "http.budget._pace",
    "pull._begin",
    "pull._done",
    "pull._judge",
    "pull._write_group",
    "pull.pull",
)

PERSON = "a person's own"
"""Name of a transaction that a person made meanwhile, in a program of their own."""


def where():
    """Return the innermost function above the store that is at work: the name of the transaction."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == "tests.faults.striking" and frame.f_code.co_name in ("_blocked", "_readdressed"):
            return PERSON
        if module.startswith("bridge.") and not module.startswith(("bridge.store", "bridge.testing")):
            return f"{module.removeprefix('bridge.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return PERSON
