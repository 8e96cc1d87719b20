"""Pseudonyms: who somebody is goes, what decides stays, and what was equal stays equal.

A value stays where it decides by itself: numbers, dates, truth values, codes of currencies and countries, and whatever the program itself
names (its literals, the mapping, the settings). Everything else is replaced word by word by letters and digits of the same kind and
number, the same word always by the same, so that a number in a text still is the one of its invoice. The key is thrown away.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_MAIL = re.compile(r"([^\s@<>\"',;:()]{1,64})@([^\s@<>\"',;:()]{1,255})")
_KEPT_IN_TEXT = re.compile(r"mb:[0-9a-f]{12}|\[redacted\]")
_NUMBER = re.compile(r"[+-]?\d{1,18}([.,]\d{1,12})*%?")
_TELEPHONE = re.compile(r"\+\d{7,}|0\d{8,}|491[567]\d{8,9}")
"""A number of a telephone in one piece: no amount and no id is written so, nor as a German mobile number without its sign."""
_TELEPHONE_KEY = re.compile("telefon|phone|telefax|fax|mobil|handy|ruf_?(?:nummer|nr)")
"""Parts of names of fields that hold numbers of telephones, also within one word: `telefonnummer`, `faxnr`."""
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s?(Z|[+-]\d\d:?\d\d)?|\d\d?\.\d\d?\.\d{2,4}|\d{8}(T\d{6})?"
)
_CODE = re.compile(r"[A-Z]{2,3}")
_TAXED = re.compile(r"([A-Z]{2})(\d[A-Z0-9]{4,})")
_WORDS_OF_KEY = re.compile(r"[A-Z]?[a-zäöüß]+|[A-Z]+(?![a-z])")
_PERSONAL = frozenset(
    [
        "name",
        "surename",
        "surname",
        "familyname",
        "firstname",
        "lastname",
        "first",
        "last",
        "nachname",
        "vorname",
        "street",
        "strasse",
        "straße",
        "address",
        "anschrift",
        "zip",
        "postcode",
        "plz",
        "city",
        "ort",
        "phone",
        "tel",
        "telephone",
        "handy",
        "fon",
        "telefon",
        "mobile",
        "mobil",
        "fax",
        "mail",
        "email",
        "iban",
        "bic",
        "bank",
        "blz",
        "konto",
        "vat",
        "ust",
        "tax",
        "steuer",
        "birth",
        "birthday",
        "title",
        "salutation",
        "salutatory",
        "academic",
        "contact",
        "person",
        "recipient",
        "empfaenger",
        "payee",
        "payer",
        "holder",
        "owner",
        "mandate",
        "creditor",
        "card",
        "description",
        "www",
        "url",
    ]
)
_LITERAL = re.compile(r"[\w.:/%+-]{1,40}")
_JSON = re.compile(r'"((?:[^"\\]|\\.)*+)"(\s*:)?|"(?:[^"\\]|\\.)*+|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
"""A text with its colon, one that does not end, a number. Each sign is read once: a broken answer of megabytes must not take for ever."""
_SIGNS = re.compile(r"[\s\[\]{},:]*(?:(?:true|false|null)[\s\[\]{},:]*)*")
_KEPT_DIGITS = re.compile(r"\d+|\D+")
_GROUPS = re.compile(r"(?<![\w.,+(])[+(]*\d{1,4}\)?(?:[ /-]{1,3}\(?\d{1,4}\)?){2,}(?![\w.,])")
"""Numbers of telephones and banks as people write them, in groups that would say little each."""

_MONTHS = frozenset(
    re.findall(
        r"\w+",
        "jan januar january feb februar february mär maerz märz mar march apr april mai may jun juni june jul juli july aug august sep sept "
        "september okt oktober oct october nov november dez dezember dec december",
    )
)
_NAMED = re.compile(
    "name|firm|kunde|stra(?:ß|ss)e|anschrift|adress|plz|postleit|postcode|(?:^|\\W)zip|ort$|ort[ /-]|stadt|city|street|telefon|phone|mobil|handy|fax|mail|"
    "iban|bic|konto|blz|bank|mandat|geb(?:urt|oren|\\.)|birth|steuer|ust-?id|vat|empfänger|empfaenger|auftraggeber|beg(?:ü|ue)nstigt|zahlungspflicht|"
    "zweck|ansprech|person|kontakt|inhaber|gl(?:ä|ae)ubiger|contact|organi[sz]ation|customer|client|notiz|bemerkung|kommentar|comment|note|"
    "beschreibung|description|betreff|subject|nachricht|message|anrede|titel"
)
_LONGEST_HEADING = 200
"""Signs of a heading; what is longer says more than what stands below it."""
_NUMBERED = re.compile(r"(?:kunden|customer|debitor|personen|kd)\w*?[-_ .]*(?:nr|nummer|no|number|konto)\.?|debitor")
"""Headings for numbers of customers, which stay as ids at a provider do."""

_ORDER = re.compile(r"[a-z_]{2,30} (?:ASC|DESC)")
"""How a list was asked to be sorted."""

_LONG = 8
"""Letters from which a word of the program stays even where a person's name would stand: nobody is called `lastschrift`."""


