"""The envelope around sevDesk's answers: `objects`, and `error`, which may stand inside HTTP 200."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from bridge.contract import BadAnswer, BridgeError, NotFound, Refused, Sentence, Unclear, quoted, redact

E = TypeVar("E", bound=BridgeError)

NOT_FOUND = frozenset({"151", "NOT_FOUND"})
"""The record does not exist."""

REFUSED = {
    "159": Sentence("it is no draft any more and cannot be deleted"),
    "170": Sentence("a credit note stands beside the invoice"),
    "390": Sentence("the invoice is partly paid and cannot be cancelled"),
    "421": Sentence("it is cancelled already"),
    "750": Sentence("it is paid already"),
    "90400": Sentence("only drafts can be changed"),
}
"""Codes with which sevDesk refuses before it writes. Any other 400 or 500 on a write proves nothing."""


def error_of(data: Any) -> Mapping[str, Any] | None:
    """Return the error object of an answer, whatever its HTTP status."""
    error = data.get("error") if isinstance(data, Mapping) else None
    if error is None:
        return None
    return error if isinstance(error, Mapping) else {"message": str(error)}


def code_of(data: Any) -> str:
    """Return the error code as text: an integer, a numeric string or a word; empty where there is none."""
    error = error_of(data) or {}
    code = error.get("code")
    return "" if code is None else str(code)


def sentence(data: Any) -> Sentence:
    """Return what sevDesk says, shortened and without secrets, for people."""
    error = error_of(data)
    if error is not None:
        code, message = code_of(data), _line(str(error.get("message") or ""))
        told = quoted(message) if message else Sentence("no message")
        return Sentence("{message} (code {code})", message=told, code=_line(code)[:20]) if code else told
    return quoted(_line(data)) if isinstance(data, str) and _line(data) else Sentence("")


def _line(text: str) -> str:
    """Return a text on one line, without secrets and control characters; shortened last, as half a secret is not recognised."""
    return re.sub(r"[^\x20-\x7e\xa0-\uffff]+", " ", str(redact(text))).strip()[:300]


def unwrap(data: Any, path: str) -> Any:
    """Return what an answer to a read carries. Raises `NotFound`, `Refused` or `BadAnswer`."""
    if error_of(data) is not None:
        kind = NotFound if code_of(data) in NOT_FOUND else Refused
        raise with_body(
            kind("{path}: {said}", path=path, said=sentence(data), cause=f"sevdesk_{code_of(data) or 'error'}"), data
        )
    if isinstance(data, Mapping):
        return data.get("objects", data)
    raise BadAnswer("{path}: expected an object with `objects`", path=path)


def rows(data: Any, path: str) -> list[Any]:
    """Return the records of a list. Raises `BadAnswer` where there is none: nothing must look like an empty list."""
    found = unwrap(data, path) if isinstance(data, Mapping) else None
    if not isinstance(found, list):
        raise BadAnswer("{path}: expected a list in `objects`", path=path)
    return found


def one(data: Any, path: str) -> dict[str, Any]:
    """Return the one record of an answer: an object or a list of one. Raises `NotFound`, `BadAnswer`."""
    found = unwrap(data, path)
    if isinstance(found, list):
        if not found:
            raise NotFound("{path}: no record", path=path, cause="sevdesk_empty")
        if len(found) > 1:
            raise BadAnswer("{path}: expected one record, got {found}", path=path, found=len(found))
        found = found[0]
    if not isinstance(found, dict):
        raise BadAnswer("{path}: expected a record", path=path)
    return found


def judge_write(error: BridgeError, path: str, *, strict: bool) -> BridgeError:
    """Return what a failed write really is, by the code in its answer.

    `strict` is for calls that must not happen twice: there only a code that proves the refusal counts as one.
    """
    if not isinstance(error, Unclear | Refused):
        return error
    code = code_of(error.body)
    if code in NOT_FOUND:
        return with_body(NotFound(error.sentence, cause=f"sevdesk_{code}"), error.body)
    if code in REFUSED:
        return with_body(
            Refused(
                "{path}: {refused} (code {code})", path=path, refused=REFUSED[code], code=code, cause=f"sevdesk_{code}"
            ),
            error.body,
        )
    return with_body(Unclear(error.sentence, cause=error.cause), error.body) if strict else error


def with_body(error: E, body: Any) -> E:
    """Return `error` carrying sevDesk's own answer."""
    error.body = body
    return error
