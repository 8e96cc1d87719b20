import tracemalloc

import pytest

from bridge.words import learn
from connectors.generic_csv.german import GERMAN
from connectors.generic_csv.lines import LONGEST_LINE, Fault, Record, detect_encoding, records


def read(tmp_path, data, encoding=None, delimiter=";"):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    return list(records(path, encoding or detect_encoding(path), delimiter))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("ä;b\n".encode(), "utf-8"),
        ("ä;b\n".encode("utf-8-sig"), "utf-8"),
        ("ä;b\n".encode("cp1252"), "cp1252"),
        ("€;b\n".encode("cp1252"), "cp1252"),
        ("ä;b\n".encode("utf-16"), "utf-16"),
        ("\ufeffä;b\n".encode("utf-16-be"), "utf-16"),
        (b"a;b\n", "utf-8"),
        ("ä;b\n".encode() + "ö;b\n".encode("cp1252"), "mixed"),
        ("a;Fälligkeit\n".encode("cp850"), "cp850"),
        ("a;Übersicht\nb;Müller\n".encode("cp850"), "cp850"),
        ("a;über\n".encode("cp850"), "cp850"),
        ("a;Musterstraße\n".encode("cp850"), "cp850"),
        ("a;Fälligkeit\n".encode("cp1252"), "cp1252"),
        ("a;„Muster“ und ”Wort”\nb;Šimić Žižek Milošević™\n".encode("cp1252", "replace"), "cp1252"),
        ("a;b\nMüller;1\n".encode("cp850") + "Köhler;2\n".encode("cp1252"), "unsure"),
        ("a;b\nMüller;1\n".encode("cp850") + "Köhler;2\n".encode(), "unsure"),
    ],
)
def test_encodings(tmp_path, data, encoding):
    """UTF-8 by its bytes, UTF-16 by its mark, cp850 by words that are none in Windows-1252, else that one; the mark never sticks to the first cell."""
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert detect_encoding(path) == encoding
    first = read(tmp_path, data)[0]
    assert first.cells[0] in ("ä", "€", "a")


def test_mixed_encodings_are_read_line_by_line(tmp_path):
    """A file that two programs wrote to is read right in both its parts."""
    data = "Müller;1\n".encode() + "Köhler;2\n".encode("cp1252")
    assert [record.cells for record in read(tmp_path, data)] == [("Müller", "1"), ("Köhler", "2")]


@pytest.mark.parametrize("other", ["cp1252", "utf-8"])
def test_what_could_be_either_is_set_aside_and_names_the_setting(tmp_path, other):
    """Lines of cp850 beside others are not guessed; named in the configuration, they are read as that says."""
    data = b"Nr;Name\n" + "Müller;1\n".encode("cp850") + "Köhler;2\n".encode(other)
    found = read(tmp_path, data)
    assert [one.cells for one in found if isinstance(one, Record)] == [("Nr", "Name"), ("Köhler", "2")]
    [fault] = [one for one in found if isinstance(one, Fault)]
    assert fault.line == 2
    assert "`encoding`" in fault.reason
    assert [one.cells[0] for one in read(tmp_path, data, "cp850")][1] == "Müller"


def test_undefined_bytes_cost_one_line(tmp_path):
    """Bytes that no encoding defines set their line aside, with its number."""
    found = read(tmp_path, b"a;1\n\x81\x8d;2\nc;3\n")
    assert [type(item) for item in found] == [Record, Fault, Record]
    assert found[1].line == 2


def test_nul_bytes_cost_one_line(tmp_path):
    """A line with NUL bytes is set aside, the rest is read."""
    found = read(tmp_path, b"a;1\nb\0;2\nc;3\n")
    assert [item.line for item in found] == [1, 2, 3]
    assert "NUL" in found[1].reason


def test_ten_megabyte_line_is_not_read(tmp_path):
    """A line of 10 MB is set aside with its number, in little memory, and the next one is read."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a;1\n" + b"x" * 10_000_000 + b"\nc;3\n")
    tracemalloc.start()
    found = list(records(path, "utf-8", ";"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [item.line for item in found] == [1, 2, 3]
    assert str(LONGEST_LINE) in found[1].reason
    assert peak < 3_000_000


def test_ten_megabyte_line_in_utf_16(tmp_path):
    """The same in UTF-16."""
    path = tmp_path / "a.csv"
    path.write_bytes(("a;1\n" + "x" * 3_000_000 + "\nc;3\n").encode("utf-16"))
    found = list(records(path, "utf-16", ";"))
    assert [type(item) for item in found] == [Record, Fault, Record]


def test_broken_utf_16_ends_in_a_fault(tmp_path):
    """A broken sequence in UTF-16 is named; nothing after it is trusted."""
    found = read(tmp_path, "a;1\n".encode("utf-16") + b"\x00\xd8\x41\x00\n\x00")
    assert isinstance(found[-1], Fault)


def test_quotes_and_line_breaks_in_cells(tmp_path):
    """Quoted cells may hold the delimiter, quotes and line breaks; numbers of later lines stay right."""
    found = read(tmp_path, b'a;"x;""y""\nz"\nb;2\n')
    assert [(item.line, item.cells) for item in found] == [(1, ("a", 'x;"y"\nz')), (3, ("b", "2"))]


def test_quote_that_never_ends_costs_its_own_line(tmp_path):
    """An open quote does not swallow the rest of the file."""
    found = read(tmp_path, b'a;1\nb;"2\nc;3\nd;4\n')
    assert [(type(item), item.line) for item in found] == [(Record, 1), (Fault, 2), (Record, 3), (Record, 4)]


def test_text_after_a_quote_costs_one_line(tmp_path):
    """A line that is no CSV is named."""
    found = read(tmp_path, b'a;1\n"b"x;2\nc;3\n')
    assert [type(item) for item in found] == [Record, Fault, Record]


def test_last_line_without_end(tmp_path):
    """The last line counts without a line end."""
    assert [item.cells for item in read(tmp_path, b"a;1\nb;2")] == [("a", "1"), ("b", "2")]


def test_bad_lines_are_told_with_their_number_in_both_languages(desk):
    """A line that cannot be read has no field of its own: its number and beginning stand in the sentence, German or English."""
    desk.items("RE-1;1;Meier;01.08.2026;15.08.2026;119,00;119,00", "RE-2\0;1;Meier", "RE-3\0;1;Meier")
    learn(GERMAN)
    rejects = desk.rejects()
    assert [(one.kind, one.field) for one in rejects] == [("row", ""), ("row", "")]
    assert [one.reason.told("de").partition(":")[0] for one in rejects] == ["Zeile 3", "Zeile 4"]
    assert rejects[0].reason.startswith("line 3: the line contains NUL bytes; it begins with 'RE-2")
