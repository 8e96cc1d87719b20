"""The audit trail on the command line: what the office did is in one chain, and a change in the database is named."""

import hashlib
import json
import sqlite3

import pytest

pytestmark = pytest.mark.xdist_group("e2e-audit")


def sum_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.feature("N-12")
def test_a_row_changed_in_the_database_is_named(live):
    """Decisions, approvals, settings, calls and proofs are in the trail; one row changed by hand is named, and the exit code says so."""
    live("deliver")
    live("case", "block", "MA-000001", "--reason", "dispute", "--note", "Ware fehlt", "--as", "Erika")
    found = live.json("audit", "verify")
    assert found["flaws"] == []
    assert found["sealed"] > 5
    live.configure("cutoff: 2026-01-01", "cutoff: 2026-02-01")
    live("run", "--as", "Anna")
    live("audit", "export", "spur.jsonl", "--as", "Frau Prüfer")
    assert live.sandbox.token not in (live.folder / "spur.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in (live.folder / "spur.jsonl").read_text("utf-8").splitlines()]
    kinds = {one["kind"] for one in lines}
    assert {"notice_proposed", "notice_approved", "setting_changed", "blocked"} <= kinds
    [changed] = [one for one in lines if one["kind"] == "setting_changed" and one["data"]["name"] == "configuration"]
    told = {"before": {"dunning.cutoff": "2026-01-01"}, "value": {"dunning.cutoff": "2026-02-01"}}
    assert (changed["actor"], changed["data"]) == ("Anna", {"name": "configuration"} | told)
    assert [one["seq"] for one in lines] == list(range(1, len(lines) + 1))
    with sqlite3.connect(live.folder / "data" / "mahnbridge.db") as database:
        ((number,),) = database.execute("select id from event where kind = 'blocked'").fetchall()
        ((by, said),) = database.execute("select actor, data from event where kind = 'trail_exported'").fetchall()
        database.execute("update event set actor = 'niemand' where id = ?", (number,))
    database.close()
    last = lines[-1]
    exported = {
        "count": len(lines),
        "head": f"{last['seq']}:{last['chain']}",
        "sha256": sum_of(live.folder / "spur.jsonl"),
    }
    assert (by, json.loads(said)) == ("Frau Prüfer", exported)
    told = live.json("audit", "verify", code=1)
    assert [(one["what"], one["number"], one["kind"]) for one in told["flaws"]] == [("changed", number, "blocked")]
    live.speak("de")
    assert f"Ereignis {number} (blocked" in live("audit", "verify", code=1)
    assert "must still be kept" in live(
        "audit", "erase", "--before", "2020-01-01", "--as", "Erika", "--lang", "en", code=2
    )
    assert live.json("audit", "verify", "--head", f"1:{'0' * 64}", code=1)["flaws"][-1]["what"] == "cut"
