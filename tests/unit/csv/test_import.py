from datetime import UTC, datetime, timedelta

import pytest

from bridge.contract import ConfigError

ROW = "RE-{0};K{0};Kunde {0};01.08.2026;15.08.2026;119,00;119,00"


@pytest.mark.feature("P-32")
def test_ten_rows_are_ten_open_items_and_a_second_import_changes_nothing(desk):
    """A CSV of ten rows gives ten open items; a second import of the same file changes nothing."""
    rows = [ROW.format(number) for number in range(1, 11)]
    desk.items(*rows, name="offen.csv")
    batches = desk.pull()
    first = {invoice.id: invoice for batch in batches for invoice in batch.invoices}
    assert len(first) == 10
    assert all(invoice.open == 119 for invoice in first.values())
    desk.items(*rows, name="offen.csv")
    again = desk.pull(batches[-1].cursor)
    assert [batch.invoices for batch in again] == [()]
    assert desk.invoices() == {invoice.number: invoice for invoice in first.values()}
    assert len(desk.archived()) == 1
    assert not list(desk.inbox.glob("*.csv"))


@pytest.mark.feature("P-31")
def test_one_bad_row_does_not_stop_the_others(desk):
    """A row with a broken date is set aside with file, line, column, value and reason; the others arrive."""
    desk.items(ROW.format(1), "RE-2;K2;Kunde 2;31.02.2026;15.08.2026;119,00;119,00", ROW.format(3), name="offen.csv")
    assert sorted(desk.invoices()) == ["RE-1", "RE-3"]
    (reject,) = desk.rejects()
    assert reject.source == "offen.csv:3"
    assert (reject.field, reject.value, reject.provider_id) == ("Rechnungsdatum", "'31.02.2026'", "plain/RE-2")
    assert "01.09.2026" in reject.reason
    assert reject.raw.startswith("RE-2;")


def test_bad_row_of_a_known_invoice_holds_it(desk):
    """If the newest row of an invoice cannot be read, what was known of it is not acted on, until a good row comes."""
    desk.items(ROW.format(1))
    desk.pull()
    desk.items("RE-1;K1;Kunde 1;01.08.2026;15.08.2026;119,00;bezahlt!")
    assert desk.reasons("plain/RE-1") == ["stale_data"]
    desk.items(ROW.format(1), ROW.format(2))
    assert desk.reasons("plain/RE-1") == []
    assert desk.rejects() == []


def test_contradicting_rows_are_rejected_together(desk):
    """Two rows of one invoice that differ are both set aside; equal ones count once."""
    desk.items(ROW.format(1), ROW.format(1).replace("119,00;119,00", "119,00;19,00"), ROW.format(2), ROW.format(2))
    assert sorted(desk.invoices()) == ["RE-2"]
    assert [reject.field for reject in desk.rejects()] == ["key", "key"]


def test_rows_add_up_where_the_profile_says_so(desk, tmp_path):
    """A profile may say that rows of one invoice add up; then other fields must still agree."""
    own = tmp_path / "profile"
    own.mkdir()
    (own / "plain.yaml").write_text("kind: invoices\nrows: add_up\nopen_by_default: true\n")
    other = ROW.format(2).replace("01.08.2026", "02.08.2026")
    desk.items(ROW.format(1), ROW.format(1).replace("119,00;119,00", "10,00;10,00"), ROW.format(2), other)
    assert {number: item.open for number, item in desk.invoices(profiles=own).items()} == {"RE-1": 129}
    assert {reject.provider_id for reject in desk.rejects(profiles=own)} == {"plain/RE-2"}


def test_missing_row_of_a_list_means_nothing(desk):
    """In a plain list, what is no longer listed is unknown, not paid."""
    desk.items(ROW.format(1), ROW.format(2))
    desk.pull()
    desk.items(ROW.format(2))
    assert desk.invoices()["RE-1"].open == 119


