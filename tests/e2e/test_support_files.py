"""Support for accounts that read files: the bundle holds what was read, names nobody, and fails elsewhere as it did here."""

import json
import os
import socket
import zipfile
from datetime import UTC, datetime

import pytest

from bridge.replay import filed
from tests.e2e.conftest import noon

pytestmark = pytest.mark.xdist_group("e2e-support-files")

CONFIG = """
creditor: {name: Lichtblick GmbH, street: Hafenweg 3, postcode: "20457", city: Hamburg}
dunning: {cutoff: 2026-01-01}
accounts:
  liste:
    connector: generic_csv
    settings: {inbox: eingang, settle_seconds: 0, profiles: profile}
plans: {default: standard}
"""
OWN = """
kind: invoices
open_by_default: true
columns:
  invoice_no: [Vorgang]
  gross: [Summe]
headers: [[Vorgang, Auftraggeber, Summe]]
"""
LIST = (
    "Vorgang;Auftraggeber;Mail;Rechnungsdatum;Zahlbar bis;Summe\r\n"
    "RE-1042;Käthe Späth GmbH;kaethe@spaeth.example;03.08.2026;17.08.2026;1.190,00\r\n"
    "RE-1043;Käthe Späth GmbH;kaethe@spaeth.example;03.08.2026;17.08.2026;119,OO\r\n"
    "RE-1044;Otto Späth;otto@spaeth.example;31.02.2026;17.08.2026;90,00\r\n"
)


@pytest.fixture
def listed(tmp_path, inside):
    """An agency that reads a list in Windows-1252 with columns of its own; two of its three rows are wrong."""
    for name in ("eingang", "profile"):
        (tmp_path / name).mkdir()
    (tmp_path / "bridge.yaml").write_text(CONFIG, "utf-8")
    (tmp_path / "profile" / "eigene.yaml").write_text(OWN, "utf-8")
    path = tmp_path / "eingang" / "Liste Späth.csv"
    path.write_bytes(LIST.encode("cp1252"))
    os.utime(path, (datetime(2026, 9, 1, tzinfo=UTC).timestamp(),) * 2)

    def call(*words, code=0, folder=tmp_path):
        done = inside(words, folder, {"MAHNBRIDGE__CLOCK": noon("2026-09-02"), "MAHNBRIDGE_LANG": "en"})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    call.folder = tmp_path
    return call


def test_a_failure_of_a_file_names_file_and_line(listed, tmp_path):
    """A record leads to its file and line, a file that cannot be read at all says so with its name and what to do."""
    (tmp_path / "eingang" / "andere.csv").write_text("Vorgang;Wert\nRE-9;5\n", "utf-8")
    listed("pull")
    shown = listed("failures", "list", code=1)
    assert "andere.csv: no row of the first 60 is a header" in shown
    assert "a file could not be read as a whole" in shown
    [item] = [
        one["ids"][0]
        for one in json.loads(listed("failures", "list", "--json", code=1))
        if one["cause"].endswith("Summe")
    ]
    assert "Liste Späth.csv:3" in listed("failures", "show", item)


def test_a_bundle_of_files_fails_elsewhere_and_not_after_a_fix(listed, tmp_path, monkeypatch):
    """A wrong amount and a wrong date end elsewhere as here, from a file that names nobody; with a mended profile one of them is gone."""
    listed("pull")
    made = json.loads(listed("bundle", "1", "--json"))
    assert (made["files"], made["exchanges"], made["whole"]) == (1, 0, True)
    with zipfile.ZipFile(tmp_path / "run-1.zip") as package:
        text = "".join(package.read(name).decode("cp1252") for name in package.namelist())
    assert [one for one in ("Späth", "spaeth", "Käthe", "kaethe", "Otto", str(tmp_path)) if one in text] == []
    assert "1.190,00" in text
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asked the network"))
    other = tmp_path / "elsewhere"
    other.mkdir()
    found = json.loads(listed("replay", "--offline", str(tmp_path / "run-1.zip"), "--json", folder=other))
    assert found["same"], found
    assert found["now"]["misfits"] == ["invoice:Rechnungsdatum", "invoice:Summe"]
    (other / "mended" / "csv").mkdir(parents=True)
    mended = OWN.replace("gross: [Summe]", "gross: [Summe]\n  invoice_date: [Zahlbar bis]")
    (other / "mended" / "csv" / "eigene.yaml").write_text(mended, "utf-8")
    found = json.loads(
        listed(
            "replay",
            "--offline",
            str(tmp_path / "run-1.zip"),
            "--mappings",
            str(other / "mended"),
            "--json",
            folder=other,
        )
    )
    assert (found["same"], found["now"]["misfits"]) == (False, ["invoice:Summe"])


def test_a_bundle_says_what_it_lacks(listed, tmp_path, monkeypatch):
    """Of a second file, written by a DOS program: the bundle, its README and the replay say that earlier files are not in it, in both languages."""
    listed("pull")
    again = "Vorgang;Auftraggeber;Mail;Rechnungsdatum;Fällig am;Summe\r\nRE-1043;Käthe Späth GmbH;k@s.example;03.08.2026;17.08.2026;119,OO\r\n"
    path = tmp_path / "eingang" / "Liste zwei.csv"
    path.write_bytes(again.encode("cp850"))
    os.utime(path, (datetime(2026, 9, 2, tzinfo=UTC).timestamp(),) * 2)
    listed("pull")
    assert json.loads(listed("bundle", "1", "--json"))["lacks"] == []
    said = listed("bundle", "2")
    assert "! what the account had read from earlier files is not in the bundle" in said
    with zipfile.ZipFile(tmp_path / "run-2.zip") as package:
        assert "! what the account had read from earlier files" in package.read("README.txt").decode()
        assert "Fällig am" in package.read("files/000").decode("cp850")
    found = json.loads(listed("replay", "--offline", "run-2.zip", "--json"))
    assert found["same"], found
    assert any("cannot be shown" in one for one in found["newer"])
    assert "lässt sich nicht zeigen" in listed("replay", "--offline", "run-2.zip", "--lang", "de")
    monkeypatch.setattr(filed, "LARGEST", 100)
    assert filed.is_cut(LIST.encode())
    assert [filed.is_cut(one) for one in (None, b"a;b\n", b"PK" + bytes(200), b"<?xml" + bytes(200))] == [False] * 4
