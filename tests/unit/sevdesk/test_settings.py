"""Settings of an account, and the signs that they name."""

import pytest
from pydantic import ValidationError

from bridge.contract import Content, Mapping, Reason, Recipients, Refused
from connectors.sevdesk.settings import SevDeskSettings
from connectors.sevdesk.signs import SignReader, Signs
from connectors.sevdesk.writing import mail_of


def test_a_tag_may_only_stand_for_what_holds():
    """A reason that does not hold a claim is refused, naming tag and what would be right."""
    with pytest.raises(ValidationError, match=r"'VIP'.*level_due.*dispute"):
        SevDeskSettings(tag_reasons={"VIP": Reason.LEVEL_DUE})


@pytest.mark.parametrize(
    ("value", "until"),
    [("1", None), ("ja", None), ("2026-12-31", "2026-12-31"), ("31.12.2026", "2026-12-31"), ("bis Klärung", None)],
)
def test_block_field(value, until):
    """The block field holds without end, or until a date; whatever else was written holds too."""
    settings = SevDeskSettings()
    reader = SignReader(None, settings, Mapping.load("sevdesk"))
    (flag,) = reader.on_contact(Signs(blocks={"7": value}), "7")
    assert flag.reason is Reason.CUSTOMER_EXCLUDED
    assert (flag.until.isoformat() if flag.until else None) == until
    assert reader.on_contact(Signs(blocks={"7": value}), "8") == ()


def test_tags_stand_for_reasons():
    """Tags are found in any case; on a contact an exclusion excludes the customer; others mean nothing."""
    reader = SignReader(None, SevDeskSettings(), Mapping.load("sevdesk"))
    signs = Signs(invoice_tags={"1": ("MAHNSPERRE", "VIP")}, contact_tags={"7": ("Mahnsperre", "insolvenz")})
    assert [flag.reason for flag in reader.on_invoice(signs, "1")] == [Reason.INVOICE_EXCLUDED]
    assert [flag.reason for flag in reader.on_contact(signs, "7")] == [Reason.CUSTOMER_EXCLUDED, Reason.INSOLVENCY]


def test_unreadable_signs_block_everybody():
    """Where tags or fields cannot be read, every invoice and every customer counts as blocked."""
    reader = SignReader(None, SevDeskSettings(), Mapping.load("sevdesk"))
    signs = Signs(tags_unreadable="http_403", block_unreadable="http_403")
    assert [flag.reason for flag in reader.on_invoice(signs, "1")] == [Reason.INVOICE_EXCLUDED]
    assert [flag.reason for flag in reader.on_contact(signs, "7")] == [Reason.CUSTOMER_EXCLUDED]


def test_mail_text_is_escaped():
    """Plain text is text: what looks like HTML in it reaches the debtor as written."""
    content = Content(
        subject="Mahnung", text="A <b> & C\nZeile", recipients=Recipients(to=("a@x.example",), cc=("c@x.example",))
    )
    mail = mail_of(content)
    assert mail["text"] == "A &lt;b&gt; &amp; C<br>\nZeile"
    assert mail["ccEmail"] == "c@x.example"
    assert "bccEmail" not in mail
    with pytest.raises(Refused):
        mail_of(Content(subject="Mahnung", text="x"))
