"""Pseudonyms of support bundles: nobody is named, what decides stays, what was equal stays equal."""

import json

from bridge.replay.pseudonyms import Pseudonyms

RECORD = {
    "id": "4711", "invoiceNumber": "RE-1042", "status": "200", "sumGross": "1190.00", "invoiceDate": "2026-08-03T00:00:00+02:00",
    "currency": "EUR", "contact": {"objectName": "Contact", "id": 12, "name": "Späth & Söhne GmbH", "phone": 4917012345678},
    "surename": "Anna", "zip": "20095", "email": "anna@spaeth.example", "vatNumber": "DE123456789", "birthday": "1980-02-03",
    "internalNote": "+491511234567", "footer": "015112345678", "tel": 30123456, "headText": "Rechnung RE-1042, Frau Anna, Tel. 0170 1234567, mb:aaaabbbbcccc", "paid": None, "main": True,
}  # fmt: skip
NAMED = (
    "Späth",
    "Söhne",
    "Anna",
    "20095",
    "spaeth",
    "123456789",
    "1980",
    "0170",
    "1234567",
    "4917012345678",
    "1511234567",
    "30123456",
)


def pseudonymised(record=RECORD, known=("Contact", "100", "200")):
    names = Pseudonyms(known, b"k" * 32)  # another key might give, by chance, the digits that were there
    text = json.dumps(record, ensure_ascii=False)
    names.learn(text)
    return json.loads(names.body(text)), names.body(text)


def test_nobody_is_named():
    """Names, addresses, numbers of telephones and banks are in no form left."""
    _, text = pseudonymised()
    assert [one for one in NAMED if one.casefold() in text.casefold()] == []


def test_a_telephone_number_that_stands_as_a_number_is_replaced():
    """Under any name for telephone, mobile or fax, and as a German mobile number under any name at all."""
    other, _ = pseudonymised(given := {
        "telefonnummer": 40302010, "mobilnr": 17012345678, "Faxnummer": 4030201099, "rufnummer": 8912345, "handynummer": 1701234567,
        "phonenumber": 4989123456, "extra": 4917012345678, "id": 491234567, "total": 4917012.35,
    })  # fmt: skip
    assert {field for field in given if other[field] == given[field]} == {"id", "total"}
    assert all(
        isinstance(number, int) and len(str(number)) == len(str(given[field]))
        for field, number in other.items()
        if field != "total"
    )


def test_what_decides_stays():
    """Ids, amounts, dates of documents, statuses, currencies, our own marker and the program's own words are what they were."""
    other, _ = pseudonymised()
    for field in ("id", "status", "sumGross", "invoiceDate", "currency", "paid", "main"):
        assert other[field] == RECORD[field]
    assert other["contact"]["objectName"] == "Contact"
    assert other["contact"]["id"] == 12
    assert other["headText"].endswith("mb:aaaabbbbcccc")
    assert Pseudonyms().value("id ASC", "order_by") == "id ASC"  # what was asked is found again, in its order


def test_equal_stays_equal():
    """A number is the same in its own field and inside a text, a name the same everywhere; and different ones differ."""
    other, _ = pseudonymised()
    assert other["invoiceNumber"] != "RE-1042"
    assert other["invoiceNumber"] in other["headText"]
    assert other["surename"] in other["headText"]
    assert other["email"].split("@")[0] == other["surename"].lower()
    assert other["email"].endswith(".invalid")


def test_shape_stays():
    """A value that fits, or does not, still does: as many letters and digits, the same signs between, broken JSON still broken."""
    other, _ = pseudonymised()
    assert other["vatNumber"][:2] == "DE"
    assert len(other["vatNumber"]) == 11
    assert isinstance(other["contact"]["phone"], int)
    text = json.dumps(RECORD, ensure_ascii=False)[:-40]
    names = Pseudonyms()
    names.learn(text)
    broken = names.body(text)
    assert len(broken) >= len(text)
    assert "anna" not in broken.lower()
    assert Pseudonyms().body("<html>Frau Anna</html>").count("<") == 2


def test_nobody_is_named_in_another_spelling():
    """Encoded for mails, addresses, HTML or JSON, split into groups or parts of a link: what names somebody is gone."""
    spelt = (
        "=?utf-8?B?TcO8bGxlciBBbm5h?=", "M=C3=BCller", "M%C3%BCller", "M&uuml;ller", "TcO8bGxlciBBbm5h", "+49 (40) 30 20 10", "0170 12 34 56 7",
        "DE12 5001 0517 0648 4898 90", "https://x.example/t?token=abc123def456&mail=anna%40kueche.example", "geb. 03.04.1971",
    )  # fmt: skip
    parts = ("TcO8", "ller", "Anna", "30 20", "20 10", "12 34", "5001", "0517", "abc123", "kueche", "1971")
    record = {"headText": " ".join(spelt), "total": "119.00", "on": "2026-09-01"}
    for text in (json.dumps(record), json.dumps(record).replace("M", "\\u004d"), f"<p>{' '.join(spelt)}</p>"):
        names = Pseudonyms(("Contact",), b"fixed")
        names.learn(text)
        told = names.body(text)
        assert [part for part in parts if part.casefold() in told.casefold()] == []
        if text.startswith("{"):
            assert json.loads(told)["on"] == "2026-09-01"
