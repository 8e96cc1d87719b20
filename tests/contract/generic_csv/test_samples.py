"""Sample files (all data invented) beside what they are to be read as. `*.expected.json` is compared as a whole."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.contract import Mapping
from bridge.http import Http, HttpSettings
from connectors.generic_csv.connector import CsvSettings, GenericCsv
from tests.spoken import spoken

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 9, 4, 8, 0, tzinfo=UTC)
EXPORTED = datetime(2026, 9, 3, 18, 0, tzinfo=UTC)
BANK = {"csv_camt.csv", "camt053_08.xml", "camt053_02.xml", "camt053.zip", "payments.csv"}
NAMES = sorted(path.name for path in SAMPLES.iterdir() if not path.name.endswith(".json"))


def pulled(tmp_path, *names):
    """Return everything that a first pull of these samples brings, as plain data without what is empty."""
    inbox = tmp_path / "eingang"
    inbox.mkdir()
    for minute, name in enumerate(names):
        shutil.copy(SAMPLES / name, inbox / name)
        os.utime(inbox / name, (EXPORTED.timestamp() + minute, EXPORTED.timestamp() + minute))
    http = Http(HttpSettings(base_url="http://127.0.0.1:9"), clock=lambda: NOW)
    settings = CsvSettings(inbox=inbox, settle_seconds=0)
    batches = list(GenericCsv("test", settings, Mapping.load("generic_csv"), http).pull(None))
    http.close()
    found = {}
    for kind in ("debtors", "invoices", "payments", "notices", "rejects"):
        records = [record for batch in batches for record in getattr(batch, kind)]
        found[kind] = [record.model_dump(mode="json", exclude_defaults=True) for record in records]
    as_of = batches[-1].payments_as_of
    return {"payments_as_of": as_of.isoformat() if as_of else None, **found}


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_read_as_expected(name, tmp_path):
    """Every known kind of file is recognised by itself and read to the cent, day and flag."""
    files = ("plain_status.csv", name) if name in BANK else (name,)
    expected = json.loads((SAMPLES / f"{name}.expected.json").read_text("utf-8"))
    assert spoken(json.loads(json.dumps(pulled(tmp_path, *files)))) == expected
