"""Finding out whether an account works: key, rights, document quota, dunning levels, places for our line, and what cannot be seen."""

from bridge.contract import Act, BadAnswer, ConfigError, Finding, Health, NotFound, Refused, Reply, Sentence, Severity
from connectors.billomat import wire
from connectors.billomat.api import Api, Record
from connectors.billomat.levels import Levels, documents_left
from connectors.billomat.places import CustomerPlace
from connectors.billomat.settings import Settings

FEW_DOCUMENTS = 25
_CREDENTIALS = {"http_401", "http_403"}
"""What Billomat itself says of a key; anything else (consent, address, proxy) speaks for itself."""
_RIGHTS = {"": 0, "READ": 1, "UPDATE": 2, "DELETE": 3}
_NEEDED: dict[Act, tuple[str, str]] = {
    Act.CREATE: ("reminders", "UPDATE"),
    Act.AMEND: ("reminders", "UPDATE"),
    Act.COMPLETE: ("reminders", "UPDATE"),
    Act.SEND_EMAIL: ("reminders", "UPDATE"),
    Act.SEND_POST: ("reminders", "UPDATE"),
    Act.DISCARD: ("reminders", "DELETE"),
    Act.NOTE: ("invoices", "UPDATE"),
    Act.TAG: ("invoices", "UPDATE"),
    Act.CUSTOMER_NOTE: ("clients", "UPDATE"),
}


class Check:
    """One check; findings are collected in the order of the questions."""

    def __init__(self, api: Api, settings: Settings, levels: Levels, place: CustomerPlace) -> None:
        self.api = api
        self.settings = settings
        self.levels = levels
        self.place = place
        self.findings: list[Finding] = []

    def __call__(self, acts: frozenset[Act]) -> Health:
        try:
            reply = self.api.account()
        except ConfigError as error:
            if error.cause not in _CREDENTIALS:
                raise
            self._say(
                Severity.ERROR,
                "billomat_credentials",
                Sentence("Billomat does not accept the key: {error}", error=error),
            )
            return Health(ok=False, findings=tuple(self.findings))
        rights = self._rights()
        self._reading_rights(rights)
        self._quota(reply)
        names = self._levels()
        usable = self._usable(acts, rights)
        self._say(
            Severity.WARNING,
            "billomat_own_automation",
            Sentence(
                "Billomat does not show whether its own dunning levels run automatically. Switch their automation off on every level (Settings > Documents > Dunning levels). Reminders made there are adopted, and writing stops when they keep appearing."
            ),
        )
        skew = self.api.http.clock_skew
        return Health(
            ok=not any(finding.severity is Severity.ERROR for finding in self.findings),
            acts=usable,
            provider_levels=names,
            findings=tuple(self.findings),
            clock_skew_seconds=None if skew is None else round(skew.total_seconds()),
        )

    def _say(self, severity: Severity, code: str, text: Sentence) -> None:
        self.findings.append(Finding(severity=severity, code=code, text=text))

    # ------------------------------------------------------------------------------------------------------------- rights

    def _rights(self) -> Record | None:
        """Return the role of the key's user, None where Billomat does not let it be read."""
        try:
            role_id = wire.reference(self.api.user(), "role_id")
            if role_id is not None:
                return self.api.role(role_id)
        except (ConfigError, Refused, BadAnswer):
            pass
        self._say(
            Severity.INFO,
            "billomat_rights_unknown",
            Sentence(
                "The rights of the key's user cannot be read. It needs: reminders DELETE, invoices UPDATE, clients UPDATE, credit notes READ."
            ),
        )
        return None

    def _reading_rights(self, rights: Record | None) -> None:
        areas = ["invoices", "clients", "reminders", *(["credit_notes"] if self.settings.credit_notes else [])]
        for area in areas:
            if rights is not None and not _may(rights, area, "READ"):
                self._say(
                    Severity.ERROR, "billomat_right_missing", Sentence("The key's user may not read {area}.", area=area)
                )

    def _usable(self, acts: frozenset[Act], rights: Record | None) -> frozenset[Act]:
        usable = set(acts)
        for act, (area, right) in _NEEDED.items():
            if rights is not None and act in usable and not _may(rights, area, right):
                usable.discard(act)
                self._say(
                    Severity.WARNING,
                    "billomat_right_missing",
                    Sentence(
                        "{act} needs the right {right} on {area}, which the key's user lacks.",
                        act=act,
                        right=right,
                        area=area,
                    ),
                )
        if Act.CUSTOMER_NOTE in usable and not self._has_place():
            usable.discard(Act.CUSTOMER_NOTE)
            self._say(
                Severity.INFO,
                "billomat_no_place",
                Sentence(
                    "There is no client property {place!r} yet; the line about a reminder stays in the case. `mahnbridge init --places` creates it.",
                    place=self.place.name,
                ),
            )
        if Act.SEND_POST in usable and not self.settings.post:
            usable.discard(Act.SEND_POST)
        return frozenset(usable)

    def _has_place(self) -> bool:
        try:
            return self.place.find() is not None
        except (NotFound, ConfigError):
            return False

    # ---------------------------------------------------------------------------------------------------- quota and levels

    def _quota(self, reply: Reply) -> None:
        left = documents_left(wire.one(reply.data, "client"))
        if left == 0:
            self._say(
                Severity.ERROR,
                "billomat_document_quota",
                Sentence(
                    "The monthly document quota is used up; no reminder can be created (drafts count as documents)."
                ),
            )
        elif left is not None:
            severity = Severity.WARNING if left < FEW_DOCUMENTS else Severity.INFO
            self._say(
                severity,
                "billomat_documents_left",
                Sentence(
                    "{left} {left|document is|documents are} left this month; every reminder uses one.", left=left
                ),
            )

    def _levels(self) -> tuple[str, ...]:
        names = tuple(wire.text(row, "name") or str(place) for place, row in enumerate(self.levels.rows(), 1))
        if names:
            self._say(
                Severity.INFO,
                "billomat_levels",
                Sentence("Billomat has {count} dunning {count|level|levels}: {names}.", count=len(names), names=names),
            )
        else:
            self._say(
                Severity.WARNING,
                "billomat_no_levels",
                Sentence(
                    "Billomat has no dunning levels (Settings > Documents > Dunning levels). A plan that uses its reminders needs one for each level."
                ),
            )
        return names


def _may(rights: Record, area: str, needed: str) -> bool:
    return _RIGHTS.get((wire.text(rights, area) or "").upper(), 0) >= _RIGHTS[needed]
