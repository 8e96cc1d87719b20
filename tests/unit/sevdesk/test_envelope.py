"""What sevDesk's answers mean, whatever their HTTP status."""

import pytest

from bridge.contract import BadAnswer, ConfigError, NotFound, Refused, RetryLater, Unclear
from bridge.http.redact import KNOWN
from connectors.sevdesk.envelope import judge_write, one, rows, sentence, unwrap


def failure(code, message="nein"):
    return {"objects": None, "error": {"message": message, "code": code, "data": []}}


def test_error_inside_200_is_an_error():
    """An answer with an error object is one, even where HTTP says 200."""
    with pytest.raises(Refused, match="nein"):
        unwrap(failure(390), "/x")


def test_words_of_sevdesk_are_one_line_without_any_part_of_a_secret():
    """A secret at the place where a long message is cut is taken out first; control characters do not reach a terminal."""
    token = "0123456789abcdef0123456789abcdef"
    KNOWN.add(token)
    for data in (failure(7, "\x1b[2J" + "x" * 280 + "\n" + token), "y" * 290 + token, failure(token, "nein")):
        told = sentence(data)
        assert told.isprintable()
        assert token[:8] not in told


@pytest.mark.parametrize("code", [151, "151", "NOT_FOUND"])
def test_unknown_records(code):
    """A code may be a number, its text, or a word."""
    with pytest.raises(NotFound):
        one(failure(code), "/x")


@pytest.mark.parametrize("data", [{"objects": [{"id": "1"}]}, {"objects": {"id": "1"}}, {"id": "1"}])
def test_one_record_in_any_wrapping(data):
    """A record comes as a list of one, as an object, or bare."""
    assert one(data, "/x") == {"id": "1"}


@pytest.mark.parametrize("data", [{"objects": [{}, {}]}, {"objects": ["x"]}, [], "text", 7, None])
def test_anything_else_is_no_record(data):
    """Two records, text or nothing at all is a bad answer."""
    with pytest.raises(BadAnswer):
        one(data, "/x")


@pytest.mark.parametrize("data", [{}, {"objects": None}, {"objects": {}}, [], None])
def test_nothing_looks_like_an_empty_list(data):
    """Only a list in `objects` is a list: a changed answer must not look as if nothing were open."""
    with pytest.raises(BadAnswer):
        rows(data, "/x")


def with_body(error, body):
    error.body = body
    return error


@pytest.mark.parametrize("code", [159, "170", 390, 421, 750, 90400])
def test_codes_that_prove_a_refusal(code):
    """Codes of the table prove that nothing was written, whatever the status."""
    error = judge_write(with_body(Unclear("HTTP 400"), failure(code)), "/x", strict=True)
    assert type(error) is Refused


@pytest.mark.parametrize("body", [failure(7100), failure(None), {}, None, "<html>", "Internal error"])
def test_other_refusals_of_strict_calls_are_unclear(body):
    """A 400 or 500 on creating or sending does not prove that nothing was written."""
    assert type(judge_write(with_body(Refused("HTTP 400"), body), "/x", strict=True)) is Unclear
    assert type(judge_write(with_body(Refused("HTTP 400"), body), "/x", strict=False)) is Refused


@pytest.mark.parametrize("error", [RetryLater("429"), ConfigError("401")])
def test_what_was_not_processed_stays(error):
    """A 429 and refused credentials mean what they say, whatever else the answer contains."""
    assert judge_write(with_body(error, failure(159)), "/x", strict=True) is error


def test_plain_text_is_quoted_short():
    """Some errors come as plain text; people see its beginning."""
    assert sentence(" Authentication required ") == "Authentication required"
    assert len(sentence("x" * 9999)) == 300
