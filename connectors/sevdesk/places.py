"""The harmless places for our line: a tag on the invoice, and one custom field of the contact that is ours alone."""

from collections.abc import Mapping
from typing import Any

from bridge.contract import Finding, NotSupported, Proof, Refused, Sentence, Severity, Unclear, WriteBack
from connectors.sevdesk.reading import Reader
from connectors.sevdesk.records import ident

OURS = "mahnbridge"
"""Word in the description of the custom field that is ours; one without it belongs to people and is never written."""

LONGEST = 250
SEPARATOR = " | "


class Places:
    """Writes and finds tags and the custom field."""

    def __init__(self, reader: Reader) -> None:
        self._api = reader.api
        self._settings = reader.settings

    # ---------------------------------------------------------------------------------------------------------- tags

    def tag(self, write: WriteBack) -> Proof:
        """Put the status tag on the invoice, unless it is there."""
        return self._put_tag(write, write.content.tag or "")

    def note(self, write: WriteBack) -> Proof:
        """Put the line on the invoice as a tag of its own, where the account wants that."""
        if not self._settings.line_as_tag:
            raise NotSupported("sevDesk has no place for a line on the invoice; line_as_tag makes it a tag")
        return self._put_tag(write, write.content.line)

    def _put_tag(self, write: WriteBack, name: str) -> Proof:
        if write.invoice is None or not name:
            raise Refused("{key}: the write-back names no invoice or no tag", key=write.key, cause="no_tag")
        found = self._find_tag(write, name)
        if found is not None:
            return found
        self._api.create_tag(name, write.invoice.id)
        return Proof(key=write.key, at=self._api.http.now(), provider_id=write.invoice.id, facts={"tag": name})

    def find_tag(self, write: WriteBack) -> Proof | None:
        return self._find_tag(write, write.content.tag or "")

    def find_note(self, write: WriteBack) -> Proof | None:
        return self._find_tag(write, write.content.line)

    def _find_tag(self, write: WriteBack, name: str) -> Proof | None:
        tags = {ident(row) for row in self._api.tags() if isinstance(row, Mapping) and _text(row.get("name")) == name}
        for row in self._api.tag_relations() if tags else ():
            target = row.get("object") if isinstance(row, Mapping) else None
            if not isinstance(target, Mapping) or target.get("objectName") != "Invoice" or write.invoice is None:
                continue
            if ident(target) == write.invoice.id and ident(row.get("tag")) in tags:
                facts = {"tag": name, "relation": ident(row) or ""}
                return Proof(
                    key=write.key, at=self._api.http.now(), provider_id=write.invoice.id, found_later=True, facts=facts
                )
        return None

    # -------------------------------------------------------------------------------------------------- custom field

    def customer_note(self, write: WriteBack) -> Proof:
        """Put the line before the older ones in our custom field of the contact."""
        setting = self.setting()
        if setting is None or write.debtor_id is None or not write.content.linked_line:
            raise Refused(
                "{key}: the contact has no field {note_field!r} of ours; run `mahnbridge init --places` to create it",
                key=write.key,
                note_field=self._settings.note_field,
                cause="sevdesk_no_note_field",
            )
        row = self._row(write.debtor_id, setting)
        before = _text(row.get("value")) if row else ""
        if write.content.linked_line in before.split(SEPARATOR):
            return self._noted(write, before, later=True)
        value = SEPARATOR.join(filter(None, (write.content.linked_line, before)))
        while len(value) > LONGEST and SEPARATOR in value:
            value = value.rsplit(SEPARATOR, 1)[0]
        if row is None:
            self._api.create_custom_field(write.debtor_id, setting, value)
        else:
            self._api.update_custom_field(str(row["id"]), write.debtor_id, setting, value)
        found = self.find_customer_note(write)
        if found is None:
            raise Unclear(
                "{key}: the field of the contact does not show the line", key=write.key, cause="sevdesk_not_noted"
            )
        return found.model_copy(update={"found_later": False})

    def find_customer_note(self, write: WriteBack) -> Proof | None:
        setting = self.setting()
        row = self._row(write.debtor_id, setting) if setting and write.debtor_id else None
        value = _text(row.get("value")) if row else ""
        return self._noted(write, value, later=True) if write.content.linked_line in value.split(SEPARATOR) else None

    def _noted(self, write: WriteBack, value: str, *, later: bool) -> Proof:
        facts = {"field": str(self._settings.note_field), "value": value}
        now = self._api.http.now()
        return Proof(key=write.key, at=now, provider_id=write.debtor_id, found_later=later, facts=facts)

    def _row(self, contact: str, setting: str) -> Mapping[str, Any] | None:
        for row in self._api.custom_fields():
            if (
                isinstance(row, Mapping)
                and ident(row.get("contact")) == contact
                and ident(row.get("contactCustomFieldSetting")) == setting
            ):
                return row
        return None

    def setting(self) -> str | None:
        """Return the id of our custom field; None where there is none, or only one that people made."""
        row = self._setting_row()
        return ident(row) if row is not None and OURS in _text(row.get("description")) else None

    def _setting_row(self) -> Mapping[str, Any] | None:
        name = (self._settings.note_field or "").casefold()
        for row in self._api.custom_field_settings() if name else ():
            if isinstance(row, Mapping) and _text(row.get("name")).casefold() == name:
                return row
        return None

    def prepare(self) -> tuple[Finding, ...]:
        """Create our custom field, on a person's consent; harmless to repeat."""
        name = self._settings.note_field
        if not name:
            return ()
        row = self._setting_row()
        if row is None:
            self._api.create_custom_field_setting(name, f"Stand der Mahnungen, geschrieben von {OURS}")
            return (
                Finding(
                    severity=Severity.INFO,
                    code="sevdesk_field_created",
                    text=Sentence("created the contact field {name!r}", name=name),
                ),
            )
        if OURS not in _text(row.get("description")):
            text = Sentence(
                "the contact field {name!r} was made by people and is left alone; choose another name in note_field",
                name=name,
            )
            return (Finding(severity=Severity.WARNING, code="sevdesk_field_taken", text=text),)
        return (
            Finding(
                severity=Severity.INFO,
                code="sevdesk_field_there",
                text=Sentence("the contact field {name!r} is there", name=name),
            ),
        )


def _text(value: Any) -> str:
    return str(value or "").strip()
