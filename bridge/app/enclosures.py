"""What goes with our own mail or letter: the letter as PDF, the original invoice, the provider's reminder."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import structlog

from bridge.config import Creditor
from bridge.config.people import AttachedFile
from bridge.deliver import AccountPort
from bridge.documents.letter import ClaimRow, Letter, Sender, render
from bridge.errors import BridgeError, ConfigError, Refused
from bridge.model import Act, Attachment, Ref, RefKind, Snapshot
from bridge.store.records import Notice, Step

log = structlog.get_logger("bridge.app")

FEE = {"de": "Mahngebühr", "en": "Reminder fee"}
NUMBERS = {"de": ("Kundennummer", "Aktenzeichen"), "en": ("Customer number", "Our reference")}


class Enclosures:
    """Makes the files of a step from the notice and the fresh snapshots; `Deliverer` asks right before the re-check."""

    def __init__(
        self, creditor: Creditor, accounts: Mapping[str, AccountPort], own: Mapping[str, AttachedFile] | None = None
    ) -> None:
        self._creditor = creditor
        self._accounts = accounts
        self._own = own or {}

    def __call__(
        self, notice: Notice, step: Step, snapshots: Mapping[str, Snapshot]
    ) -> Sequence[tuple[Attachment, bytes]]:
        """Return the files of `step`. Raises `Refused` where the address is incomplete, else as `Connector.document`."""
        port = self._accounts[notice.account]
        files = list(self._enclosed(notice, step, port))
        if step.act is Act.LETTER:
            files.insert(
                0, (Attachment(filename="letter.pdf"), render(self._letter(notice, step, snapshots, port.today())))
            )
        return files

    def _enclosed(self, notice: Notice, step: Step, port: AccountPort) -> Iterator[tuple[Attachment, bytes]]:
        """Yield what goes along. Without an optional one the notice goes out, for any other it waits."""
        for one in step.content.attachments:
            try:
                yield one, self._bytes(notice, one, port)
            except ConfigError:
                raise
            except BridgeError as error:
                if not one.optional:
                    raise
                log.warning("left_out", notice=notice.id, file=one.filename, cause=error.cause)

    def _bytes(self, notice: Notice, one: Attachment, port: AccountPort) -> bytes:
        if one.document is not None:
            return port.connector.document(self._ref(notice, one.document))
        own = self._own.get(one.path or "")
        if own is None:
            raise Refused(f"there is no file {one.path!r} in the configuration any more", cause="attachment")
        try:
            return own.content()[0]
        except ValueError as error:
            raise Refused(str(error), cause="attachment") from error

    def _ref(self, notice: Notice, ref: Ref) -> Ref:
        """Return the reference; the reminder which this notice itself made is known only now."""
        if ref.kind is not RefKind.REMINDER or ref.id:
            return ref
        made = next((one.reminder_id for one in notice.claims if one.invoice_id == ref.number), None)
        if made is None:
            raise Refused(f"the provider's reminder for invoice {ref.number} does not exist yet", cause="no_reminder")
        return Ref.reminder(made)

    def _letter(self, notice: Notice, step: Step, snapshots: Mapping[str, Snapshot], today: date) -> Letter:
        content, own = step.content, self._creditor
        debtor = next((one.debtor for one in snapshots.values() if one.debtor), None)
        name = debtor.name if debtor else ""
        if content.address is None:
            raise Refused(f"there is no postal address for {name or notice.debtor_id}", cause="letter_address")
        labels = NUMBERS.get(content.language, NUMBERS["de"])
        number = debtor.number if debtor else None
        fee = FEE.get(content.language, FEE["de"])
        return Letter(
            language=content.language,
            dated_on=today,
            sender=Sender(
                name=own.name,
                address=own.address,
                iban=own.iban,
                bic=own.bic,
                bank=own.bank or None,
                footer=footer(own),
            ),
            name=name,
            address=content.address,
            subject=content.subject,
            text=content.text,
            info=((labels[0], number),) if number else (),
            claims=tuple(_row(one.invoice_id, snapshots) for one in notice.claims),
            extras=((fee, content.fee),) if content.fee else (),
            total=content.total,
            currency=content.currency,
            deadline=content.deadline,
            reference=", ".join(one.invoice_number or one.invoice_id for one in notice.claims),
        )


def _row(invoice_id: str, snapshots: Mapping[str, Snapshot]) -> ClaimRow:
    taken = snapshots.get(invoice_id)
    if taken is None or taken.invoice is None:
        raise Refused(f"invoice {invoice_id} is not known to the provider", cause="no_invoice")
    one = taken.invoice
    return ClaimRow(
        number=one.number or one.id,
        issued_on=one.issued_on,
        due_on=one.due_on,
        gross=one.gross,
        paid=one.paid,
        open=one.open,
    )


def footer(own: Creditor) -> tuple[str, ...]:
    """Return the particulars that business letters must carry (GmbHG 35a, HGB 37a), one line each."""
    lines = [
        " · ".join(filter(None, (own.name, *own.lines, own.street, f"{own.postcode} {own.city}".strip()))),
        " · ".join(filter(None, (own.phone, own.email, own.website))),
        " · ".join(filter(None, (own.register_entry, ", ".join(own.managers), own.vat_id, own.tax_number))),
    ]
    return tuple(line for line in lines if line)
