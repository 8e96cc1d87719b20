import fcntl
import json
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.errors import CannotTell, ConfigError, Refused, RetryLater, Unclear
from bridge.model import Act, Address, Attachment, Content, Ref, WriteBack

PDF = b"%PDF-1.7 letter"
NOW = datetime(2026, 9, 1, 22, 30, tzinfo=UTC)  # in Berlin it is already 2 September
FILES = [(Attachment(filename="brief.pdf"), PDF)]


@pytest.fixture
def outbox(tmp_path):
    return LetterOutbox(LetterSettings(folder=tmp_path / "briefe"), clock=lambda: NOW)


def a_letter(key="csv:RE-1:1:1:0:letter", level_name="Letzte Mahnung / ../x", **changes):
    content = Content(
        level_name=level_name,
        subject="Letzte Mahnung",
        address=Address(lines=("Müller GmbH",), street="Weg 1", postcode="12345", city="Köln"),
        **changes,
    )
    return WriteBack(key=key, account="csv", act=Act.LETTER, invoice=Ref.invoice("RE-1", "RE-1"), content=content)


def pdfs(outbox):
    return sorted(path.name for path in outbox.folder.rglob("*.pdf"))


def test_letter_lies_in_the_outbox_with_its_facts(outbox):
    """A letter is a PDF named by date, marker and level, with a JSON file that says what it is."""
    write = a_letter()
    proof = outbox.push(write, [*FILES, (Attachment(filename="RE 1.pdf"), b"%PDF-1.4 invoice")])
    assert proof.provider_id == f"2026-09-02_{write.marker.replace(':', '-')}_letzte-mahnung-x.pdf"
    assert proof.facts["state"] == "outbox"
    letter = outbox.folder / proof.provider_id
    assert letter.read_bytes() == PDF
    facts = json.loads(letter.with_suffix(".json").read_text("utf-8"))
    assert facts["key"] == write.key
    assert facts["address"]["city"] == "Köln"
    assert [(outbox.folder / name).read_bytes() for name in facts["enclosures"]] == [b"%PDF-1.4 invoice"]
    assert facts["enclosures"][0].endswith("_anlage1_re-1.pdf")


def test_same_letter_is_never_written_twice(outbox):
    """A repeated push with the same marker, on a later day and with other bytes, changes nothing."""
    first = outbox.push(a_letter(), FILES)
    outbox.clock = lambda: datetime(2026, 9, 9, tzinfo=UTC)
    again = outbox.push(a_letter(), [(Attachment(filename="x"), b"%PDF-other")])
    assert again.provider_id == first.provider_id
    assert pdfs(outbox) == [first.provider_id]
    assert (outbox.folder / first.provider_id).read_bytes() == PDF


def test_a_letter_that_may_be_taken_away_before_another_try_is_not_written_again(outbox, monkeypatch):
    """A disk that puts names in place but cannot sync them: the letter lies there, or a print service has it; a full one has none."""

    def sync(_folder):
        if list(outbox.folder.glob("*.pdf")):
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr("bridge.files.sync", sync)
    with pytest.raises(Unclear, match="Invalid argument"):
        outbox.push(a_letter(), FILES)
    assert outbox.find(a_letter()).found_later
    monkeypatch.setattr(
        "bridge.channels.letter_outbox.replace", Mock(side_effect=OSError(28, "No space left on device"))
    )
    with pytest.raises(RetryLater, match="No space left"):
        outbox.push(a_letter(key="another"), FILES)


@pytest.mark.parametrize("level", ["Anlage fehlt", "Anlage1 Mahnung", "_anlage1_", ""])
def test_a_letter_is_found_whatever_its_level_is_called(outbox, level):
    """A level whose name begins as an enclosure's does is not taken for one: the letter is found, and not written again."""
    write = a_letter(level_name=level)
    proof = outbox.push(write, [*FILES, (Attachment(filename="RE 1.pdf"), PDF)])
    assert outbox.find(write).provider_id == proof.provider_id
    outbox.clock = lambda: datetime(2026, 9, 9, tzinfo=UTC)
    assert outbox.push(write, FILES).provider_id == proof.provider_id


def test_enclosures_lie_in_their_order(outbox):
    """Sorted by name, as folders are shown and printed, the letter comes first and then its enclosures, however many there are."""
    for many, first in ((3, "1"), (12, "01")):
        write = a_letter(key=f"csv:RE-{many}:1:1:0:letter")
        files = [*FILES, *((Attachment(filename=f"RE-{at}.pdf"), PDF) for at in range(1, many + 1))]
        letter = outbox.push(write, files).provider_id
        names = [name for name in pdfs(outbox) if name.startswith(letter.removesuffix(".pdf"))]
        assert f"_anlage{first}_" in names[1]
        assert names == [letter, *json.loads((outbox.folder / letter).with_suffix(".json").read_text())["enclosures"]]
        assert [name.rpartition("_re-")[2] for name in names[1:]] == [f"{at}.pdf" for at in range(1, many + 1)]