class Pseudonyms:
    """Replaces what says who somebody is. `known` are the words that the program itself names."""

    def __init__(self, known: Iterable[str] = (), key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._known = {one.casefold() for one in known if _LITERAL.fullmatch(one)}
        self._numbers: set[str] = set()
        self._prefixes: set[str] = set()
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    @property
    def count(self) -> int:
        """Return how many different words were replaced."""
        return len(self._given)

    def learn(self, text: str) -> None:
        """Note the whole numbers of a JSON text that stay, so that they stay in other texts too; to be called on all texts first.

        In a text that is no JSON a number may be anything: none of them is noted.
        """
        field = ""
        for match in _JSON.finditer(text) if text.lstrip()[:1] in ("{", "[") else ():
            if match[2]:
                field = match[1]
            elif not _personal(field):
                value = match[0] if match[1] is None else match[1]
                if value.isdecimal() and len(value) > 2 and not _TELEPHONE.fullmatch(value):
                    self._numbers.add(value)

    def keep(self, number: str) -> None:
        """Let the number of an invoice or customer, as far as it stays, be the same wherever else it stands."""
        for word in _WORD.findall(number):
            if number.isdecimal() and len(number) > 2:
                self._numbers.add(number)
            elif word.casefold() in self._known and word.isalpha():
                self._prefixes.add(word.casefold())

    def figures(self, text: str) -> str:
        """Return an amount or a date, also one that nobody can read: its digits stay, words as everywhere."""
        return _WORD.sub(lambda match: _KEPT_DIGITS.sub(lambda one: self._figure(one[0]), match[0]), text)

    def _figure(self, word: str) -> str:
        known = word.casefold() in self._known or word.casefold() in _MONTHS or _CODE.fullmatch(word)
        return word if known or word.isdecimal() else self._other(word)

    def body(self, text: str) -> str:
        """Return the JSON text with its values replaced; what is no JSON, or broken off, as text."""
        field = ""

        def other(match: re.Match[str]) -> str:
            nonlocal field
            if match[1] is None and match[0].startswith('"'):
                return self.text(match[0])
            if match[1] is None:
                return self._digits(match[0]) if _personal(field) or _TELEPHONE.fullmatch(match[0]) else match[0]
            try:
                value = json.loads(f'"{match[1]}"')
            except ValueError:
                return self.text(match[0])
            if match[2]:
                field = value
                return f"{json.dumps(self._name(value), ensure_ascii=False)}{match[2]}"
            return json.dumps(self.value(value, field), ensure_ascii=False)

        if text.lstrip()[:1] not in ("{", "["):
            return self.text(text)
        parts, end = [], 0
        for match in _JSON.finditer(text):
            parts += [_between(self, text[end : match.start()]), other(match)]
            end = match.end()
        return "".join((*parts, _between(self, text[end:])))

    def value(self, value: str, field: str = "") -> str:
        """Return one value under a field's name."""
        if value.casefold() in self._known or not value or _ORDER.fullmatch(value):
            return value
        personal = _personal(field)
        telephone = _TELEPHONE.fullmatch(value)
        if (
            not personal
            and not telephone
            and (_NUMBER.fullmatch(value) or _DATE.fullmatch(value) or _CODE.fullmatch(value))
        ):
            return value
        if personal and _DATE.fullmatch(value):
            return "1970-01-01" if len(value) == 10 and value[4] == "-" else self._words(value, personal=True)
        return self.text(value, personal=personal)

    def text(self, text: str, *, personal: bool = False) -> str:
        """Return a text word by word."""
        parts, end = [], 0
        for match in _KEPT_IN_TEXT.finditer(text):
            parts += [self._mails(text[end : match.start()], personal=personal), match[0]]
            end = match.end()
        return "".join((*parts, self._mails(text[end:], personal=personal)))

    def _mails(self, text: str, *, personal: bool) -> str:
        parts, end = [], 0
        for match in _MAIL.finditer(text):
            mail = f"{self._words(match[1], personal=True)}@{self._words(match[2], personal=True)}.invalid"
            parts += [self._words(text[end : match.start()], personal=personal), mail]
            end = match.end()
        return "".join((*parts, self._words(text[end:], personal=personal)))

    def _words(self, text: str, *, personal: bool) -> str:
        if not personal:
            text = _GROUPS.sub(lambda match: self._words(match[0], personal=True), text)
        return _WORD.sub(lambda match: self._word(match[0], personal=personal), text)

    def _word(self, word: str, *, personal: bool) -> str:
        if word.isdecimal() and not personal and (word in self._numbers or len(word) <= 2):
            return word
        shortest = _LONG if personal and word.casefold() not in self._prefixes else 2
        if word.casefold() in self._known and len(word) >= shortest:
            return word
        taxed = _TAXED.fullmatch(word)
        return taxed[1] + self._other(taxed[2]) if taxed else self._other(word)

    def _name(self, name: str) -> str:
        """Return the name of a field; one that looks like data is replaced too."""
        return name if re.fullmatch(r"[\w.$@:-]{1,60}", name) and "@" not in name[1:] else self.text(name)

    def _digits(self, number: str) -> str:
        """Return another number with as many digits, which begins with none that JSON forbids."""
        other = self._words(number, personal=True)
        return re.sub(r"^(-?)0(?=\d)", r"\g<1>7", other)

    def _other(self, word: str) -> str:
        given = self._given.get(word.lower())
        if given is None:
            given = self._given[word.lower()] = self._new(word.lower())
            self._taken.add(given)
        if len(given) != len(word):
            return given
        return "".join(b.upper() if a.isupper() else b for a, b in zip(word, given, strict=True))

    def _new(self, word: str) -> str:
        """Return letters for letters and digits for digits, not yet used for another word as far as there are enough."""
        found = word
        for attempt in range(20):
            salt = self._key + attempt.to_bytes(1, "big") + word.encode("utf-8", "surrogatepass")
            stream = hashlib.shake_256(salt).digest(len(word))
            found = "".join(_like(sign, byte) for sign, byte in zip(word, stream, strict=True))
            if found != word and found not in self._taken:
                break
        return found


def named(heading: str) -> bool:
    """Return whether a heading of a table stands above names, addresses, numbers of banks or free texts."""
    text = heading.casefold().strip()
    if len(text) > _LONGEST_HEADING:
        return True
    return _NUMBERED.fullmatch(text) is None and (_NAMED.search(text) is not None or _personal(heading))


def _between(names: Pseudonyms, text: str) -> str:
    """Return what stands between the values of a JSON text: its signs, or the rest of one that broke off."""
    return text if _SIGNS.fullmatch(text) else names.text(text, personal=True)


def _like(sign: str, byte: int) -> str:
    if sign.isdecimal():
        return str(byte % 10)
    if sign.isascii():
        return "abcdefghijklmnopqrstuvwxyz"[byte % 26]
    return "äöü"[byte % 3]


def _personal(field: str) -> bool:
    words = [one.lower() for one in _WORDS_OF_KEY.findall(field)]
    if _TELEPHONE_KEY.search(field.lower()):
        return True
    return field.lower() != "objectname" and not _PERSONAL.isdisjoint((*words, field.lower(), "".join(words)))
