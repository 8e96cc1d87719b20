"""Small words: amounts, dates and numbers in a text, references for a transfer, names and titles, what a record becomes."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from bridge.model import (
    Address,
    Colleague,
    Contact,
    Debtor,
    Flag,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Payment,
    PaymentKind,
    ProviderNotice,
    Reason,
    Relation,
)  # fmt: skip
from bridge.policy import Block, texts
from bridge.policy.beside import Other, Part
from bridge.policy.build import case_view, claim_view, effect_of, is_ours, notice_view
from bridge.policy.channel import Via
from bridge.policy.claim_text import Form, parts_of
from bridge.policy.coexistence import Foreign, repeated
from bridge.policy.colleagues import colleague_of, colleagues_of, copies, written
from bridge.policy.inhouse import phone_of
from bridge.policy.mentions import why, with_mentions
from bridge.policy.money.words import percent
from bridge.policy.naming import named
from bridge.policy.paying import reference, sepa
from bridge.policy.places import state_of
from bridge.policy.recipients import folded, mail_recipients, postal_address, told_unusable
from bridge.policy.rules import Caretaker
from bridge.policy.statement import names_all
from tests.unit.policy.helpers import case, claim, level, plan, rules

DAY = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("cents", "german", "austrian", "swiss", "english"),
    [
        (0, "0,00 EUR", "0,00 EUR", "EUR 0.00", "EUR 0.00"),
        (5, "0,05 EUR", "0,05 EUR", "EUR 0.05", "EUR 0.05"),
        (123456789, "1.234.567,89 EUR", "1.234.567,89 EUR", "EUR 1'234'567.89", "EUR 1,234,567.89"),
        (-1, "-0,01 EUR", "-0,01 EUR", "-EUR 0.01", "-EUR 0.01"),
        (-123456, "-1.234,56 EUR", "-1.234,56 EUR", "-EUR 1'234.56", "-EUR 1,234.56"),
    ],
)
def test_amounts_as_each_country_writes_them(cents, german, austrian, swiss, english):
    """Unbroken, with two places, the sign in front."""
    for language, said in (("de", german), ("de-AT", austrian), ("de-CH", swiss), ("de-LI", swiss), ("en", english)):
        assert texts.money(cents, "EUR", language).replace("\xa0", " ") == said


def test_dates_tags_and_letters():
    """German with points, English in words; a country's own way only in German; no sharp s in Switzerland."""
    assert [texts.day(DAY, one) for one in ("de", "de-CH", "en")] == ["05.10.2026", "05.10.2026", "5 October 2026"]
    assert texts.day(date(2026, 1, 31), "en") == "31 January 2026"
    assert texts.day(date(2026, 12, 1), "en") == "1 December 2026"
    assert texts.day(None, "de") == ""
    assert [texts.tag("de", one) for one in ("DE", "AT", "CH", "LI", "FR")] == ["de", "de-AT", "de-CH", "de-LI", "de"]
    assert texts.tag("en", "CH") == "en"
    assert [texts.local("Grüße", one) for one in ("de", "de-AT", "de-CH", "de-LI")] == [
        "Grüße",
        "Grüße",
        "Grüsse",
        "Grüsse",
    ]
    assert [texts.decimal("1.5", one) for one in ("de", "de-CH", "en")] == ["1,5", "1.5", "1.5"]
    assert [percent(Decimal(one), "en") for one in ("9", "9.2", "10.52", "1.125")] == ["9.00", "9.20", "10.52", "1.125"]


@pytest.mark.parametrize(
    ("numbers", "customer", "number", "said"),
    [
        (["RE-1"], "", "", "RE-1"),
        (["RE-1", "RE-2", "RE-3"], "10017", "MA-1", "RE-1 RE-2 RE-3 10017"),
        (["1", "2", "3", "4"], "10017", "MA-1", "MA-1 10017"),
        (["1", "2", "3", "4", "5"], "10017", "", "1 2 3 +2 10017"),
        (["/RE//1/"], "", "", "RE/1/"),
        (["Rechnung Größe 5 €"], "", "", "Rechnung Groesse 5"),
        (["Ä" * 80], "10017", "", "Ae" * 70),
        (["x" * 139], "10017", "", "x" * 139),
    ],
)
def test_a_reference_that_every_bank_takes(numbers, customer, number, said):
    """Up to three numbers, of more the case, else how many more; then the customer; at most 140 characters of a transfer."""
    assert reference(numbers, customer, number) == said


