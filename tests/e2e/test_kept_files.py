"""What left the house is kept: byte by byte, by run, by case, by period; summaries, packages, evidence."""

import json
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from email import message_from_bytes, policy
from hashlib import sha256

import pytest

from bridge.app import Bridge

pytestmark = pytest.mark.xdist_group("e2e-files")


@pytest.fixture
def sent(desk):
    """An agency whose first level goes out as mail and as letter; RE-2 has no address at all."""
    plan = desk.folder / "standard.yaml"
    plan.write_text(plan.read_text("utf-8").replace("[mail]", "[mail, letter]", 1), encoding="utf-8")
    nobody = desk.sandbox.add_contact("Ohne Anschrift GmbH", number="1002", address=None)
    desk.sandbox.add_invoice(nobody, number="RE-2", gross="500.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver", code=None)
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver", code=None)
    return desk


@pytest.mark.feature("S-AMX-15")
@pytest.mark.feature("S-AMX-18")
@pytest.mark.feature("S-AMX-16")
@pytest.mark.feature("S-AMX-17")
@pytest.mark.feature("S-AMX-42")
@pytest.mark.feature("S-AMX-43")
@pytest.mark.feature("S-AMX-44")
def test_files_of_a_run(sent):
    """Each file that left is listed once with case, day and kind, is exactly what the mail server got, and fills the run's ZIP."""
    files = sent.json("files", "list")
    assert {one["kind"] for one in files} == {"mail", "letter", "enclosure"}
    (mail,) = [one for one in files if one["kind"] == "mail"]
    assert (mail["on"], mail["case"], mail["keep_until"]) == ("2026-09-01", "MA-000001", "2032-12-31")
    classes = {one["kind"]: (one["retention"], one["keep_until"]) for one in files}
    assert classes == {
        "mail": ("commercial_letter", "2032-12-31"),
        "letter": ("commercial_letter", "2032-12-31"),
        "enclosure": ("voucher", "2034-12-31"),
    }
    sent("files", "save", mail["id"], "--out", "eine.eml")
    kept = (sent.folder / "eine.eml").read_bytes()
    assert sha256(kept).hexdigest() == mail["sha256"]
    ((_, received),) = sent.mails.received
    parsed = message_from_bytes(kept, policy=policy.SMTP)
    assert parsed.as_bytes() == received.as_bytes()
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["RE-1.pdf"]
    assert next(iter(parsed.iter_attachments())).get_content().startswith(b"%PDF")
    letters = sent.json("files", "list", "--letters")
    assert {one["kind"] for one in letters} == {"letter", "enclosure"}
    for one in letters:
        sent("files", "save", one["id"], "--out", f"{one['id']}.pdf")
        assert (sent.folder / f"{one['id']}.pdf").read_bytes().startswith(b"%PDF")
    assert "exists" in sent("files", "save", mail["id"], "--out", "eine.eml", code=2)
    assert sent.json("files", "list", "--case", "MA-000001") == files
    assert sent.json("files", "list", "--to", "2026-08-31") == []
    assert_period_narrows_every_list(sent)
    assert sent.json("files", "list", "--from", "2026-09-01", "--to", "01.09.2026") == files

    (run,) = sent.json("runs", "list")
    assert (run["sent"], run["to_post"], run["failed"]) == (1, 1, 0)
    assert run["skipped"] == {"no_recipient": 1}
    assert "1 sent" in sent("runs", "show", run["run"])
    sent("runs", "zip", run["run"])
    with zipfile.ZipFile(sent.folder / "mahnlauf.zip") as package:
        names = package.namelist()
        assert len(names) == run["files"] == len(files)
        documents = [name for name in names if "_re-1" not in name.lower()]
    assert len(documents) == run["sent"] + run["to_post"]
    [reading, *_] = [one["run"] for one in sent.json("runs", "trace") if one["kind"] == "pull"]
    assert "is no dunning run" in sent("runs", "dismiss", reading, "--as", "Erika", code=2)
    sent("runs", "dismiss", run["run"], "--as", "Erika")
    assert sent.json("runs", "list") == []
    assert [one["run"] for one in sent.json("runs", "list", "--all")] == [run["run"]]
    assert sent.json("files", "list") == files


