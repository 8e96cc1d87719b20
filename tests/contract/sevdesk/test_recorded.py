"""Answers as sevDesk gives them (names and amounts made up) and what the connector makes of them.

A new expectation is written by hand or, after reading it line by line, from what the failing test shows.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.contract import Mapping
from connectors.sevdesk.api import Api
from connectors.sevdesk.contacts import Reach
from connectors.sevdesk.reading import Reader
from connectors.sevdesk.records import sorted_out
from connectors.sevdesk.settings import SevDeskSettings
from tests.spoken import spoken

FOLDER = Path(__file__).parent / "recorded"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if not path.stem.endswith(".expected"))


@pytest.fixture
def reader():
    return Reader(Api(None, 100), SevDeskSettings(), Mapping.load("sevdesk"), datetime(2026, 9, 30, 8, tzinfo=UTC))


def rows(name):
    return json.loads((FOLDER / f"{name}.json").read_bytes(), parse_float=Decimal)["objects"]


def plain(record):
    """Return a record as JSON values, without what is not set."""
    if record is None:
        return None
    if hasattr(record, "notice"):
        return {**plain(record.notice), "sent_by": record.sent_by, "paid": str(record.paid)}
    shown = record.model_dump(mode="json", exclude_defaults=True)
    shown.pop("raw", None)
    return shown


def made(reader, name):
    """Return what the connector makes of every row of a recorded answer."""
    reach = reader.contacts.reach(rows("communication_ways"), rows("addresses"))
    readers = {
        "invoices": ("invoice", reader.invoices.invoice),
        "reminders": ("reminder", reader.reminders.reminder),
        "credit_notes": ("credit_note", reader.invoices.credit_note),
        "payment_log": ("payment", lambda raw: reader.bank.payment(raw, {"135000781": "135000001"})),
        "contacts": (
            "contact",
            lambda raw: reader.contacts.debtor(
                raw, reach.get(str(raw["id"]), Reach()), reach.get(str((raw.get("parent") or {}).get("id")))
            ),
        ),
    }
    kind, read = readers[name]
    return [spoken(plain(sorted_out(kind, row, read))) for row in rows(name)]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("communication_ways", "addresses")])
def test_recorded_answers(reader, name):
    """Every recorded answer becomes exactly what stands beside it."""
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    assert made(reader, name) == expected


def test_every_expectation_is_used():
    """No expectation lies about without its answer."""
    expected = {path.name.removesuffix(".expected.json") for path in FOLDER.glob("*.expected.json")}
    assert expected == set(NAMES) - {"communication_ways", "addresses"}
