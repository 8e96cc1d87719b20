"""Recorded answers (names and amounts made up) beside what the connector makes of them.

A recording is named `LIST.CASE.json`; its neighbour `LIST.CASE.expected.json` holds the records and the rejects that must come of it.
"""

import json
from pathlib import Path

import pytest

from bridge.contract import BadRecord, Mapping
from connectors.billomat import wire
from connectors.billomat.reading import Reading, reject
from connectors.billomat.settings import Settings
from tests.spoken import spoken

FOLDER = Path(__file__).parent / "recorded"
RECORDINGS = sorted(path for path in FOLDER.glob("*.json") if not path.name.endswith(".expected.json"))
LEVELS = [
    {"id": "44", "sorting": "20", "name": "Mahnung"},
    {"id": "31", "sorting": "10", "name": "Freundliche Erinnerung"},
]
KINDS = {
    "invoices": ("invoice", "invoice"),
    "clients": ("client", "debtor"),
    "invoice-payments": ("invoice-payment", "payment"),
    "reminders": ("reminder", "notice"),
    "credit-notes": ("credit-note", "credit_note"),
}


def read(path):
    """Return what the connector makes of a recording, as JSON."""
    container = path.name.split(".")[0]
    item, method = KINDS[container]
    reading = Reading(Settings(), Mapping.load("billomat"))
    reading.set_levels(LEVELS)
    records, rejects = [], []
    for raw in wire.rows(json.loads(path.read_text("utf-8")), container, item):
        try:
            records.append(getattr(reading, method)(raw).model_dump(mode="json", exclude_defaults=True))
        except BadRecord as error:
            rejects.append(reject(method, raw, error).model_dump(mode="json", exclude={"raw"}, exclude_defaults=True))
    return {"records": records, "rejects": rejects}


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recorded_answers_become_the_expected_records(path):
    """Every recorded answer, with all its quirks, becomes exactly the records and rejects beside it."""
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    assert spoken(read(path)) == expected


def test_every_recording_has_a_result():
    """No expected result stands without its recording, and there is at least one recording for each kind of record."""
    expected = {path.name.removesuffix(".expected.json") for path in FOLDER.glob("*.expected.json")}
    assert expected == {path.stem for path in RECORDINGS}
    assert {path.name.split(".")[0] for path in RECORDINGS} == set(KINDS)