def assert_period_narrows_every_list(sent):
    """In September each list shows what is of this month, and nothing of last month; said in October it is the other way round."""
    lists = [
        ["files", "list"],
        ["cases"],
        ["cases", "--view", "all"],
        ["cases", "--view", "run"],
        ["letters", "list"],
        ["runs", "list"],
    ]
    for words in lists:
        everything = sent.json(*words)
        assert everything, words
        assert (
            sent.json(*words, "--period", "2026-09-01..") == sent.json(*words, "--period", "this-month") == everything
        )
        assert sent.json(*words, "--period", "last-month") == []
    for words in (
        ["tasks", "list"],
        ["failures", "list"],
        ["cases", "--view", "closed"],
        ["cases", "--view", "collection"],
    ):
        assert sent.json(*words, "--period", "2026-09") == sent.json(*words) == []
    assert "is no period" in sent("cases", "--period", "neulich", code=2)


@pytest.mark.feature("N-9")
def test_evidence_of_a_case(sent):
    """One ZIP holds timeline, mail, letter, invoice, payments and proofs; a changed byte is found, with this program and without."""
    sent.sandbox.pay(sent.invoice, "190.00")
    sent.sandbox.add_invoice(sent.customer, number="RE/1", gross="20.00", issued_on=date(2026, 8, 3))
    sent("pull")
    sent("run", "--no-deliver", code=None)
    path = sent.folder / "bridge.yaml"
    with Bridge.open(path, actor="Erika", env=sent.environment()) as bridge, bridge.store.begin() as conn:
        for number in range(500):
            bridge.record(conn, "note_added", account="main", case_id=1, data={"note": f"Nr. {number}"})
    assert "Only the newest entries" in sent("case", "show", "MA-000001")
    done = sent.json("evidence", "export", "MA-000001", "--out", "akte.zip", "--as", "Erika")
    assert done["missing"] == []
    path = sent.folder / "akte.zip"
    with zipfile.ZipFile(path) as package:
        content = {name: package.read(name) for name in package.namelist()}
    assert {name.partition("/")[0] for name in content} == {
        "SHA256SUMS", "case.json", "files", "invoices", "payments.csv", "timeline.txt", "verify.py",
    }  # fmt: skip
    case = json.loads(content["case.json"])
    assert case["case"]["claims"][0]["number"] == "RE-1"
    assert case["case"]["contact"]
    assert any(one["proof"]["facts"].get("message_id") for one in case["proofs"] if one["act"] == "mail")
    assert b"190.00" in content["payments.csv"]
    assert b"case opened" in content["timeline.txt"], "from its beginning, however long it is"
    assert content["invoices/RE-1.pdf"].startswith(b"%PDF")
    assert content["invoices/RE-1-2.pdf"].startswith(b"%PDF"), "RE/1 has a name of its own"
    assert sum(name.endswith(".eml") for name in content) == 1
    assert sent.json("evidence", "verify", "akte.zip")["ok"]

    assert "RE-1.zip" in sent("evidence", "export", "RE/1", "--offline"), (
        "named by an invoice whose number is no name of a file"
    )
    folder = sent.folder / "ausgepackt"
    with zipfile.ZipFile(path) as package:
        package.extractall(folder)
    shutil.make_archive(str(sent.folder / "wieder"), "zip", folder)  # packed again by hand, its folders are listed too
    assert sent.json("evidence", "verify", "wieder.zip")["ok"]
    command = [sys.executable, str(folder / "verify.py")]
    found = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert found.returncode == 0
    assert done["seal"] in found.stdout, "whoever changes the list too cannot keep the seal"
    (folder / "timeline.txt").write_bytes(content["timeline.txt"].replace(b"2026", b"2025", 1))
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "timeline.txt" in found.stdout
    (folder / "SHA256SUMS").write_bytes(b"\xff\n")
    found = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert (found.returncode, found.stderr) == (1, ""), "not a list at all"
    (folder / "SHA256SUMS").unlink()
    found = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert (found.returncode, found.stderr) == (1, "")
    assert "fehlt: SHA256SUMS" in found.stdout

    changed = dict(content, **{"timeline.txt": content["timeline.txt"][:-1] + b"!"})
    pack(sent.folder / "eins.zip", changed)
    told = sent.json("evidence", "verify", "eins.zip", code=1)
    assert told["problems"] == ["changed: timeline.txt"]
    sums = changed["SHA256SUMS"].decode().splitlines()
    fitting = [f"{sha256(changed[line.split('  ')[1]]).hexdigest()}  {line.split('  ')[1]}" for line in sums]
    pack(sent.folder / "zwei.zip", dict(changed, SHA256SUMS="\n".join(fitting).encode() + b"\n"))
    told = sent.json("evidence", "verify", "zwei.zip", code=1)
    assert (told["problems"], told["known"]) == ([], False)
    (sent.folder / "kein.zip").write_bytes(b"PK")
    assert "no package of evidence" in sent("evidence", "verify", "kein.zip", code=2)