def test_characters_of_a_transfer():
    """Others become a space or their plain letters, and no reference begins with a slash."""
    assert sepa("a_b#c") == "a b c"
    assert sepa("// 12") == "12"
    assert sepa("é-Ü.(x)+'?:,") == "e-Ue.(x)+'?:,"


# ------------------------------------------------------------------------------------------------------------------ a text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a\n\nb", ["a", "b"]),
        ("a\r\n\r\nb\rc", ["a", "b\nc"]),
        ("a\n \n\t\n\nb\n", ["a", "b"]),
        ("a\n[[claims]]\nb", ["a", "[[claims]]", "b"]),
        ("[[claims]]\n\n[[claims]]\n[[payment]]", ["[[claims]]", "[[payment]]"]),
        ("  [[payment]] \nx\nx\n\nx", ["[[payment]]", "x\nx", "x"]),
        ("x [[claims]]", ["x [[claims]]"]),
        ("", []),
    ],
)
def test_the_paragraphs_of_a_text(text, parts):
    """The places of the table and of how to pay stand by themselves, each once; nothing else is dropped."""
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    ("law", "german", "english"),
    [
        ("BGB 288(2)", "§ 288 Abs. 2 BGB", "section 288(2) BGB"),
        ("OR 104", "Art. 104 OR", "section 104 OR"),
        ("ABGB 1000, UGB 456", "§ 1000 ABGB, § 456 UGB", "section 1000 ABGB, section 456 UGB"),
    ],
)
def test_a_statute_as_it_is_cited(law, german, english):
    """By section in German and Austrian law, by article in the Swiss Code of Obligations."""
    for language, said in (("de", german), ("en", english), ("fr", english)):
        form = Form(language)
        told = form.law(type("Table", (), {"interest": Decimal(1), "law": law, "on": DAY}))
        assert said in told
    assert Form("de").law(type("Table", (), {"interest": Decimal(0), "law": law, "on": DAY})) == ""
    assert Form("de").law(type("Table", (), {"interest": Decimal(1), "law": "", "on": DAY})) == ""


def test_what_is_only_mentioned_stands_by_itself():
    """Below the text with its own head in its language, unless the text lists it itself."""
    one = {"number": "RE-3", "date": "1.10.", "due_date": "20.10.", "open": "7,00", "why": "noch nicht fällig"}
    told = with_mentions("x", "Text", [one, one | {"why": ""}], "de").splitlines()
    assert told == [
        "Text", "", "Nur zur Information, nicht Teil dieser Zahlungsaufforderung:",
        "RE-3 vom 1.10., fällig am 20.10., offen 7,00 (noch nicht fällig)", "RE-3 vom 1.10., fällig am 20.10., offen 7,00",
    ]  # fmt: skip
    assert "RE-3 of 1.10., due on 20.10., open 7,00 (" in with_mentions("x", "Text", [one], "en")
    for template in ("{{ mentions }}", "{{ claims }}"):
        assert with_mentions(template, "Text", [one], "de") == "Text"
    assert with_mentions("x", "Text", [], "de") == "Text"


def test_why_an_invoice_has_its_part_in_a_bundle():
    """By a reason of the rules, by the bundle's own, or nothing."""
    assert why(Other(claim(), Part.LEFT_OUT, "currency"), "de")
    assert why(Other(claim(), Part.LEFT_OUT, Reason.DISPUTE.value), "en")
    assert why(Other(claim(), Part.INCLUDED), "de") == ""


@pytest.mark.parametrize(
    ("template", "amounts", "named_"),
    [
        ("{{ claims }}", {"fee": "5", "paid": "1"}, True),
        ("{{ ancillaries }}", {"fee": "5", "flat_fee": "40"}, True),
        ("{{ ancillaries }}", {"interest": "5"}, False),
        ("{{ ancillaries }}{{ interest }}", {"interest": "5", "fee": "5"}, True),
        ("{{ fee }}", {"fee": "5", "earlier_fees": "2"}, False),
        ("{{ paid }}", {"fee": "5"}, False),
        ("{{ paid }}{{ interest }}", {"paid": "1", "interest": "2"}, True),
        ("", {}, True),
    ],
)
def test_which_texts_name_every_amount(template, amounts, named_):
    """What is asked for and not named by the text makes the table of claims necessary."""
    nothing = dict.fromkeys(("fee", "earlier_fees", "flat_fee", "paid", "interest"), "")
    assert names_all(template, {**nothing, **amounts}) is named_