def test_find_is_proof_or_cannot_tell(outbox):
    """A letter that is there is proven; one that is not there may have been taken away."""
    with pytest.raises(CannotTell):
        outbox.find(a_letter())
    outbox.push(a_letter(), FILES)
    assert outbox.find(a_letter()).found_later
    with pytest.raises(CannotTell):
        outbox.find(a_letter("another key"))


def test_half_written_letter_is_no_letter(outbox):
    """After a crash before the last rename there is no proof, and the next push completes the letter."""
    write = a_letter()
    outbox.push(write, FILES)
    (path,) = outbox.folder.glob("*.pdf")
    path.rename(outbox.folder / f".{path.name}.part")
    with pytest.raises(CannotTell):
        outbox.find(write)
    outbox.push(write, FILES)
    assert outbox.find(write).provider_id == path.name


def test_posted_letter_counts_as_posted(outbox):
    """A letter lies in the outbox until it is marked as posted; marking twice changes nothing."""
    write = a_letter()
    outbox.push(write, [*FILES, (Attachment(filename="RE-1.pdf"), PDF)])
    assert outbox.posted_at(write.marker) is None
    assert outbox.mark_posted(write.marker) == NOW
    outbox.clock = lambda: datetime(2026, 10, 1, tzinfo=UTC)
    assert outbox.mark_posted(write.marker) == NOW
    assert outbox.find(write).facts["state"] == "posted"
    assert [path.name for path in outbox.folder.iterdir() if path.is_file()] == [".lock"]
    assert len(list(outbox.posted_folder.iterdir())) == 3
    assert outbox.push(write, FILES).facts["state"] == "posted"
    assert len(pdfs(outbox)) == 2
    with pytest.raises(Refused):
        outbox.mark_posted("mb:unknown")


def test_letter_taken_back_is_out_of_reach(outbox):
    """A letter that is taken back lies with its enclosures in a folder of its own; one that was posted cannot be taken back."""
    write = a_letter()
    outbox.push(write, [*FILES, (Attachment(filename="RE-1.pdf"), PDF)])
    for _ in range(2):
        outbox.take_back(write.marker)
    assert [path.name for path in outbox.folder.iterdir() if path.is_file()] == [".lock"]
    assert len(list(outbox.withdrawn_folder.iterdir())) == 3
    assert outbox.posted_at(write.marker) is None
    outbox.push(write, FILES)
    outbox.mark_posted(write.marker)
    with pytest.raises(Refused, match="was posted"):
        outbox.take_back(write.marker)


def test_marking_continues_after_a_crash_in_the_middle(outbox):
    """If only the side file was moved when the power went, marking again completes the move and keeps the facts."""
    write = a_letter()
    name = outbox.push(write, FILES).provider_id
    side = (outbox.folder / name).with_suffix(".json")
    side.rename(outbox.posted_folder / side.name)
    outbox.mark_posted(write.marker)
    assert json.loads((outbox.posted_folder / side.name).read_text())["key"] == write.key


def test_letter_moved_by_hand_counts_as_posted(outbox):
    """A person may simply move the PDF into posted/."""
    write = a_letter()
    name = outbox.push(write, FILES).provider_id
    (outbox.folder / name).rename(outbox.posted_folder / name)
    assert outbox.posted_at(write.marker).tzinfo is not None


def test_print_service_counts_as_post(tmp_path):
    """Where a print service empties the folder, a letter counts as posted when it was written."""
    outbox = LetterOutbox(LetterSettings(folder=tmp_path, posted_when_written=True))
    assert outbox.push(a_letter(), FILES).facts["state"] == "posted"


@pytest.mark.parametrize("files", [[], [(Attachment(filename="a.pdf"), b"<html>")]])
def test_letter_without_pdf_is_refused(outbox, files):
    """Something that is no PDF never lands in the outbox."""
    with pytest.raises(Refused):
        outbox.push(a_letter(), files)
    assert pdfs(outbox) == []


def test_folder_that_cannot_be_made_is_a_matter_of_configuration(tmp_path):
    """A folder that cannot be used is named by check and by push."""
    (tmp_path / "datei").write_text("x")
    outbox = LetterOutbox(LetterSettings(folder=tmp_path / "datei" / "briefe"))
    with pytest.raises(ConfigError):
        outbox.push(a_letter(), FILES)
    assert [finding.code for finding in outbox.check().findings] == ["letter_folder"]


def test_check_leaves_nothing_behind(outbox):
    """`check` proves that the folder can be written to and leaves no file."""
    assert outbox.check().ok
    assert pdfs(outbox) == []
    assert [path.name for path in outbox.folder.iterdir() if path.is_file()] == [".lock"]


def test_only_one_process_at_a_time_looks_and_writes(outbox, monkeypatch):
    """While one process looks whether a letter is there, no other can write it."""
    held = []
    real = LetterOutbox._letter

    def look(self, marker):
        with (self.folder / ".lock").open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(True)
        return real(self, marker)

    monkeypatch.setattr(LetterOutbox, "_letter", look)
    outbox.push(a_letter(), FILES)
    assert held