def test_missing_row_of_a_snapshot_is_settled(desk):
    """In a complete list, what is no longer listed is settled, and comes back if it is listed again."""
    desk.settings["profile"] = "open_items"
    desk.items(ROW.format(1), ROW.format(2))
    desk.pull()
    desk.items(ROW.format(2))
    found = desk.invoices()
    assert (found["RE-1"].status.value, found["RE-1"].open) == ("paid", 0)
    assert found["RE-2"].open == 119
    desk.items(ROW.format(1), ROW.format(2), ROW.format(3))
    assert desk.invoices()["RE-1"].open == 119


def test_unreadable_rows_of_a_snapshot_settle_nothing(desk):
    """If a row of a complete list names no invoice, nobody knows which one it was: what is missing is held, not settled."""
    desk.settings["profile"] = "open_items"
    desk.items(ROW.format(1), ROW.format(2))
    desk.pull()
    desk.items(ROW.format(2), ";K1;Kunde 1;01.08.2026;15.08.2026;119,00;119,00")
    assert desk.invoices()["RE-1"].open == 119
    assert desk.reasons("open_items/RE-1") == ["stale_data"]
    assert desk.reasons("open_items/RE-2") == []


def test_one_customer_number_with_two_names_is_held(desk):
    """A list calls one customer by two names: neither invoice goes to the other one's name; told with both lines; put right, both go on."""
    first, second = ROW.format(1), ROW.format(2)
    desk.items(first, second.replace("K2;Kunde 2", "K1;Andere AG"), ROW.format(3))
    desk.pull()
    [[told]] = [one.invoice.flags for one in desk.look("plain/RE-1")]
    assert "'Kunde 1' in line 2 and 'Andere AG' in line 3" in str(told.source)
    assert [desk.reasons(f"plain/RE-{number}") for number in (1, 2, 3)] == [["stale_data"], ["stale_data"], []]
    desk.items(first, second.replace("K2;Kunde 2", "K1;KUNDE  1"), ROW.format(3))
    assert [desk.reasons(f"plain/RE-{number}") for number in (1, 2, 3)] == [[], [], []]


def test_older_file_never_overrides_a_newer_one(desk):
    """A file that was made earlier but arrives later changes nothing that is known from a newer one."""
    desk.items(ROW.format(1).replace("119,00;119,00", "119,00;19,00"))
    desk.pull()
    desk.items(ROW.format(1), at=desk.now - timedelta(days=3))
    assert desk.invoices()["RE-1"].open == 19


def test_a_clock_set_back_hides_no_newer_file(desk):
    """The machine's clock was an hour ahead and is set right: the next list counts, though its time lies before that of the last one."""
    right = datetime.now(UTC) + timedelta(minutes=2)
    desk.now = right + timedelta(hours=1)
    desk.items(ROW.format(1))
    desk.pull()
    desk.now = right
    desk.items(ROW.format(1).replace("119,00;119,00", "119,00;19,00"), at=right - timedelta(seconds=30))
    assert desk.invoices()["RE-1"].open == 19
    desk.items(ROW.format(1), at=right - timedelta(days=30))
    assert desk.invoices()["RE-1"].open == 19


def test_old_file_dropped_again_changes_nothing(desk):
    """An old file that somebody drops again, with a new time, is recognised by its content, and told of."""
    desk.items(ROW.format(1))
    desk.pull()
    desk.items(ROW.format(1).replace("119,00;119,00", "119,00;19,00"))
    desk.pull()
    desk.now += timedelta(hours=1)
    desk.items(ROW.format(1), name="alt.csv")
    assert desk.invoices()["RE-1"].open == 19
    (reject,) = desk.rejects()
    assert (reject.source, "read before" in reject.reason) == ("alt.csv", True)


def test_unchanged_export_of_today_keeps_data_fresh(desk):
    """An export with the same content as the last one confirms it: the data is as fresh as the new file."""
    desk.items(ROW.format(1))
    cursor = desk.pull()[-1].cursor
    desk.now += timedelta(days=6)
    desk.items(ROW.format(1))
    assert [batch.invoices for batch in desk.pull(cursor)] == [()]
    (snapshot,) = desk.look("plain/RE-1")
    assert snapshot.taken_at > desk.now - timedelta(hours=1)


