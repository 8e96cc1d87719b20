"""Claims in plain words, German and English: the computation row by row, what ancillary claims are for, when default began, remarks."""

from collections.abc import Mapping
from decimal import Decimal

from bridge.policy import texts
from bridge.policy.money.claims import ClaimAccount, Note, NoteCode
from bridge.policy.money.default import DefaultStart
from bridge.policy.money.fees import Ancillary, AncillaryKind, FeeReason
from bridge.policy.money.flat_fee import FlatFeeReason
from bridge.policy.money.interest import Segment
from bridge.words import Sentence, both

_KINDS: Mapping[AncillaryKind, tuple[str, str]] = {
    AncillaryKind.REMINDER_FEE: ("Mahngebühr", "reminder fee"),
    AncillaryKind.RETURN_CHARGE: ("Rücklastschriftgebühr", "charge for the returned direct debit"),
    AncillaryKind.COST: ("Kosten der Rechtsverfolgung", "recovery costs"),
    AncillaryKind.FLAT_FEE: ("Verzugspauschale", "flat fee for late payment"),
}

_OUTSIDE_VAT = ("ohne Umsatzsteuer", "outside VAT")
_ABSORBED = ("mit {amount} in der Verzugspauschale enthalten", "{amount} of it covered by the flat fee")

_RULES: Mapping[str, tuple[str, str]] = {
    "a": ("vereinbarter Zahlungstermin", "date of payment agreed"),
    "b": ("Mahnung zugegangen", "dunning letter received"),
    "c": ("Frist der Mahnung abgelaufen", "deadline of the dunning letter passed"),
    "d": ("30 Tage nach Fälligkeit und Zugang der Rechnung", "30 days after due date and receipt of the invoice"),
    "e": (
        "30 Tage nach Fälligkeit und Zugang der Rechnung, die darauf hinweist",
        "30 days after due date and receipt of the invoice, which says so",
    ),
    "f": ("30 Tage nach Fälligkeit und Empfang der Leistung", "30 days after due date and receipt of the service"),
    "g": ("Zahlung endgültig verweigert oder besonderer Grund", "payment refused for good, or a special reason"),
}

_NOTES: Mapping[NoteCode, tuple[str, str]] = {
    NoteCode.BASE_RATE_MISSING: (
        "Basiszinssatz für {country} fehlt: {first} bis {last} sind ohne Zinsen gerechnet",
        "base rate for {country} missing: {first} to {last} are computed without interest",
    ),
    NoteCode.NO_RULES: (
        "für das Recht von {country} gibt es keine Zinsregeln: ohne Zinsen gerechnet",
        "there are no interest rules for the law of {country}: computed without interest",
    ),
    NoteCode.KIND_UNKNOWN: (
        "nicht bekannt, ob Unternehmen oder Verbraucher: als Verbraucher gerechnet",
        "not known whether business or consumer: computed as a consumer",
    ),
    NoteCode.NOT_IN_DEFAULT: ("noch nicht in Verzug[, Verzug ab {on}]", "not in default yet[, in default from {on}]"),
    NoteCode.UNDATED_REDUCTION: (
        "beim Anbieter sind {amount} mehr abgezogen, als Zahlungen bekannt sind: von Beginn an abgezogen",
        "the provider took off {amount} more than the payments known: taken off from the beginning",
    ),
    NoteCode.PROVIDER_OPEN_HIGHER: (
        "beim Anbieter sind {amount} mehr offen, als nach den bekannten Zahlungen offen wären",
        "the provider shows {amount} more open than the payments known leave",
    ),
    NoteCode.OVERPAID: ("überzahlt um {amount}", "overpaid by {amount}"),
    NoteCode.RETURN_UNMATCHED: (
        "{amount} wurden zurückgebucht, ohne dass eine Zahlung dazu bekannt ist",
        "{amount} were taken back without a payment known for it",
    ),
    NoteCode.INTEREST_BELOW_MINIMUM: (
        "Zinsen von {amount} liegen unter der Grenze und werden nicht gefordert",
        "interest of {amount} is below the limit and not asked for",
    ),
    NoteCode.WAIVED: (
        "Hauptforderung bezahlt: restliche {amount} werden nicht gefordert",
        "principal paid: the remaining {amount} are not asked for",
    ),
    NoteCode.NO_INTEREST_ASKED: (
        "Basiszinssatz für {country} ab {first} fehlt: dieses Schreiben fordert keine Zinsen",
        "base rate for {country} missing from {first}: this notice asks for no interest",
    ),
    NoteCode.FEE_NOT_ASKED: (
        "Mahngebühr {planned} wird nicht gefordert: {why}",
        "the fee of {planned} is not asked for: {why}",
    ),
    NoteCode.FEE_LOWERED: (
        "Mahngebühr {planned} wird nicht gefordert, sondern {amount}: {why}",
        "the fee of {planned} is not asked for, but {amount}: {why}",
    ),
    NoteCode.FLAT_FEE_NOT_ASKED: (
        "Verzugspauschale wird nicht gefordert: {why}",
        "the flat fee is not asked for: {why}",
    ),
    NoteCode.WAIVED_BY: (
        "auf Nebenforderungen verzichtet ({who}, {on}: {reason}): {amount} werden nicht gefordert",
        "ancillary claims waived ({who}, {on}: {reason}): {amount} are not asked for",
    ),
    NoteCode.NOT_CARRIED: (
        "Zinsen und Pauschale von {amount} werden nicht gefordert, weil die Mahnung des Anbieters sie nicht ausweist; ein eigenes Schreiben fordert sie ({how})",
        "interest and flat fee of {amount} are not asked for, as the provider's reminder does not itemise them; a letter of our own asks for them ({how})",
    ),
}

