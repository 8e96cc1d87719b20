"""Sentences for staff: an English template with facts, and its German from a catalogue.

A message is made once, where it is known what happened, and told in the language of whoever reads it, be it days later: what is stored
is template and facts. As `str` it is its English text; that is what logs and scripts see.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from bridge.words.system import term

ROOMS = ("operations", "acts", "advice", "channels", "config", "http", "model", "policy", "store")
"""Catalogues of our own, one module each in this folder; connectors and channels of others bring theirs with them."""

LONGEST = 1000
"""Characters of one text fact; what is longer is shortened."""

UNTRANSLATED = "[en] "
"""Stands before a sentence that has no German."""

_PLACE = re.compile(r"\{\{|\}\}|\{(\w+(?:!r)?)(?:\|([^{}|]*)\|([^{}|]*))?\}")
_STORED = '{"words": '
_learned: dict[str, str] = {}


class Sentence(str):  # noqa: SLOT000  template and facts are added
    """A sentence for staff (Meldung): English as `str`, `told` in either language.

    `template` is the English text with its places, and the key of the German one. A fact may be text, a number, a date, a decimal, a
    member of an enumeration, an error, a sequence of these, or `Sentence` again; a place written `{name!r}` quotes it as Python does.
    `{count|invoice is|invoices are}` stands for the first words where the fact is one, else for the second.
    Without facts the template is taken as it stands.
    """

    template: str
    facts: Mapping[str, Any]

    def __new__(cls, template: str, /, **facts: Any) -> "Sentence":  # noqa: PYI034  may be an existing one
        """Return the sentence; `template` is returned as it is where it is one already and there is nothing to fill in."""
        if isinstance(template, Sentence) and not facts:
            return template
        places = {found for found, _, _ in _PLACE.findall(template) if found} if facts else set()
        kept = {place: _kept(place, facts[place.removesuffix("!r")]) for place in sorted(places)}
        return cls._made(str(template), kept)

    @classmethod
    def _made(cls, template: str, facts: Mapping[str, Any]) -> "Sentence":
        made = super().__new__(cls, _fill(template, facts, "en"))
        made.template, made.facts = template, facts
        return made

    def __str__(self) -> str:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Sentence.stored, (self.to_store(),)

    def told(self, language: str) -> str:
        """Return the sentence in German (`de`), else in English. What has no German is English with `[en]` before it."""
        if language != "de":
            return _fill(self.template, self.facts, "en")
        known = german(self.template)
        if known is not None:
            return _fill(known, self.facts, "de")
        english = _fill(self.template, self.facts, "en")
        return UNTRANSLATED + english

    def to_store(self) -> str:
        """Return text for the database from which `stored` makes the same sentence; one without facts is its own text."""
        return self.among_words() if self.facts else self.template

    def among_words(self) -> str:
        """Return text for a place where somebody's own words may stand too: `stored_text` tells it from them, without facts as well."""
        return json.dumps(_packed(self), ensure_ascii=False)

    @classmethod
    def stored(cls, text: str) -> "Sentence":
        """Return the sentence of `to_store`; any other text is taken as it stands."""
        if text.startswith(_STORED):
            try:
                found = _unpacked(json.loads(text))
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
                return cls(text)
            if isinstance(found, Sentence):
                return found
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take any text as a sentence, and keep one as it is."""
        return core_schema.no_info_before_validator_function(
            cls._taken,
            core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.to_store, return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def _taken(cls, value: Any) -> Any:
        return value if isinstance(value, Sentence) or not isinstance(value, str) else cls.stored(value)


def stored_text(text: str) -> str:
    """Return text as it was given to a database: a sentence, or somebody else's words."""
    return Sentence.stored(text) if text.startswith(_STORED) else text


def _said(value: Any) -> Any:
    return stored_text(value) if isinstance(value, str) and not isinstance(value, Sentence) else value


Said = Annotated[
    Any,
    BeforeValidator(_said),
    AfterValidator(lambda value: value if isinstance(value, Sentence) else str(value)),
    PlainSerializer(lambda value: value.among_words() if isinstance(value, Sentence) else value, return_type=str),
    WithJsonSchema({"type": "string"}),
]
"""Text of a model that is a sentence or somebody else's words, which are plain `str`."""


@dataclass(frozen=True, slots=True)
class Both:
    """A fact that is known in both languages."""

    german: str
    english: str


def both(german_text: str, english_text: str) -> Sentence:
    """Return a sentence whose two texts are known already, from a catalogue of its own (such as the reasons of the rules)."""
    return Sentence("{text}", text=Both(german_text, english_text))


