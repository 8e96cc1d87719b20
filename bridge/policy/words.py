"""Plain words for every reason code, German first and English, and what would have to change.

A part in square brackets is left out where one of its facts is not known.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from bridge.model import Reason
from bridge.policy import texts
from bridge.policy.ways import BECAUSE, Because
from bridge.words import Sentence, both, tell

_R = Reason

REASONS: Mapping[Reason, tuple[str, str]] = {
    _R.LEVEL_DUE: ("Stufe fällig[: {level}]", "level due[: {level}]"),
    _R.NOT_DUE: ("noch nicht fällig[, fällig am {due}]", "not yet due[, due on {due}]"),
    _R.NO_DUE_DATE: ("kein Fälligkeitsdatum bekannt", "no due date known"),
    _R.WITHIN_GRACE: ("innerhalb der Karenztage[ bis vor {earliest}]", "within grace days[, earliest {earliest}]"),
    _R.LEVEL_AGE: (
        "nächste Stufe noch nicht erreicht[: {level}][ frühestens {earliest}]",
        "next level not reached yet[: {level}][, earliest {earliest}]",
    ),
    _R.DEADLINE_RUNNING: (
        "gesetzte Frist läuft noch[ bis {deadline}]",
        "the deadline set still runs[ until {deadline}]",
    ),
    _R.MINIMUM_INTERVAL: (
        "Mindestabstand[ zum letzten Schreiben vom {last}][: {first}][ ({invoices})][, frühestens {earliest}]",
        "minimum interval[ since the last notice of {last}][: {first}][ ({invoices})][, earliest {earliest}]",
    ),
    _R.NOT_WORKING_DAY: (
        "kein Versandtag[: {rest}][, frühestens {earliest}]",
        "no sending day[: {rest}][, earliest {earliest}]",
    ),
    _R.OUTSIDE_HOURS: (
        "außerhalb der Versandzeiten[, frühestens {earliest}]",
        "outside sending hours[, earliest {earliest}]",
    ),
    _R.GROUP_WAITING: ("Sammelplan wartet[ bis {earliest}]", "group plan is waiting[ until {earliest}]"),
    _R.PLAN_COMPLETE: ("Eskalationsplan ist durchlaufen[: {plan}]", "escalation plan is complete[: {plan}]"),
    _R.COLLECTION_NOT_READY: ("noch nicht reif für das Inkasso[: {why}]", "not ready for collection[: {why}]"),
    _R.NO_PLAN: ("kein Eskalationsplan[ namens {plan}]", "no escalation plan[ named {plan}]"),
    _R.PAID: ("bezahlt", "paid"),
    _R.CANCELLED: ("storniert", "cancelled"),
    _R.CREDITED: ("durch Gutschrift ausgeglichen", "credited in full"),
    _R.COVERED: ("in einer Schlussrechnung enthalten", "contained in a final invoice"),
    _R.DRAFT: ("Entwurf", "draft"),
    _R.NOT_SENT: ("noch nicht versendet", "not sent yet"),
    _R.NOT_DUNNABLE: ("keine mahnbare Belegart[: {kind}]", "not a kind of document that is dunned[: {kind}]"),
    _R.UNKNOWN_STATUS: ("unbekannter Status beim Anbieter", "unknown status at the provider"),
    _R.GONE: ("beim Anbieter nicht mehr vorhanden", "the provider no longer knows it"),
    _R.UNREADABLE: (
        "Beleg beim Anbieter nicht lesbar[: {why}]",
        "the provider's record cannot be read[: {why}]",
    ),
    _R.BALANCE_NOT_POSITIVE: (
        "kein offener Betrag nach Gutschriften[: {amount}]",
        "nothing left to ask for after credit notes[: {amount}]",
    ),
    _R.BELOW_MINIMUM: (
        "unter Mindestbetrag oder Toleranz[: {amount}, Grenze {limit}]",
        "below minimum or tolerance[: {amount}, limit {limit}]",
    ),
    _R.FOREIGN_CURRENCY: ("fremde Währung[: {currency}]", "foreign currency[: {currency}]"),
    _R.AMOUNT_UNCLEAR: ("Betrag nicht eindeutig[: {why}]", "amount not clear[: {why}]"),
    _R.BEFORE_CUTOFF: ("vor dem Stichtag[ {cutoff}]", "before cut-off[ {cutoff}]"),
    _R.CUSTOMER_EXCLUDED: (
        "ausgeschlossen: Kunde[ ({source})][ bis {until}][: {note}]",
        "excluded: customer[ ({source})][ until {until}][: {note}]",
    ),
    _R.INVOICE_EXCLUDED: (
        "ausgeschlossen: Rechnung[ ({source})][: {method}][: {term}][ bis {until}][: {note}]",
        "excluded: invoice[ ({source})][: {method}][: {term}][ until {until}][: {note}]",
    ),
    _R.DEFERRED: ("Zahlungsaufschub[ bis {until}][: {note}]", "deferred[ until {until}][: {note}]"),
    _R.DISPUTE: ("Einwand[ bis {until}][: {note}]", "disputed[ until {until}][: {note}]"),
    _R.PROMISE_TO_PAY: ("Zahlungszusage[ bis {until}][: {note}]", "promise to pay[ until {until}][: {note}]"),
    _R.SAYS_PAID: (
        "Kunde meldet Zahlung[, abgewartet bis {until}][: {note}]",
        "the customer reports a payment[, waited for until {until}][: {note}]",
    ),
    _R.PAYMENT_PLAN: (
        "Ratenzahlung vereinbart[ bis {until}][, bezahlte Raten: {kept} von {rates}][, nächste Rate {amount} am {rate_on}][: {note}]",
        "payment plan agreed[ until {until}][, rates paid: {kept} of {rates}][, next rate {amount} on {rate_on}][: {note}]",
    ),
    _R.DIRECT_DEBIT_PENDING: (
        "Lastschrift noch nicht eingezogen[ bis {until}]",
        "direct debit pending[ until {until}]",
    ),
    _R.PREPAYMENT: ("Vorkasse[ bis {until}][: {note}]", "prepayment[ until {until}][: {note}]"),
    _R.INSOLVENCY: ("Insolvenz[ bis {until}][: {note}]", "insolvency[ until {until}][: {note}]"),
    _R.COLLECTION: ("im Inkasso[ bis {until}][: {note}]", "with a collection agency[ until {until}][: {note}]"),
    _R.PARKED: ("zurückgestellt[ bis {until}][: {note}]", "parked[ until {until}][: {note}]"),
    _R.ADDRESS_UNKNOWN: (
        "Anschrift oder Ansprechpartner stimmt nicht[, gesperrt bis {until}][: {note}]",
        "address or contact is wrong[, held until {until}][: {note}]",
    ),
    _R.CLOSED_BY_HAND: ("von Hand geschlossen", "closed by hand"),
    _R.PAYMENT_UNMATCHED: (
        "Zahlungseingang noch nicht zugeordnet[: {note}]",
        "a payment came in that is not yet assigned[: {note}]",
    ),
    _R.STALE_DATA: ("Zahlungsdaten veraltet[, Stand {seen}]", "payment data is stale[, as of {seen}]"),
    _R.OWN_REMINDER_RUNNING: (
        "eigene Mahnung läuft noch[: {level}][ ({state})]",
        "a reminder of ours is still running[: {level}][ ({state})]",
    ),
    _R.OWN_DRAFT_LEFT: (
        "beim Anbieter liegt ein Entwurf von uns, zu dem hier keine Mahnung mehr gehört[: {id}]",
        "the provider holds a draft of ours that no notice here belongs to any more[: {id}]",
    ),
    _R.FOREIGN_REMINDER_RUNNING: (
        "beim Anbieter steht eine Mahnung, die nicht von hier ist[ ({state})]",
        "the provider holds a reminder that was not made here[ ({state})]",
    ),
    _R.NO_RECIPIENT: (
        "kein Empfänger[ für {channel}][; „{unusable}“ ist keine E-Mail-Adresse]",
        "no recipient[ for {channel}][; “{unusable}” is no e-mail address]",
    ),
    _R.NO_CHANNEL: ("kein Versandweg[ für {channel}]", "no way to send[ for {channel}]"),
    _R.WRITING_SUSPENDED: (
        "Schreiben in dieses Konto ist ausgesetzt[: {note}]",
        "writing to this account is suspended[: {note}]",
    ),
    _R.GLOBAL_PAUSE: ("alle Sendungen sind angehalten", "all sending is paused"),
    _R.SENDING_OFF: ("Versand ist ausgeschaltet", "sending is switched off"),
    _R.DISK_FULL: ("kein Platz auf dem Datenträger", "no room on the disk"),
    _R.CHANGED: ("seit der Entscheidung geändert[: {what}]", "changed since it was decided[: {what}]"),
    _R.UNDELIVERED: ("letztes Schreiben kam zurück[: {level}]", "the last notice came back[: {level}]"),
    _R.APPROVAL_PENDING: ("wartet auf Freigabe[: {note}]", "waits for approval[: {note}]"),
    _R.REFUSED: (
        "von einer Person abgelehnt[ ({note})][, wieder vorgeschlagen am {again}][, {stays}][; früher mit: {sooner}][; {only}]",
        "refused by a person[ ({note})][, proposed again on {again}][, {stays}][; sooner with: {sooner}][; {only}]",
    ),
}

_WHEN_PAID = ("endet mit der Zahlung", "ends with the payment")
_BY_ITSELF = ("nichts; es geht von selbst weiter", "nothing; it goes on by itself")
_AT_PROVIDER = ("den Beleg beim Anbieter ändern", "change the document at the provider")
_LIFT = (
    "die Sperre hier oder beim Anbieter aufheben",
    "lift the block here or at the provider",
)
_OVER = ("nichts; die Forderung ist erledigt", "nothing; the claim is settled")

REMEDIES: Mapping[Reason, tuple[str, str]] = {
    _R.LEVEL_DUE: _WHEN_PAID,
    _R.NOT_DUE: _BY_ITSELF,
    _R.NO_DUE_DATE: (
        "Fälligkeit oder Zahlungsziel beim Anbieter eintragen",
        "enter a due date or term at the provider",
    ),
    _R.WITHIN_GRACE: _BY_ITSELF,
    _R.LEVEL_AGE: (
        "nichts; oder eine Stufe von Hand wählen (case level)",
        "nothing; or choose a level by hand (case level)",
    ),
    _R.DEADLINE_RUNNING: _BY_ITSELF,
    _R.MINIMUM_INTERVAL: _BY_ITSELF,
    _R.NOT_WORKING_DAY: _BY_ITSELF,
    _R.OUTSIDE_HOURS: _BY_ITSELF,
    _R.GROUP_WAITING: _BY_ITSELF,
    _R.PLAN_COMPLETE: ("über Inkasso, Klage oder Ausbuchung entscheiden", "decide on collection, court or write-off"),
    _R.COLLECTION_NOT_READY: (
        "abwarten oder ergänzen, was genannt ist; die Übergabe gibt immer eine Person frei",
        "wait for or add what is named; a hand-over is always approved by a person",
    ),
    _R.NO_PLAN: (
        "dem Kunden oder der Rechnung einen Plan geben (case plan), oder dem Konto (plans.default, plans.assign)",
        "give the customer or the invoice a plan (case plan), or the account (plans.default, plans.assign)",
    ),
    _R.PAID: _OVER,
    _R.CANCELLED: _OVER,
    _R.CREDITED: _OVER,
    _R.COVERED: _OVER,
    _R.GONE: _OVER,
    _R.DRAFT: ("die Rechnung beim Anbieter fertigstellen", "complete the invoice at the provider"),
    _R.NOT_SENT: ("die Rechnung versenden oder als versendet kennzeichnen", "send the invoice or mark it as sent"),
    _R.NOT_DUNNABLE: _OVER,
    _R.UNKNOWN_STATUS: _AT_PROVIDER,
    _R.UNREADABLE: (
        "den Beleg beim Anbieter berichtigen, dann erneut versuchen (replay)",
        "correct the document at the provider, then try again (replay)",
    ),
    _R.BALANCE_NOT_POSITIVE: ("Gutschriften beim Anbieter verrechnen", "settle the credit notes at the provider"),
    _R.BELOW_MINIMUM: ("den Rest ausbuchen oder die Grenze senken", "write the rest off or lower the limit"),
    _R.FOREIGN_CURRENCY: (
        "von Hand mahnen; gemahnt wird nur in der Währung des Gläubigers (dunning.currency)",
        "remind by hand; only the creditor's currency is dunned (dunning.currency)",
    ),
    _R.AMOUNT_UNCLEAR: _AT_PROVIDER,
    _R.BEFORE_CUTOFF: ("den Stichtag vorverlegen", "move the cut-off to an earlier day"),
    _R.CUSTOMER_EXCLUDED: _LIFT,
    _R.INVOICE_EXCLUDED: _LIFT,
    _R.DEFERRED: ("Ablauf abwarten oder den Aufschub aufheben", "wait for its end or lift the deferral"),
    _R.DISPUTE: ("den Einwand klären und die Sperre aufheben", "settle the dispute and lift the block"),
    _R.PROMISE_TO_PAY: ("Ablauf abwarten oder die Zusage aufheben", "wait for its end or lift the promise"),
    _R.SAYS_PAID: (
        "den Zahlungseingang beim Anbieter prüfen und zuordnen",
        "look for the payment at the provider and assign it",
    ),
    _R.PAYMENT_PLAN: (
        "Raten abwarten; bleibt eine aus, geht es weiter; oder die Vereinbarung aufheben",
        "wait for the rates; if one fails to come, it goes on; or lift the agreement",
    ),
    _R.DIRECT_DEBIT_PENDING: (
        "Einzug oder Rücklastschrift abwarten, oder die Rechnung einschließen (case include)",
        "wait for the collection or its return, or include the invoice (case include)",
    ),
    _R.PREPAYMENT: (
        "das Kennzeichen für Vorkasse entfernen oder ihr einen Plan geben (exclusions.prepayment)",
        "remove the mark of prepayment, or give it a plan (exclusions.prepayment)",
    ),
    _R.INSOLVENCY: ("Forderung beim Verwalter anmelden", "file the claim with the administrator"),
    _R.COLLECTION: ("Rückgabe durch das Inkasso", "the agency hands it back"),
    _R.PARKED: _LIFT,
    _R.ADDRESS_UNKNOWN: (
        "Anschrift und Ansprechpartner beim Anbieter berichtigen, dann die Sperre aufheben",
        "correct address and contact at the provider, then lift the block",
    ),
    _R.CLOSED_BY_HAND: ("die Akte wieder öffnen", "reopen the case"),
    _R.PAYMENT_UNMATCHED: ("die Zahlung beim Anbieter zuordnen", "assign the payment at the provider"),
    _R.STALE_DATA: (
        "neu lesen (pull); hilft das nicht, das Bankkonto beim Anbieter aktualisieren oder eine neuere Liste ablegen",
        "read anew (pull); if that changes nothing, refresh the bank account at the provider or put a newer list into the inbox",
    ),
    _R.OWN_REMINDER_RUNNING: (
        "die laufende Mahnung freigeben, senden oder verwerfen",
        "approve, send or drop the reminder that is running",
    ),
    _R.OWN_DRAFT_LEFT: (
        "den Entwurf beim Anbieter löschen, oder dort senden: dann zählt seine Stufe (siehe tasks list)",
        "delete the draft at the provider, or send it there: its level counts then (see tasks list)",
    ),
    _R.FOREIGN_REMINDER_RUNNING: (
        "die Mahnung beim Anbieter senden oder löschen",
        "send or delete that reminder at the provider",
    ),
    _R.NO_RECIPIENT: (
        "E-Mail oder Anschrift beim Kunden eintragen",
        "enter an e-mail or postal address of the customer",
    ),
    _R.NO_CHANNEL: (
        "einen eigenen Mailserver oder Briefausgang einrichten (channels)",
        "set up a mail server or letter outbox of your own (channels)",
    ),
    _R.WRITING_SUSPENDED: (
        "fremde Mahnautomatik abschalten und das Konto freigeben",
        "switch the other dunning off and release the account",
    ),
    _R.GLOBAL_PAUSE: ("die Pause beenden", "end the pause"),
    _R.SENDING_OFF: ("go-live ausführen", "run go-live"),
    _R.DISK_FULL: ("Platz schaffen (mahnbridge doctor)", "make room (mahnbridge doctor)"),
    _R.CHANGED: ("nichts; es wird neu entschieden", "nothing; it is decided anew"),
    _R.UNDELIVERED: (
        "Anschrift berichtigen und erneut senden (letters resend), oder Zustellung anerkennen (letters accepted)",
        "correct the address and send again (letters resend), or accept the delivery (letters accepted)",
    ),
    _R.APPROVAL_PENDING: ("den Lauf freigeben (approve)", "approve the run (approve)"),
    _R.REFUSED: (
        "nichts, bis sich etwas daran ändert; case level (außer einer Wiederholung der letzten Stufe), für das Inkasso case handover, schlägt es sofort vor",
        "nothing until something in it changes; case level (but for a repeated last level), for collection case handover, proposes it again at once",
    ),
}

_SET_BY = ("[ (von {by}, {since})]", "[ (by {by}, {since})]")
"""Who set what holds, and when."""

_PART = re.compile(r"\[([^\]]*)\]")
_NAME = re.compile(r"\{(\w+)\}")
_MONEY = frozenset({"amount", "limit"})
_WHAT = {
    "amount": ("Betrag", "amount"),
    "level": ("Stufe", "level"),
    "recipient": ("Empfänger", "recipient"),
    "deadline": ("Frist zu nah", "deadline too near"),
    "plan": ("Eskalationsplan", "escalation plan"),
    "bundle": ("weitere Rechnung für dieselbe Sammelmahnung", "another invoice for the same bundle"),
    "mention": ("nur erwähnte Rechnung", "an invoice that is only mentioned"),
}
_PLAIN = {
    "why": {
        "credit": (
            "offene Gutschrift, die der Beleg beim Anbieter nicht zeigt",
            "an open credit note that the provider's document does not show",
        ),
        "ancillary": (
            "Zinsen, Pauschale oder frühere Kosten, die der Beleg beim Anbieter nicht zeigt",
            "interest, a flat fee or earlier charges that the provider's document does not show",
        ),
        "fee": (
            "eine Gebühr, die der Anbieter auf seiner Mahnung ablehnt",
            "a fee that the provider refuses on its reminder",
        ),
        "last_reminder": ("die letzte Mahnung ist noch nicht hinaus", "the last reminder has not gone out"),
        "deadline": ("die letzte Frist läuft noch", "the last deadline still runs"),
        "address": ("keine vollständige Anschrift", "no complete postal address"),
    },
    "note": {
        "foreign_in_pull": (
            "mehrere Mahnungen auf einmal, die nicht von hier sind",
            "several reminders at once that were not made here",
        ),
        "foreign_same_hour": (
            "Mahnungen zur gleichen Stunde an mehreren Tagen, die nicht von hier sind",
            "reminders at the same hour on several days that were not made here",
        ),
    },
    "bundle": {
        "own_notice": ("bekommt ein eigenes Schreiben", "gets a notice of its own"),
        "plan": ("ihr Plan bündelt nicht", "its plan does not bundle"),
        "group": ("Kunde gehört zu keiner gebündelten Gruppe", "the customer is in no group that is bundled"),
        "payment_term": ("Zahlungsziel ist vom Bündeln ausgenommen", "its payment term is left out of bundles"),
        "currency": ("andere Währung", "another currency"),
        "language": ("andere Sprache", "another language"),
        "recipient": ("anderer Empfänger", "another recipient"),
        "trigger": ("löst aus", "triggers it"),
        "included": ("mit aufgenommen", "included"),
        "mentioned": ("nur erwähnt, nicht gefordert", "mentioned, not asked for"),
        "left_out": ("nicht aufgenommen", "left out"),
    },
    "first": {
        "bundle": (
            "am selben Tag geht eine Sammelmahnung an den Kunden",
            "a bundle goes to the customer on the same day",
        ),
        "single": (
            "am selben Tag gehen Mahnungen zu einzelnen Rechnungen an den Kunden",
            "notices about single invoices go to the customer on the same day",
        ),
        "bundle_proposed": (
            "eine Sammelmahnung an den Kunden wartet auf Freigabe",
            "a bundle to the customer waits for approval",
        ),
        "single_proposed": (
            "eine Mahnung an den Kunden wartet auf Freigabe",
            "a notice to the customer waits for approval",
        ),
    },
    "what": _WHAT,
    "only": {
        "repeated": (
            "früher nur mit anderem Betrag, Empfänger oder Plan: eine Wiederholung der letzten Stufe wählt kein Befehl",
            "sooner only with another amount, recipient or plan: no command chooses a repeated last level",
        )
    },
    "stays": {"unchanged": ("bleibt weg, bis sich etwas daran ändert", "stays away until something in it changes")},
    "channel": {
        "email": ("E-Mail", "e-mail"),
        "post": ("Post", "post"),
        "provider_email": ("E-Mail", "e-mail"),
        "provider_post": ("Post", "post"),
        "mail": ("E-Mail", "e-mail"),
        "letter": ("Brief", "letter"),
        "call": ("Anruf", "call"),
        "internal": ("interne Meldung", "internal notice"),
        "collection": ("Inkasso", "collection"),
    },
    "state": {
        "proposed": ("vorgeschlagen", "proposed"),
        "approved": ("freigegeben", "approved"),
        "queued": ("zur Zustellung eingereiht", "queued for delivery"),
        "waiting": ("erstellt, noch nicht versendet oder getan", "made, not sent or done yet"),
        "parked": ("wartet auf eine Person", "waits for a person"),
        "draft": ("Entwurf", "draft"),
        "final": ("fertiggestellt", "final"),
        "sent": ("versendet", "sent"),
    },
    "source": {
        "default": ("Voreinstellung", "default"),
        "configuration": ("Konfiguration", "configuration"),
        "customer tag": ("Schlagwort des Kunden", "customer tag"),
        "invoice tag": ("Schlagwort der Rechnung", "invoice tag"),
        "payment method": ("Zahlungsart", "payment method"),
        "payment term": ("Zahlungsziel in Tagen", "payment term in days"),
    },
}
"""Plain words for values that the rules name by code."""


@lru_cache(maxsize=256)
def _names(part: str) -> tuple[str, ...]:
    return tuple(_NAME.findall(part))


def reason(code: Reason, language: str = "de", facts: Mapping[str, Any] | None = None) -> str:
    """Return the plain words of a reason code, with what is known filled in."""
    known = {name: _shown(name, value, language, facts or {}) for name, value in (facts or {}).items()}

    def part(found: re.Match[str]) -> str:
        inner = found.group(1)
        if any(not known.get(name) for name in _names(inner)):
            return ""
        return _NAME.sub(lambda name: known[name.group(1)], inner)

    return _PART.sub(part, _in(REASONS[code], language) + _in(_SET_BY, language))


def to_debtor(code: str, language: str, facts: Mapping[str, Any]) -> str:
    """Return why a notice lists an invoice without asking for it, as the debtor may read it; empty where it is not theirs to know."""
    if code == Reason.NOT_DUE:
        return reason(Reason.NOT_DUE, language)
    if code == Reason.DEADLINE_RUNNING:
        day = texts.day(facts.get("deadline"), language)
        return f"bereits angemahnt, Frist bis {day}" if language == "de" else f"already reminded of, payable by {day}"
    return ""


def told(code: Reason, facts: Mapping[str, Any] | None = None) -> Sentence:
    """Return the plain words of a reason code in both languages, to be kept."""
    return both(reason(code, "de", facts), reason(code, "en", facts))


def remedy(code: Reason, language: str = "de") -> str:
    """Return what would have to change for the decision to change."""
    return _in(REMEDIES[code], language)


def plain(name: str, value: str, language: str) -> str:
    """Return the plain words of a value that the rules name by code, the value itself where it has none."""
    return _shown(name, value, language, {})


def because(code: Because | None, language: str = "en") -> str:
    """Return why our own mail or letter goes out and not the provider's; empty for None."""
    return _in(BECAUSE[code], language) if code else ""


def _in(pair: tuple[str, str], language: str) -> str:
    return pair[0] if language == "de" else pair[1]


def _shown(name: str, value: Any, language: str, facts: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):  # a level's name by language
        return str(value.get(language) or next(iter(value.values()), ""))
    if isinstance(value, date):
        return texts.day(value, language)
    if name in _MONEY and isinstance(value, int):
        return texts.money(value, str(facts.get("currency", "EUR")), language)
    known = _PLAIN.get(name, {}).get(value) if isinstance(value, str) else None
    if known is not None:
        return _in(known, language)
    return tell(str(value), language)
