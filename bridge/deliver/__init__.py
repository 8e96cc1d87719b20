"""Delivery: exactly once, or parked for a person; judged on fresh data; provable.

Per step: rate budget and token first; claim with a lease on the technical clock, commit; look, always, for create, complete and
send, at all claims of the notice together; then in one transaction the claim is still ours, every hold is re-checked on that look,
the approval still fits, baseline and start are stored; commit; one call under a hard deadline, which the lease outlasts by a margin;
the proof is stored. A lost answer is settled: wait, ask `find` on several reads, then done; again only where absence is provable.

```
waiting -n-> queued -a-> sending -b-> done     sending -c-> parked -d-> queued -e-> unclear -f-> done -g-> parked -h-> queued
a claimed · b proof stored · c refused by the provider · d nothing was written · e answer lost or lease expired · f found ·
g cannot tell · h absent, provably, after the settling time · i dropped by re-check · k, l late proofs · p, q, x by a person
```

The whole diagram, for steps and notices, and the table that enforces it are in `bridge.store.states`.
"""

from bridge.deliver.attempt import Attempt, Ended, Outcome
from bridge.deliver.deliverer import Deliverer
from bridge.deliver.landing import Landing
from bridge.deliver.ports import AccountPort, Desk, Files, HoldLike, Report, Rules, no_files
from bridge.deliver.settle import Settle
from bridge.deliver.writing import LOOKED, found_proof, write_back

__all__ = [
    "LOOKED",
    "AccountPort",
    "Attempt",
    "Deliverer",
    "Desk",
    "Ended",
    "Files",
    "HoldLike",
    "Landing",
    "Outcome",
    "Report",
    "Rules",
    "Settle",
    "found_proof",
    "no_files",
    "write_back",
]