def quoted(text: Any) -> Sentence:
    """Return what somebody else said (a provider, the operating system), to be told as it stands in every language."""
    return Sentence("{text}", text=str(text))


def sentence_of(value: Any) -> Sentence:
    """Return what something of ours says of itself in its `sentence` (errors, acts), the quoted text of anything else."""
    found = value if isinstance(value, Sentence) else getattr(value, "sentence", None)
    return found if isinstance(found, Sentence) else quoted(value)


class Name(str):  # noqa: SLOT000  its languages are added
    """A name that somebody wrote in several languages: as `str` the one that was chosen or stored, `told` in that of its reader."""

    languages: Mapping[str, str]

    def __new__(cls, chosen: str, languages: Mapping[str, str] | None = None) -> Self:
        """Return the name that was `chosen`, with the same in other languages."""
        made = super().__new__(cls, chosen)
        made.languages = languages or {}
        return made

    def __str__(self) -> str:
        return self

    def told(self, language: str) -> str:
        """Return the name in `language`, the chosen one where it is not written in that."""
        return self.languages.get(language) or str.__str__(self)


def tell(text: str, language: str) -> str:
    """Return any text for people: a sentence or a name in `language`, other text as it is."""
    return text.told(language) if isinstance(text, Sentence | Name) else text


def listed(items: Iterable[Any], between: str = "; ") -> Sentence:
    """Return several sentences as one."""
    parts = {f"part{number}": sentence_of(one) for number, one in enumerate(items)}
    return Sentence(between.join(f"{{{name}}}" for name in parts), **parts)


def learn(catalogue: Mapping[str, str]) -> None:
    """Add the German of a plug-in: English template -> German template."""
    _learned.update(catalogue)


def german(template: str) -> str | None:
    """Return the German template, None where there is none; one that only joins its facts needs none."""
    if not re.sub(r"\{\w+(?:!r)?\}|[\W\d_]", "", template):  # nothing but places and signs
        return template
    return _house().get(template) or _learned.get(template)


@cache
def _house() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for room in ROOMS:
        found.update(import_module(f"bridge.words.{room}").GERMAN)
    return found


def _kept(place: str, value: Any) -> Any:
    """Return a fact in a form that can be stored."""
    if place.endswith("!r"):
        return repr(str(value) if isinstance(value, Sentence) else value)
    if isinstance(value, BaseException) or hasattr(value, "sentence"):
        return sentence_of(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(_kept("", one) for one in value)
    if value is None or isinstance(value, Sentence | Both | bool | int | date | Decimal):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _fill(template: str, facts: Mapping[str, Any], language: str) -> str:
    if not facts:
        return template

    def place(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0][0]
        value = facts[found[1]]
        return _shown(value, language) if found[2] is None else found[2 if str(value) == "1" else 3]

    return _PLACE.sub(place, template)


def _shown(value: Any, language: str) -> str:
    if isinstance(value, Sentence):
        return value.told(language)
    if isinstance(value, Both):
        return value.german if language == "de" else value.english
    if isinstance(value, tuple):
        return ", ".join(_shown(one, language) for one in value)
    if language == "de":
        if isinstance(value, datetime):
            return f"{value:%d.%m.%Y %H:%M}"
        if isinstance(value, date):
            return f"{value:%d.%m.%Y}"
        if isinstance(value, Decimal):
            return str(value).replace(".", ",")
        if isinstance(value, str):
            return term(value)
    return str(value)


def _packed(value: Any) -> Any:
    if isinstance(value, Sentence):
        return {"words": value.template, "facts": {name: _packed(fact) for name, fact in value.facts.items()}}
    if isinstance(value, Both):
        return {"de": value.german, "en": value.english}
    if isinstance(value, tuple):
        return [_packed(one) for one in value]
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    if isinstance(value, Decimal):
        return {"number": str(value)}
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpacked(one) for one in value)
    if not isinstance(value, dict):
        return value
    if "words" in value:
        facts = {name: _unpacked(fact) for name, fact in value["facts"].items()}
        return Sentence._made(_text(value["words"]), facts)  # noqa: SLF001
    if "de" in value:
        return Both(_text(value["de"]), _text(value["en"]))
    if "at" in value:
        return datetime.fromisoformat(value["at"])
    return date.fromisoformat(value["on"]) if "on" in value else Decimal(value["number"])


NOTHING = Sentence("")
"""The empty sentence."""