# --------------------------------------------------------------------------------------------------------------- people


LENA = Colleague(email="lena@example.com", name="Lena Vogt", sales_rep=True)
MAX = Colleague(email="max@example.com")


@pytest.mark.parametrize(
    "one", [LENA, MAX, Colleague(email="a@b.de", name="A"), Colleague(email="a@b.de", sales_rep=True)]
)
def test_a_colleague_is_read_as_they_are_written(one):
    """Name, address, and the star of the account owner."""
    assert colleague_of(written(one)) == one
    assert colleague_of(f"  {written(one)} ") == one


@pytest.mark.parametrize(
    "wrong", ["", "Lena", "Lena <lena@example.com", "lena@example.com>", "a@b", "<>", "a@b.de, c@d.de"]
)
def test_who_is_nobody_to_write_to(wrong):
    """No address, half a bracket, two addresses."""
    with pytest.raises(ValueError, match="nobody to write to"):
        colleague_of(wrong)


def test_who_looks_after_a_customer():
    """By number, id or tag, everybody's without either; nobody twice, the account owner first."""
    theirs = (
        Caretaker(MAX, customers=frozenset({"10017"})),
        Caretaker(Colleague(email="tag@example.com"), tags=frozenset({"vip"})),
        Caretaker(Colleague(email="both@example.com"), customers=frozenset({"d"}), tags=frozenset({"vip"})),
        Caretaker(Colleague(email="all@example.com")),
        Caretaker(Colleague(email="other@example.com"), customers=frozenset({"x"})),
        Caretaker(Colleague(email="LENA@example.com")),
    )
    its = rules(caretakers=theirs)
    assert [one.email for one in colleagues_of(case(colleagues=(MAX, LENA)), its)] == [
        "lena@example.com", "max@example.com", "all@example.com",
    ]  # fmt: skip
    told = [one.email for one in colleagues_of(case(tags=("vip",)), its)]
    assert told == ["max@example.com", "tag@example.com", "both@example.com", "all@example.com", "LENA@example.com"]
    assert colleagues_of(case(), rules()) == ()


@pytest.mark.parametrize(
    ("rule", "cc", "bcc"),
    [
        ({}, (), ()),
        ({"sales_rep": "cc"}, ("lena@example.com",), ()),
        ({"sales_rep": True}, ("lena@example.com",), ()),
        ({"colleagues": "bcc"}, (), ("lena@example.com", "max@example.com")),
        ({"sales_rep": "cc", "colleagues": "bcc"}, ("lena@example.com",), ("max@example.com",)),
        ({"colleagues": False, "cc": ["chef@example.com"]}, ("chef@example.com",), ()),
        ({"colleagues": "cc", "cc": ["max@example.com"]}, ("max@example.com", "lena@example.com"), ()),
    ],
)
def test_copies_for_our_own_people(rule, cc, bcc):
    """The account owner and the others each as the level says, beside the fixed ones, nobody twice."""
    made = plan(level(1, recipients=rule)).levels[0]
    whole = case(colleagues=(LENA, MAX))
    told = mail_recipients(whole, claim(), made, rules())
    assert (told.cc, told.bcc) == (cc, bcc)
    if "cc" not in rule:
        assert copies(whole, made, rules()) == (cc, bcc)


def test_whom_to_call():
    """Who gets the mails, else the first one with a number; with the name where it is known."""
    people = (
        Contact(email="a@x.de", name="A"),
        Contact(email="b@x.de", phone="1"),
        Contact(email="c@x.de", name="C", phone="2"),
    )
    assert phone_of(people, "c@x.de") == "C 2"
    assert phone_of(people, "a@x.de") == phone_of(people, None) == "1"
    assert phone_of(people[:1], "a@x.de") == ""
    assert phone_of((Contact(phone="3"),), None) == "3"


# -------------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("address", "claimed", "said"),
    [
        (None, {}, ""),
        (Address(city="Köln"), {}, ""),
        (Address(street="Weg 1"), {}, ""),
        (Address(lines=("A",), city="Köln"), {}, "A, Köln, DE"),
        (Address(street="Weg 1", postcode="50667", city="Köln"), {}, "Muster GmbH, Weg 1, 50667 Köln, DE"),
        (None, {"address": Address(lines=("B",), street="Weg 2", city="Bonn")}, "B, Weg 2, Bonn, DE"),
        (None, {"post_to": Address(city="Bonn")}, "Bonn, DE"),
    ],
)
def test_where_a_letter_goes(address, claimed, said):
    """The invoice's address before the customer's, with street or name, and town; a person's choice as it is."""
    assert folded(postal_address(case(address=address), claim(**claimed))) == said