def test_data_older_than_its_limit_is_stale(desk):
    """Older than the profile's limit, an invoice is held as stale; a new file frees it. Pull tells of both."""
    desk.items(ROW.format(1))
    cursor = desk.pull()[-1].cursor
    (snapshot,) = desk.look("plain/RE-1")
    assert snapshot.taken_at == datetime(2026, 9, 4, 7, 55, 1, tzinfo=UTC)
    assert snapshot.invoice.flags == ()
    desk.now += timedelta(days=8)
    assert desk.reasons("plain/RE-1") == ["stale_data"]
    news = desk.pull(cursor)
    assert [flag.reason.value for flag in news[0].invoices[0].flags] == ["stale_data"]
    assert [finding.code for finding in desk.connector().check().findings] == ["csv_stale", "csv_no_bank"]
    desk.items(ROW.format(1))
    assert desk.reasons("plain/RE-1") == []
    assert desk.pull(news[-1].cursor)[0].invoices[0].flags == ()


def test_changes_alone_stay_fresh_with_their_source(desk, tmp_path):
    """Where files tell changes only, an invoice is as fresh as the newest file of its source."""
    own = tmp_path / "profile"
    own.mkdir()
    (own / "plain.yaml").write_text("kind: invoices\nmeaning: delta\nopen_by_default: true\nfresh_days: 2\n")
    desk.settings["profiles"] = own
    desk.items(ROW.format(1))
    desk.pull()
    desk.now += timedelta(days=3)
    assert desk.reasons("plain/RE-1") == ["stale_data"]
    desk.items(ROW.format(2))
    assert desk.reasons("plain/RE-1") == []


def test_unknown_invoice_is_not_found(desk):
    """An invoice that no file ever named is not found."""
    desk.items(ROW.format(1))
    assert [snapshot.found for snapshot in desk.look("plain/RE-1", "plain/RE-2")] == [True, False]


def test_nothing_new_is_one_empty_batch(desk):
    """A pull in which nothing changed yields one empty batch with the same cursor."""
    desk.items(ROW.format(1))
    cursor = desk.pull()[-1].cursor
    (batch,) = desk.pull(cursor)
    assert batch.cursor == cursor
    assert (batch.debtors, batch.invoices, batch.rejects, batch.full) == ((), (), (), False)


def test_new_state_delivers_everything_again(desk):
    """If the connector's state is lost, nothing is: everything that is read anew is delivered again."""
    desk.items(ROW.format(1))
    cursor = desk.pull()[-1].cursor
    for path in (desk.inbox / "mahnbridge").glob("state.sqlite*"):
        path.unlink()
    desk.items(ROW.format(2))
    batches = desk.pull(cursor)
    assert [invoice.number for batch in batches for invoice in batch.invoices] == ["RE-2"]
    assert batches[-1].complete


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Hallo Welt\nwie geht es\n", "header"),
        (b"\x00\x01\x02" * 100, "header"),
        (b"PK\x03\x04kaputt", "ZIP"),
        (b"<?xml version='1.0'?><a/>", "camt"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">', "broken"),
        (b'"EXTF";700;16;"Debitoren"', "header of 31"),
        (b"Rechnungsnummer;Kunde;Betrag\r" * 20000, "CR"),
    ],
)
def test_unreadable_file_is_one_reject(desk, content, words):
    """A file that is not what it should be is told by name and reason, archived, and stops nothing else."""
    desk.drop(content, name="kaputt.dat", at=desk.now - timedelta(hours=1))
    desk.items(ROW.format(1))
    assert sorted(desk.invoices()) == ["RE-1"]
    (reject,) = desk.rejects()
    assert (reject.kind, reject.source) == ("file", "kaputt.dat")
    assert words in reject.reason
    assert len(desk.archived()) == 2