FLAT_FEE_REASONS: Mapping[FlatFeeReason, tuple[str, str]] = {
    FlatFeeReason.OWED: ("geschuldet", "owed"),
    FlatFeeReason.CONSUMER: ("nicht bei Verbrauchern", "not from consumers"),
    FlatFeeReason.NOT_IN_DEFAULT: ("noch nicht in Verzug", "not in default yet"),
    FlatFeeReason.OLD_LAW: ("Forderung vor dem 29.07.2014 entstanden", "claim created before 29 July 2014"),
    FlatFeeReason.NO_CONSIDERATION: ("keine Entgeltforderung", "no claim for consideration"),
    FlatFeeReason.COUNTRY: ("in diesem Land nicht vorgesehen", "not known in this country"),
    FlatFeeReason.CURRENCY: ("nur für Forderungen in EUR", "for claims in EUR only"),
}

FEE_REASONS: Mapping[FeeReason, tuple[str, str]] = {
    FeeReason.AS_PLANNED: ("wie im Plan", "as planned"),
    FeeReason.CREATES_DEFAULT: (
        "die Mahnung, die den Verzug begründet, ist kostenfrei (vereinbarte Zahlungsziele: claims.due_source: contract)",
        "the letter that creates default is free of charge (terms of payment that are agreed: claims.due_source: contract)",
    ),
    FeeReason.CONSUMER_OFF: (
        "keine Mahngebühren für Verbraucher (claims.consumer_fees)",
        "no reminder fees for consumers (claims.consumer_fees)",
    ),
    FeeReason.CONSUMER_CAP: ("Höchstbetrag für Verbraucher", "limit for consumers"),
    FeeReason.NOT_AGREED: ("Betrag nicht vereinbart", "amount not agreed"),
    FeeReason.IN_FLAT_FEE: ("in der Verzugspauschale enthalten", "covered by the flat fee"),
}


def percent(value: Decimal, language: str) -> str:
    """Return per cent with at least two places, such as `10,52` or `10.52`."""
    text = f"{value:.2f}" if value == round(value, 2) else f"{value.normalize():f}"
    return texts.decimal(text, language)


def computation(row: Segment, currency: str, language: str) -> str:
    """Return the formula of one row of interest, such as `1.190,00 EUR x (1,52 % + 9,00 %) x 77/365`; no line breaks inside a rate."""
    rate = f"{percent(row.points, language)}\u00a0%"
    if row.base is not None:
        rate = f"({percent(row.base, language)}\u00a0% + {rate})"
    days = " + ".join(f"{part.days}/{part.year}" for part in row.parts)
    days = f"({days})" if len(row.parts) > 1 else days
    return f"{texts.money(row.principal, currency, language)} x {rate} x {days}"


def ancillary(item: Ancillary, currency: str, language: str) -> str:
    """Return what an ancillary claim is for, that it is outside VAT, and what the flat fee covers of it."""
    place = _place(language)
    about = [_OUTSIDE_VAT[place]]
    if item.absorbed:
        about.append(_ABSORBED[place].format(amount=texts.money(item.absorbed, currency, language)))
    return f"{ancillary_name(item, language)} ({', '.join(about)})"


def ancillary_name(item: Ancillary, language: str) -> str:
    """Return what an ancillary claim is for."""
    return f"{_KINDS[item.kind][_place(language)]} {item.text}".strip()


def parts(account: ClaimAccount, language: str) -> dict[str, int]:
    """Return what the ancillary claims are made of, by what they are for, in cents, whatever payments settled of them."""
    found: dict[str, int] = {}
    for item in account.items:
        if item.amount:
            name = ancillary_name(item, language)
            found[name] = found.get(name, 0) + item.amount
    if account.interest:
        found[interest_name(language)] = account.interest
    return found


def interest_name(language: str) -> str:
    """Return the name of default interest."""
    return ("Verzugszinsen", "default interest")[_place(language)]


def default_start(default: DefaultStart, language: str) -> str:
    """Return since when and why the debtor is in default."""
    words = _RULES[default.rule][_place(language)]
    return f"{texts.day(default.first_day, language)}: {words}"


def flat_fee(reason: FlatFeeReason | None, language: str) -> str:
    """Return why the flat fee is owed or not; nothing where it is not asked for."""
    return FLAT_FEE_REASONS[reason][_place(language)] if reason else ""


def remark(one: Note, currency: str) -> Sentence:
    """Return one remark in both languages, to be kept."""
    return both(note(one, currency, "de"), note(one, currency, "en"))


def note(one: Note, currency: str, language: str) -> str:
    """Return one remark; the part in square brackets is left out where its fact is not known."""
    pattern = _NOTES[one.code][_place(language)]
    facts = {name: _fact(value, currency, language) for name, value in one.facts.items()}
    facts |= {"why": _why(one.facts["why"], language)} if "why" in one.facts else {}
    head, bracket, rest = pattern.partition("[")
    if bracket:
        inside, _, tail = rest.partition("]")
        pattern = head + (inside if facts else "") + tail
    return pattern.format(**facts)


def _fact(value: object, currency: str, language: str) -> str:
    if isinstance(value, int):
        return texts.money(value, currency, language)
    return value if isinstance(value, str) else texts.day(value, language)  # type: ignore[arg-type]


def _why(code: object, language: str) -> str:
    told = (*FEE_REASONS.items(), *FLAT_FEE_REASONS.items())
    reasons = {str(one): its for one, its in told}
    return reasons[str(code)][_place(language)]


def _place(language: str) -> int:
    return 0 if language.startswith("de") else 1