def test_what_is_no_address_is_remarked():
    """With every notice that goes to the debtor, and with no other."""
    whole = case(unusable=("info@", "x"))
    for via in (Via.LETTER, Via.MAIL):
        (told,) = told_unusable(whole, via)
        assert "“info@, x”" in str(told)
    assert told_unusable(whole, Via.CALL) == told_unusable(case(), Via.MAIL) == ()


def test_a_letter_to_a_customer_without_a_name():
    """The address stands as it is, without an empty line."""
    assert (
        folded(postal_address(case(name="", address=Address(street="Weg 1", city="Köln")), claim()))
        == "Weg 1, Köln, DE"
    )


@pytest.mark.parametrize(
    ("code", "state"), [("01067", "SN"), ("00999", None), ("99998", "TH"), ("99999", None), (" 80331 ", "BY")]
)
def test_the_edges_of_postal_codes(code, state):
    """Below the first and above the last range there is no state."""
    assert state_of(code) == state


@pytest.mark.parametrize(("position", "stored", "told"), [(1, "Erste", True), (1, "Andere", False), (0, "Erste", False), (3, "Erste", False), (None, "Erste", False)])  # fmt: skip
def test_a_stored_name_is_told_in_every_language(position, stored, told):
    """Where the plan still writes it at that position; else as it was stored."""
    its = plan(level(1, name={"de": "Erste", "en": "First"}))
    found = named(its, position, stored)
    assert found == stored
    assert (type(found) is not str) is told  # a name in every language
    assert type(named(None, 1, stored)) is str


# --------------------------------------------------------------------------------------------------------- from the records


def document(**values):
    base = {"id": "9", "number": "GU-1", "status": InvoiceStatus.OPEN, "gross": Decimal(-30), "open": Decimal(-20)}
    return Invoice(**{**base, **values})


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([], {}),
        ([document(relation=Relation.CANCELS)], {"cancelled": True}),
        ([document(kind=InvoiceKind.CANCELLATION)], {"cancelled": True}),
        ([document(relation=Relation.CANCELS, status=InvoiceStatus.DRAFT)], {}),
        ([document(relation=Relation.COVERS)], {"covered": True}),
        ([document(kind=InvoiceKind.INVOICE)], {}),
        ([document(kind=InvoiceKind.CREDIT_NOTE)], {"linked_credits": 2000, "credit_notes": (("GU-1", 2000),)}),
        ([document(relation=Relation.CREDITS, number=None)], {"linked_credits": 2000, "credit_notes": (("", 2000),)}),
        ([document(relation=Relation.CREDITS, status=InvoiceStatus.PAID)], {}),
        ([document(relation=Relation.CREDITS, open=Decimal(0))], {}),
        ([document(relation=Relation.CREDITS, gross=Decimal(-100))], {"linked_credits": 2000, "credit_notes": (("GU-1", 2000),), "credited": True}),
        ([document(relation=Relation.CREDITS, gross=Decimal("-99.99"))], {"linked_credits": 2000, "credit_notes": (("GU-1", 2000),)}),
        ([document(status=InvoiceStatus.DRAFT, relation=Relation.CANCELS), document(relation=Relation.COVERS)], {"covered": True}),
        ([document(relation=Relation.CREDITS), document(relation=Relation.CREDITS, number="GU-2")],
         {"linked_credits": 4000, "credit_notes": (("GU-1", 2000), ("GU-2", 2000))}),
    ],
)  # fmt: skip
def test_what_other_documents_do_to_an_invoice(documents, expected):
    """Issued ones cancel, cover or credit it; what is open of a credit note lowers the claim, the whole of it may use it up."""
    nothing = {"cancelled": False, "covered": False, "linked_credits": 0, "credit_notes": (), "credited": False}
    assert effect_of(documents, 10000) == nothing | expected
    assert effect_of(documents, 0)["credited"] is False