def pack(path, content):
    with zipfile.ZipFile(path, "w") as package:
        for name, data in content.items():
            package.writestr(name, data)


def test_a_changed_file_is_named(sent):
    """A kept file that somebody changed or removed is named, is not given out, and stays a gap that the evidence names."""
    assert sent.json("files", "check")["damaged"] == []
    (mail,) = [one for one in sent.json("files", "list") if one["kind"] == "mail"]
    path = sent.folder / "data" / "archive" / mail["sha256"][:2] / mail["sha256"][2:]
    assert path.stat().st_mode & 0o777 == 0o400
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    told = sent.json("files", "check", code=1)
    assert mail["name"] in told["damaged"][0][0]
    sent("files", "save", mail["id"], "--out", "x.eml", code=1)
    path.unlink()
    done = sent.json("evidence", "export", "MA-000001", "--out", "akte.zip", code=1)
    assert mail["sha256"][2:] in done["missing"][0]


@pytest.mark.feature("S-AMX-15")
def test_what_the_provider_sent_is_kept_too(desk):
    """Its document is fetched once the sending is proven. Where that fails a task says so, nothing is sent again, and a person fetches it."""
    plan = desk.folder / "standard.yaml"
    plan.write_text(plan.read_text("utf-8").replace("[mail]", "[provider_email]", 1), encoding="utf-8")
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk.sandbox.faults.status(500, "getPdf", times=None)
    told = desk.json("deliver")
    assert "the document of notice 1 is not kept yet" in told["problems"][0]
    assert desk.json("files", "list") == desk.json("tasks", "list") == []  # the provider may answer again
    desk.sandbox.faults.clear()
    desk.sandbox.faults.status(404, "getPdf", times=None, body={})
    desk("deliver")
    [task] = desk.json("tasks", "list")
    assert (task["kind"], task["invoices"]) == ("document", ["RE-1"])
    desk("deliver")
    assert len(desk.json("tasks", "list")) == 1
    desk("files", "fetch", code=1)
    desk.sandbox.faults.clear()
    desk("deliver")
    assert desk.json("files", "list") == []  # a person has it in hand
    assert "1 document" in desk("files", "fetch")
    [kept] = desk.json("files", "list")
    assert (kept["kind"], kept["notice"], kept["keep_until"]) == ("provider", 1, "2032-12-31")
    desk("files", "save", kept["id"], "--out", "mahnung.pdf")
    assert (desk.folder / "mahnung.pdf").read_bytes().startswith(b"%PDF")
    assert desk.json("tasks", "list") == []
    assert desk.json("files", "fetch") == {"kept": 0, "problems": []}
    assert len(desk.sandbox.ledger.of("mail")) == 1
