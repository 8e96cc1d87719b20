"""Texts about holds: what keeps a reminder back, and until when, in English."""

TEXTS = {
    "deliver.later": "Outside sending hours: {count} steps wait until {at}.",
    "deliver.later.one": "Outside sending hours: {count} step waits until {at}.",
    "plans.until": "before {time}",
}