def test_a_record_becomes_a_claim_and_a_customer_a_case():
    """Flags become blocks before those of people; a returned debit and a record that is gone are seen; free credit notes are added."""
    flags = (Flag(reason=Reason.GONE, source="x"), Flag(reason=Reason.DISPUTE, source="tag", until=DAY))
    record = Invoice(
        id="1", status="open", gross=Decimal("100.01"), open=Decimal(50), paid=Decimal("50.01"), flags=flags
    )
    paid = Payment(id="p", invoice_id="1", amount=Decimal(50), value_on=DAY, kind=PaymentKind.DIRECT_DEBIT)
    back = paid.model_copy(update={"amount": Decimal("-0.01")})
    mine = Block(Reason.DEFERRED)
    one = claim_view(
        record,
        payments=[paid],
        blocks=(mine,),
        related=[document(relation=Relation.CREDITS)],
        shared_notes=(("F-1", 3), ("F-2", 4)),
    )
    assert (one.gross, one.open, one.paid, one.gone, one.returned) == (10001, 5000, 5001, True, False)
    assert one.blocks == (Block(Reason.GONE, None, "x"), Block(Reason.DISPUTE, DAY, "tag"), mine)
    assert (one.linked_credits, one.shared_credits, one.demand) == (2000, 7, 2993)
    assert one.credit_notes == (("GU-1", 2000), ("F-1", 3), ("F-2", 4))
    assert claim_view(record.model_copy(update={"flags": flags[1:]}), payments=[paid, back]).returned
    assert not claim_view(record, payments=[back.model_copy(update={"kind": PaymentKind.OTHER})]).returned
    person = Debtor(id="d", name="M", flags=flags[1:], tags=("x",))
    whole = case_view("a", person, "d", blocks=(mine,))
    assert (whole.name, whole.tags, whole.blocks) == ("M", ("x",), (Block(Reason.DISPUTE, DAY, "tag"), mine))
    assert case_view("a", None, "d", blocks=(mine,)).blocks == (mine,)


@pytest.mark.parametrize(
    ("values", "on"),
    [
        ({"dated_on": date(2026, 10, 1), "created_at": datetime(2026, 10, 2, tzinfo=UTC)}, date(2026, 10, 1)),
        ({"created_at": datetime(2026, 10, 2, tzinfo=UTC)}, date(2026, 10, 2)),
        ({}, DAY),
    ],
)
def test_the_day_of_a_reminder(values, on):
    """As it is dated, else made, else first seen; ours by its marker or because we know it."""
    notice = ProviderNotice(id="5", invoice_id="1", level=1, status=NoticeStatus.SENT, **values)
    assert notice_view(notice, first_seen=DAY).on == on
    for marker, known, ours in (
        (None, False, False),
        ("mb:1", False, True),
        ("xx:1", False, False),
        (None, True, True),
    ):
        marked = notice.model_copy(update={"marker": marker})
        assert notice_view(marked, ours=known).ours is ours
        assert is_ours(marked, ["5"] if known else ["6"]) is ours


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([(0, 9, True), (0, 9, True)], "foreign_in_pull"),
        ([(0, 9, True), (-32, 9, True)], None),  # one of them is history
        ([(0, 9, True), (-31, 9, True)], "foreign_in_pull"),
        ([(0, 9, True), (None, None, True)], "foreign_in_pull"),
        ([(0, 9, False), (0, 9, False)], None),  # nothing new
        ([(0, 9, True), (-7, 9, False), (-21, 9, False)], "foreign_same_hour"),
        ([(0, 9, True), (-7, 9, False), (-22, 9, False)], None),
        ([(0, 9, True), (-7, 9, False), (-7, 9, False)], None),  # one day
        ([(0, 9, True), (-7, 10, False), (-14, 9, False)], None),
        ([(0, 0, True), (-7, 0, False), (-14, 0, False)], "foreign_same_hour"),
        ([(0, 8, True), (-1, 9, False), (-7, 9, False), (-14, 9, False)], None),  # the new one came at another hour
        ([(0, None, True), (-1, 9, False), (-7, 9, False), (-14, 9, False)], None),
    ],
)
def test_what_looks_like_another_automation(found, said):
    """Two in one pull, or the same hour on three days of three weeks; only where something is new, and not by history."""
    made = [
        Foreign(str(number), None if days is None else date.fromordinal(DAY.toordinal() + days), hour, new)
        for number, (days, hour, new) in enumerate(found)
    ]
    assert repeated(made, DAY) == said