def test_corrected_profile_reads_the_same_file_anew(desk, tmp_path):
    """After the profile was changed, the same file dropped again is read with it."""
    own = tmp_path / "profile"
    own.mkdir()
    desk.drop("Nr;Wert\nRE-1;119,00\n", name="a.csv")
    assert desk.invoices() == {}
    text = "kind: invoices\nopen_by_default: true\nheaders: [[Nr, Wert]]\ncolumns: {invoice_no: [Nr], gross: [Wert]}\n"
    (own / "meins.yaml").write_text(text)
    desk.settings["profiles"] = own
    desk.drop("Nr;Wert\nRE-1;119,00\n", name="a.csv")
    assert desk.invoices()["RE-1"].id == "meins/RE-1"


def test_ambiguous_amounts_are_rejected_unless_the_column_tells(desk):
    """`1.234` alone is rejected; one cell with a comma in the same column makes it one thousand."""
    desk.drop("Rechnungsnummer;Betrag\nA;1.234\nB;5\n", at=desk.now - timedelta(hours=1))
    desk.drop("Rechnungsnummer;Betrag\nC;1.234\nD;5,00\n")
    found = desk.invoices()
    assert {number: item.gross for number, item in found.items()} == {"B": 5, "C": 1234, "D": 5}
    assert [reject.provider_id for reject in desk.rejects()] == ["plain/A"]


def test_month_first_dates_are_rejected_as_a_column(desk):
    """One date that can only be month first makes all dates with slashes of its column suspect."""
    desk.drop("Rechnungsnummer;Rechnungsdatum;Betrag\nA;09/01/2026;1,00\nB;09/13/2026;1,00\nC;2026-09-01;1,00\n")
    assert sorted(desk.invoices()) == ["C"]
    assert {reject.field for reject in desk.rejects()} == {"Rechnungsdatum"}


def test_impossible_due_date_is_not_taken_for_a_number_of_days(desk):
    """`31.02.2026` as due date is rejected."""
    desk.items(ROW.format(1).replace("15.08.2026", "31.02.2026"))
    assert [reject.field for reject in desk.rejects()] == ["Fällig am"]


def test_many_bad_rows_are_summed_up(desk):
    """A file of which nothing fits does not flood the bridge with rejects."""
    desk.items(*(f"RE-{number};K;Kunde;kaputt;;1,00;1,00" for number in range(1500)))
    rejects = desk.rejects()
    assert len(rejects) == 1000
    assert any("further rows" in reject.reason for reject in rejects)


@pytest.mark.parametrize(
    ("paid", "rest", "clear"),
    [("30,00", "70,00", True), ("30,00", "60,00", True), ("30,00", "90,00", False), ("0,00", "119,00", False)],
    ids=["adds up", "less is open", "more is open", "more than the gross amount"],
)
def test_amounts_that_ask_for_more_than_was_not_paid_are_unclear(desk, paid, rest, clear):
    """Gross 100.00: what a list shows as open beyond the unpaid part is held, not asked for; a discount may leave less."""
    desk.drop(f"Rechnungsnummer;Brutto;Bezahlt;Offen\nRE-1;100,00;{paid};{rest}\n")
    assert desk.invoices()["RE-1"].amounts_clear is clear


