"""What people read after they changed something by hand, on the real store of a small agency; nothing leaves the house."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.app import Bridge
from bridge.cli import locale, show, show_files
from bridge.cli.locale import speak
from bridge.cli.out import Out
from bridge.errors import UsageError
from tests.unit.store.made import batch, debtor, invoice

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CONFIG = """\
accounts: {main: {connector: generic_csv, settings: {inbox: inbox, profile: open_items}}}
creditor: {name: Muster Agentur, street: Weg 1, postcode: "10115", city: Berlin, email: a@muster.example, iban: DE02120300000000202051}
channels: {smtp: {host: 127.0.0.1, port: 1, sender_address: mahnung@muster.example}}
debtor_page: {public_url: "https://antwort.muster.example"}
dunning: {cutoff: 2025-01-01}
"""


@pytest.fixture(autouse=True)
def _restore():
    yield
    locale._chosen.clear()


@pytest.fixture
def bridge(tmp_path):
    """One customer with two overdue invoices, read and proposed."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "bridge.yaml").write_text(CONFIG, "utf-8")
    clock = {"clock": lambda: NOW, "technical_clock": lambda: NOW}
    with Bridge.open(tmp_path / "bridge.yaml", actor="Erika", env={}, **clock) as opened:
        with opened.store.begin() as conn:
            known = batch(debtors=[debtor(number="10017")], invoices=[invoice("1"), invoice("2")])
            opened.store.mirror.write(conn, "main", known, business_date=NOW.date(), now=NOW)
            opened.store.mirror.accounts.pulled(conn, "main", at=NOW, full=True, totals={}, jump=None)
        opened.run(pull=False, deliver=False)
        yield opened


def told(capsys, language, show, *what):
    """What `show` prints in a language, as one line."""
    speak(language)
    show(*what)
    return " ".join(capsys.readouterr().out.split())


def test_links_are_named_by_case_invoice_or_customer(bridge):
    """As `case show` takes them: each lists and revokes the links of the case, which is told by its number; what means nothing is refused."""
    for name in ("MA-000001", "RE-2", "10017"):
        assert [one.revoked for one in bridge.links_of(name)] == [False, False]
    done = bridge.revoke_links("RE-2")
    assert (done.subject, done.count) == ("MA-000001", 2)
    assert all(one.revoked for one in bridge.links_of("10017"))
    with pytest.raises(UsageError, match="no invoice or customer of this number"):
        bridge.links_of("RE-9")


def test_whoever_forgets_a_key_reads_what_ends_with_it(bridge, capsys):
    """Links in mails that were signed with the key end; that is told where it happens, not in the help alone."""
    bridge.rotate_key()
    done = bridge.forget_keys()
    assert "können darüber nicht mehr antworten" in told(capsys, "de", Out().done, done)
    assert "can answer by them no more" in told(capsys, "en", Out().done, done)


def test_a_reading_is_shown_as_what_it_is(bridge, capsys):
    """Not as a dunning run with zeros: its own title, how it ended, and what it counted, in both languages."""
    with bridge.store.begin() as conn:
        runs, counts = bridge.store.runs, {"records": 12, "invoices": 3, "gone": 0}
        number = runs.start(conn, "pull", actor="Erika", on=NOW.date(), at=NOW, account="main")
        runs.end(conn, number, at=NOW, state="done", counts=counts)
    one = bridge.trace(number)
    page = told(capsys, "de", show_files.trace, Out(), one)
    assert page.startswith(f"Abruf {number} vom 02.03.2026")
    assert "12 Datensätze gelesen 3 Rechnungen neu oder geändert" in page
    assert not any(word in page for word in ("Mahnlauf", "versendet", "unbekannt"))
    assert "12 records read 3 invoices new or changed" in told(capsys, "en", show_files.trace, Out(), one)


def test_an_edit_says_what_took_the_place_of_what(bridge, capsys):
    """Another level makes another notice: the old one names the new one, and the new one the old one; so does the timeline."""
    [made] = bridge.edit(1, level=2)
    assert (made.id, made.replaces) == (3, (1,))
    old = bridge.case("MA-000001").notices
    assert {one.id: one.replaced_by for one in old} == {1: 3, 2: None, 3: None}
    page = told(capsys, "de", show.case, Out(), bridge.case("MA-000001"))
    assert "Mahnung 1 wurde geändert: An ihrer Stelle steht 3." in page
    assert "Mahnung 3 steht an der Stelle von 1." in page
    assert "Mahnung 1 geändert: an ihrer Stelle steht 3" in page


def test_a_recipient_of_a_level_that_no_plan_has_is_refused(bridge):
    """For an invoice and for the customer: named are the levels that there are; a level that is there is taken."""
    for case in ("RE-1", "MA-000001"):
        with pytest.raises(UsageError, match=r"plan standard has no level 9; it has 1 .*, 2 "):
            bridge.choose_recipient(case, ["rechnung@example.org"], level=9)
    assert bridge.choose_recipient("RE-1", ["rechnung@example.org"], level=2).what == "recipient"


def test_what_is_agreed_about_a_claim_at_the_agency_asks_to_tell_the_agency(bridge, capsys):
    """Waiver, charge and instalments are taken, and say in both languages that the agency must hear of it; for others they say nothing."""
    with bridge.store.begin() as conn:
        bridge.store.handovers.hand_over(conn, "main", 1, {"1": "119.00"}, bridge.stamp("main"), agency="Adler Inkasso")
    rates = [(NOW.date(), Decimal("238.00"))]
    for done in (
        bridge.charge("RE-1", kind="cost", sum_=Decimal(5)),
        bridge.waive("RE-1", note="Kulanz"),
        bridge.agree("MA-000001", rates),
    ):
        assert "beim Inkasso: RE-1; auch dem Inkassounternehmen mitteilen" in told(capsys, "de", Out().done, done)
        assert "with the collection agency: RE-1; tell the agency too" in told(capsys, "en", Out().done, done)
    assert bridge.charge("RE-2", kind="cost", sum_=Decimal(5)).notes == ()


def test_the_last_word_on_a_block_counts(bridge):
    """A second block of the same customer or invoice for the same reason ends the first, and says so; other reasons and targets stay."""
    bridge.block("RE-1", reason="dispute", note="falsche Menge")
    bridge.block("RE-1", reason="says_paid")
    bridge.block("MA-000001", reason="dispute")
    again = bridge.block("RE-1", reason="dispute", until=NOW.date(), note="bis heute")
    assert [one.told("de") for one in again.notes] == ["damit endet 1 frühere Sperre mit demselben Grund"]
    detail = bridge.case("MA-000001")
    assert sorted((one.invoice, one.reason, one.note) for one in detail.blocks) == [
        ("", "dispute", ""),
        ("RE-1", "dispute", "bis heute"),
        ("RE-1", "says_paid", ""),
    ]
    assert "eine frühere Mahnsperre" in " ".join(one.text for one in detail.timeline)
    assert bridge.unblock("RE-1").count == 2
