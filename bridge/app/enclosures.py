"""What goes with our own mail or letter: the letter as PDF, the original invoice, the provider's reminder."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog

from bridge.app.letterhead import letter_of
from bridge.config import Creditor
from bridge.config.people import AttachedFile
from bridge.deliver import AccountPort
from bridge.documents.form import Style
from bridge.documents.letter import render
from bridge.errors import BridgeError, ConfigError, Refused
from bridge.model import Act, Attachment, Ref, RefKind, Snapshot
from bridge.policy.actions import LETTER
from bridge.store.records import Notice, Step
from bridge.words import sentence_of

log = structlog.get_logger("bridge.app")


class Enclosures:
    """Makes the files of a step from the notice and the fresh snapshots; `Deliverer` asks right before the re-check."""

    def __init__(
        self,
        creditor: Creditor,
        style: Style,
        accounts: Mapping[str, AccountPort],
        case_number: Callable[[int], str],
        own: Mapping[str, AttachedFile] | None = None,
    ) -> None:
        self._creditor = creditor
        self._style = style
        self._accounts = accounts
        self._case_number = case_number
        self._own = own or {}

    def __call__(
        self, notice: Notice, step: Step, snapshots: Mapping[str, Snapshot]
    ) -> Sequence[tuple[Attachment, bytes]]:
        """Return the files of `step`. Raises `Refused` where the address is incomplete, else as `Connector.document`."""
        today = self._accounts[notice.account].today()
        debtor = next((one.debtor for one in snapshots.values() if one.debtor), None)

        def letter() -> bytes:
            case = self._case_number(notice.case_id)
            return render(letter_of(step.content, self._creditor, self._style, debtor, case=case, today=today))

        made = {one.invoice_id: one.reminder_id for one in notice.claims}
        files = list(self.enclosed(notice.account, step.content.attachments, letter, made))
        if step.act is Act.LETTER:
            files.insert(0, (Attachment(filename="letter.pdf"), letter()))
        return files

    def enclosed(
        self,
        account: str,
        attachments: Sequence[Attachment],
        letter: Callable[[], bytes],
        made: Mapping[str, str | None],
    ) -> Iterator[tuple[Attachment, bytes]]:
        """Yield what goes along. Without an optional one the notice goes out, for any other it waits.

        `letter` makes our own; `made` are the reminders which the notice itself made at the provider, by invoice.
        """
        for one in attachments:
            try:
                yield one, letter() if one.path == LETTER else self._bytes(account, one, made)
            except ConfigError:
                raise
            except BridgeError as error:
                if not one.optional:
                    raise
                log.warning("left_out", account=account, file=one.filename, cause=error.cause)

    def _bytes(self, account: str, one: Attachment, made: Mapping[str, str | None]) -> bytes:
        if one.document is not None:
            return self._accounts[account].connector.document(_ref(one.document, made))
        own = self._own.get(one.path or "")
        if own is None:
            raise Refused("there is no file {path!r} in the configuration any more", path=one.path, cause="attachment")
        try:
            return own.content()[0]
        except ValueError as error:
            raise Refused(sentence_of(error), cause="attachment") from error


def _ref(ref: Ref, made: Mapping[str, str | None]) -> Ref:
    """Return the reference; the reminder which the notice itself made is known only now."""
    if ref.kind is not RefKind.REMINDER or ref.id:
        return ref
    found = made.get(ref.number or "")
    if found is None:
        raise Refused(
            "the provider's reminder for invoice {number} does not exist yet", number=ref.number, cause="no_reminder"
        )
    return Ref.reminder(found)
