"""Errors, named by what happens next.

Every failure that a connector, a channel or the HTTP session can meet ends in exactly one of these classes, and the class alone
decides what the caller does. The message is for people: it names file, line, field and value where there are any, and what would
be right. It never contains a secret. It is an English template with facts (`bridge.words`), so that it can be told in German too.
"""

from datetime import timedelta
from typing import Any

from bridge.words import Sentence


class BridgeError(Exception):
    """Base of all errors of mahnbridge. `cause` groups equal failures; it is a short stable word such as `http_503`."""

    cause: str = "error"

    body: Any = None
    """The provider's own error answer (parsed JSON, else its text, shortened), for the connector that knows its codes; never shown."""

    def __init__(self, message: str, *, cause: str | None = None, **facts: Any) -> None:
        self.sentence = Sentence(message, **facts)
        super().__init__(self.sentence)
        if cause is not None:
            self.cause = cause


class Wrong(ValueError):
    """A value does not fit; raised by readers and validators, and named with its place by whoever called them."""

    def __init__(self, message: str, **facts: Any) -> None:
        self.sentence = Sentence(message, **facts)
        super().__init__(self.sentence)


class ConfigError(BridgeError):
    """A person must act (configuration, credentials, rights); the account stops until then."""

    cause = "config"


class RetryLater(BridgeError):
    """Nothing was written; the same call may be tried again after `after`."""

    cause = "retry_later"

    def __init__(
        self, message: str, *, after: timedelta = timedelta(minutes=1), cause: str | None = None, **facts: Any
    ) -> None:
        super().__init__(message, cause=cause, **facts)
        self.after = after


class Refused(BridgeError):
    """The provider refused this one write and wrote nothing; it is parked for a person."""

    cause = "refused"


class NotFound(Refused):
    """The provider says that the record does not exist."""

    cause = "not_found"


class Unclear(BridgeError):
    """The write may or may not have happened; `find` is asked before anything is repeated."""

    cause = "unclear"


class CannotTell(BridgeError):
    """The provider offers no way to tell whether a lost write happened; it is parked for a person."""

    cause = "cannot_tell"


class BadRecord(BridgeError):
    """One record does not fit the model; it is set aside with its raw form, the rest goes on."""

    cause = "bad_record"

    def __init__(
        self, reason: str, *, field: str = "", value: object = None, cause: str | None = None, **facts: Any
    ) -> None:
        shown = repr(value)
        self.reason = Sentence(reason, **facts)
        self.field = field
        self.value = shown if len(shown) <= 200 else shown[:197] + "..."
        said = (
            Sentence("{field} = {value}: {reason}", field=field, value=self.value, reason=self.reason)
            if field
            else self.reason
        )
        super().__init__(said, cause=cause or (f"bad_record:{field}" if field else None))


class BadAnswer(RetryLater):
    """A read was answered with something that is not the provider's format (HTML, truncated, too large, wrong type)."""

    cause = "bad_answer"


class NotSupported(BridgeError):
    """The connector or the account cannot do this act; found at start-up, not when a letter is due."""

    cause = "not_supported"


class UsageError(BridgeError):
    """The person or script called the program wrongly (unknown account, invoice, option value); exit code 2."""

    cause = "usage"


class AlreadyRunning(BridgeError):
    """The same work is under way in another process or thread; an overlapping start is refused."""

    cause = "already_running"


class WrongState(BridgeError):
    """The record is not, or no longer, in a state from which this is allowed; nothing was changed."""

    cause = "wrong_state"