def test_what_an_agency_asks_for_is_read_where_a_column_has_it(desk):
    """Contract date, legal form and person come from columns of their own; a day that cannot be read holds no invoice up."""
    head = "Rechnungsnummer;Kundennummer;Kunde;Rechnungsdatum;Fälligkeit;Brutto;Offen;Rechtsform;Anrede;Vorname;Nachname;Geburtsdatum;Vertragsdatum"
    rows = [
        f"{ROW.format(1)};GmbH;Frau;Ada;Neu;29.02.1980;01.07.2026",
        f"{ROW.format(2)};;;;;irgendwann;31.02.2026",
    ]
    (desk.inbox / "offen.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    batches = desk.pull()
    debtors = {one.number: one for batch in batches for one in batch.debtors}
    person = debtors["K1"].person
    assert (debtors["K1"].legal_form, person.salutation, person.first_name, person.last_name) == (
        "GmbH",
        "Frau",
        "Ada",
        "Neu",
    )
    assert person.born_on.isoformat() == "1980-02-29"
    invoices = desk.invoices()
    assert (invoices["RE-1"].contract_on.isoformat(), invoices["RE-2"].contract_on) == ("2026-07-01", None)
    assert (debtors["K2"].legal_form, debtors["K2"].person) == (None, None)


def test_a_list_of_a_dos_program_is_read(desk):
    """Headings and names with umlauts in cp850 arrive as they are; where a file is in two encodings, its key of the configuration is named."""
    rows = (
        "Rechnungsnummer;Kunde;Rechnungsdatum;Fälligkeit;Bruttobetrag;Offen",
        "RE-1;Köhler & Söhne;01.08.2026;15.08.2026;119,00;119,00",
    )
    desk.drop("\r\n".join(rows).encode("cp850"), name="dos.csv")
    batches = desk.pull()
    assert [one.name for batch in batches for one in batch.debtors] == ["Köhler & Söhne"]
    assert [one.due_on.day for batch in batches for one in batch.invoices] == [15]
    head = rows[0].replace("Rechnungsnummer;Kunde", "Größe").encode("cp850")
    desk.drop(head + b"\r\n" + "Müller;ä;1\r\n".encode("cp1252"), name="beides.csv")
    desk.pull()
    assert [(one.field, "`encoding`" in one.reason) for one in desk.rejects()] == [("encoding", True)]


def test_a_profile_s_column_that_the_header_lacks_refuses_the_file(desk, tmp_path):
    """A currency column that is written wrong in a profile makes no euros of francs: the file is set aside; `optional` says otherwise."""
    own = tmp_path / "profile"
    own.mkdir()
    profile = "kind: invoices\nopen_by_default: true\nheaders: [[Nr, Wert]]\ncolumns: {invoice_no: [Nr], gross: [Wert], currency: [Devse]}\n"
    (own / "meins.yaml").write_text(profile)
    desk.settings["profiles"] = own
    content = "Nr;Wert;Devise\nRE-1;119,00;CHF\n"
    desk.drop(content, name="a.csv")
    assert desk.invoices() == {}
    (reject,) = desk.rejects()
    assert "needs a column for currency" in reject.reason
    (own / "meins.yaml").write_text(profile.replace("Devse", "Devise"))
    desk.drop(content, name="a.csv")
    assert desk.invoices()["RE-1"].currency == "CHF"
    (own / "meins.yaml").write_text(profile + "optional: [currency]\n")
    desk.drop("Nr;Wert\nRE-2;119,00\n", name="b.csv")
    assert desk.invoices()["RE-2"].currency == "EUR"


def test_a_profile_s_field_that_does_not_exist_is_refused(desk, tmp_path):
    """`curency` under `columns` would be read by nobody."""
    own = tmp_path / "profile"
    own.mkdir()
    (own / "meins.yaml").write_text("kind: invoices\nheaders: [[Nr, Wert]]\ncolumns: {curency: [Devise]}\n")
    desk.settings["profiles"] = own
    with pytest.raises(ConfigError, match="no field curency"):
        desk.invoices()


@pytest.mark.feature("N-1")
@pytest.mark.parametrize("left", ["0,00", "119,00"], ids=["the old one paid", "the old one open"])
def test_a_number_that_is_given_again(desk, left):
    """A new invoice under an old number inherits no level, no payment and no returned debit: it is set aside, and the old one held."""
    desk.items(f"17;K1;Alt GmbH;01.12.2025;15.12.2025;119,00;{left}")
    desk.pull()
    desk.items("17;K2;Neu GmbH;01.08.2026;15.08.2026;500,00;500,00")
    rejects = desk.rejects()
    assert ["01.12.2025" in one.reason or "2025-12-01" in str(one.reason) for one in rejects] == [True]
    assert desk.invoices().get("17") is None or desk.invoices()["17"].gross == 119
    desk.items("17;K1;Alt GmbH;02.12.2025;15.12.2025;119,00;119,00")  # the day alone was corrected
    desk.pull()
    assert desk.rejects() == []
