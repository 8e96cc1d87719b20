"""The journal in plain words, German and English."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from bridge.app.party import LABELS
from bridge.model import Reason
from bridge.policy import texts, words
from bridge.policy.situation import EARLY
from bridge.words import stored_text, tell

_WORDS: dict[str, tuple[str, str]] = {
    "case_opened": ("Akte angelegt", "case opened"),
    "case_reopened": ("Akte wieder geöffnet", "case opened again"),
    "case_closed": ("Akte geschlossen: {reason}, auf Stufe {level}", "case closed: {reason}, at level {level}"),
    "claim_opened": ("{invoice} kommt in die Akte", "{invoice} enters the case"),
    "claim_moved": (
        "{invoice} gehört jetzt diesem Kunden, vorher {was}",
        "{invoice} is this customer's now, was in {was}",
    ),
    "claim_reopened": ("{invoice} wieder offen", "{invoice} open again"),
    "claim_closed": ("{invoice} erledigt: {reason}", "{invoice} closed: {reason}"),
    "round_opened": ("{invoice}: neue Runde {round}", "{invoice}: new round {round}"),
    "level_adopted": (
        "{invoice}: anderswo gemahnt, Stufe {level} vom {on} übernommen",
        "{invoice}: reminded elsewhere, level {level} of {on} adopted",
    ),
    "closed_by_hand": ("von Hand geschlossen: {note}", "closed by hand: {note}"),
    "reopened_by_hand": ("von Hand wieder geöffnet: {note}", "opened again by hand: {note}"),
    "undelivered": ("{invoice}: unzustellbar", "{invoice}: could not be delivered"),
    "delivery_accepted": ("{invoice}: Zustellung gilt", "{invoice}: delivery accepted as it is"),
    "notice_returned": (
        "Schreiben der Stufe {level} kam zurück: {reason}",
        "notice of level {level} came back: {reason}",
    ),
    "notice_accepted": (
        "Schreiben der Stufe {level} gilt als zugestellt. {note}",
        "notice of level {level} counts as delivered. {note}",
    ),
    "resend_asked": (
        "Stufe {level} soll noch einmal hinaus ({channel})",
        "level {level} is to go out once more ({channel})",
    ),
    "promise_broken": (
        "{invoice}: Zahlungszusage bis {until} nicht eingehalten",
        "{invoice}: promise to pay by {until} broken",
    ),
    "instalments_agreed": (
        "{invoice}: Ratenzahlung vereinbart, {count} Raten bis {until}. {note}",
        "{invoice}: payment in {count} instalments agreed, until {until}. {note}",
    ),
    "instalments_agreed_one": (
        "{invoice}: Zahlung in einer Rate vereinbart, bis {until}. {note}",
        "{invoice}: payment in one instalment agreed, until {until}. {note}",
    ),
    "instalments_missed": (
        "{invoice}: Rate vom {on} nicht eingehalten, {amount} fehlen; es wird wieder gemahnt",
        "{invoice}: the rate of {on} was missed, {amount} did not come; dunning goes on",
    ),
    "instalments_kept": ("{invoice}: alle Raten bezahlt", "{invoice}: all rates paid"),
    "blocked_for_good": ("{invoice} gesperrt: {reason}. {note}", "{invoice} blocked: {reason}. {note}"),
    "blocked": (
        "{invoice} gesperrt: {reason}, bis {until}. {note}",
        "{invoice} blocked: {reason}, until {until}. {note}",
    ),
    "deferred": ("{invoice} Zahlungsaufschub bis {until}. {note}", "{invoice} deferred until {until}. {note}"),
    "block_replaced": (
        "dafür {count} frühere Mahnsperren mit diesem Grund beendet: {reason}",
        "{count} earlier blocks with this reason ended for it: {reason}",
    ),
    "block_replaced_one": (
        "dafür eine frühere Mahnsperre mit diesem Grund beendet: {reason}",
        "one earlier block with this reason ended for it: {reason}",
    ),
    "unblocked": ("{invoice} Sperre aufgehoben", "{invoice} block lifted"),
    "choice_taken_back": ("{invoice} nicht mehr gewählt: {setting}", "{invoice} no longer chosen: {setting}"),
    "chosen_fact": (
        "{invoice} für das Inkasso angegeben: {setting}: {value}",
        "{invoice} told for collection: {setting}: {value}",
    ),
    "choice_taken_back_fact": (
        "{invoice} Angabe für das Inkasso zurückgenommen: {setting}",
        "{invoice} no longer told for collection: {setting}",
    ),
    "chosen": ("{invoice} gewählt: {setting} {value}", "{invoice} chosen: {setting} {value}"),
    "notice_proposed": (
        "Stufe {level} {level_name} vorgeschlagen, {recipient}",
        "level {level} {level_name} proposed, {recipient}",
    ),
    "notice_queued": (
        "Stufe {level} {level_name} geht hinaus, {recipient}",
        "level {level} {level_name} goes out, {recipient}",
    ),
    "levels_skipped": (
        "{invoice}: Stufen {skipped} übersprungen durch {by}",
        "{invoice}: levels {skipped} skipped by {by}",
    ),
    "levels_skipped_one": (
        "{invoice}: Stufe {skipped} übersprungen durch {by}",
        "{invoice}: level {skipped} skipped by {by}",
    ),
    "held": ("{invoice} zurückgehalten: {text}", "{invoice} held: {text}"),
    "notice_approved": (
        "{invoice}: Stufe {level} {level_name} freigegeben",
        "{invoice}: level {level} {level_name} approved",
    ),
    "notice_refused": (
        "{invoice}: Stufe {level} {level_name} abgelehnt: {reason}",
        "{invoice}: level {level} {level_name} refused: {reason}",
    ),
    "notice_landed": (
        "{invoice} gemahnt: Stufe {level} {level_name}",
        "{invoice} reminded: level {level} {level_name}",
    ),
    "notice_landed_collection": (
        "{invoice} geht ans Inkasso: Stufe {level} {level_name}",
        "{invoice} goes to collection: level {level} {level_name}",
    ),
    "notice_landed_call": (
        "{invoice}: Anruf erledigt, Stufe {level} {level_name}",
        "{invoice}: call made, level {level} {level_name}",
    ),
    "notice_landed_internal": (
        "{invoice}: intern gemeldet, Stufe {level} {level_name}",
        "{invoice}: told in-house, level {level} {level_name}",
    ),
    "notice_listed": (
        "{invoice} in einer Sammelmahnung mitgefordert, Stufe bleibt",
        "{invoice} asked for in a bundled reminder, its level stays",
    ),
    "notice_dropped": ("Mahnung verworfen: {reason}. {note}", "notice dropped: {reason}. {note}"),
    "step_done": ("{act} erledigt", "{act} done"),
    "step_done_in_test": (
        "{act} im Testbetrieb: an {to} statt an {instead_of}",
        "{act} in test mode: to {to} instead of {instead_of}",
    ),
    "step_parked": ("{act} wartet auf eine Person: {error}", "{act} waits for a person: {error}"),
    "step_alarm": ("Achtung: {act}: {error}", "Alarm: {act}: {error}"),
    "step_unclear": ("{act}: Ausgang unbekannt, {error}", "{act}: outcome unknown, {error}"),
    "step_absent": (
        "{act}: nachweislich nicht geschehen, wird wiederholt",
        "{act}: provably did not happen, is done again",
    ),
    "notice_reopened": (
        "Stufe {level} ist anders gespeichert als freigegeben und wartet wieder auf Freigabe",
        "level {level} is stored otherwise than approved, and waits for approval again",
    ),
    "step_replayed": ("{act} noch einmal versucht: {reason}", "{act} tried again: {reason}"),
    "step_discarded": ("{act} beiseitegelegt: {reason}", "{act} set aside: {reason}"),
    "run_replayed": ("Lauf wiederholt: {reason}", "run repeated: {reason}"),
    "key_rotated": ("neuer Schlüssel {key}", "new key {key}"),
    "keys_forgotten": ("frühere Schlüssel vergessen", "earlier keys forgotten"),
    "bundle_made": ("Supportpaket geschrieben", "support bundle written"),
    "decided": ("{count} Entscheidungen eines Mahnlaufs", "{count} decisions of a dunning run"),
    "decided_one": ("{count} Entscheidung eines Mahnlaufs", "{count} decision of a dunning run"),
    "account_stopped": ("Konto angehalten: {error}", "account stopped: {error}"),
    "account_resumed": ("Konto läuft wieder", "account goes on"),
    "jump_held": ("Sprung zwischen zwei Abrufen, das Konto wartet", "jump between two pulls, the account waits"),
    "jump_over": ("Sprung hat sich erledigt", "the jump is over"),
    "jump_approved": ("Sprung zwischen zwei Abrufen angenommen", "jump between two pulls accepted"),
    "writing_suspended": ("Schreiben ausgesetzt: {why}", "writing suspended: {why}"),
    "writing_released": ("Schreiben wieder erlaubt. {note}", "writing allowed again. {note}"),
    "charge_added": (
        "{invoice}: {charge} {amount} vom {on} als Nebenforderung. {note}",
        "{invoice}: {charge} {amount} of {on} as an ancillary claim. {note}",
    ),
    "ancillaries_waived": (
        "{invoice}: auf Zinsen, Gebühren und Pauschale verzichtet. {note}",
        "{invoice}: interest, fees and flat fee waived. {note}",
    ),
    "waiver_taken_back": (
        "{invoice}: Verzicht zurückgenommen, Nebenforderungen werden wieder gefordert. {note}",
        "{invoice}: waiver taken back, ancillary claims are asked for again. {note}",
    ),
    "charge_taken_back": (
        "{invoice}: {charge} {amount} zurückgenommen. {note}",
        "{invoice}: {charge} {amount} taken back. {note}",
    ),
    "task_opened": ("Aufgabe {task}: {title} {owner}", "task {task}: {title} {owner}"),
    "task_assigned": (
        "Aufgabe {task} {title}: jetzt {owner}, fällig {until}",
        "task {task} {title}: now {owner}, due {until}",
    ),
    "task_done": (
        "Aufgabe {task} erledigt, {title}: {outcome}. {note}",
        "task {task} done, {title}: {outcome}. {note}",
    ),
    "handed_over": (
        "{invoice} an das Inkasso übergeben, {amount}: {agency}",
        "{invoice} handed over to collection, {amount}: {agency}",
    ),
    "called_back": (
        "{invoice} vom Inkasso zurückgeholt. {note}",
        "{invoice} called back from collection. {note}",
    ),
    "plan_written": ("Plan {plan} angelegt, als Kopie von {source}", "plan {plan} written, as a copy of {source}"),
    "notice_edited": (
        "Stufe {level} {level_name} bearbeitet, Fassung {version}: {subject}",
        "level {level} {level_name} edited, version {version}: {subject}",
    ),
    "notice_replaced": (
        "Mahnung {replaces} geändert: an ihrer Stelle steht {notice}",
        "notice {replaces} edited: {notice} takes its place",
    ),
    "note_added": ("Notiz: {note}", "note: {note}"),
    "contact_noted": ("Kontakt von Hand: {note}", "contact by hand: {note}"),
    "personal_data_erased": ("Angaben vor dem {before} gelöscht", "data before {before} erased"),
    "debtor_answered": (
        "Antwort über den Link: {answer} {until}. {note}",
        "answer through the link: {answer} {until}. {note}",
    ),
    "debtor_answered_without_day": (
        "Antwort über den Link: {answer}. {note}",
        "answer through the link: {answer}. {note}",
    ),
    "evidence_exported": ("Beweispaket geschrieben, Siegel {seal}", "package of evidence written, seal {seal}"),
    "trail_exported": ("Prüfpfad herausgegeben, bis {head}", "audit trail exported, up to {head}"),
    "link_revoked": ("Antwortlink widerrufen", "debtor's link revoked"),
    "setting_changed": ("{name}: {value}", "{name}: {value}"),
    "store_restored": ("Datenbank zurückgespielt, Stand {since}", "database restored, as of {since}"),
    "retention_applied": (
        "Aufbewahrung vorbei, gelöscht: Dateien {files}, Akten {cases}, Sätze {rejects}, Aufzeichnungen {recordings}",
        "retention over, erased: files {files}, cases {cases}, records {rejects}, recordings {recordings}",
    ),
    "restore_released": (
        "Versand nach dem Zurückspielen freigegeben. {note}",
        "sending released after the restore. {note}",
    ),
    "connected": ("Konto verbunden", "account connected"),
    "places_prepared": ("Felder beim Anbieter angelegt", "places made at the provider"),
}

_SETTINGS: dict[str, tuple[str, str]] = {
    "plan": ("Plan", "plan"),
    "include": ("Einschluss", "inclusion"),
    "next_level": ("nächste Stufe", "next level"),
    "next_variant": ("nächste Ausprägung", "next variant"),
    "hand_over": ("Übergabe an das Inkasso", "hand-over to collection"),
    "fee": ("Gebühr", "fee"),
    "contact": ("Kontakt von Hand", "contact by hand"),
    "mail_to": ("Empfänger", "recipients"),
    "post_to": ("Anschrift", "postal address"),
    "colleagues": ("Kundenbetreuung", "looked after by"),
}

_CHOSEN: dict[tuple[str, str], tuple[str, str]] = {
    ("include", "include"): ("mahnen, auch gegen Ausschlüsse", "dunned, in spite of exclusions"),
    ("include", "exclude"): ("ausgenommen", "left out"),
    ("include", "default"): ("wie in der Konfiguration", "as in the configuration"),
    ("hand_over", EARLY): ("ohne weitere Mahnung", "without a further reminder"),
    ("hand_over", "last"): ("nach der letzten Mahnung", "after the last reminder"),
}

_CHARGES: dict[str, tuple[str, str]] = {
    "return_charge": ("Rücklastschriftgebühr", "charge for the returned direct debit"),
    "cost": ("Kosten der Rechtsverfolgung", "recovery costs"),
}

_ACTS: dict[str, tuple[str, str]] = {
    "create": ("Mahnung anlegen", "create reminder"),
    "amend": ("Mahnung ergänzen", "amend reminder"),
    "complete": ("Mahnung abschließen", "complete reminder"),
    "send_email": ("E-Mail des Anbieters", "provider e-mail"),
    "send_post": ("Post des Anbieters", "provider post"),
    "mark_sent": ("als versandt vermerken", "mark as sent"),
    "discard": ("Entwurf löschen", "delete draft"),
    "note": ("Notiz an der Rechnung", "note on the invoice"),
    "tag": ("Schlagwort an der Rechnung", "tag on the invoice"),
    "customer_note": ("Notiz beim Kunden", "note at the customer"),
    "mail": ("E-Mail", "e-mail"),
    "letter": ("Brief", "letter"),
    "tell": ("interne Meldung", "internal notice"),
}

_ANSWERS: dict[str, tuple[str, str]] = {
    "paid": ("hat bezahlt am", "paid on"),
    "promise": ("wird zahlen am", "will pay on"),
    "dispute": ("Einwand", "objection"),
    "copy": ("Rechnung erneut gewünscht", "wants the invoice again"),
    "contact": ("falscher Ansprechpartner", "wrong contact"),
}

OUTCOMES: dict[str, tuple[str, str]] = {
    "reached": ("erreicht", "reached"),
    "not_reached": ("nicht erreicht", "not reached"),
    "promise": ("Zahlung zugesagt", "promised to pay"),
    "dispute": ("Einwand", "disputed"),
    "wrong_number": ("falsche Nummer", "wrong number"),
    "done": ("erledigt", "done"),
}
"""How a task ends."""


UNEXPLAINED = "tried again"
"""The reason of a replay for which nobody gave one."""


def entry_text(kind: str, data: Mapping[str, Any], invoice: str, language: str) -> str:
    """Return one event in plain words; what the event does not say is left out."""
    side = 1 if language == "en" else 0
    template = _WORDS.get(_variant(kind, data), (kind, kind))[side]
    data = {name: value for name, value in data.items() if (name, value) != ("reason", UNEXPLAINED)}
    values = _Values({name: _shown(name, value, language) for name, value in data.items() if value is not None})
    setting, value = str(data.get("setting", "")).partition(":")[0], str(data.get("value", ""))
    if setting == "fee" and value.isdecimal():
        values["value"] = texts.money(int(value), "", language).strip()
    if setting in ("fact", "contact"):
        values["value"] = _shown("on", value, language)
    if (setting, value) in _CHOSEN:
        values["value"] = _CHOSEN[setting, value][side]
    if kind == "notice_dropped" and values.get("text"):
        values["reason"] = values["text"]  # says what has changed
    values.setdefault("invoice", invoice)
    return " ".join(template.format_map(values).split()).strip(" .:,")


def _variant(kind: str, data: Mapping[str, Any]) -> str:
    """Return the kind whose words fit these data: one or several, a letter or what is done in the house, with an end or without."""
    if kind == "blocked" and not data.get("until"):
        return "blocked_for_good"
    if kind == "step_done" and data.get("instead_of"):
        return "step_done_in_test"
    if kind == "debtor_answered" and not data.get("until"):
        return "debtor_answered_without_day"
    if str(data.get("setting", "")).startswith("fact:"):
        return f"{kind}_fact"
    single = data.get("count") == 1 or len(data.get("skipped") or ()) == 1
    variants = (f"{kind}_one" if single else "", f"{kind}_{data.get('channel')}")
    return next((one for one in variants if one in _WORDS), kind)


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _shown(name: str, value: Any, language: str) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else tell(stored_text(str(value)), language)
    if name == "reason" and text in list(Reason):
        return words.reason(Reason(text), language)
    if name == "why":
        return words.plain("note", text, language)
    setting, _, level = text.partition(":")
    if name == "setting" and setting == "fact" and level in LABELS:
        return LABELS[level].told(language)
    if name == "setting" and setting in _SETTINGS:
        told = _SETTINGS[setting][1 if language == "en" else 0]
        return f"{told} ({'level' if language == 'en' else 'Stufe'} {level})" if level else told
    if name == "outcome" and text in OUTCOMES:
        return OUTCOMES[text][1 if language == "en" else 0]
    if name == "answer" and text in _ANSWERS:
        return _ANSWERS[text][1 if language == "en" else 0]
    if name == "charge" and text in _CHARGES:
        return _CHARGES[text][1 if language == "en" else 0]
    if name == "amount":
        return texts.money(int(Decimal(text).scaleb(2)), "", language).strip()
    if name in ("act", "channel") and text in _ACTS:
        return _ACTS[text][1 if language == "en" else 0]
    if name in ("until", "on") and isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return text
        return f"{day:%d.%m.%Y}" if language == "de" else f"{day.day} {day:%b %Y}"
    return text
