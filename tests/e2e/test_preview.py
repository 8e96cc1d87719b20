"""Looking at a notice before it exists: any level of a real invoice, in every form; nothing is written or sent."""

import base64
import io
from email import message_from_bytes, policy

import pypdf
import pytest

from tests.unit.documents.scanner import scan_page

IBAN = "DE02120300000000202051"
pytestmark = pytest.mark.xdist_group("e2e-files")


@pytest.mark.feature("N-11")
def test_any_level_of_a_real_invoice_in_every_form(desk):
    """Text, page, letter and mail say the same amount and day; the letter's GiroCode asks for exactly that; nothing has happened."""
    config = desk.folder / "bridge.yaml"
    told = config.read_text("utf-8").replace("creditor:\n", f"creditor:\n  iban: {IBAN}\n", 1)
    config.write_text(told, encoding="utf-8")
    desk("pull")
    first = desk.json("preview", "RE-1")
    assert (first["level"], first["channel"]) == (1, "mail")
    assert "RE-1" in first["subject"]
    last = desk.json("preview", "RE-1", "--level", "4", "--format", "pdf")
    assert last["level_name"] == "Final notice"
    page = pypdf.PdfReader(io.BytesIO(base64.b64decode(last["document"]))).pages[0]
    text = page.extract_text().replace("\xa0", " ")
    assert "this is our last letter" in text
    assert f"EUR {float(last['total']):,.2f}" in text
    assert scan_page(page).decode().split("\n")[6:8] == [IBAN, f"EUR{last['total']}"]

    desk("preview", "RE-1", "--level", "2", "--format", "html", "--out", "mail.html")
    html = (desk.folder / "mail.html").read_text("utf-8")
    assert "RE-1" in html
    assert "[[" not in html
    desk("preview", "RE-1", "--format", "eml", "--out", "mail.eml")
    mail = message_from_bytes((desk.folder / "mail.eml").read_bytes(), policy=policy.default)
    assert mail["Subject"] == first["subject"]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["RE-1.pdf"]

    assert "levels 1 to 4" in desk("preview", "RE-1", "--level", "9", code=2)
    assert "no variant 'x'" in desk("preview", "RE-1", "--variant", "x", code=2)
    assert "no invoice" in desk("preview", "RE-77", code=2)
    assert "there is no account 'x'; there are main" in desk("preview", "RE-1", "--account", "x", code=2)
    assert desk.mails.received == []
    assert desk.json("letters", "list") == []
    assert desk.json("approve", code=None) == []
