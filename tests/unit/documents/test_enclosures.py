"""Files that go with a mail: the invoice from the provider, files of the configuration; without a needed one the notice waits."""

from types import SimpleNamespace

import pytest

from bridge.app.enclosures import Enclosures
from bridge.config.people import LARGEST_FILE, AttachedFile
from bridge.contract import NotSupported
from bridge.errors import ConfigError, Refused, RetryLater
from bridge.model import Attachment, Ref

INVOICE = Attachment(filename="RE-1.pdf", document=Ref.invoice("1", "RE-1"))
TERMS = Attachment(filename="AGB.pdf", path="terms")


class Provider:
    def __init__(self, answer):
        self.answer = answer

    def document(self, ref):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def files(*attachments, answer=b"%PDF-1.7 invoice", own=()):
    enclosures = Enclosures(None, None, {"main": SimpleNamespace(connector=Provider(answer))}, str, dict(own))
    return [(one.filename, data) for one, data in enclosures.enclosed("main", attachments, bytes, {})]


@pytest.fixture
def terms(tmp_path):
    (tmp_path / "agb.pdf").write_bytes(b"%PDF-1.7 terms")
    return AttachedFile(path=tmp_path / "agb.pdf")


def test_the_invoice_and_the_terms_go_along(terms):
    """The original from the provider, and the file as it is when the mail goes out."""
    assert files(INVOICE, TERMS, own={"terms": terms}) == [
        ("RE-1.pdf", b"%PDF-1.7 invoice"),
        ("AGB.pdf", b"%PDF-1.7 terms"),
    ]


@pytest.mark.parametrize("error", [RetryLater("busy"), Refused("no document"), NotSupported("document")])
def test_without_the_invoice_the_mail_waits(error):
    """The provider does not give the PDF: the mail does not go out without it."""
    with pytest.raises(type(error)):
        files(INVOICE, answer=error)


@pytest.mark.parametrize("error", [RetryLater("busy"), Refused("no document"), NotSupported("document")])
def test_an_optional_file_is_left_out(error, terms):
    """The level calls the invoice optional: the mail goes out with the rest."""
    optional = INVOICE.model_copy(update={"optional": True})
    assert [name for name, _ in files(optional, TERMS, answer=error, own={"terms": terms})] == ["AGB.pdf"]


def test_a_mistake_in_the_configuration_is_never_optional():
    """Revoked access stops the account, whatever the level says about the file."""
    with pytest.raises(ConfigError):
        files(INVOICE.model_copy(update={"optional": True}), answer=ConfigError("revoked"))


def test_a_file_that_is_gone_stops_the_mail(terms):
    """Taken out of the configuration or deleted from the disk since: a clear error, and the notice waits."""
    with pytest.raises(Refused, match="no file 'terms'"):
        files(TERMS)
    terms.path.unlink()
    with pytest.raises(Refused, match="cannot be read"):
        files(TERMS, own={"terms": terms})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has 0 bytes"),
        (b"%PDF-" + bytes(LARGEST_FILE), "at most 5000000"),
        (b"MZ\x90", "neither PDF nor PNG nor JPEG"),
    ],
)
def test_a_file_is_checked_when_the_configuration_is_read(tmp_path, content, words):
    """Empty, too large or of another type: refused at once, not when a mail is due."""
    (tmp_path / "x.pdf").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        AttachedFile(path=tmp_path / "x.pdf")
