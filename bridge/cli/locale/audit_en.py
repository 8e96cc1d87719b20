"""English texts about the audit trail."""

TEXTS = {
    "command.audit": "The audit trail: every event in one chain, so that changes show.",
    "command.audit verify": "Check the audit trail: every event against its hash, the chain, and the link last noted outside.",
    "command.audit export": "Write the whole audit trail as JSON lines.",
    "command.audit erase": "Erase personal data whose retention is over; the chain holds.",
    "option.audit.head": "A link noted elsewhere, NUMBER:HASH.",
    "option.audit.before": "Events before this day; at the earliest ten years after the end of their calendar year.",
    "audit.whole": "{count} events, without a gap and unchanged.",
    "audit.head": "Link, to be noted outside: {head}",
    "audit.changed": "✗ Event {number} ({kind}, {at}) was changed.",
    "audit.missing": "✗ Event {number} is missing.",
    "audit.erased": "✗ The data of event {number} ({kind}, {at}) was erased without a record.",
    "audit.link": "✗ Link {number} of the chain does not fit the others.",
    "audit.cut": "✗ The chain ends before link {number}, or is another one there: events were removed, or an old state was restored.",
    "audit.decision": "✗ Decision {number} was changed.",
    "audit.undecided": "✗ Decision {number} is missing.",
    "audit.foreign": "✗ Decision {number} was made by no run: it was put in, or its event was removed or changed.",
    "done.trail_exported": "{count} events in {subject}.",
    "done.data_erased_until": "Data of {count} events before {until} erased ({actor}).",
}
